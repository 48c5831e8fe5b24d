"""Names in other letters for the same thing, as SQLite and MySQL take them.

SQLite tells no names apart by their case, quoted or not; MySQL none but those of tables, and these
where its files do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from operator import is_
from typing import Any

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.schema.state import Schema

_FOLDING = MYSQL | {"sqlite"}
_NAMED = (c.DropIndex, c.RenameIndex, c.DropConstraint, c.RenameConstraint)
_Operations = tuple[Operation, ...]


def spelled(operations: _Operations, schema: Schema) -> _Operations:
    """Operations that call everything as it was called where it was made."""
    return spelled_all((operations,), schema)[0]


def spelled_all(several: Iterable[_Operations], schema: Schema) -> tuple[_Operations, ...]:
    """The same of operations that come after one another."""
    if schema.dialect not in _FOLDING:
        return tuple(several)
    names = _Names(schema)
    return tuple(tuple(map(names.operation, operations)) for operations in several)


class _Names:
    """What is there at the beginning, and what was made since, by names in small letters."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._tables: dict[Name, Name] = {}
        self._parts: dict[tuple[str, Name | None, str], str] = {}

    def operation(self, operation: Operation) -> Operation:
        changes = tuple(map(self._change, operation.changes))
        same = all(map(is_, changes, operation.changes))
        return operation if same else replace(operation, changes=changes)

    def _change(self, change: c.Change) -> c.Change:
        new: dict[str, Any] = {}
        if isinstance(change, c.CreateTable):
            self._made(change)
            return change
        table = getattr(change, "table", None)
        if isinstance(table, Name):
            new["table"] = table = self._table(table)
        if isinstance(change, c.DropColumn | c.AlterColumn):
            new["column"] = self._part("column", table, change.column)
        elif isinstance(change, _NAMED) and change.name is not None:
            kind = "index" if isinstance(change, c.DropIndex | c.RenameIndex) else "constraint"
            new["name"] = self._part(kind, table, change.name)
        elif isinstance(change, c.CreateIndex):
            owner = self._table(change.index.table)
            columns = tuple(self._indexed(owner, part) for part in change.index.columns)
            new["index"] = _changed(change.index, table=owner, columns=columns)
        elif isinstance(change, c.AddConstraint):
            part = change.constraint
            new["constraint"] = _changed(part, columns=self._columns(table, part.columns))
        elif isinstance(change, c.WriteRows):
            new["columns"] = self._columns(table, change.columns)
        made: c.Change = _changed(change, **new)
        self._made(made)
        return made

    def _made(self, change: c.Change) -> None:
        """Note what comes into being by a change."""
        if isinstance(change, c.CreateTable):
            table = change.table
            self._tables[_small(table.name)] = table.name
            for column in table.columns:
                self._parts["column", table.name, column.name.lower()] = column.name
            for index in table.indexes:
                self._note("index", table.name, index.name)
            for part in table.constraints:
                self._note("constraint", table.name, part.name)
        elif isinstance(change, c.RenameTable):
            self._tables[_small(change.new)] = change.new
        elif isinstance(change, c.AddColumn):
            self._note("column", change.table, change.column.name)
        elif isinstance(change, c.CreateIndex):
            self._note("index", change.index.table, change.index.name)
        elif isinstance(change, c.AddConstraint):
            self._note("constraint", change.table, change.constraint.name)
        elif isinstance(change, c.AlterColumn):
            renamed = option(change.options, "new_column_name")
            self._note("column", change.table, renamed.string if renamed else None)
        elif isinstance(change, c.RenameIndex | c.RenameConstraint):
            kind = "index" if isinstance(change, c.RenameIndex) else "constraint"
            self._note(kind, change.table, change.new_name)

    def _note(self, kind: str, table: Name | None, name: str | None) -> None:
        if name is not None:
            self._parts[kind, table, name.lower()] = name
            if kind == "index":
                self._parts[kind, None, name.lower()] = name

    def _table(self, name: Name) -> Name:
        if name in self._schema.tables:
            return name
        small = _small(name)
        known = self._tables.get(small)
        if known is not None:
            return known
        return next((each for each in self._schema.tables if _small(each) == small), name)

    def _part(self, kind: str, table: Name | None, name: str) -> str:
        """The name of a column, index or constraint; of any table's where it is not said."""
        known = self._parts.get((kind, table, name.lower()))
        if known is not None:
            return known
        there = self._there(kind, table)
        if name in there:
            return name
        return next((each for each in there if each.lower() == name.lower()), name)

    def _columns(self, table: Name | None, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(self._part("column", table, name) for name in names)

    def _there(self, kind: str, table: Name | None) -> list[str]:
        one = self._schema.table(table) if table is not None else None
        tables = [one] if one is not None else []
        if table is None:
            tables = list(self._schema.tables.values())
        if kind == "column":
            return [column.name for each in tables for column in each.columns]
        if kind == "index":
            return [index.name for each in tables for index in each.indexes if index.name]
        return [part.name for each in tables for part in each.constraints if part.name]

    def _indexed(self, table: Name, part: Expression) -> Expression:
        name = part.string
        own = None if name is None else self._part("column", table, name)
        return part if own is None or own == name else literal(own)


def _small(name: Name) -> Name:
    return Name(name.name.lower(), name.schema.lower())


def _changed(value: Any, **parts: Any) -> Any:
    """A value with other parts; itself where all are what they were."""
    same = all(getattr(value, name) == part for name, part in parts.items())
    return value if same else replace(value, **parts)
