"""What differs between databases, one module a dialect: rooms, and the access to their tables.

A room is one scratch database: its states are saved and restored, its schema and rows are read. An
access runs the statements that filling and reading tables needs. Everything else in the agent is
the same for all dialects.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Protocol, Sequence, Tuple, TypeVar

from ..schema.tables import Column, Snapshot, Table
from ..values.source import Source

T = TypeVar("T")
Key = Tuple[Any, ...]


class Access(Protocol):
    """The statements that reading and filling tables needs; all inside one transaction."""

    def is_empty(self, table: Table) -> bool:
        """Whether the table has no row."""

    def greatest(self, table: Table) -> List[int]:
        """The greatest value of an integer key, so that new ones follow it."""

    def behind(self, tables: Sequence[Table]) -> Dict[str, str]:
        """Columns whose sequence is to give values that are there already, and which."""

    def distinct(self, table: Table, names: Sequence[str]) -> List[Key]:
        """The different values of these columns, without NULLs, in their order."""

    def read(self, table: Table, columns: Sequence[Column]) -> List[Key]:
        """Every row, with values as the database keeps them."""

    def checked(self, table: Table, schema: Snapshot) -> Table:
        """The table with what the types of its columns demand, as if it were its own."""

    def sources(
        self, table: Table, declared: Dict[Tuple[str, str], Any], tame: bool
    ) -> Dict[str, Source]:
        """Where made-up values of each column come from."""

    def begin(self, postponed: Sequence[Table]) -> None:
        """Before tables are filled; rows of those `postponed` will refer to later ones."""

    def end(self) -> bool:
        """After tables were filled; false where all was rolled back."""

    def insert(self, table: Table, rows: Sequence[Dict[str, Any]]) -> Optional[str]:
        """Insert all rows or none; what the database objects, or None."""

    def point(self, table: Table, row: Dict[str, Any], changes: Dict[str, Any]) -> Optional[str]:
        """Change a row, found by its key; what the database objects, or None."""

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file, all or none of them."""

    def lend(self, function: Callable[[Any], None]) -> None:
        """Call with the SQLAlchemy connection; what it raises undoes what it did."""

    def remove_orphans(self, table: Table, schema: Snapshot) -> int:
        """Remove rows whose parents are missing; gives how many."""


class Room(Protocol):
    """One scratch database, and what a rehearsal does to it."""

    database: str
    """Which one it is, of those that the guard leads to."""
    commits: bool
    """Whether steps really commit, so that only copies of the database bring a state back."""
    reverts: bool
    """Whether a failing step takes the database back to the state that was kept last."""

    def enter(self, connection: Any) -> None:
        """A run of env.py begins, with this connection."""

    def leave(self, connection: Any) -> None:
        """The run with this connection is over, or fails."""

    def refresh(self, connection: Any) -> None:
        """Before a step: let env.py's connection notice what we did."""

    def settle(self, connection: Any) -> None:
        """After a step: have everything in that the driver holds."""

    def clear(self) -> None:
        """Leave nothing but Alembic's version table, empty."""

    def save(self) -> Any:
        """The state now, to be brought back by `restore`."""

    def has(self, saved: Any) -> bool:
        """Whether a saved state can be brought back."""

    def restore(self, saved: Any) -> None:
        """Make the database what it was when saved."""

    def keep(self) -> None:
        """What is now stays, whatever fails later."""

    def hand_on(self, place: str) -> None:
        """Copy the whole database to a place from which `take_over` can bring it back.

        Raises `Unusable` where a part of it cannot be copied.
        """

    def take_over(self, place: str) -> None:
        """Make the database what another rehearsal handed on; the place may be gone then."""

    def snapshot(self) -> Snapshot:
        """The schema now."""

    def count(self, table: Table) -> int:
        """How many rows a table has."""

    asked_for_commits: bool
    """Whether a step did what no savepoint undoes."""
    always_commits: bool
    """Whether there is no transaction at all."""
    unheld: bool
    """Whether something ended the transaction that was to hold all steps."""

    def work(self, function: Callable[[Access], T]) -> T:
        """Call with an access, in a transaction that is committed."""

    def lend(self, function: Callable[[Any], None]) -> None:
        """Call with a SQLAlchemy connection, in a transaction that is committed."""

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file."""


class RefusedStatement(Exception):
    """The database refused a statement of a script; the message is what it objects."""

    def __init__(self, statement: str, objection: str) -> None:
        super().__init__(objection)
        self.statement = statement


class Locked(Exception):
    """The project still holds the scratch database; the sentence says so."""


class Unusable(Exception):
    """A state cannot be handed on or taken over; the sentence says why."""


class GoneError(Exception):
    """Something of a saved state cannot be made again; the sentence says what and why."""


class Unheld(BaseException):
    """Nobody asked for commits, and the transaction that was to hold all steps has ended.

    A listener of env.py's may end it by the driver's own connection. What is in the database then
    is known to nobody: a new process begins anew, and has every step commit.
    """


class NeedsCommits(BaseException):
    """A step cannot be undone by a savepoint: it commits by itself, or connects a second time.

    Not an `Exception`: a migration's own error handling must not take it for the database's.
    """


def short(error: Exception) -> str:
    """What a database objects, in one short line."""
    said = str(getattr(error, "orig", None) or error)
    return said.splitlines()[0][:160] if said else type(error).__name__


def of(kind: str) -> Any:
    """The module of a dialect: `Dialect` is its door."""
    from importlib import import_module

    return import_module(f".{kind}", __package__)
