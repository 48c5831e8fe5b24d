"""The schema that each revision really makes; run by the project's Python.

Takes the name of a file with `{"dialect", "baseline", "flask", "types", "defaults"}`. Upgrades to
one revision after the other, each from what its parent left, and writes `{"schemas": {revision:
schema, or null where it fails}, "types", "defaults"}` to standard output: the last two have what
the project's SQLAlchemy makes of pieces of Python. One class for each dialect keeps databases and
reads their catalogue.
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


class Sqlite:
    """The database is a file, and so is a copy of it."""

    def __init__(self) -> None:
        self.engine = sa.create_engine(f"sqlite:///{DATABASE}", poolclass=sa.pool.NullPool)

    def keep(self, name: str) -> None:
        shutil.copyfile(DATABASE, f"{name}.copy")

    def restore(self, name: str) -> None:
        shutil.copyfile(f"{name}.copy", DATABASE)

    def schema(self) -> dict[str, Any]:
        connection = sqlite3.connect(DATABASE)
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = [name for (name,) in listed if not name.startswith("sqlite_")]
        inspector = sa.inspect(self.engine)
        tables = {
            name: {
                "columns": self.columns(connection, name),
                "indexes": self.indexes(connection, name),
                "constraints": constraints(inspector, name),
            }
            for name in names
            if name != "alembic_version"
        }
        connection.close()
        return {"tables": tables, "enums": {}}

    def columns(self, connection: sqlite3.Connection, table: str) -> dict[str, Any]:
        rows = connection.execute("SELECT * FROM pragma_table_xinfo(?)", [table])
        return {
            name: {"type": kind, "nullable": not notnull, "default": default}
            for _, name, kind, notnull, default, _, hidden in rows
            if hidden != 1
        }

    def indexes(self, connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
        found = []
        listed = connection.execute("SELECT * FROM pragma_index_list(?)", [table]).fetchall()
        for _, name, unique, origin, _ in listed:
            if origin == "c":
                parts = connection.execute("SELECT name FROM pragma_index_info(?)", [name])
                columns = [part for (part,) in parts]
                found.append({"name": name, "unique": bool(unique), "columns": columns})
        return found


def constraints(inspector: Any, table: str) -> list[dict[str, Any]]:
    """What SQLAlchemy's inspector sees of a table's constraints."""
    primary = inspector.get_pk_constraint(table)
    keys = [primary] if primary["constrained_columns"] else []
    return [
        *(fact("primary", key, key["constrained_columns"]) for key in keys),
        *(fact("unique", p, p["column_names"]) for p in inspector.get_unique_constraints(table)),
        *(fact("check", part, []) for part in inspector.get_check_constraints(table)),
        *(
            {
                **fact("foreignkey", part, part["constrained_columns"]),
                "referent": part["referred_table"],
                "referent_columns": part["referred_columns"],
                "options": {key: str(value) for key, value in part["options"].items()},
            }
            for part in inspector.get_foreign_keys(table)
        ),
    ]


def fact(kind: str, part: Any, columns: list[str]) -> dict[str, Any]:
    return {"kind": kind, "name": part["name"], "columns": columns}


DATABASES = {"sqlite": Sqlite}


def main(plan: dict[str, Any]) -> dict[str, Any]:
    prepare(plan["flask"])
    database = DATABASES[plan["dialect"]]()
    if plan["baseline"]:
        with database.engine.begin() as connection:
            named(plan["baseline"])(connection)
    database.keep("base")
    scripts = ScriptDirectory.from_config(Config("alembic.ini"))
    found: dict[str, Any] = {}
    for script in reversed([*scripts.walk_revisions()]):
        parents = [*script._versioned_down_revisions, *script._resolved_dependencies]
        if any(found[parent] is None for parent in parents):
            found[script.revision] = None
            continue
        database.restore(parents[0] if parents else "base")
        found[script.revision] = database.schema() if upgraded(script.revision) else None
        database.keep(script.revision)
    return {
        "schemas": found,
        "types": [type_of(*piece, database.engine.dialect) for piece in plan["types"]],
        "defaults": [default_of(*piece, database.engine.dialect) for piece in plan["defaults"]],
    }


def type_of(text: str, imports: list[str], dialect: Any) -> str | None:
    """The type as the database is told it; None where the text does not stand on its own."""
    with contextlib.suppress(Exception):
        return sa.types.to_instance(evaluated(text, imports)).compile(dialect)
    return None


def default_of(text: str, imports: list[str], dialect: Any) -> str | None:
    """The same for a server default."""
    with contextlib.suppress(Exception):
        column = sa.Column("x", sa.Text(), server_default=evaluated(text, imports))
        return dialect.ddl_compiler(dialect, None).get_column_default_string(column)
    return None


def evaluated(text: str, imports: list[str]) -> Any:
    names: dict[str, Any] = {}
    for statement in imports:
        exec(statement, names)  # noqa: S102 - a line of the project's own migrations
    return eval(text, names)  # noqa: S307 - as above


def prepare(flask: str) -> None:
    if flask:
        importlib.import_module(flask).application.app_context().push()
    Path(DATABASE).unlink()
    sqlite3.connect(DATABASE).close()
    Path(DATABASE).touch()


def named(path: str) -> Any:
    module, _, dotted = path.partition(":")
    target: Any = importlib.import_module(module)
    for part in dotted.split("."):
        target = getattr(target, part)
    return target


def upgraded(revision: str) -> bool:
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            command.upgrade(Config("alembic.ini"), revision)
    except Exception as error:  # noqa: BLE001 - whatever it is, the revision does not upgrade
        sys.stderr.write(f"{revision}: {error}\n")
        return False
    return True


if __name__ == "__main__":
    result = main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    json.dump(result, sys.stdout)
