"""Replays recorded statements on the bare driver, a transaction a step: `floor.py FILE URL SERVER`.

No Alembic, no SQLAlchemy, no snapshots: what the database itself needs for the same work.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

import clock


def main() -> None:
    """Replay, and tell."""
    file, url, server = sys.argv[1:]
    steps = json.loads(Path(file).read_text(encoding="utf-8"))
    connection = _sqlite(url) if url.startswith("sqlite") else _postgresql(url)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)")
    connection.commit()
    before = clock.read(int(server))
    for statements in steps:
        cursor.execute("BEGIN") if url.startswith("sqlite") else None
        for statement, parameters, many in statements:
            if parameters:
                (cursor.executemany if many else cursor.execute)(statement, parameters)
            else:
                cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
        connection.commit()
    after = clock.read(int(server))
    connection.close()
    clock.tell(len(steps) // 3, before, after)


def _sqlite(url: str) -> sqlite3.Connection:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")
    return connection


def _postgresql(url: str):
    import psycopg

    return psycopg.connect(urlsplit(url)._replace(scheme="postgresql").geturl())


main()
