"""Columns that a migration gives another type."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.schema import Schema


@dataclass(frozen=True, slots=True)
class TypeChange:
    """One column's new type on one dialect.

    `using` says that the call has an expression for the cast; `default` is the server default that
    stays in place; `older` that the column was there before the revision.
    """

    operation: Operation
    change: c.AlterColumn
    column: str
    before: Expression
    after: Expression
    dialect: str | None
    using: bool
    default: Expression | None
    older: bool


def type_changes(context: Context, direction: str) -> tuple[TypeChange, ...]:
    """Changes of types that are known before and after, each operation once."""
    return context.memory(
        f"type changes of {direction}", lambda context: tuple(_all(context, direction))
    )


def _all(context: Context, direction: str) -> Iterator[TypeChange]:
    seen: set[Operation] = set()
    for trip in context.round_trips:
        replayed = trip.up if direction == "upgrade" else trip.down
        for operation, change, schema in replayed.steps:
            found = _type_change(operation, change, schema, trip)
            if found is not None and operation not in seen:
                seen.add(operation)
                yield found


def _type_change(
    operation: Operation, change: c.Change, schema: Schema, trip: RoundTrip
) -> TypeChange | None:
    if not isinstance(change, c.AlterColumn) or operation.doubtful:
        return None
    table = schema.table(change.table) if schema.knows(change.table) else None
    column = table.column(change.column) if table else None
    after = option(change.options, "type_")
    before = column.type if column else option(change.options, "existing_type")
    if after is None or before is None:
        return None
    kept = column is not None and option(change.options, "server_default") is None
    older = trip.before.table(change.table)
    return TypeChange(
        operation,
        change,
        f"{change.table}.{change.column}",
        before,
        after,
        trip.dialect,
        option(change.options, "postgresql_using") is not None,
        column.server_default if column is not None and kept else None,
        older is not None and older.column(change.column) is not None,
    )
