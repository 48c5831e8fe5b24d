"""A database of PostgreSQL's for a comparison: its URL, and an end to all that was made there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql

from alembic_roundtrip.rehearsal.databases import cluster


@contextmanager
def postgresql(name: str) -> Iterator[str]:
    """The URL of a database that whoever uses it makes; copies of it begin with its name."""
    database = f"corpus_{name.replace('-', '_')}_{os.getpid()}"
    with cluster.running() as server:
        place = f"host={server.socket}&port={server.port}"
        try:
            yield f"postgresql+psycopg2://postgres@/{database}?{place}"
        finally:
            _drop_all(database, server.socket, server.port)


def _drop_all(prefix: str, host: str, port: int) -> None:
    with psycopg.connect(
        host=host, port=port, user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        names = connection.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", (prefix,)
        ).fetchall()
        for (name,) in names:
            statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            connection.execute(statement)
