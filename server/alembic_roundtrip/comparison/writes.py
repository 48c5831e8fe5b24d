"""Rows that a migration writes in tables of other revisions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name


@dataclass(frozen=True, slots=True)
class Write:
    """Rows written by one operation in a table that was there before the revision."""

    operation: Operation
    verb: str
    table: Name
    bounded: bool
    columns: tuple[str, ...]
    computed: bool


def writes(context: Context, direction: str, *verbs: str) -> Iterator[Write]:
    """Writes of one direction with these verbs, each operation once."""
    upgrade = direction == "upgrade"
    operations = context.upgrade_operations if upgrade else context.downgrade_operations
    for operation in dict.fromkeys(operations):
        for change in () if operation.doubtful else operation.changes:
            if not isinstance(change, c.WriteRows) or change.verb not in verbs:
                continue
            if change.table is not None and _is_older(context, change.table):
                columns = tuple(dict.fromkeys(change.columns))
                yield Write(
                    operation, change.verb, change.table, change.bounded, columns, change.computed
                )
                break


def _is_older(context: Context, table: Name) -> bool:
    """Whether a table is there before, and this revision neither makes, drops nor renames it."""
    if not all(table in trip.before.tables for trip in context.round_trips):
        return False
    return not any(
        isinstance(change, c.CreateTable | c.DropTable | c.RenameTable)
        and table in c.tables_of(change)
        for operation in (*context.upgrade_operations, *context.downgrade_operations)
        for change in operation.changes
    )


def answered(context: Context, table: Name) -> bool:
    """Whether the downgrade writes rows of a table too, or does something that is not read."""
    downgrade = context.written_downgrade
    if downgrade is None or any(trip.down.unread for trip in context.round_trips):
        return True
    return any(
        isinstance(change, c.WriteRows) and change.table in {None, table}
        for operation in downgrade.operations
        for change in operation.changes
    )


def settled_columns(context: Context, table: Name) -> frozenset[str]:
    """Columns that are there before and that neither direction adds, drops or alters."""
    names: set[str] = set()
    for trip in context.round_trips:
        before = trip.before.table(table)
        names |= {column.name for column in before.columns} if before else set()
    for operation in (*context.upgrade_operations, *context.downgrade_operations):
        for change in operation.changes:
            if isinstance(change, c.AddColumn) and change.table == table:
                names.discard(change.column.name)
            elif isinstance(change, c.DropColumn | c.AlterColumn) and change.table == table:
                names.discard(change.column)
                names.discard(str(dict(getattr(change, "options", ())).get("new_column_name")))
    return frozenset(names)
