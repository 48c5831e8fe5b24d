"""How each change changes a schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.schema.columns import add_column, alter_column, drop_column
from alembic_roundtrip.schema.constraints import add_constraint, drop_constraint, rename_constraint
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.enums import (
    add_enum_value,
    create_enum,
    drop_enum,
    rename_enum,
    rename_enum_value,
    set_enum_values,
)
from alembic_roundtrip.schema.indexes import create_index, drop_index, rename_index
from alembic_roundtrip.schema.objects import create_object, drop_object, replace_object
from alembic_roundtrip.schema.state import Key
from alembic_roundtrip.schema.tables import create_table, drop_table, rename_table, set_comment

_ASKING = (c.CreateTable, c.AddColumn, c.CreateIndex)


def make(draft: Draft, change: c.Change, operation: Operation) -> None:
    """Make a change of an operation, unless that first asks and finds it made."""
    if not _asks(change, operation) or not is_done(draft, change):
        apply(draft, change)
    elif isinstance(change, _ASKING) and change.if_not_exists:
        table = Key("table", change.table.name) if isinstance(change, c.CreateTable) else None
        key = table or _made_or_dropped(change)
        draft.made += [] if key is None else [key]


def _asks(change: c.Change, operation: Operation) -> bool:
    """Whether a change is only made where it is needed."""
    guards = operation.guards
    itself = isinstance(change, _ASKING) and change.if_not_exists
    return itself or (bool(guards) and any(guard.kind is GuardKind.EXISTENCE for guard in guards))


def is_done(draft: Draft, change: c.Change) -> bool:
    """Whether a change that is made only where it is needed finds that it is not."""
    if isinstance(change, c.CreateTable):
        return change.table.name in draft.tables
    key = _made_or_dropped(change)
    if key is None or key.table not in draft.tables:
        return False
    there = draft.schema().has(key)
    return there == isinstance(change, c.AddColumn | c.CreateIndex | c.AddConstraint)


def apply(draft: Draft, change: c.Change) -> None:
    """Make a change."""
    _MAKERS[type(change)](draft, change)


def _nothing(_: Draft, __: c.WriteRows) -> None:
    return


def _not_known(draft: Draft, change: c.Unknown) -> None:
    """What was not read may have changed these tables, or everything."""
    if change.tables is None:
        draft.opaque = True
    else:
        draft.unknown |= change.tables


_MAKERS: dict[type[c.Change], Callable[[Draft, Any], None]] = {
    c.CreateTable: create_table,
    c.DropTable: drop_table,
    c.RenameTable: rename_table,
    c.AddColumn: add_column,
    c.DropColumn: drop_column,
    c.AlterColumn: alter_column,
    c.CreateIndex: create_index,
    c.DropIndex: drop_index,
    c.RenameIndex: rename_index,
    c.AddConstraint: add_constraint,
    c.DropConstraint: drop_constraint,
    c.RenameConstraint: rename_constraint,
    c.CreateEnum: create_enum,
    c.DropEnum: drop_enum,
    c.RenameEnum: rename_enum,
    c.AddEnumValue: add_enum_value,
    c.RenameEnumValue: rename_enum_value,
    c.SetEnumValues: set_enum_values,
    c.CreateObject: create_object,
    c.DropObject: drop_object,
    c.ReplaceObject: replace_object,
    c.SetComment: set_comment,
    c.WriteRows: _nothing,
    c.Unknown: _not_known,
}
# A table, and not `singledispatchmethod`: that took a seventh of all the time.


def _made_or_dropped(change: c.Change) -> Key | None:
    """The part of a table that a change makes or drops, by its key."""
    if isinstance(change, c.AddColumn):
        return Key("column", change.table, change.column.name)
    if isinstance(change, c.DropColumn):
        return Key("column", change.table, change.column)
    if isinstance(change, c.CreateIndex) and change.index.name is not None:
        return Key("index", change.index.table, change.index.name)
    if isinstance(change, c.DropIndex) and change.table and change.name is not None:
        return Key("index", change.table, change.name)
    if isinstance(change, c.AddConstraint) and change.constraint.name is not None:
        return Key("constraint", change.table, change.constraint.name)
    if isinstance(change, c.DropConstraint) and change.name is not None:
        return Key("constraint", change.table, change.name)
    return None
