"""Made-up histories of a few operations a revision, the same for the same seed.

Each operation is tried on a database of the kind first, so that the next one finds what is there.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.rehearsal.databases import cluster, daemon
from schema.random_operations import Maker, Tables

_MEMBERS = ('"a", "b"', '"b", "a", "it\'s"')
_FIRST = 4
"""Operations of the first revision, which makes something to change."""


class Upgrades(Maker):
    """Operations as `Maker` has them, and what reading and autogenerate have a harder time with."""

    def __init__(self, kind: str, seed: int) -> None:
        super().__init__(seed, batch=kind == "sqlite")
        self.kind = kind
        self.views: list[str] = []

    def body(self, tables: Tables) -> str:
        """One statement, or a batch block of several."""
        if not tables or self.random.random() < 0.6:
            return super().body(tables)
        table = self.random.choice([*tables])
        column = self.some_column(table, tables)
        return self.random.choice([*self.others(table, column)])

    def others(self, table: str, column: str) -> Iterator[str]:
        """Statements about a column of a table, and about what is beside tables."""
        view, index, new = self.name("v"), self.name("ix"), self.name("c")
        yield f'op.execute("CREATE VIEW {view} AS SELECT {column} FROM {table}")'  # noqa: S608
        yield from (f'op.execute("DROP VIEW {name}")' for name in self.views)
        where = f'sa.text("{column} IS NOT NULL")'
        options = f"sqlite_where={where}, postgresql_where={where}"
        yield f'op.create_index("{index}", "{table}", ["{column}"], {options})'
        enum = f'sa.Enum({self.random.choice(_MEMBERS)}, name="e{new}")'
        created = f"{enum}.create(op.get_bind())\n" if self.kind == "postgresql" else ""
        yield f'{created}op.add_column("{table}", sa.Column("{new}", {enum}))'
        if self.kind != "sqlite":
            yield from self.on_servers(table, column, new)
        if self.kind == "postgresql":
            for number in range(1, self.number):
                yield f"op.execute(\"ALTER TYPE ec{number} ADD VALUE 'z{new}'\")"
        if self.kind == "mariadb":
            yield from self.on_mariadb(f"ALTER TABLE {table}", column, new)

    def on_servers(self, table: str, column: str, new: str) -> Iterator[str]:
        """What SQLite does not have."""
        stored = self.kind == "postgresql" or self.random.random() < 0.5
        computed = f'sa.Computed("id + 1", persisted={stored})'
        yield f'op.add_column("{table}", sa.Column("{new}", sa.Integer(), {computed}))'
        if self.kind == "postgresql":  # elsewhere the type that it names is set as well
            comment = 'existing_type=sa.Text(), comment="why"'
            yield f'op.alter_column("{table}", "{column}", {comment})'
        yield f'op.create_table_comment("{table}", "what for")'

    def on_mariadb(self, altered: str, column: str, new: str) -> Iterator[str]:
        """What only MariaDB has."""
        yield f'op.execute("{altered} MODIFY {column} varchar(40) COLLATE utf8mb4_bin")'
        yield f"op.execute(\"{altered} ADD {new} enum('x', 'y') NOT NULL DEFAULT 'y'\")"
        yield f'op.execute("{altered} ADD {new} datetime ON UPDATE now()")'


def history(kind: str, seed: int, revisions: int, folder: Path) -> list[str]:
    """The bodies of as many upgrades, each of which has run on a database of the kind."""
    with _database(kind, seed, folder) as engine:
        maker = Upgrades(kind, seed)
        bodies: list[str] = []
        while len(bodies) < revisions:
            count = maker.random.randint(1, 3) if bodies else _FIRST
            body: list[str] = []
            while len(body) < count:
                statement = maker.body(_tables(engine))
                if _performed(engine, statement):
                    body.append(statement)
                    maker.views = _views(engine)
            bodies.append("\n".join(body))
        return bodies


@contextlib.contextmanager
def _database(kind: str, seed: int, folder: Path) -> Iterator[sa.Engine]:
    name = f"random_{seed}"
    if kind == "sqlite":
        engine = sa.create_engine(f"sqlite:///{folder}/{name}.db")
        # So that what fails half-way is taken back as a whole.
        sa.event.listen(engine, "connect", lambda dbapi, _: setattr(dbapi, "isolation_level", None))
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        yield engine
    elif kind == "postgresql":
        with cluster.running() as server:
            place = {"host": server.socket, "port": server.port, "user": "postgres"}
            with psycopg.connect(**place, dbname="postgres", autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
                connection.execute(f"CREATE DATABASE {name}")
            url = f"postgresql+psycopg://postgres@/{name}?host={server.socket}&port={server.port}"
            yield sa.create_engine(url, poolclass=sa.NullPool)
    else:
        with daemon.running() as running:
            socket = f"unix_socket={running.socket}&charset=utf8mb4"
            first = sa.create_engine(f"mysql+pymysql://root@/?{socket}", poolclass=sa.NullPool)
            with first.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            url = f"mysql+pymysql://root@/{name}?{socket}"
            yield sa.create_engine(url, poolclass=sa.NullPool)


def _performed(engine: sa.Engine, body: str) -> bool:
    with contextlib.suppress(Exception), engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        exec(body, {"op": operations, "sa": sa})  # noqa: S102 - made up by us
        # While a view reads what is gone, SQLite alters no table: such histories stop at once.
        for view in _views(connection) if engine.dialect.name == "sqlite" else ():
            connection.exec_driver_sql(f"SELECT 1 FROM {view} LIMIT 0")  # noqa: S608
        return True
    return False


def _tables(engine: sa.Engine) -> Tables:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # of indexes that it does not give
        inspector = sa.inspect(engine)
        return {name: _table(inspector, name) for name in sorted(inspector.get_table_names())}


def _table(inspector: sa.Inspector, name: str) -> dict[str, object]:
    found = [
        ("foreignkey", part["name"], part["constrained_columns"])
        for part in inspector.get_foreign_keys(name)
    ]
    found += [
        ("unique", part["name"], part["column_names"])
        for part in inspector.get_unique_constraints(name)
    ]
    found += [("check", part["name"], []) for part in inspector.get_check_constraints(name)]
    return {
        "columns": [str(column["name"]) for column in inspector.get_columns(name)],
        "indexes": [{"name": index["name"]} for index in inspector.get_indexes(name)],
        "constraints": [{"kind": k, "name": n, "columns": c} for k, n, c in found],
    }


def _views(database: sa.Engine | sa.Connection) -> list[str]:
    return sorted(sa.inspect(database).get_view_names())
