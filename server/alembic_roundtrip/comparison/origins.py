"""What tables and columns were called when a direction began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.schema import Key

_Change = c.DropTable | c.DropColumn | c.WriteRows


class Origins:
    """The former names of what a direction has renamed so far."""

    def __init__(self) -> None:
        self._tables: dict[Name, Name] = {}
        self._columns: dict[tuple[Name, str], str] = {}

    def follow(self, change: c.Change) -> None:
        """Note the next change of the direction."""
        if isinstance(change, c.RenameTable):
            self._tables[change.new] = self._tables.pop(change.table, change.table)
        elif isinstance(change, c.AlterColumn):
            new_name = option(change.options, "new_column_name")
            if new_name is not None and new_name.string:
                table, old = self.table(change.table), change.column
                self._columns[table, new_name.string] = self._columns.pop((table, old), old)

    def table(self, name: Name) -> Name:
        """The former name of a table."""
        return self._tables.get(name, name)

    def columns(self, table: Name, names: Iterable[str]) -> tuple[str, ...]:
        """The former names of columns of a table, which has its present name here."""
        before = self.table(table)
        return tuple(self._columns.get((before, name), name) for name in names)

    def formerly(self, change: _Change) -> _Change | None:
        """A change in the names of the beginning; None where it is about another table by now."""
        if change.table is None or not (self._tables or self._columns):
            return change
        if change.table not in self._tables and change.table in self._tables.values():
            return None
        if isinstance(change, c.DropColumn):
            (column,) = self.columns(change.table, [change.column])
            return replace(change, table=self.table(change.table), column=column)
        return replace(change, table=self.table(change.table))

    def also(self, keys: frozenset[Key]) -> frozenset[Key]:
        """Keys of tables and columns under their names now, and under those before."""
        before = (
            Key(key.kind, self.table(key.table), *self.columns(key.table, filter(None, [key.name])))
            for key in keys
        )
        return keys.union(before)
