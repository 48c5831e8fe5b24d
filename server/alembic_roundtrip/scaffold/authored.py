"""What a downgrade does to rows as somebody has written it, kept where the rest is written anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.editing import edits, statements_of
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.rewrite import WriteBody
from alembic_roundtrip.scaffold.edits import within
from alembic_roundtrip.scaffold.step import PLACEHOLDER
from alembic_roundtrip.scaffold.told import (
    DESTRUCTIVE,
    by_hand,
    given_back,
    shown,
    values_lost,
)
from alembic_roundtrip.schema import Key, Schema, applied
from alembic_roundtrip.text import apply_edits

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class _Part:
    """A top-level statement of a downgrade, and what its operations change."""

    text: str
    operations: tuple[Operation, ...]

    @property
    def changes(self) -> tuple[c.Change, ...]:
        return tuple(change for operation in self.operations for change in operation.changes)

    @property
    def rows(self) -> tuple[c.WriteRows, ...]:
        return tuple(change for change in self.changes if isinstance(change, c.WriteRows))

    @property
    def may_write(self) -> bool:
        return bool(self.rows) or any(o.may_do_anything for o in self.operations)


def with_authored(
    context: Context, statements: Sequence[str], lost: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The statements of a new downgrade with those of the present one that only write rows.

    Each stands where what it names is there, between the changes of the schema that it stood
    between; what has no such place is named in a placeholder. The second value is what is lost
    even so.
    """
    if context.written_downgrade is None:
        return tuple(statements), tuple(lost)
    present = _parts(context)
    written = {change.table for part in present for change in part.rows}
    done = {
        by_hand(operation, context.migration)
        for operation in context.upgrade_operations
        for change in operation.changes
        if isinstance(change, c.WriteRows) and change.table in written
    }
    new = [text for text in statements if text not in done]
    if not any(part.may_write for part in present):
        return tuple(new), tuple(lost)
    merge = _Merge(context, present, new)
    merged = list(merge.statements())
    made = {values_lost(column) for column in merge.computed}
    given = {each for each in lost if each in made or given_back(each, merge.written)}
    marks = {f"{DESTRUCTIVE}{sentence}" for sentence in given}
    return (
        tuple(text for text in merged if text not in marks),
        tuple(sentence for sentence in lost if sentence not in given),
    )


def _parts(context: Context) -> list[_Part]:
    downgrade = context.written_downgrade
    if downgrade is None:
        return []
    places = downgrade.statements
    texts = statements_of(context.migration, downgrade.name)
    if len(texts) != len(places):  # several on a line
        texts = tuple(map(context.migration.source.slice, places))
    first = 1 if downgrade.docstring is not None else 0  # which stays where it is
    return [
        _Part(text, tuple(o for o in downgrade.operations if within(o.statement, place)))
        for text, place in list(zip(texts, places, strict=True))[first:]
    ]


class _Merge:
    """Puts statements of the present downgrade between those of a new one."""

    def __init__(self, context: Context, present: list[_Part], new: list[str]) -> None:
        self._present = present
        self._new = new
        made = edits(context.migration, (WriteBody("downgrade", tuple(new)),))
        after = context.after(apply_edits(context.migration.text, made))
        self._parts = [] if after is None else _parts(after)
        self._schemas = [] if after is None else list(_met(after, self._parts))
        trip = context.round_trips[0]
        self._known = (trip.before, trip.up.schema)
        self._taken: set[int] = set()
        self._last = 0
        """The place of the last that was kept: they stay in their order."""
        self.written: set[str] = set()
        """The columns that somebody sets to what they are to be."""
        self.computed: set[str] = set()
        """Those of them that get values made of others."""

    def statements(self) -> Iterator[str]:
        """All of them in their order, what has no place at the end."""
        kept: dict[int, list[str]] = {}
        unplaced: list[str] = []
        same = {_code(text) for text in self._new}
        for number, part in enumerate(self._present):
            if not part.may_write or _code(part.text) in same:
                continue
            needed = self._needed(number)
            place = self._place(number, part) if needed is not None else None
            if needed is None or place is None:
                unplaced += [f"{PLACEHOLDER} put back {shown(part.text)} by hand"]
            else:
                self._last = place
                kept.setdefault(place, []).extend([*needed, part.text])
                self._note_written(part)
        yield from kept.get(0, ())
        place = 0
        for text in self._new:
            yield text
            place += not text.startswith("#")
            yield from () if text.startswith("#") else kept.get(place, ())
        yield from unplaced

    def _note_written(self, part: _Part) -> None:
        for change in part.rows:
            columns = {f"{change.table}.{column}" for column in change.columns}
            if change.verb == "update":
                self.written |= columns
                self.computed |= columns if change.computed else set()

    def _needed(self, number: int) -> list[str] | None:
        """The statements that bind what a statement names; None where one does more than that."""
        names = _variables(self._present[number].text, ast.Load)
        found: list[str] = []
        for at in range(number - 1, -1, -1):
            part = self._present[at]
            if names.isdisjoint(_variables(part.text, ast.Store)):
                continue
            if part.changes:
                return None
            names |= _variables(part.text, ast.Load)
            if at not in self._taken:
                self._taken.add(at)
                found.insert(0, part.text)
        return found

    def _place(self, number: int, part: _Part) -> int | None:
        """Before which of the new statements it can stand; None where there is none."""
        if len(part.rows) != len(part.changes) or not self._schemas:
            return None
        words = frozenset(_WORD.findall(part.text))
        before, after = (
            {_about(change) for other in parts for change in other.changes if _names(change, words)}
            for parts in (self._present[:number], self._present[number + 1 :])
        )
        about = [set(map(_about, other.changes)) for other in self._parts]
        earlier = (at + 1 for at, keys in enumerate(about) if keys & before)
        first = max((self._last, *earlier))
        last = min((at for at, keys in enumerate(about) if keys & after), default=len(about))
        needed = set(self._named(part, words))
        fitting = (
            at for at in range(first, last + 1) if all(self._schemas[at].has(key) for key in needed)
        )
        return next(fitting, None)

    def _named(self, part: _Part, words: frozenset[str]) -> Iterator[Key]:
        """The tables that a statement names, and the columns of those that it writes to."""
        for schema in self._known:
            yield from (Key("table", name) for name in schema.tables if name.name in words)
            for change in part.rows:
                table = schema.table(change.table) if change.table is not None else None
                if table is not None:
                    named = (column.name for column in table.columns if column.name in words)
                    yield from (Key("column", table.name, name) for name in named)


def _met(after: Context, parts: Sequence[_Part]) -> Iterator[Schema]:
    """The schema before each statement of a downgrade, and the one after the last."""
    down = after.round_trips[0].down
    schema = after.round_trips[0].up.schema
    steps = list(down.steps)
    for part in parts:
        yield schema
        while steps and steps[0][0] in part.operations:
            operation, change, met = steps.pop(0)
            schema = applied(met, change, operation)
    yield schema


def _names(change: c.Change, words: frozenset[str]) -> bool:
    """Whether a change is one of the schema of a table that is among the words."""
    of_schema = not isinstance(change, c.WriteRows | c.Unknown)
    return of_schema and any(name.name in words for name in c.tables_of(change))


def _about(change: c.Change) -> tuple[object, ...]:
    """What a change of the schema is, however it is written."""
    name = getattr(change, "column", None) or getattr(change, "name", None)
    if isinstance(change, c.AddColumn):
        name = change.column.name
    return (type(change), c.tables_of(change), name)


def _variables(text: str, context: type[ast.expr_context]) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    return {node.id for node in nodes if isinstance(node, ast.Name) and type(node.ctx) is context}


def _code(text: str) -> str:
    """A statement without its comments and its layout."""
    return ast.dump(ast.parse(text))
