"""Where copies of scratch databases are kept: SQLite's in files, PostgreSQL's on its server.

The files lie beside the rest of a state; a database of the embedded server is there as long as the
server runs. An agent is told a place: a file's path, or the name of a database.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases import cluster, postgresql, sqlite
from alembic_roundtrip.rehearsal.plan import CannotRun

if TYPE_CHECKING:
    from psycopg import Cursor

_PREFIX = "alembic_roundtrip_kept_"
_ROLE = "alembic_roundtrip_keeping"
_ALL_KEPT = f"SELECT datname FROM pg_database WHERE starts_with(datname, '{_PREFIX}')"  # noqa: S608
_MOST = 4
"""Databases on the server, which is in memory."""

logger = logging.getLogger(__name__)


class States(Protocol):
    """The copies of one kind of database."""

    def taken(self, state: str, folder: Path) -> str | None:
        """The place where the agent finds a state whose files are in a folder; None: it is gone."""

    def to_hand_on(self, folder: Path) -> str:
        """The place where the agent is to put a state, beside files in a folder."""

    def keep(self, state: str, others: Collection[str]) -> bool:
        """Keep what the agent put there, and of the others only these, the newest first."""


class Files:
    """Of SQLite: a file in the folder."""

    def __init__(self, _place: Mapping[str, Any]) -> None:
        pass

    def taken(self, _state: str, folder: Path) -> str | None:
        """In the folder itself."""
        return str(folder / "database")

    def to_hand_on(self, folder: Path) -> str:
        """As above."""
        return str(folder / "database")

    def keep(self, _state: str, _others: Collection[str]) -> bool:
        """It is kept with the folder."""
        return True


class Templates:
    """Of the embedded PostgreSQL: a database, of which others are made.

    The roles of a rehearsal are gone after it, so a role of all owns what is in a template.
    """

    def __init__(self, place: Mapping[str, Any]) -> None:
        self._name = str(place["name"])
        self._owner = str(place["owner"])
        self._copying = str(place["copying"])

    def taken(self, state: str, _folder: Path) -> str | None:
        """A database of this rehearsal's that is made from the template."""
        name = f"{self._name}_taken"
        from psycopg import Error

        try:
            with _administration() as execute:
                if not _there(execute, _PREFIX + state):
                    return None
                execute(f"DROP DATABASE IF EXISTS {name}")
                made = f"TEMPLATE {_PREFIX + state} OWNER {self._owner} {self._copying}"
                execute(f"CREATE DATABASE {name} {made}")
                execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
            with _administration(name) as execute:
                execute(f"REASSIGN OWNED BY {_ROLE} TO {self._owner}")
        except (Error, CannotRun) as error:  # another rehearsal may have dropped it
            logger.info("the state %s cannot be taken over: %s", state, error)
            return None
        return name

    def to_hand_on(self, _folder: Path) -> str:
        """A database of this rehearsal's."""
        return f"{self._name}_handed_on"

    def keep(self, state: str, others: Collection[str]) -> bool:
        """Make a template of it; all else of this rehearsal's is given away and of no use then."""
        from psycopg import Error

        made, name = self.to_hand_on(Path()), _PREFIX + state
        try:
            with _administration() as execute:
                if not _there(execute, _ROLE, "pg_roles", "rolname"):
                    execute(f"CREATE ROLE {_ROLE}")
            with _administration(made) as execute:
                execute(f"REASSIGN OWNED BY {self._owner} TO {_ROLE}")
                execute(f"DROP OWNED BY {self._owner}")
            with _administration() as execute:
                # Databases go with what is in them; this one is not to go with the next.
                execute(f"ALTER DATABASE {made} OWNER TO CURRENT_USER")
                there = [old for (old,) in execute(_ALL_KEPT).fetchall()]
                # SQLite's states are among the others.
                newest = [o for o in (_PREFIX + each for each in others) if o in there]
                kept = [old for old in newest if old != name][: _MOST - 1]
                for old in there:
                    if old not in kept:
                        execute(f"DROP DATABASE IF EXISTS {old}")
                execute(f"ALTER DATABASE {made} RENAME TO {name}")
        except (Error, CannotRun) as error:  # another rehearsal may be at the same
            logger.info("the database %s is not kept: %s", name, error)
            return False
        return True


Execute = Callable[[str], "Cursor[Any]"]


@contextmanager
def _administration(database: str = "postgres") -> Iterator[Execute]:
    """What runs statements as the superuser; names in them are ours, of letters and digits."""
    with (
        cluster.running() as server,
        postgresql.administration(server, database) as connection,
    ):
        yield lambda statement: connection.execute(statement.encode())


def _there(
    execute: Execute, name: str, catalogue: str = "pg_database", column: str = "datname"
) -> bool:
    found = execute(f"SELECT 1 FROM {catalogue} WHERE {column} = '{name}'")  # noqa: S608 - ours
    return found.fetchone() is not None


def states_of(kind: str, settings: Settings) -> Callable[[Mapping[str, Any]], States] | None:
    """What keeps the states of a kind, given the place of a rehearsal; None where nothing does."""
    if kind == sqlite.KIND:
        return Files
    if kind == postgresql.KIND and "://" not in settings.database:
        return Templates
    return None
