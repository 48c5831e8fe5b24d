"""Rules that a downgrade brings back over rows that were written without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.comparison.equivalence import narrowing
from alembic_roundtrip.comparison.typechanges import type_changes
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.schema import Schema


@dataclass(frozen=True, slots=True)
class Tightening:
    """A rule that a downgrade brings back: the change that does, and the rows that are against it.

    `columns` are those that the rule is about, as far as it names them.
    """

    operation: Operation
    change: c.AlterColumn | c.CreateIndex | c.AddConstraint
    table: Name
    columns: tuple[str, ...]
    rows: str


def tightenings(context: Context) -> Iterator[Tightening]:
    """What comes back and may find rows against it, each operation once.

    Tables whose rows the downgrade writes, deletes or looks at before are taken to be cared for.
    """
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Operation] = set()
    for trip in context.round_trips:
        if trip.down.unread:
            continue
        for found in (*_rules(context, trip), *_shorter(context, trip)):
            if found.operation not in seen and not found.operation.doubtful:
                seen.add(found.operation)
                if not _guarded(context, downgrade, found):
                    yield found


def _guarded(context: Context, downgrade: Direction, found: Tightening) -> bool:
    """Whether it may have refused before: a statement raises after it asked about these columns."""
    before = [p for p in downgrade.statements if p.end <= found.operation.statement.start]
    text = "\n".join(map(context.migration.source.slice, before))
    words = set(re.findall(r"\w+", text))
    return "raise" in words and {found.table.name, *found.columns} <= words


def _rules(context: Context, trip: RoundTrip) -> Iterator[Tightening]:
    new: set[Name] = set()
    added: set[tuple[Name, str]] = set()
    cared_for: set[Name | None] = set()
    for operation, change, schema in trip.down.steps:
        if isinstance(change, c.CreateTable):
            new.add(change.table.name)
        if isinstance(change, c.AddColumn):
            added.add((change.table, change.column.name))
        if isinstance(change, c.WriteRows):
            cared_for.add(change.table)
        names = set(c.tables_of(change))
        if names & new or names & cared_for or None in cared_for:
            continue
        rows = _rows_against(change, schema, context, trip, added)
        if rows and isinstance(change, c.AlterColumn):
            yield Tightening(operation, change, change.table, (change.column,), rows)
        elif rows and isinstance(change, c.CreateIndex):
            columns = tuple(part.string for part in change.index.columns if part.string)
            yield Tightening(operation, change, change.index.table, columns, rows)
        elif rows and isinstance(change, c.AddConstraint):
            yield Tightening(operation, change, change.table, change.constraint.columns, rows)


def _rows_against(
    change: c.Change,
    schema: Schema,
    context: Context,
    trip: RoundTrip,
    added: set[tuple[Name, str]],
) -> str | None:
    if isinstance(change, c.AlterColumn):
        nullable = option(change.options, "nullable")
        relaxed = nullable is not None and nullable.value is False
        if relaxed and _took_null(change, schema, context, trip):
            return f"NULLs in `{change.table}.{change.column}`"
    if isinstance(change, c.CreateIndex) and change.index.unique:
        return _duplicates(change.index.table, [p.string for p in change.index.columns], added)
    if isinstance(change, c.AddConstraint) and change.constraint.kind in {"unique", "primary"}:
        return _duplicates(change.table, list(change.constraint.columns), added)
    if isinstance(change, c.AddConstraint) and change.constraint.kind == "check":
        was = trip.before.table(change.table)
        if was is not None and change.constraint.name in {p.name for p in was.constraints}:
            return f"rows against `{change.constraint.name}` in `{change.table}`"
    return None


def _duplicates(table: Name, columns: list[str | None], added: set[tuple[Name, str]]) -> str | None:
    """None for a key of columns that the downgrade itself adds: there is nothing in them."""
    known = [name for name in columns if name]
    if any((table, name) in added for name in known):
        return None
    subject = ", ".join(f"`{table}.{name}`" for name in known) or f"`{table}`"
    return f"duplicates in {subject}"


def _took_null(change: c.AlterColumn, schema: Schema, context: Context, trip: RoundTrip) -> bool:
    """Whether the column takes NULL since the upgrade."""
    table = schema.table(change.table)
    column = table.column(change.column) if table and schema.knows(change.table) else None
    if column is not None:
        was = trip.up.schema.table(change.table)
        # One that the downgrade has just added is another rule's.
        return column.nullable is True and was is not None and was.column(change.column) is not None
    upgrade = context.migration.upgrade
    return upgrade is not None and _allows_null(upgrade, change)


def _allows_null(upgrade: Direction, change: c.AlterColumn) -> bool:
    for operation in upgrade.operations:
        for other in operation.changes:
            if isinstance(other, c.AlterColumn) and other.table == change.table:
                nullable = option(other.options, "nullable")
                if other.column == change.column and nullable and nullable.value is True:
                    return True
    return False


def _shorter(context: Context, trip: RoundTrip) -> Iterator[Tightening]:
    if trip.dialect in {None, "sqlite"}:
        return
    for change in type_changes(context, "downgrade"):
        why = narrowing(change.before, change.after)
        if why and change.dialect == trip.dialect:
            altered = change.change
            rows = f"values in `{change.column}` that {change.after.text} cannot hold"
            yield Tightening(change.operation, altered, altered.table, (altered.column,), rows)
