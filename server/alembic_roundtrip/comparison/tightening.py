"""Rules that a downgrade brings back over rows that were written without them."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.equivalence import narrowing
from alembic_roundtrip.comparison.typechanges import type_changes
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.schema import Schema

_Tightening = tuple[Operation, str]
"""The operation, and the rows that make it fail."""


def tightenings(context: Context) -> Iterator[_Tightening]:
    """What comes back and may find rows against it, each operation once.

    Tables whose rows the downgrade writes or deletes before are taken to be cared for.
    """
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Operation] = set()
    for trip in context.round_trips:
        if trip.down.unread:
            continue
        for operation, rows in (*_rules(context, trip), *_shorter(context, trip)):
            if operation not in seen and not operation.doubtful:
                seen.add(operation)
                yield operation, rows


def _rules(context: Context, trip: RoundTrip) -> Iterator[_Tightening]:
    new: set[Name] = set()
    cared_for: set[Name | None] = set()
    for operation, change, schema in trip.down.steps:
        if isinstance(change, c.CreateTable):
            new.add(change.table.name)
        if isinstance(change, c.WriteRows):
            cared_for.add(change.table)
        names = set(c.tables_of(change))
        if names & new or names & cared_for or None in cared_for:
            continue
        rows = _rows_against(change, schema, context, trip)
        if rows:
            yield operation, rows


def _rows_against(
    change: c.Change, schema: Schema, context: Context, trip: RoundTrip
) -> str | None:
    if isinstance(change, c.AlterColumn):
        nullable = option(change.options, "nullable")
        relaxed = nullable is not None and nullable.value is False
        if relaxed and _took_null(change, schema, context, trip):
            return f"NULLs in `{change.table}.{change.column}`"
    if isinstance(change, c.CreateIndex) and change.index.unique:
        return _duplicates(change.index.table, [p.string for p in change.index.columns], trip)
    if isinstance(change, c.AddConstraint) and change.constraint.kind in {"unique", "primary"}:
        return _duplicates(change.table, list(change.constraint.columns), trip)
    if isinstance(change, c.AddConstraint) and change.constraint.kind == "check":
        was = trip.before.table(change.table)
        if was is not None and change.constraint.name in {p.name for p in was.constraints}:
            return f"rows against `{change.constraint.name}` in `{change.table}`"
    return None


def _duplicates(table: Name, columns: list[str | None], trip: RoundTrip) -> str | None:
    """None for a key of columns that the downgrade itself adds: there is nothing in them."""
    there = trip.up.schema.table(table)
    known = [name for name in columns if name]
    if there is not None and not all(there.column(name) for name in known):
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


def _shorter(context: Context, trip: RoundTrip) -> Iterator[_Tightening]:
    if trip.dialect in {None, "sqlite"}:
        return
    for change in type_changes(context, "downgrade"):
        why = narrowing(change.before, change.after)
        if why and change.dialect == trip.dialect:
            yield (
                change.operation,
                f"values in `{change.column}` that {change.after.text} cannot hold",
            )
