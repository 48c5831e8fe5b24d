"""What tables and columns were called when a direction began."""

from __future__ import annotations

from collections.abc import Iterable

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name, option


class Origins:
    """The former names of what a direction has renamed so far."""

    def __init__(self) -> None:
        self._tables: dict[Name, Name] = {}
        self._columns: dict[tuple[Name, str], str] = {}

    def follow(self, change: c.Change) -> None:
        """Note the next change of the direction."""
        if isinstance(change, c.RenameTable):
            new = change.table._replace(name=change.new_name)
            self._tables[new] = self._tables.pop(change.table, change.table)
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
