"""SQL with parts that are only known when it runs: what it does all the same."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import Any

from alembic_roundtrip.migration.changes import (
    Change,
    CreateEnum,
    CreateObject,
    CreateTable,
    DropIndex,
    DropObject,
    ReplaceObject,
    Unknown,
    WriteRows,
    tables_of,
)
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Table

HOLE = "__computed__"
"""Stands for such a part; in a name or a value it is one more letter of it."""


def settled(change: Change) -> Change:
    """A change that holds whatever the computed parts come to."""
    if isinstance(change, WriteRows) and _has_hole(change.read):
        change = replace(change, read=None)
    if not _has_hole(change):
        return change
    if isinstance(change, WriteRows):
        table = None if _has_hole(change.table) else change.table
        return WriteRows(change.verb, table, change.bounded, computed=change.computed)
    if isinstance(change, CreateObject | DropObject | ReplaceObject):
        return Unknown(frozenset())
    if isinstance(change, CreateEnum) and not _has_hole(change.enum.name):
        enum = replace(change.enum, members=None, text=Expression(""))
        return replace(change, enum=enum)
    if isinstance(change, CreateTable) and not _has_hole(change.table.name):
        return CreateTable(Table(change.table.name, complete=False))
    tables = frozenset(tables_of(change))
    unnamed = isinstance(change, DropIndex) and change.table is None
    return Unknown(None if unnamed or _has_hole(tables) else tables)


def _has_hole(value: Any) -> bool:
    if isinstance(value, str):
        return HOLE in value.lower()
    if isinstance(value, tuple | frozenset):
        return any(_has_hole(part) for part in value)
    if is_dataclass(value):
        return any(_has_hole(getattr(value, part.name)) for part in fields(value))
    return False
