"""One scratch database: our own connection to it, its states saved and restored.

SQLite's part; other kinds will stand beside it and be chosen by `KINDS`.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import Any, Dict, Iterator, Tuple

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from . import snapshot

# Bound at import, which is before the guard replaces it for the project.
_create_engine = sqlalchemy.create_engine
_connect = sqlite3.connect
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED: the module names them since Python 3.11
_PATIENCE = 8
_REMEMBERED = 32


class Locked(Exception):
    """The project still holds the scratch database; the sentence says so."""


class Saved:
    """A database as it was at one moment."""

    def __init__(self, memory: sqlite3.Connection) -> None:
        self.memory = memory

    def count(self, table: str) -> int:
        """How many rows a table had then."""
        return _count(self.memory, table)


class Room:
    """A scratch database file, through a connection that the project never sees."""

    def __init__(self, path: str, version_table: str) -> None:
        self._version_table = version_table
        self._raw = _connect(path)
        self._raw.isolation_level = None
        for pragma in ("synchronous=OFF", "journal_mode=MEMORY", "busy_timeout=1000"):
            self._raw.execute(f"PRAGMA {pragma}")
        self._engine = _create_engine("sqlite://", creator=lambda: self._raw, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        self._snapshots: Dict[Tuple[Any, ...], Any] = {}

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A SQLAlchemy connection in a transaction, committed at the end."""
        with self._engine.begin() as connection:
            yield connection

    def save(self) -> Saved:
        """The whole database, in memory."""
        memory = _connect(":memory:")
        self._copy(self._raw, memory)
        return Saved(memory)

    def restore(self, saved: Saved) -> None:
        """Make the database what it was when saved."""
        self._copy(saved.memory, self._raw)

    @staticmethod
    def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
        waited = 0

        def give_up(status: int, _remaining: int, _total: int) -> None:
            nonlocal waited
            waited += status in _BUSY
            if waited > _PATIENCE:
                raise Locked("a connection of the project still holds the scratch database locked")

        source.backup(target, progress=give_up, sleep=0.05)

    def clear(self) -> None:
        """Leave nothing but Alembic's version table, empty.

        env.py, or the application it makes, may already have created or migrated something.
        """
        definitions = self._raw.execute(
            "SELECT sql FROM sqlite_master WHERE name = ?", (self._version_table,)
        ).fetchall()
        blank = _connect(":memory:")
        for (definition,) in definitions:
            blank.execute(definition)
        self._copy(blank, self._raw)

    def snapshot(self) -> Any:
        """The schema now; the same text of all definitions means the same snapshot."""
        # What SQLite keeps of a schema is exactly this text, so an unchanged text needs no
        # second look: a clean round trip costs one snapshot, not three.
        rows = self._raw.execute(
            "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        )
        key = tuple(rows)
        if key not in self._snapshots:
            while len(self._snapshots) >= _REMEMBERED:
                self._snapshots.pop(next(iter(self._snapshots)))
            with self.connection() as connection:
                self._snapshots[key] = snapshot.take(connection, self._version_table)
        return self._snapshots[key]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        return _count(self._raw, table)

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file."""
        self._raw.executescript(text)


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    statement = f'SELECT count(*) FROM "{quoted}"'  # noqa: S608 - a quoted name
    return int(connection.execute(statement).fetchone()[0])


def empty(path: str) -> None:
    """Make a scratch database a new one, whoever has it open."""
    database, nothing = _connect(path), _connect(":memory:")
    try:
        Room._copy(nothing, database)  # noqa: SLF001 - the same patience
    finally:
        database.close()
        nothing.close()


def path_of(connection: Any) -> str:
    """The file behind a connection of env.py's."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA database_list")
        return str(next(row[2] for row in cursor.fetchall() if row[1] == "main"))
    finally:
        cursor.close()


def settle(connection: Any) -> None:
    """Commit what the driver holds, so that nothing keeps the database locked between steps.

    env.py may have begun one transaction around everything; what SQLAlchemy thinks of it stays
    untouched, its own commit at the end simply has nothing left to do.
    """
    connection.connection.commit()


def refresh(connection: Any) -> None:
    """Let env.py's connection notice that the database was restored.

    SQLite compares schemas when a statement runs, but says "already exists" while it is parsed,
    from what it remembers.
    """
    cursor = connection.connection.cursor()
    try:
        cursor.execute("SELECT 1 FROM sqlite_master LIMIT 1")
        cursor.fetchall()
        # The next `alembic` command has a connection of its own, without them.
        cursor.execute(
            "SELECT type, name FROM sqlite_temp_master WHERE type IN ('view', 'table', 'trigger') "
            "AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type"
        )
        for kind, name in cursor.fetchall():
            quoted = name.replace('"', '""')
            cursor.execute(f'DROP {kind} IF EXISTS temp."{quoted}"')
    finally:
        cursor.close()
    settle(connection)
