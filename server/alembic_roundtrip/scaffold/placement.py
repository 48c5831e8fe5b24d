"""Where statements that only write rows stand among those of a new downgrade."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, Table, option
from alembic_roundtrip.migration.rewrite import WriteBody
from alembic_roundtrip.migration.sql import named_in
from alembic_roundtrip.scaffold.bindings import Effect, bindings_of, only_bind
from alembic_roundtrip.scaffold.named import named_by
from alembic_roundtrip.scaffold.parts import Part, does_nothing, parts
from alembic_roundtrip.scaffold.plain import about, answers, done_by, is_plain
from alembic_roundtrip.scaffold.step import PLACEHOLDER
from alembic_roundtrip.schema import Key, Schema, applied
from alembic_roundtrip.text import apply_edits

if TYPE_CHECKING:
    from alembic_roundtrip.migration.sql.named import Named

_OBJECTS = (c.CreateObject, c.ReplaceObject, c.DropObject)


@dataclass(frozen=True)
class Merged:
    """New statements with those of the present downgrade that write rows among them."""

    statements: tuple[str, ...]
    kept: frozenset[str]
    """The texts of those that somebody has written."""
    operations: tuple[Operation, ...]
    """What they do."""


def merged(context: Context, present: Sequence[Part], new: Sequence[str]) -> Merged | None:
    """Both in one; None where something else in the present downgrade is not done by the new."""
    merge = _Merge.of(context, present, new)
    return merge.made() if merge is not None else None


@dataclass
class _Merge:
    """Puts statements of the present downgrade between those of a new one."""

    context: Context
    present: Sequence[Part]
    new: Sequence[str]
    parts: Sequence[Part]
    """The new statements as they are read."""
    schemas: Sequence[Sequence[Schema]]
    """For each dialect the schema before each of them, and the one after the last."""

    @classmethod
    def of(cls, context: Context, present: Sequence[Part], new: Sequence[str]) -> _Merge | None:
        made = edits(context.migration, (WriteBody("downgrade", tuple(new)),))
        after = context.after(apply_edits(context.migration.text, made))
        downgrade = after.migration.downgrade if after is not None else None
        if after is None or downgrade is None:
            return None
        # Comments alone are no body: a `pass` comes with them.
        read = [part for part in parts(after.migration, downgrade) if not does_nothing(part)]
        if len(read) != sum(not _is_comment(text) for text in new):
            return None
        return cls(context, present, new, read, [list(_met(t, read)) for t in after.round_trips])

    def made(self) -> Merged | None:
        """The statements in their order."""
        binding = only_bind(self.present, self.context.migration)
        left = self._left(binding)
        if left is None:
            return None
        places: dict[int, list[str]] = {}
        used: set[int] = set()
        last = 0
        for number in left:
            needed = bindings_of(self.present[number].names, self.present, binding)
            place = self._place(number, last)
            if needed is None or place is None:
                return None
            texts = [self.present[at].text for at in needed if at not in used]
            used |= {*needed, number}
            places.setdefault(place, []).extend([*texts, self.present[number].text])
            last = place
        kept = frozenset(text for texts in places.values() for text in texts)
        operations = tuple(o for number in left for o in self.present[number].operations)
        return Merged(tuple(self._in_order(places, self._said(used))), kept, operations)

    def _left(self, binding: Mapping[int, Effect]) -> list[int] | None:
        """The statements that the new ones do not do; None where one does more than write rows."""
        migration = self.context.migration
        complete = not any(PLACEHOLDER in text for text in self.new)
        done, same = done_by(self.parts), {part.code for part in self.parts}
        left = []
        for number, part in enumerate(self.present):
            if does_nothing(part) or part.code in same or number in binding:
                continue
            if self._only_writes_rows(part):
                left.append(number)
            elif not is_plain(part, migration, done, complete=complete):
                return None
        return left

    def _only_writes_rows(self, part: Part) -> bool:
        """Whether it is one call that executes one statement on rows, under no condition."""
        if len(part.nodes) != 1 or len(part.operations) != 1 or len(part.changes) != 1:
            return False
        (operation,) = part.operations
        return (
            bool(part.rows)
            and _is_method(part.nodes[0], "execute")
            and operation.name == "execute"
            and operation.range == operation.statement
            and not operation.guards
            and not operation.autocommit
        )

    def _said(self, used: set[int]) -> dict[int, list[str]]:
        """The comments of statements that are not used, by the new one that does what they did.

        Those of one that nothing does any more wait for the next.
        """
        said: dict[int, list[str]] = {}
        waiting: list[str] = []
        for number, part in enumerate(self.present):
            if number in used or does_nothing(part):
                continue
            waiting += part.comments
            place = next((at for at, new in enumerate(self.parts) if _does(new, part)), None)
            if place is not None:
                said.setdefault(place, []).extend(waiting)
                waiting = []
        said.setdefault(len(self.parts), []).extend(waiting)
        return said

    def _in_order(
        self, places: Mapping[int, list[str]], said: Mapping[int, list[str]]
    ) -> Iterator[str]:
        yield from places.get(0, ())
        above: list[str] = []
        number = 0
        for text in self.new:
            above.append(text)
            if not _is_comment(text):
                yield from (each for each in said.get(number, ()) if each not in text)
                yield from above
                above = []
                number += 1
                yield from places.get(number, ())
        yield from [*above, *said.get(number, ())]

    def _place(self, number: int, last: int) -> int | None:
        """Before which of the new statements it can stand; None where there is none."""
        operation = self.present[number].operations[0]
        named = self._named(operation)
        trips = self.context.round_trips
        known = [schema for trip in trips for schema in (trip.before, trip.up.schema)]
        tables = _tables(named.tables, known) if named is not None else None
        if named is None or tables is None:
            return None
        needed = _keys(tables, named.columns)
        if needed is None:
            return None
        names = {table.name for table in tables}
        if any(change.table in {None, *names} for part in self.parts for change in part.rows):
            return None  # it may be what undoes the same rows
        held = _Held(_related(names, known), self.parts)
        first = held.after(self.present[:number])
        end = held.before(self.present[number + 1 :])
        if first is None or end is None:
            return None
        fitting = (
            at
            for at in range(max(last, first), end + 1)
            if all(schemas[at].has(key) for schemas in self.schemas for key in needed)
        )
        return next(fitting, None)

    def _named(self, operation: Operation) -> Named | None:
        """The tables and columns that an operation names; None where not all of it is known."""
        if operation.sql:
            return named_in(operation.sql, self.context.dialects)
        made = option(operation.arguments, "sqltext")
        nodes = (node for part in self.present for node in part.nodes)
        local = [ast.unparse(n) for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
        imports = (*self.context.migration.imports, *local)
        return named_by(made, imports) if made is not None else None


@dataclass(frozen=True)
class _Held:
    """What holds a statement between the changes of some tables."""

    tables: frozenset[Name]
    parts: Sequence[Part]
    """The new statements."""

    def after(self, others: Iterable[Part]) -> int | None:
        """The first place after all that these others do; None where something is not done."""
        found = self._where(others)
        return None if found is None else max((at + 1 for at in found), default=0)

    def before(self, others: Iterable[Part]) -> int | None:
        """The last place before all that these others do."""
        found = self._where(others)
        return None if found is None else min(found, default=len(self.parts))

    def _where(self, others: Iterable[Part]) -> set[int] | None:
        wanted = {about(change) for part in others for change in part.changes if self._has(change)}
        there = [{what for x in part.changes for what in answers(x)} for part in self.parts]
        if not wanted <= set().union(*there):
            return None
        return {at for at, keys in enumerate(there) if keys & wanted}

    def _has(self, change: c.Change) -> bool:
        """Whether it may matter: triggers, views and functions may read any table."""
        return isinstance(change, _OBJECTS) or not self.tables.isdisjoint(c.tables_of(change))


def _does(new: Part, part: Part) -> bool:
    """Whether a new statement stands for one of the present downgrade."""
    does = {what for change in new.changes for what in answers(change)}
    return new.code == part.code or not does.isdisjoint(map(about, part.changes))


def _is_method(node: ast.stmt, name: str) -> bool:
    """Whether a statement is a call of a method, not of a function that may do more."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and getattr(call.func, "attr", None) == name


def _is_comment(text: str) -> bool:
    return all(line.lstrip().startswith("#") for line in text.split("\n"))


def _tables(names: Iterable[Name], known: Sequence[Schema]) -> list[Table] | None:
    """The tables of these names in some schemas; None where one is not known as a whole."""
    found: list[Table] = []
    for name in names:
        spelled = tuple(map(str.casefold, name))
        tables = [
            table
            for schema in known
            for table in schema.tables.values()
            if tuple(map(str.casefold, table.name)) == spelled
        ]
        whole = all(schema.knows(t.name) for schema in known for t in tables if schema.has(_key(t)))
        if not tables or not whole:
            return None
        found += tables
    return found


def _key(table: Table) -> Key:
    return Key("table", table.name)


def _keys(tables: Sequence[Table], columns: Iterable[str]) -> set[Key] | None:
    """What has to be there for a statement that names these; None where a column is not known."""
    needed = set(map(_key, tables))
    for column in columns:
        keys = {
            Key("column", table.name, each.name)
            for table in tables
            for each in table.columns
            if each.name.casefold() == column.casefold()
        }
        if not keys:
            return None
        needed |= keys
    return needed


def _related(names: set[Name], known: Sequence[Schema]) -> frozenset[Name]:
    """Tables with those that foreign keys lead to from them, or from which they lead to them."""
    found = set(names)
    for schema in known:
        for table in schema.tables.values():
            referents = {part.referent for part in table.constraints if part.referent is not None}
            if table.name in names:
                found |= referents
            elif referents & names:
                found.add(table.name)
    return frozenset(found)


def _met(trip: RoundTrip, parts: Sequence[Part]) -> Iterator[Schema]:
    """The schema before each statement of a downgrade, and the one after the last."""
    schema = trip.up.schema
    steps = list(trip.down.steps)
    for part in parts:
        yield schema
        while steps and steps[0][0] in part.operations:
            operation, change, met = steps.pop(0)
            schema = applied(met, change, operation)
    yield schema
