"""Rules that a direction brings over rows that were written without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from alembic_roundtrip.comparison.casting import narrowing
from alembic_roundtrip.comparison.equivalence import implies
from alembic_roundtrip.comparison.origins import Origins
from alembic_roundtrip.comparison.typechanges import TypeChange, type_changes
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import Kinds
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Table, option
from alembic_roundtrip.migration.sql import fits_values
from alembic_roundtrip.schema import Replay, Schema
from alembic_roundtrip.schema.state import names_enum

Way = Literal["upgrade", "downgrade"]
_WORD = re.compile(r"\w+")
_LETS_GO = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})

TIGHTENING: Kinds = (c.AlterColumn, c.CreateIndex, c.AddConstraint, c.WriteRows)
"""The changes that may find rows against them."""


@dataclass(frozen=True, slots=True)
class Tightening:
    """A rule that comes, or comes back: the change that brings it, and the rows against it.

    `columns` are those that the rule is about, as far as it names them.
    """

    operation: Operation
    change: c.AlterColumn | c.CreateIndex | c.AddConstraint | c.WriteRows
    table: Name
    columns: tuple[str, ...]
    rows: str


def tightenings(context: Context, way: Way = "downgrade") -> Iterator[Tightening]:
    """What may find rows against it, each operation once.

    Tables whose rows the direction writes, deletes or looks at before are taken to be cared for.
    """
    upgrade, downgrade = context.migration.upgrade, context.written_downgrade
    written, other = (upgrade, downgrade) if way == "upgrade" else (downgrade, upgrade)
    if written is None:
        return
    seen: set[Operation] = set()
    for trip in context.round_trips:
        side = _Side(trip, way, other)
        if side.replayed.unread:
            continue
        for found in (*side.rules(), *side.shorter(context)):
            if found.operation not in seen and not found.operation.doubtful:
                seen.add(found.operation)
                if _guarded(context, written, found) or _spared(found.change, written, trip):
                    continue
                yield found


def _guarded(context: Context, direction: Direction, found: Tightening) -> bool:
    """Whether it may have refused before: a statement raises after it asked about these columns."""
    before = [p for p in direction.statements if p.end <= found.operation.statement.start]
    text = "\n".join(map(context.migration.source.slice, before))
    names = map(re.escape, (found.table.name, *found.columns))
    named = all(re.search(rf"(?<!\w){name}(?!\w)", text) for name in names)
    return named and "raise" in _WORD.findall(text)


def _spared(change: c.Change, direction: Direction, trip: RoundTrip) -> bool:
    """Whether PostgreSQL leaves the rows alone that are there, and is not told to look later."""
    if not isinstance(change, c.AddConstraint) or not change.not_valid:
        return False
    name = (change.constraint.name or "").upper()
    validated = any(
        operation.says("VALIDATE", "CONSTRAINT", name)
        or operation.says("VALIDATE", "CONSTRAINT", f'"{change.constraint.name}"')
        for operation in direction.operations
    )
    return trip.dialect in {None, "postgresql"} and not validated


@dataclass(frozen=True, slots=True)
class _Side:
    """One direction on one dialect; `other` is the opposite one, where there is one."""

    trip: RoundTrip
    way: Way
    other: Direction | None
    origins: Origins = field(default_factory=Origins)

    @property
    def _up(self) -> bool:
        return self.way == "upgrade"

    @property
    def replayed(self) -> Replay:
        return self.trip.up if self._up else self.trip.down

    @property
    def start(self) -> Schema:
        """What the direction begins with: rows keep to its rules."""
        return self.trip.before if self._up else self.trip.up.schema

    def _start(self, table: Name) -> Table | None:
        """What a table was when the direction began, under whichever name."""
        return self.start.table(self.origins.table(table))

    def rules(self) -> Iterator[Tightening]:
        """Those that the direction brings, in its order."""
        new: set[Name] = set()
        added: set[tuple[Name, str]] = set()
        care = _Care()
        for operation, change, schema in self.replayed.steps:
            if isinstance(change, c.CreateTable):
                new.add(change.table.name)
            if isinstance(change, c.CreateObject):
                new.add(change.name)
            if isinstance(change, c.AddColumn):
                added.add((change.table, change.column.name))
            for found in self._against(operation, change, schema, added):
                if self.origins.table(found.table) not in new and not care.taken(found):
                    yield found
            if isinstance(change, c.WriteRows):
                care.take(change)
            self.origins.follow(change)

    def _against(
        self,
        operation: Operation,
        change: c.Change,
        schema: Schema,
        added: set[tuple[Name, str]],
    ) -> Iterator[Tightening]:
        if isinstance(change, c.AlterColumn) and self._meets_null(change, schema):
            rows = f"NULLs in `{change.table}.{change.column}`"
            yield Tightening(operation, change, change.table, (change.column,), rows)
        elif isinstance(change, c.AlterColumn) and (gone := self._members_gone(change, schema)):
            rows = f"values {', '.join(gone)} in `{change.table}.{change.column}`"
            yield Tightening(operation, change, change.table, (change.column,), rows)
        elif isinstance(change, c.CreateIndex) and change.index.unique:
            if self._was_unique(change.index):
                return
            parts = [part.string for part in change.index.columns]
            yield from self._unique(operation, change, change.index.table, parts, added)
        elif isinstance(change, c.AddConstraint):
            yield from self._constraint(operation, change, schema, added)
        elif isinstance(change, c.WriteRows) and change.verb == "delete":
            yield from self._referred_to(operation, change, schema)

    def _members_gone(self, change: c.AlterColumn, schema: Schema) -> list[str]:
        """The members of an enum type that a column's new one does not have."""
        table = schema.table(change.table)
        column = table.column(change.column) if table is not None else None
        new = option(change.options, "type_")
        if column is None or column.type is None or new is None or self.trip.dialect == "sqlite":
            return []
        old_members, new_members = (
            next((e.members for n, e in schema.enums.items() if names_enum(text, n)), None)
            for text in (column.type.text, new.text)
        )
        if not old_members or not new_members:
            return []
        return [repr(member) for member in old_members if member not in new_members]

    def _was_unique(self, index: Index) -> bool:
        """Whether another index, of the same expressions and of all rows, told the rows apart."""
        start = self._start(index.table)
        return start is not None and any(
            old.unique and not old.partial and _parts(old) == _parts(index) for old in start.indexes
        )

    def _unique(
        self,
        operation: Operation,
        change: c.CreateIndex | c.AddConstraint,
        table: Name,
        columns: list[str | None],
        added: set[tuple[Name, str]],
    ) -> Iterator[Tightening]:
        """Nothing for a key of columns that come with it: there is nothing in them."""
        known = tuple(name for name in columns if name)
        if any((table, name) in added for name in known):
            return
        start = self._start(table)
        before = self.origins.columns(table, known)
        if start is not None and len(known) == len(columns) and start.tells_apart(before):
            return
        subject = ", ".join(f"`{table}.{name}`" for name in known) or f"`{table}`"
        yield Tightening(operation, change, table, known, f"duplicates in {subject}")

    def _constraint(
        self,
        operation: Operation,
        change: c.AddConstraint,
        schema: Schema,
        added: set[tuple[Name, str]],
    ) -> Iterator[Tightening]:
        made = change.constraint
        if change.index is not None:
            return  # which has told the rows apart
        if made.kind == "primary":
            yield from self._unfilled(operation, change, schema, added)
        if made.kind in {"unique", "primary"}:
            yield from self._unique(operation, change, change.table, list(made.columns), added)
        elif made.kind == "exclude" and self._start(change.table) is not None:
            rows = f"rows that `{made.name}` excludes in `{change.table}`"
            yield Tightening(operation, change, change.table, (), rows)
        elif made.kind == "check" and self._asks_old_rows(change.table, made, schema):
            rows = f"rows against `{made.name or 'a CHECK'}` in `{change.table}`"
            yield Tightening(operation, change, change.table, made.columns, rows)
        elif made.kind == "foreignkey" and self._enforces:
            start = self._start(change.table)
            before = self.origins.columns(change.table, made.columns)
            old = start is not None and all(start.column(name) for name in before)
            if start is not None and old and not self._refers_already(start, before, made):
                names = ", ".join(f"`{change.table}.{name}`" for name in made.columns)
                rows = f"values in {names} that `{made.referent}` does not have"
                yield Tightening(operation, change, change.table, made.columns, rows)

    def _unfilled(
        self,
        operation: Operation,
        change: c.AddConstraint,
        schema: Schema,
        added: set[tuple[Name, str]],
    ) -> Iterator[Tightening]:
        """The columns of a primary key that come with it, where nothing but NULL is in them."""
        table = schema.table(change.table)
        if table is None or self.trip.dialect != "postgresql" or not schema.knows(change.table):
            return
        for column in table.columns:
            empty = column.nullable is True and column.server_default is None
            new = (change.table, column.name) in added and column.name in change.constraint.columns
            if empty and new and not column.fills_itself:
                rows = f"rows in `{change.table}`, as `{column.name}` is NULL in them"
                yield Tightening(operation, change, change.table, (column.name,), rows)

    def _refers_already(self, start: Table, columns: tuple[str, ...], key: Constraint) -> bool:
        """Whether a foreign key to the same table has kept the rows in order so far."""
        referent = self.origins.table(key.referent) if key.referent is not None else None
        return any(
            part.kind == "foreignkey" and part.columns == columns and part.referent == referent
            for part in start.constraints
        )

    def _referred_to(
        self, operation: Operation, change: c.WriteRows, schema: Schema
    ) -> Iterator[Tightening]:
        """Rows that go although others refer to them, which the database does not let go."""
        if change.table is None or self.start.table(change.table) is None or not self._enforces:
            return
        for table in schema.tables.values():
            for part in table.constraints:
                rule = option(part.options, "ondelete")
                lets_go = rule is not None and str(rule.value).upper() in _LETS_GO
                refers = part.kind == "foreignkey" and part.referent == change.table
                if refers and not lets_go and table.name in self.start.tables:
                    rows = f"rows in `{table.name}` that refer to what is deleted"
                    yield Tightening(operation, change, table.name, part.columns, rows)

    @property
    def _enforces(self) -> bool:
        """Whether the database looks after foreign keys; SQLite does where it is told to."""
        return self.trip.dialect not in {None, "sqlite"}

    def _asks_old_rows(self, table: Name, check: Constraint, schema: Schema) -> bool:
        was, now = self.trip.before.table(table), schema.table(table)
        if was is None:
            return False
        if self._up:
            return now is not None and _is_about_old(check, was, now)
        old = [part for part in was.constraints if part.name == check.name]
        start = self._start(table)
        meanwhile = start.constraints if start is not None else ()
        return bool(old) and not any(implies(p, old[0], self.trip.dialect) for p in meanwhile)

    def _meets_null(self, change: c.AlterColumn, schema: Schema) -> bool:
        """Whether NULL is forbidden that the column takes when the direction begins."""
        nullable = option(change.options, "nullable")
        if nullable is None or nullable.value is not False:
            return False
        table = schema.table(change.table)
        column = table.column(change.column) if table and schema.knows(change.table) else None
        if column is None:
            return self.other is not None and _allows_null(self.other, change)
        start = self._start(change.table)
        (before,) = self.origins.columns(change.table, [change.column])
        added = start is None or start.column(before) is None
        filled = column.server_default is not None or column.fills_itself
        if added and (start is None or not self._up or filled):
            return False  # one that the downgrade has just added is another rule's
        return column.nullable is True

    def shorter(self, context: Context) -> Iterator[Tightening]:
        if self.trip.dialect in {None, "sqlite"}:
            return
        for change in type_changes(context, self.way):
            why = narrowing(change.before, change.after, change.dialect)
            if _made_to_fit(change):
                continue
            if why is None or not why.refuses:
                continue
            if change.dialect == self.trip.dialect and (change.older or not self._up):
                altered = change.change
                rows = f"values in `{change.column}` that {change.after.text} cannot hold"
                found = Tightening(
                    change.operation, altered, altered.table, (altered.column,), rows
                )
                if not self._care_before(change.operation).taken(found, of_values=True):
                    yield found

    def _care_before(self, operation: Operation) -> _Care:
        """What the direction has done for rows until an operation."""
        care = _Care()
        for earlier, change, _ in self.replayed.steps:
            if earlier is operation:
                break
            if isinstance(change, c.WriteRows):
                care.take(change)
        return care


def _made_to_fit(change: TypeChange) -> bool:
    """Whether an expression computes the new values, as `left(nick, 30)` does: no mere cast."""
    using = option(change.change.options, "postgresql_using")
    return using is not None and (using.sql is None or fits_values(using.sql, "postgresql"))


def _parts(index: Index) -> list[str]:
    """What an index is on: as SQL where that is known, as it does not depend on quotes."""
    return [part.string or part.sql or part.text for part in index.columns]


class _Care:
    """What a direction has done for rows so far: an UPDATE of a column, or a DELETE."""

    def __init__(self) -> None:
        self.written: list[c.WriteRows] = []

    def take(self, change: c.WriteRows) -> None:
        if change.verb != "insert":
            self.written.append(change)

    def taken(self, found: Tightening, *, of_values: bool = False) -> bool:
        """Whether something was done for the rows that are against a rule.

        What is done where there is NULL is nothing done `of_values`.
        """
        return any(
            _reaches(change, found)
            for change in self.written
            if not (of_values and change.nulls_of in found.columns)
        )


def _reaches(change: c.WriteRows, found: Tightening) -> bool:
    if change.verb == "update" and change.columns:
        return change.table == found.table and not set(found.columns).isdisjoint(change.columns)
    return change.table in {found.table, None}


def _is_about_old(check: Constraint, before: Table, now: Table) -> bool:
    """Whether a CHECK asks for columns that were there, and for none that came since."""
    if check.of_type:
        return False
    words = {word for argument in check.arguments for word in _WORD.findall(argument.text)}
    asked = {column.name for column in now.columns} & words
    return bool(asked) and all(before.column(name) for name in asked)


def _allows_null(direction: Direction, change: c.AlterColumn) -> bool:
    for operation in direction.operations:
        for other in operation.changes:
            if isinstance(other, c.AlterColumn) and other.table == change.table:
                nullable = option(other.options, "nullable")
                if other.column == change.column and nullable and nullable.value is True:
                    return True
    return False
