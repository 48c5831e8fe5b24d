"""Round trips with nothing but Alembic's own commands; run by the project's Python.

Takes the name of a file with `{"baseline": …, "trips": [{"revision", "before", "after", "ask"}]}`,
writes what came of each trip to standard output. `before` and `after` are rows put in ahead of the
upgrade and ahead of the downgrade, `ask` are queries put at the end.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

DATABASE = "production.db"


def main(plan: dict[str, Any]) -> list[dict[str, Any]]:
    start_empty(plan["flask"])
    if plan["baseline"]:
        make_baseline(plan["baseline"])
    parents = {
        script.revision: script.down_revision
        for script in ScriptDirectory.from_config(Config("alembic.ini")).walk_revisions()
    }
    return [trip(each, parents[each["revision"]] or "base") for each in plan["trips"]]


def start_empty(flask: str) -> None:
    if flask:
        module = importlib.import_module(flask)
        module.application.app_context().push()
    Path(DATABASE).unlink()


def make_baseline(name: str) -> None:
    module, _, dotted = name.partition(":")
    target: Any = importlib.import_module(module)
    for part in dotted.split("."):
        target = getattr(target, part)
    engine = sa.create_engine(f"sqlite:///{DATABASE}")
    with engine.begin() as connection:
        target(connection)
    engine.dispose()


def trip(wanted: dict[str, Any], parent: str) -> dict[str, Any]:
    problem = run("upgrade", parent)
    if problem is not None:
        raise RuntimeError(f"the upgrade to {parent} fails: {problem}")
    before = schema()
    shutil.copyfile(DATABASE, "parent.db")
    insert(wanted["before"])
    found: dict[str, Any] = {"revision": wanted["revision"], "downgrade": None, "again": None}
    found["upgrade"] = run("upgrade", wanted["revision"])
    if found["upgrade"] is None:
        insert(wanted["after"])
        found["downgrade"] = run("downgrade", parent)
        if found["downgrade"] is None:
            found["residue"] = difference(before, schema())
            found["answers"] = [ask(query) for query in wanted["ask"]]
            found["again"] = run("upgrade", wanted["revision"])
    shutil.copyfile("parent.db", DATABASE)
    return found


def run(name: str, revision: str) -> str | None:
    """The error of a command; None where it worked."""
    if revision == "base" and name == "upgrade":
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            getattr(command, name)(Config("alembic.ini"), revision)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is the result
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return None


def insert(rows: list[tuple[str, dict[str, Any]]]) -> None:
    """Put rows in; columns that must have a value and are not named get one."""
    connection = sqlite3.connect(DATABASE)
    for table, values in rows:
        row = dict(values)
        columns_of = connection.execute("SELECT * FROM pragma_table_info(?)", [table])
        for _, name, kind, notnull, default, _ in columns_of.fetchall():
            if notnull and default is None and name not in row:
                row[name] = 1 if "INT" in kind or "FLOAT" in kind or "BOOL" in kind else "x"
        columns = ", ".join(f'"{name}"' for name in row)
        marks = ", ".join("?" for _ in row)
        statement = f'INSERT INTO "{table}" ({columns}) VALUES ({marks})'  # noqa: S608 - our names
        connection.execute(statement, [*row.values()])
    connection.commit()
    connection.close()


def ask(query: str) -> list[Any]:
    connection = sqlite3.connect(DATABASE)
    try:
        return [list(row) for row in connection.execute(query)]
    finally:
        connection.close()


def schema() -> set[str]:
    """What SQLAlchemy's inspector sees, without names of constraints and without order."""
    engine = sa.create_engine(f"sqlite:///{DATABASE}")
    inspector = sa.inspect(engine)
    facts = set()
    for table in inspector.get_table_names():
        if table == "alembic_version":
            continue
        for column in inspector.get_columns(table):
            described = [column["name"], str(column["type"]), column["nullable"], column["default"]]
            facts.add(f"{table}: column {described} {column.get('computed')}")
        facts.add(f"{table}: key {inspector.get_pk_constraint(table)['constrained_columns']}")
        for key in inspector.get_foreign_keys(table):
            facts.add(f"{table}: foreign key { {**key, 'name': None} }")
        for unique in inspector.get_unique_constraints(table):
            facts.add(f"{table}: unique {unique['column_names']}")
        for check in inspector.get_check_constraints(table):
            facts.add(f"{table}: check {''.join(check['sqltext'].split()).lower()}")
        for index in inspector.get_indexes(table):
            facts.add(f"{table}: index {index}")
    engine.dispose()
    return facts


def difference(before: set[str], after: set[str]) -> list[str]:
    return sorted(
        [f"- {fact}" for fact in before - after] + [f"+ {fact}" for fact in after - before]
    )


if __name__ == "__main__":
    result = main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    json.dump(result, sys.stdout)
