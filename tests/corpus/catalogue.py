"""The schema that each revision really makes; run by the project's Python.

Takes the name of a file with `{"url", "baseline", "flask", "columns"}`. Upgrades to one
revision after the other, each from what its parent left, and writes `{"schemas": {revision: schema,
or null where it fails}, "columns"}` to standard output: the last has what the database makes of
columns' types and server defaults, which are given as Python. One class for each dialect keeps
databases and reads their catalogue.
"""

from __future__ import annotations

import contextlib
import gc
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


class Sqlite:
    """The database is a file, and so is a copy of it."""

    def __init__(self, url: str) -> None:
        self.file = sa.engine.make_url(url).database or ""
        Path(self.file).unlink(missing_ok=True)
        sqlite3.connect(self.file).close()
        Path(self.file).touch()
        self.engine = sa.create_engine(url, poolclass=sa.pool.NullPool)

    def keep(self, name: str) -> None:
        shutil.copyfile(self.file, f"{self.file}.{name}")

    def restore(self, name: str) -> None:
        shutil.copyfile(f"{self.file}.{name}", self.file)

    def schema(self) -> dict[str, Any]:
        inspector = sa.inspect(self.engine)
        with self.engine.connect() as connection:
            tables = {
                name: {
                    "columns": self.columns(connection, name),
                    "indexes": self.indexes(connection, name),
                    "constraints": constraints(inspector, name),
                }
                for name in inspector.get_table_names()
                if name != "alembic_version"
            }
        return {"tables": tables, "enums": {}}

    def columns(self, connection: Any, table: str) -> dict[str, Any]:
        rows = connection.exec_driver_sql("SELECT * FROM pragma_table_xinfo(?)", (table,))
        return {
            name: {"type": kind, "nullable": not notnull, "default": default}
            for _, name, kind, notnull, default, _, hidden in rows
            if hidden != 1
        }

    def indexes(self, connection: Any, table: str) -> list[dict[str, Any]]:
        listed = connection.exec_driver_sql("SELECT * FROM pragma_index_list(?)", (table,))
        return [
            {
                "name": name,
                "unique": bool(unique),
                "columns": [
                    column
                    for (column,) in connection.exec_driver_sql(
                        "SELECT name FROM pragma_index_info(?)", (name,)
                    )
                ],
            }
            for _, name, unique, origin, _ in listed.fetchall()
            if origin == "c"
        ]


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


class Postgresql:
    """A database on a server; a copy of it is made from it as a template."""

    def __init__(self, url: str) -> None:
        parsed = sa.engine.make_url(url)
        self.name = parsed.database or ""
        self.server = sa.create_engine(
            parsed.set(database="postgres"),
            poolclass=sa.pool.NullPool,
            isolation_level="AUTOCOMMIT",
        )
        self.engine = sa.create_engine(parsed, poolclass=sa.pool.NullPool)
        self._copy("template0", self.name)

    def keep(self, name: str) -> None:
        self._copy(self.name, f"{self.name}_{name}")

    def restore(self, name: str) -> None:
        self._copy(f"{self.name}_{name}", self.name)

    def _copy(self, source: str, target: str) -> None:
        for engine in [one for one in gc.get_objects() if isinstance(one, sa.engine.Engine)]:
            engine.dispose()  # nobody may be connected, nor go on with a connection to what was
        with self.server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def schema(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            tables: dict[str, Any] = {}
            for schema, name in connection.exec_driver_sql(_TABLES):
                empty: dict[str, Any] = {"columns": {}, "indexes": [], "constraints": []}
                tables[_qualified(schema, name)] = empty
            for schema, table, name, kind, required, default in connection.exec_driver_sql(
                _COLUMNS
            ):
                column = {"type": kind, "nullable": not required, "default": default}
                tables[_qualified(schema, table)]["columns"][name] = column
            for schema, table, name, unique, columns in connection.exec_driver_sql(_INDEXES):
                index = {"name": name, "unique": unique, "columns": columns}
                tables[_qualified(schema, table)]["indexes"].append(index)
            for schema, table, fact in connection.exec_driver_sql(_CONSTRAINTS):
                fact["options"] = {key: rule for key, rule in fact["options"].items() if rule}
                tables[_qualified(schema, table)]["constraints"].append(fact)
            rows = connection.exec_driver_sql(_ENUMS)
            enums = {_qualified(schema, name): list(labels) for schema, name, labels in rows}
        tables.pop("alembic_version", None)
        return {"tables": tables, "enums": enums}

    def columns(self, connection: Any, table: str) -> dict[str, Any]:
        return {
            name: {"type": kind, "nullable": not required, "default": default}
            for _, _, name, kind, required, default in connection.exec_driver_sql(
                f"{_COLUMNS} AND c.relname = %s", (table,)
            )
        }


def _qualified(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


_TABLES = """
SELECT schemaname, tablename FROM pg_tables
WHERE schemaname NOT IN ('information_schema', 'pg_catalog')
"""
_ENUMS = """
SELECT n.nspname, t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
GROUP BY 1, 2
"""
_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    CASE WHEN a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'nextval(%%'
    THEN pg_get_expr(d.adbin, d.adrelid) END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname NOT IN ('information_schema', 'pg_catalog')
AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT n.nspname, c.relname, i.relname, x.indisunique, array(
    SELECT a.attname::text
    FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k(number, place)
    LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
    ORDER BY k.place)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class c ON c.oid = x.indrelid AND c.relkind IN ('r', 'p')
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast')
AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conindid = x.indexrelid AND p.contype <> 'f')
"""
_CONSTRAINTS = """
WITH rules AS (
    SELECT '{"c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT", "r": "RESTRICT"}'::json AS names
)
SELECT n.nspname, c.relname, json_build_object(
    'kind', CASE p.contype WHEN 'p' THEN 'primary' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check'
        WHEN 'f' THEN 'foreignkey' ELSE 'exclude' END,
    'name', p.conname,
    'columns', CASE WHEN p.contype IN ('p', 'u', 'f') THEN array(
        SELECT a.attname FROM unnest(p.conkey) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = p.conrelid AND a.attnum = k.number ORDER BY k.place
    ) ELSE array[]::name[] END,
    'referent', f.relname,
    'referent_columns', array(
        SELECT a.attname FROM unnest(p.confkey) WITH ORDINALITY k(number, place)
        JOIN pg_attribute a ON a.attrelid = p.confrelid AND a.attnum = k.number ORDER BY k.place),
    'options', json_build_object(
        'ondelete', rules.names ->> p.confdeltype::text,
        'onupdate', rules.names ->> p.confupdtype::text))
FROM rules, pg_constraint p JOIN pg_class c ON c.oid = p.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class f ON f.oid = p.confrelid
WHERE n.nspname NOT IN ('information_schema', 'pg_catalog')
AND p.contype IN ('p', 'u', 'c', 'f', 'x')
"""

DATABASES = {"sqlite": Sqlite, "postgresql": Postgresql}


def main(plan: dict[str, Any]) -> dict[str, Any]:
    make: Any = DATABASES[sa.engine.make_url(plan["url"]).get_backend_name()]
    if plan["flask"]:
        make(plan["url"])
        importlib.import_module(plan["flask"]).application.app_context().push()
    database = make(plan["url"])  # anew: an application may put something there by itself
    if plan["baseline"]:
        with database.engine.begin() as connection:
            named(plan["baseline"])(connection)
    scripts = [*ScriptDirectory.from_config(Config("alembic.ini")).walk_revisions()][::-1]
    order = ["base", *(script.revision for script in scripts)]
    # What the next revision does not build on is gone back to later, if at all.
    pairs = zip(order, scripts, strict=False)
    again = {parents_of(script)[0] for last, script in pairs if parents_of(script)[0] != last}
    if "base" in again:
        database.keep("base")
    found: dict[str, Any] = {}
    state = "base"
    for script in scripts:
        parents = parents_of(script)
        if any(found.get(parent, state) is None for parent in parents):
            found[script.revision] = None
            continue
        if state != parents[0]:
            database.restore(parents[0])
        works = upgraded(script.revision)
        found[script.revision] = database.schema() if works else None
        if script.revision in again and works:
            database.keep(script.revision)
        state = script.revision if works else ""
    return {
        "schemas": found,
        "columns": [stored(database, *column) for column in plan["columns"]],
    }


def parents_of(script: Any) -> list[str]:
    return [*script._versioned_down_revisions, *script._resolved_dependencies] or ["base"]


def stored(database: Any, kind: Any, default: Any) -> dict[str, Any] | None:
    """A column as the catalogue has it; None where its Python does not stand on its own."""
    dialect = database.engine.dialect
    try:
        made = sa.types.to_instance(evaluated(*kind))
        text = made.compile(dialect)
        if default is not None:
            column = sa.Column("c", made, server_default=evaluated(*default))
            compiler = dialect.ddl_compiler(dialect, None)
            text += f" DEFAULT {compiler.get_column_default_string(column)}"
        with database.engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE TABLE probe (c {text})")
            found: dict[str, Any] = database.columns(connection, "probe")["c"]
            connection.exec_driver_sql("DROP TABLE probe")
    except Exception:  # noqa: BLE001 - whatever it is, nothing can be said of the column
        return None
    return found


def evaluated(text: str, imports: list[str]) -> Any:
    names: dict[str, Any] = {}
    for statement in imports:
        exec(statement, names)  # noqa: S102 - a line of the project's own migrations
    return eval(text, names)  # noqa: S307 - as above


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
