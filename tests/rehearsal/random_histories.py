"""Histories of made-up upgrades that a database has run, written as a project's migrations."""

from __future__ import annotations

import contextlib
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_project import AlembicProject
from alembic_roundtrip.rehearsal.databases import cluster, daemon
from schema.random_operations import Maker, Tables


@contextmanager
def database(kind: str, folder: Path, name: str) -> Iterator[sa.Engine]:
    """An empty database of a kind, of a server that is running already."""
    if kind == "sqlite":
        engine = sa.create_engine(f"sqlite:///{folder}/{name}.db", poolclass=sa.pool.NullPool)
        yield engine
        engine.dispose()
        return
    with (cluster if kind == "postgresql" else daemon).running() as server:
        if kind == "postgresql":
            url = (
                f"postgresql+psycopg2://postgres@/postgres?host={server.socket}&port={server.port}"
            )
        else:
            url = f"mysql+pymysql://root@localhost/mysql?unix_socket={server.socket}"
        main = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
        with main.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
        engine = sa.create_engine(main.url.set(database=name), poolclass=sa.pool.NullPool)
        try:
            yield engine
        finally:
            with main.connect() as connection:
                connection.exec_driver_sql(f"DROP DATABASE {name}")


def tables_of(engine: sa.Engine) -> Tables:
    """What SQLAlchemy's inspector sees, as the maker of operations takes it."""
    inspector = sa.inspect(engine)
    return {name: _table(inspector, name) for name in inspector.get_table_names()}


def _table(inspector: Any, name: str) -> dict[str, Any]:
    primary = inspector.get_pk_constraint(name)
    uniques = inspector.get_unique_constraints(name)
    kinds = {
        "primary": [{"name": primary["name"], "columns": primary["constrained_columns"]}],
        "unique": [{"name": one["name"], "columns": one["column_names"]} for one in uniques],
        "check": [{"name": one["name"], "columns": []} for one in _checks(inspector, name)],
        "foreignkey": [
            {"name": key["name"], "columns": key["constrained_columns"]}
            for key in inspector.get_foreign_keys(name)
        ],
    }
    keys = {one["name"] for one in uniques}
    return {
        "columns": {column["name"]: column for column in inspector.get_columns(name)},
        "indexes": [index for index in inspector.get_indexes(name) if index["name"] not in keys],
        "constraints": [{"kind": kind, **part} for kind, parts in kinds.items() for part in parts],
    }


def _checks(inspector: Any, name: str) -> list[Any]:
    try:
        return list(inspector.get_check_constraints(name))
    except NotImplementedError:
        return []


def write(project: AlembicProject, engine: sa.Engine, seed: int, count: int) -> list[str]:
    """So many revisions whose upgrades the database has run, without downgrades; their bodies."""
    maker = Maker(seed, batch=project.dialect == "sqlite")
    bodies: list[str] = []
    while len(bodies) < count:
        body = maker.body(tables_of(engine))
        if _performed(engine, body):
            project.add(f"r{len(bodies) + 1:03}", body)
            bodies.append(body)
    return bodies


def _performed(engine: sa.Engine, body: str) -> bool:
    """Run the body of an upgrade; where it fails, nothing of it stays."""
    file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
    kept = file.with_suffix(".kept") if file is not None else None
    if file is not None and kept is not None and file.exists():
        shutil.copyfile(file, kept)
    with contextlib.suppress(Exception), warnings.catch_warnings(), engine.begin() as connection:
        warnings.simplefilter("ignore")
        context = MigrationContext.configure(connection)
        exec(body, {"op": Operations(context), "sa": sa})  # noqa: S102 - made up by us
        return True
    if file is not None and kept is not None and kept.exists():
        shutil.copyfile(kept, file)
    return False
