"""SQLite: files of the scratch folder, and those that are opened past SQLAlchemy."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Optional
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import url2pathname

from ..origins import caller
from ..refusal import Refusals
from ..targets import Scratch, Target, inside
from .proof import prove_engine

MEMORY = ":memory:"
BUSY_SECONDS = 1.0  # two connections of one run that wait for each other wait for ever
_ATTACH = 24  # SQLITE_ATTACH; the sqlite3 module names it from Python 3.11 on
_OPENS_FILES = ("database", "uri", "timeout", "vfs")


class SqliteFiles:
    """SQLite: each real file, and memory, has a file of its own in the folder."""

    name = "sqlite"
    dialects = ("sqlite",)
    needs_network = False
    ports: tuple[int, ...] = ()

    def __init__(self, scratch: Scratch, refusals: Refusals) -> None:
        self.folder = scratch.folder
        self.databases: dict[Target, str] = {}
        self._refusals = refusals

    def connect(self, dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> Any:
        """A connection by the project's own driver; only the file is another."""
        if not dialect.driver.startswith(("pysqlite", "aiosqlite")):
            self._refusals.refuse(
                f"{caller()} connects to SQLite with the driver {dialect.driver}; "
                "only sqlite3 and aiosqlite can be redirected"
            )
        asked = cargs[0] if cargs else cparams.get("database", MEMORY)
        options = {name: value for name, value in cparams.items() if name not in _OPENS_FILES}
        path = self._stand_in(Target("sqlite", None, None, file_of(asked) or memory_of(asked)))
        return dialect.connect(path, **{**options, "timeout": BUSY_SECONDS})

    def owns(self, connection: Any) -> bool:
        """Whether SQLite itself names one of our files as the main database."""
        cursor = connection.cursor()
        try:
            # Compared by SQLite: what a row looks like is up to the project's row factory.
            marks = ", ".join("?" * len(self.databases))
            cursor.execute(
                "SELECT 1 FROM pragma_database_list WHERE name = 'main' "  # noqa: S608 (only marks)
                f"AND file IN ({marks})",
                tuple(self.databases.values()),
            )
            return cursor.fetchone() is not None
        finally:
            cursor.close()

    def leads_here(self, _parts: Mapping[str, Any]) -> bool:
        """There is no server."""
        return False

    def prove(self) -> None:
        """Connect to what stands for memory."""
        prove_engine("sqlite://")
        os.remove(self.databases.pop(Target("sqlite", None, None, MEMORY)))

    def _stand_in(self, target: Target) -> str:
        if target not in self.databases:
            name = hashlib.sha256(repr(tuple(target)).encode()).hexdigest()[:12]
            self.databases[target] = os.path.join(self.folder, f"scratch-{name}.sqlite")
        return self.databases[target]


class SqliteByHand:
    """SQLite files opened past SQLAlchemy, whatever kind the scratch database is."""

    def __init__(self, folder: str, known: Mapping[Target, str], refusals: Refusals) -> None:
        self._folder = folder
        self._known = known
        self._refusals = refusals

    def judge(self, database: Any) -> None:
        """Refuse a file that is not ours, opened past SQLAlchemy."""
        path = file_of(database)
        if path is None or inside(path, self._folder):
            return
        known = any(target.database == path for target in self._known)
        own = "the project's own database file" if known else "the file"
        self._refusals.refuse(
            f"{caller()} opens {own} {path} by hand with sqlite3; "
            "only connections made through SQLAlchemy can be redirected"
        )

    def prepare(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """Make a new connection fast, and unable to attach files that are not ours."""
        autocommit = getattr(connection, "autocommit", None)
        if autocommit is False:  # inside a transaction these settings are refused or ignored
            connection.autocommit = True  # type: ignore[attr-defined, unused-ignore]
        # Whole databases are copied, with a page or two for each table that is empty.
        connection.execute("PRAGMA page_size = 1024").close()
        connection.execute("PRAGMA synchronous = OFF").close()
        connection.execute("PRAGMA journal_mode = MEMORY").close()
        if autocommit is False:
            connection.autocommit = False  # type: ignore[attr-defined, unused-ignore]
        connection.set_authorizer(self._authorize)
        return connection

    # An authorizer and not SQLITE_LIMIT_ATTACHED = 0: with that, a plain VACUUM fails too.
    def _authorize(self, action: int, file: Optional[str], *_: Optional[str]) -> int:
        if action != _ATTACH or file in {"", MEMORY}:
            return sqlite3.SQLITE_OK
        path = file_of(file) if file is not None else None
        if path is not None and inside(path, self._folder):
            return sqlite3.SQLITE_OK
        self._refusals.record(
            f"{caller()} attaches (or writes a copy to) {path or 'a file named by an expression'}, "
            "which is not the scratch database"
        )
        return sqlite3.SQLITE_DENY


def file_of(database: Any) -> Optional[str]:
    """The file that a name given to SQLite means, links resolved; None for memory."""
    text = os.fsdecode(database)
    if text.startswith("file:"):
        parts = urlsplit(text)
        if "memory" in parse_qs(parts.query).get("mode", ()):
            return None
        text = url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
    return None if text in {"", MEMORY} else os.path.realpath(text)


def memory_of(database: Any) -> str:
    """What a database in memory is called: its shared name where it has one."""
    text = os.fsdecode(database)
    name = unquote(urlsplit(text).path) if text.startswith("file:") else ""
    return MEMORY if name in {"", MEMORY} else f"{MEMORY}{name}"
