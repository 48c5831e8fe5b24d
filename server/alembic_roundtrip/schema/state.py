"""Tables, enum types and other objects of a database, as far as they are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from alembic_roundtrip.layers import Layers
from alembic_roundtrip.migration.objects import Column, EnumType, Index, Name, Table


class Key(NamedTuple):
    """What names one object of a schema: its kind, the table it belongs to, its own name."""

    kind: str
    table: Name
    name: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.name}" if self.name else str(self.table)


def keys_of(table: Table) -> Iterator[Key]:
    """A table and everything of it that has a name."""
    name = table.name
    yield Key("table", name)
    yield from (Key("column", name, column.name) for column in table.columns)
    yield from (Key("index", name, index.name) for index in table.indexes if index.name)
    yield from (Key("constraint", name, part.name) for part in table.constraints if part.name)


@dataclass(frozen=True)
class Schema:
    """Tables and enum types as far as they are known; every method gives a new one.

    `unknown` are tables of which something could not be read; `opaque` says that anything may
    have happened besides. `dialect` is None where it is not known.
    """

    tables: Layers[Name, Table] = field(default_factory=Layers)
    enums: Layers[Name, EnumType] = field(default_factory=Layers)
    objects: frozenset[tuple[str, Name]] = frozenset()
    unknown: frozenset[Name] = frozenset()
    opaque: bool = False
    dialect: str | None = None
    definitions: Layers[tuple[str, Name], str] = field(default_factory=Layers)
    """The statements that made views, functions and the like; empty where there are several."""
    kept: frozenset[str] = frozenset()
    """Names that constraints and indexes kept when their table got another one."""
    gone: frozenset[Name] = frozenset()
    """Tables that were dropped on SQLite, where views of them stay."""

    def table(self, name: Name) -> Table | None:
        """The table of that name, where there is one that is known."""
        return self.tables.get(name)

    def knows(self, name: Name) -> bool:
        """Whether all of a table is known."""
        table = self.tables.get(name)
        return table is not None and table.complete and name not in self.unknown

    def index(self, name: str, table: Name | None) -> Index | None:
        """An index by its name; among all tables where the table is not said."""
        tables = [self.tables.get(table)] if table else self.tables.values()
        for candidate in tables:
            for index in candidate.indexes if candidate else ():
                if index.name == name:
                    return index
        return None

    def users_of(self, enum: Name) -> Iterator[tuple[Name, Column]]:
        """Columns whose type names an enum type."""
        for table in self.tables.values():
            for column in table.columns:
                if column.type is not None and names_enum(column.type.text, enum):
                    yield table.name, column

    def definitions_with(self, *names: Name) -> Iterator[tuple[str, Name]]:
        """Views, functions and the like whose statements have one of these names in them."""
        if names:
            word = re.compile(
                rf"\b(?:{'|'.join(re.escape(name.name) for name in names)})\b", re.IGNORECASE
            )
            yield from (key for key, text in self.definitions.items() if word.search(text))

    def keys(self) -> Iterator[Key]:
        """Every object that is known by a name."""
        for table in self.tables.values():
            yield from keys_of(table)
        yield from (Key("enum", name) for name in self.enums)
        yield from (Key(kind, name) for kind, name in self.objects)

    def has(self, key: Key) -> bool:
        """Whether an object is there, by its key."""
        if key.kind == "enum":
            return key.table in self.enums
        table = self.tables.get(key.table)
        if key.kind not in {"table", "column", "index", "constraint"}:
            return (key.kind, key.table) in self.objects
        if table is None or key.kind == "table":
            return table is not None
        if key.kind == "column":
            return table.column(key.name) is not None
        if key.kind == "constraint":
            return any(part.is_known_as(key.name) for part in table.constraints)
        return any(index.name == key.name for index in table.indexes)


def names_enum(text: str, enum: Name) -> bool:
    """Whether the text of a column's type names an enum type."""
    quoted = (f"name='{enum.name}'", f'name="{enum.name}"')
    return any(part in text for part in quoted)
