"""The schema that each revision really makes; run by the project's Python.

Takes the name of a file with `{"dialect", "baseline", "flask", "columns"}`. Upgrades to one
revision after the other, each from what its parent left, and writes `{"schemas": {revision: schema,
or null where it fails}, "columns"}` to standard output: the last has what the database makes of
columns' types and server defaults, which are given as Python. One class for each dialect keeps
databases and reads their catalogue.
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


def constraints(inspector: Any, table: str, schema: str | None = None) -> list[dict[str, Any]]:
    """What SQLAlchemy's inspector sees of a table's constraints."""
    primary = inspector.get_pk_constraint(table, schema)
    keys = [primary] if primary["constrained_columns"] else []
    return [
        *(fact("primary", key, key["constrained_columns"]) for key in keys),
        *(
            fact("unique", p, p["column_names"])
            for p in inspector.get_unique_constraints(table, schema)
        ),
        *(fact("check", part, []) for part in inspector.get_check_constraints(table, schema)),
        *(
            {
                **fact("foreignkey", part, part["constrained_columns"]),
                "referent": part["referred_table"],
                "referent_columns": part["referred_columns"],
                "options": {key: str(value) for key, value in part["options"].items()},
            }
            for part in inspector.get_foreign_keys(table, schema)
        ),
    ]


def fact(kind: str, part: Any, columns: list[str]) -> dict[str, Any]:
    return {"kind": kind, "name": part["name"], "columns": columns}


class Postgresql:
    """A database on a server; a copy of it is made from it as a template."""

    def __init__(self, server: str, name: str) -> None:
        self.name = name
        self.server = sa.create_engine(
            f"{server}postgres", poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT"
        )
        self.engine = sa.create_engine(f"{server}{name}", poolclass=sa.pool.NullPool)
        self._copy("template0", name)

    def keep(self, name: str) -> None:
        self._copy(self.name, f"{self.name}_{name}")

    def restore(self, name: str) -> None:
        self._copy(f"{self.name}_{name}", self.name)

    def _copy(self, source: str, target: str) -> None:
        with self.server.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
            connection.exec_driver_sql(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')

    def schema(self) -> dict[str, Any]:
        inspector = sa.inspect(self.engine)
        default = inspector.default_schema_name
        with self.engine.connect() as connection:
            schemas = [name for name in inspector.get_schema_names() if name[:12] != "information_"]
            tables = {
                name if schema == default else f"{schema}.{name}": {
                    "columns": self.columns(connection, name, schema),
                    "indexes": self.indexes(connection, name, schema),
                    "constraints": constraints(inspector, name, schema),
                }
                for schema in schemas
                for name in inspector.get_table_names(schema=schema)
                if name != "alembic_version"
            }
            found = connection.exec_driver_sql(_ENUMS)
            enums = {
                name if schema == default else f"{schema}.{name}": list(labels)
                for schema, name, labels in found
            }
        return {"tables": tables, "enums": enums}

    def columns(self, connection: Any, table: str, schema: str = "public") -> dict[str, Any]:
        rows = connection.execute(sa.text(_COLUMNS), {"schema": schema, "table": table})
        return {
            name: {"type": kind, "nullable": not required, "default": default}
            for name, kind, required, default in rows
        }

    def indexes(self, connection: Any, table: str, schema: str) -> list[dict[str, Any]]:
        rows = connection.execute(sa.text(_INDEXES), {"schema": schema, "table": table})
        return [
            {"name": name, "unique": unique, "columns": list(columns)}
            for name, unique, columns in rows
        ]


_ENUMS = """
SELECT n.nspname, t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
GROUP BY 1, 2
"""
_COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    CASE WHEN a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) NOT LIKE 'nextval(%'
    THEN pg_get_expr(d.adbin, d.adrelid) END
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = :schema AND c.relname = :table AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
SELECT i.relname, x.indisunique, array(
    SELECT a.attname::text
    FROM unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY k(number, place)
    LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number AND k.number > 0
    ORDER BY k.place)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = :table
AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conindid = x.indexrelid AND p.contype <> 'f')
"""

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
        "columns": [stored(database, *column) for column in plan["columns"]],
    }


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
