"""States of a database that keeps every change: saved as definitions and copies of rows.

To bring a state back, what differs is dropped and made anew, and nothing else is touched: after
most migrations that is a table or two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from .. import GoneError
from ..session import Session
from . import catalogue, definitions
from .definitions import Definition, Key
from .text import literal, quote

MODE = "NO_AUTO_VALUE_ON_ZERO"
"""The SQL mode in which whatever was in a table goes into it again."""
_HOLDING = ("sequence", "table")
_VERSIONED = "WITH SYSTEM VERSIONING"
_KEPT_FOR = 3
"""How many saves a copy of rows outlives without being used."""


@dataclass(frozen=True)
class Rows:
    """How many rows a table has, and a sum over their content."""

    count: int
    checksum: str = ""


@dataclass(frozen=True)
class Saved:
    """A state that can be brought back."""

    definitions: Mapping[Key, Definition]
    rows: Mapping[str, Rows]
    copies: Mapping[str, str]
    charset: Tuple[str, str]


@dataclass
class States:
    """The states of one database; copies of rows are tables of a second one."""

    database: str
    _copies: Dict[Tuple[str, Rows], str] = field(default_factory=dict)
    _used: Dict[str, int] = field(default_factory=dict)
    _made: int = 0
    _saves: int = 0

    @property
    def _store(self) -> str:
        return f"{self.database}_kept"

    # --- saving

    def save(self, session: Session, known: Optional[Mapping[Key, Definition]] = None) -> Saved:
        """The state now; `known` are its definitions, where they have been read already."""
        found = definitions.read(session) if known is None else known
        counts = _rows(session, found)
        self._saves += 1
        self._forget_copies(session)
        copies = {
            name: self._copy(session, found["table", name], rows)
            for name, rows in counts.items()
            if rows.count
        }
        return Saved(found, counts, copies, charset(session))

    def _copy(self, session: Session, table: Definition, rows: Rows) -> str:
        key = table.text, rows
        if key not in self._copies:
            if not self._made:
                session.run(f"CREATE DATABASE IF NOT EXISTS {self._store}")
            self._made += 1
            copy = f"{self._store}.c{self._made}"
            session.run(f"SET SESSION sql_mode = {literal(MODE)}")
            columns = _columns(table)
            session.run(f"CREATE TABLE {copy} AS SELECT {columns} FROM {quote(table.name)}")  # noqa: S608
            session.run("SET SESSION sql_mode = DEFAULT")
            self._copies[key] = copy
        self._used[self._copies[key]] = self._saves
        return self._copies[key]

    def _forget_copies(self, session: Session) -> None:
        old = {c for c, used in self._used.items() if used < self._saves - _KEPT_FOR}
        for copy in sorted(old):
            session.run(f"DROP TABLE IF EXISTS {copy}")
            del self._used[copy]
        self._copies = {key: copy for key, copy in self._copies.items() if copy not in old}

    # --- bringing back

    def restore(self, session: Session, saved: Saved) -> None:
        """Make the database what it was when saved."""
        now = definitions.read(session)
        rows = _rows(session, now)
        session.run("SET SESSION foreign_key_checks = 0, unique_checks = 0")
        try:
            self._restore(session, saved, now, rows)
        finally:
            session.run("SET SESSION foreign_key_checks = 1, unique_checks = 1, sql_mode = DEFAULT")

    def _restore(
        self,
        session: Session,
        saved: Saved,
        now: Mapping[Key, Definition],
        rows: Mapping[str, Rows],
    ) -> None:
        if charset(session) != saved.charset:
            session.run("ALTER DATABASE CHARACTER SET {} COLLATE {}".format(*saved.charset))
        gone = {key for key, each in now.items() if not _same(each, saved.definitions.get(key))}
        refilled = {
            key
            for key, each in _tables(saved.definitions).items()
            if key in now and key not in gone and rows[each.name] != saved.rows[each.name]
        }
        # Triggers would act on rows that are put back, and go with the table they are on.
        touched = {name for _, name in gone | refilled}
        gone |= {
            key for key, each in now.items() if each.kind == "trigger" and each.table in touched
        }
        gone |= {key for key in refilled if _VERSIONED in now[key].text}  # can't be truncated
        _drop(session, (now[key] for key in gone))
        missing = [each for key, each in saved.definitions.items() if key in gone or key not in now]
        _make(session, [each for each in missing if each.kind in _HOLDING])
        for key in sorted(refilled - gone):
            session.run(f"TRUNCATE TABLE {quote(key[1])}")
        for key in sorted(refilled | {(each.kind, each.name) for each in missing}):
            self._fill(session, saved, key)
        for key, each in saved.definitions.items():
            current = now.get(key)
            if current is None or key in gone | refilled or current.counter != each.counter:
                _count_on(session, each)
        _make(session, [each for each in missing if each.kind not in _HOLDING])

    @staticmethod
    def _fill(session: Session, saved: Saved, key: Key) -> None:
        copy = saved.copies.get(key[1]) if key[0] == "table" else None
        if copy is not None:
            columns = _columns(saved.definitions[key])
            session.run(f"SET SESSION sql_mode = {literal(MODE)}")
            session.run(f"INSERT INTO {quote(key[1])} ({columns}) SELECT {columns} FROM {copy}")  # noqa: S608

    def clear(self, session: Session, version_table: str) -> None:
        """Leave nothing but Alembic's version table, empty."""
        found = definitions.read(session)
        session.run("SET SESSION foreign_key_checks = 0")
        own = ("table", version_table)
        _drop(session, (each for key, each in found.items() if key != own))
        if own in found:
            session.run(f"TRUNCATE TABLE {quote(version_table)}")
        session.run("SET SESSION foreign_key_checks = 1")


def charset(session: Session) -> Tuple[str, str]:
    """The character set and collation that new tables get."""
    ((character_set, collation),) = session.rows(
        # A session's own variables stay what they were when it came to the database.
        "SELECT default_character_set_name, default_collation_name "
        "FROM information_schema.schemata WHERE schema_name = DATABASE()"
    )
    return str(character_set), str(collation)


def _tables(found: Mapping[Key, Definition]) -> Dict[Key, Definition]:
    return {key: each for key, each in found.items() if each.kind == "table"}


def _rows(session: Session, found: Mapping[Key, Definition]) -> Dict[str, Rows]:
    names = sorted(each.name for each in _tables(found).values())
    if not names:
        return {}
    counted = " UNION ALL ".join(
        f"SELECT {literal(name)}, count(*) FROM {quote(name)}"  # noqa: S608 - quoted
        for name in names
    )
    counts = {str(name): int(count) for name, count in session.rows(counted)}
    filled = [name for name in names if counts[name]]
    sums: Dict[str, str] = {}
    if filled:
        for name, checksum in session.rows(f"CHECKSUM TABLE {', '.join(map(quote, filled))}"):
            sums[str(name).partition(".")[2]] = str(checksum)
    return {name: Rows(counts[name], sums.get(name, "")) for name in names}


def _columns(table: Definition) -> str:
    return ", ".join(quote(column.name) for column in catalogue.table(table).stored)


def _same(one: Definition, other: Optional[Definition]) -> bool:
    return other is not None and one.essence == other.essence


def _drop(session: Session, each: Iterable[Definition]) -> None:
    order = definitions.MAKING
    for one in sorted(each, key=lambda one: (-order.index(one.kind), one.name)):
        session.run(f"DROP {one.kind.upper()} IF EXISTS {quote(one.name)}")


def _make(session: Session, each: List[Definition]) -> None:
    """Make objects; views, which may build on others, in rounds until none is left."""
    while each:
        refused, error = [], None
        for one in each:
            session.run(f"SET SESSION sql_mode = {literal(one.mode)}")
            try:
                _make_one(session, one)
            except session.error_type as raised:
                refused.append(one)
                error = raised
        if error is not None and len(refused) == len(each):
            raise _gone(refused) or error
        each = refused


def _gone(refused: Iterable[Definition]) -> Optional[GoneError]:
    """The server keeps views of what is gone, but makes none."""
    names = [one.name for one in refused if one.kind == "view"]
    shown = ", ".join(f"`{name}`" for name in names)
    why = f"the server cannot make {shown} again: the view reads what is not there"
    return GoneError(why) if names else None


def _make_one(session: Session, one: Definition) -> None:
    statement, standing_in = one.creating
    if statement != one.text:
        drops = (f"ALTER TABLE {quote(one.name)} DROP FOREIGN KEY {quote(n)}" for n in standing_in)
        # Another server may have numbered them otherwise.
        refused = any(session.objection(each) is not None for each in (statement, *drops))
        if not refused and _same(one, definitions.table(session, one.name)):
            return
        _drop(session, [one])
    session.run(one.text)


def _count_on(session: Session, one: Definition) -> None:
    """Have a key or sequence go on with the number that it had come to."""
    if one.kind == "sequence":
        session.run(f"ALTER SEQUENCE {quote(one.name)} RESTART {one.counter}")
    elif one.kind == "table" and one.counter:
        session.run(f"ALTER TABLE {quote(one.name)} AUTO_INCREMENT = {one.counter}")
