"""A file, through a connection that the project never sees; states are copies in memory."""

from __future__ import annotations

import os
import pickle
import sqlite3
from dataclasses import dataclass
from typing import Any, Callable, Iterator, List, Optional, TypeVar

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.pool import StaticPool

from ...guard import redirect
from ...schema import snapshot
from ...schema.tables import Snapshot, Table
from .. import Locked
from ..session import raw
from .access import SqliteAccess

# Bound at import, which is before the guard replaces it for the project.
_create_engine = sqlalchemy.create_engine
_connect = sqlite3.connect
_BUSY = (5, 6)  # SQLITE_BUSY, SQLITE_LOCKED: the module names them since Python 3.11
_PATIENCE = 8
_PRAGMAS = (
    "synchronous=OFF",
    "journal_mode=MEMORY",
    "busy_timeout=1000",
    "mmap_size=1073741824",  # copying whole databases takes a third of the time
)
_SETTINGS = ("foreign_keys", "legacy_alter_table", "ignore_check_constraints")
"""What migrations switch for a connection."""
_TABLES = ".tables"
T = TypeVar("T")


class Dialect:
    """The door of this dialect."""

    name = "sqlite"
    version = sqlite3.sqlite_version

    def __init__(self, guard: redirect.Guard) -> None:
        self._guard = guard

    def empty(self) -> None:
        """Make every scratch database a new one, whoever has it open."""
        for path in self._guard.databases.values():
            _empty(path)

    def rooms(self) -> List[SqliteRoom]:
        """Those of all databases that were connected to, before a version table is known."""
        return [SqliteRoom(path, "") for path in self._guard.databases.values()]

    def room(self, connection: Any, version_table: str) -> SqliteRoom:
        """The room behind a connection of env.py's; raises `LookupError` if it is none of ours."""
        path = os.path.realpath(_path_of(connection))
        if path not in {os.path.realpath(each) for each in self._guard.databases.values()}:
            raise LookupError(path)
        return SqliteRoom(path, version_table)


@dataclass
class State:
    """A state of the database, and what is known of it."""

    schema: Optional[Snapshot] = None
    memory: Optional[sqlite3.Connection] = None
    """A copy."""


class SqliteRoom:
    """A scratch database file."""

    commits = False
    reverts = False
    asked_for_commits = False
    always_commits = False
    unheld = False

    def __init__(self, path: str, version_table: str) -> None:
        self.database = os.path.realpath(path)
        self._version_table = version_table
        self._raw = _connect(path)
        self._raw.isolation_level = None
        for pragma in _PRAGMAS:
            self._raw.execute(f"PRAGMA {pragma}")
        self._engine = _create_engine("sqlite://", creator=lambda: self._raw, poolclass=StaticPool)
        event.listen(self._engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        self._known = snapshot.Known()
        self._state = State()
        self._theirs: Any = None
        self._settings: List[str] = []

    def enter(self, connection: Any) -> None:
        """What env.py did before its run, nobody was told."""
        self._state = State()
        self._theirs = raw(connection)
        self._settings = list(_settings(connection.connection.cursor()))

    def leave(self, _connection: Any) -> None:
        """Let go of the run's connection."""
        self._theirs = None

    def work(self, function: Callable[[SqliteAccess], T]) -> T:
        """Call with an access, in a transaction that is committed."""
        self._state = State(self._state.schema)
        with self._engine.begin() as connection:
            return function(SqliteAccess(connection))

    def lend(self, function: Callable[[Any], None]) -> None:
        """Call with a SQLAlchemy connection, in a transaction that is committed."""
        self._state = State()
        with self._engine.begin() as connection:
            function(connection)

    def has(self, _saved: State) -> bool:
        """A copy in memory is always there."""
        return True

    def keep(self) -> None:
        """Everything is kept anyway."""

    def save(self) -> State:
        """Copy the whole database into memory, unless it still is what was copied last."""
        if self._state.memory is None:
            memory = _connect(":memory:")
            self._copy(self._raw, memory)
            self._state.memory = memory
        return self._state

    def restore(self, saved: State) -> None:
        """Make the database what it was when saved."""
        assert saved.memory is not None
        self._copy(saved.memory, self._raw)
        self._state = saved

    def hand_on(self, place: str) -> None:
        """Copy the whole database to a file, and what is known of its tables to one beside it."""
        self.snapshot()
        with open(place + _TABLES, "wb") as tables:
            pickle.dump(self._known.tables, tables)
        file = _connect(place)
        try:
            self._copy(self._raw, file)
        finally:
            file.close()

    def take_over(self, place: str) -> None:
        """Make the database what the file is."""
        with open(place + _TABLES, "rb") as tables:
            # Written by an agent like this one, and read where the project's own code runs.
            self._known.tables = pickle.load(tables)  # noqa: S301
        self._state = State()
        file = _connect(place)
        try:
            self._copy(file, self._raw)
        finally:
            file.close()

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
        _with_pages_of(self._raw, blank)
        for (definition,) in definitions:
            blank.execute(definition)
        self._copy(blank, self._raw)
        self._state = State()

    def snapshot(self) -> Snapshot:
        """The schema now, looked at once as long as nothing happens."""
        if self._state.schema is None:
            reader = self._reader()
            self._state.schema = snapshot.take(reader, self._version_table, self._known)
        return self._state.schema

    def _reader(self) -> sqlite3.Connection:
        """Where it is as good env.py's connection: ours must parse what that has changed anew."""
        theirs = self._theirs
        as_good = (
            type(theirs) is sqlite3.Connection
            and theirs.row_factory is None
            and theirs.text_factory is str
            and not theirs.in_transaction
        )
        return theirs if as_good else self._raw

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return _count(self._reader(), table.name)

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file."""
        self._raw.executescript(text)
        self._state = State()

    def settle(self, connection: Any) -> None:
        """Commit what the driver holds, so that nothing keeps the database locked between steps.

        env.py may have begun one transaction around everything; what SQLAlchemy thinks of it stays
        untouched, its own commit at the end simply has nothing left to do.
        """
        self._state = State()
        connection.connection.commit()

    def refresh(self, connection: Any) -> None:
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
                "SELECT type, name FROM sqlite_temp_master WHERE type IN "
                "('view', 'table', 'trigger') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' "
                "ORDER BY type"
            )
            for kind, name in cursor.fetchall():
                quoted = name.replace('"', '""')
                cursor.execute(f'DROP {kind} IF EXISTS temp."{quoted}"')
            self.settle(connection)
            # Nor what a migration has set for its own; in a transaction this would do nothing.
            for setting in self._settings:
                cursor.execute(f"PRAGMA {setting}")
        finally:
            cursor.close()


def _settings(cursor: Any) -> Iterator[str]:
    """What is switched, as assignments; older versions do not know all of these."""
    for name in _SETTINGS:
        cursor.execute(f"PRAGMA {name}")
        for (value,) in cursor.fetchall():
            yield f"{name} = {value}"
    cursor.close()


def _count(connection: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    statement = f'SELECT count(*) FROM main."{quoted}"'  # noqa: S608 - a quoted name
    return int(connection.execute(statement).fetchone()[0])


def _with_pages_of(database: sqlite3.Connection, copied: sqlite3.Connection) -> None:
    """Give a database that is to be copied over another one the size of its pages."""
    database.execute("SELECT count(*) FROM sqlite_master").fetchone()  # reads the file's header
    ((size,),) = database.execute("PRAGMA page_size")
    copied.execute(f"PRAGMA page_size = {size}")


def _empty(path: str) -> None:
    database, nothing = _connect(path), _connect(":memory:")
    try:
        _with_pages_of(database, nothing)
        SqliteRoom._copy(nothing, database)  # noqa: SLF001 - the same patience
    finally:
        database.close()
        nothing.close()


def _path_of(connection: Any) -> str:
    """The file behind a connection of env.py's."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA database_list")
        return str(next(row[2] for row in cursor.fetchall() if row[1] == "main"))
    finally:
        cursor.close()
