"""A schema being changed: what is in it, and the steps that changes are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    EnumType,
    Index,
    Name,
    Options,
    Table,
)
from alembic_roundtrip.schema.names import numbered_as, with_names
from alembic_roundtrip.schema.recreation import Recreation, is_read, recreated
from alembic_roundtrip.schema.state import Key, Schema

_LATE = re.compile(r"\bplpgsql\b", re.IGNORECASE)
_QUOTE = re.compile(r"\$\w*\$")


class Draft:
    """A schema being changed; `made` has the keys of what came into it."""

    def __init__(self, schema: Schema) -> None:
        self.tables = schema.tables
        self.enums = schema.enums
        self.objects = schema.objects
        self.unknown = schema.unknown
        self.opaque = schema.opaque
        self.dialect = schema.dialect
        self.definitions = schema.definitions
        self.kept = schema.kept
        self.gone = schema.gone
        self.made: list[Key] = []
        self.recreating = False
        self.now: dict[str, str] = {}
        """In a block that makes a table anew, which calls columns by the names they had before:
        what they are called now."""

    def schema(self) -> Schema:
        """The schema as it is now."""
        return Schema(
            self.tables,
            self.enums,
            self.objects,
            self.unknown,
            self.opaque,
            self.dialect,
            self.definitions,
            self.kept,
            self.gone,
        )

    def take_made(self) -> list[Key]:
        """The keys of what was made since the last time this was asked."""
        made, self.made = self.made, []
        return made

    def put(self, table: Table) -> None:
        self.tables = self.tables.set(table.name, table)

    def doubt_tables(self, *names: Name) -> None:
        self.unknown |= frozenset(names)

    def know(self, name: Name) -> None:
        if name in self.unknown:
            self.unknown -= {name}

    def taken(self, name: str) -> bool:
        """Whether PostgreSQL takes another name than this for what has none."""
        return name in self.kept or Name(name) in self.tables

    def change(
        self,
        name: Name,
        *,
        columns: tuple[Column, ...] | None = None,
        constraints: tuple[Constraint, ...] | None = None,
        indexes: tuple[Index, ...] | None = None,
        options: Options | None = None,
    ) -> None:
        """Give a table other parts, those that are named."""
        table = self.tables.get(name)
        if table is None:
            self.doubt_tables(name)
            return
        changed = Table(
            name,
            table.columns if columns is None else columns,
            table.constraints if constraints is None else constraints,
            table.indexes if indexes is None else indexes,
            table.options if options is None else options,
            table.complete,
        )
        if constraints is not None:
            changed = with_names(changed, self.dialect, self.taken)
        self.put(changed)

    def enter(self, recreation: Recreation) -> None:
        """An operation comes that stands in a block which makes a table anew, or in none."""
        self.recreating = recreation.batch is not None
        if recreation.batch is None or not recreation.begins:
            return
        batch = recreation.batch
        table = self.tables.get(batch.table)
        self.now = {column.name: column.name for column in table.columns} if table else {}
        if table is not None:
            self.put(recreated(table, batch))
        if not is_read(batch):
            self.doubt_tables(batch.table)

    def name_now(self, column: str) -> str:
        return self.now.get(column, column) if self.recreating else column

    def part_now(self, part: Expression) -> Expression:
        new = self.now.get(part.string or "")
        return part if new in {None, part.string} else literal(new)

    def parts(self, name: Name) -> Table:
        return self.tables.get(name) or Table(name, complete=False)

    def note_constraints(self, table: Name, constraints: Iterable[Constraint]) -> None:
        self.made += [Key("constraint", table, part.name) for part in constraints if part.name]

    def add_enums(self, enums: Iterable[EnumType]) -> None:
        for enum in enums:
            if enum.name not in self.enums:
                self.made.append(Key("enum", enum.name))
                self.enums = self.enums.set(enum.name, enum)

    def know_enums(self, enums: Iterable[EnumType]) -> None:
        """Enum types that something needs: they are there, whatever has made them."""
        for enum in enums:
            if enum.name not in self.enums:
                self.enums = self.enums.set(enum.name, enum)

    def outdate(self, name: str) -> None:
        """Statements that name what is called otherwise now do not make the same again.

        What PL/pgSQL has for a body is text, which nobody looks at before it runs.
        """
        word = re.compile(rf"\b{re.escape(name)}\b")
        for key, text in list(self.definitions.items()):
            if word.search(_without_bodies(text) if _LATE.search(text) else text):
                self.definitions = self.definitions.set(key, "")

    def outdate_views(self, *names: str) -> None:
        """Views of what is gone: MySQL drops it all the same, and makes none of them again."""
        if self.dialect not in MYSQL:
            return
        words = [re.compile(rf"\b{re.escape(name)}\b") for name in names]
        for key, text in list(self.definitions.items()):
            if key[0] == "view" and all(word.search(text) for word in words):
                self.definitions = self.definitions.set(key, "")

    def retarget(self, old: Name, new: Name, columns: Mapping[str, str]) -> None:
        """Foreign keys follow what they refer to."""
        for table in self.tables.values():
            if any(part.referent == old for part in table.constraints):
                self.put(_retargeted(table, old, new, columns))

    def drop_references(self, gone: Name) -> None:
        """Foreign keys go with what they refer to."""
        for table in self.tables.values():
            kept = tuple(part for part in table.constraints if part.referent != gone)
            if len(kept) < len(table.constraints):
                self.put(numbered_as(table, replace(table, constraints=kept)))

    def doubt(self, changes: Iterable[c.Change]) -> None:
        """Changes that were made may not have been."""
        self.doubt_tables(*(name for change in changes for name in c.tables_of(change)))


def _without_bodies(text: str) -> str:
    """A definition without what stands in dollars."""
    kept, opened, end = [], "", 0
    for quote in _QUOTE.finditer(text):
        if not opened:
            kept.append(text[end : quote.start()])
            opened = quote[0]
        elif quote[0] == opened:
            opened, end = "", quote.end()
    return "".join([*kept, "" if opened else text[end:]])


def _retargeted(table: Table, old: Name, new: Name, columns: Mapping[str, str]) -> Table:
    constraints = tuple(
        replace(
            part,
            referent=new,
            referent_columns=tuple(columns.get(name, name) for name in part.referent_columns),
        )
        if part.referent == old
        else part
        for part in table.constraints
    )
    return replace(table, constraints=constraints)
