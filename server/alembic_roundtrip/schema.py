"""The schema at a revision, replayed from the operations that made it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatchmethod
from types import MappingProxyType

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import (
    Column,
    EnumType,
    Index,
    Name,
    Table,
    option,
    without,
)

_KEPT_BY_ALTER = ("existing_type", "existing_nullable", "existing_server_default")
_NOT_OPTIONS = (
    *_KEPT_BY_ALTER,
    "existing_comment",
    "existing_autoincrement",
    "new_column_name",
    "type_",
    "nullable",
    "postgresql_using",
)


@dataclass(frozen=True, slots=True)
class Key:
    """What names one object of a schema: its kind, the table it belongs to, its own name."""

    kind: str
    table: Name
    name: str = ""

    def __str__(self) -> str:
        return f"{self.table}.{self.name}" if self.name else str(self.table)


@dataclass(frozen=True)
class Schema:
    """Tables and enum types as far as they are known; every method gives a new one.

    `unknown` are tables of which something could not be read; `opaque` says that anything may
    have happened besides.
    """

    tables: Mapping[Name, Table] = field(default_factory=lambda: MappingProxyType({}))
    enums: Mapping[Name, EnumType] = field(default_factory=lambda: MappingProxyType({}))
    objects: frozenset[tuple[str, Name]] = frozenset()
    unknown: frozenset[Name] = frozenset()
    opaque: bool = False

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
                if column.type is not None and _names_enum(column.type.text, enum):
                    yield table.name, column

    def keys(self) -> Iterator[Key]:
        """Every object that is known by a name."""
        for name, table in self.tables.items():
            yield Key("table", name)
            yield from (Key("column", name, column.name) for column in table.columns)
            yield from (Key("index", name, index.name) for index in table.indexes if index.name)
            yield from (Key("constraint", name, p.name) for p in table.constraints if p.name)
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
        parts = table.indexes if key.kind == "index" else table.constraints
        return any(part.name == key.name for part in parts)

    @singledispatchmethod
    def apply(self, change: c.Change) -> Schema:
        """The schema after a change."""
        raise NotImplementedError(type(change).__name__)

    def _put(self, table: Table) -> Schema:
        return replace(self, tables=MappingProxyType({**self.tables, table.name: table}))

    def _without_table(self, name: Name) -> dict[Name, Table]:
        return {key: table for key, table in self.tables.items() if key != name}

    def with_enums(self, enums: Iterable[EnumType]) -> Schema:
        """The same schema with these enum types too."""
        new = {enum.name: enum for enum in enums}
        return replace(self, enums=MappingProxyType({**self.enums, **new})) if new else self

    def _changed(self, name: Name, **parts: object) -> Schema:
        table = self.tables.get(name)
        if table is None:
            return replace(self, unknown=self.unknown | {name})
        return self._put(replace(table, **parts))  # type: ignore[arg-type]

    def _parts(self, name: Name) -> Table:
        return self.tables.get(name) or Table(name, complete=False)

    @apply.register(c.CreateTable)
    def _(self, change: c.CreateTable) -> Schema:
        known = self.unknown - {change.table.name}
        return replace(self._put(change.table), unknown=known).with_enums(change.enums)

    @apply.register(c.DropTable)
    def _(self, change: c.DropTable) -> Schema:
        return replace(
            self,
            tables=MappingProxyType(self._without_table(change.table)),
            unknown=self.unknown - {change.table},
        )

    @apply.register(c.RenameTable)
    def _(self, change: c.RenameTable) -> Schema:
        table = self.tables.get(change.table)
        new = replace(change.table, name=change.new_name)
        if table is None:
            return replace(self, unknown=(self.unknown - {change.table}) | {new})
        indexes = tuple(replace(index, table=new) for index in table.indexes)
        moved = replace(table, name=new, indexes=indexes)
        tables = {**self._without_table(change.table), new: moved}
        unknown = {new if name == change.table else name for name in self.unknown}
        return replace(self, tables=MappingProxyType(tables), unknown=frozenset(unknown))

    @apply.register(c.AddColumn)
    def _(self, change: c.AddColumn) -> Schema:
        table = self._parts(change.table)
        others = tuple(col for col in table.columns if col.name != change.column.name)
        return self._changed(
            change.table,
            columns=(*others, change.column),
            constraints=(*table.constraints, *change.constraints),
        ).with_enums(change.enums)

    @apply.register(c.DropColumn)
    def _(self, change: c.DropColumn) -> Schema:
        table = self._parts(change.table)
        return self._changed(
            change.table,
            columns=tuple(col for col in table.columns if col.name != change.column),
            constraints=tuple(p for p in table.constraints if change.column not in p.columns),
            indexes=tuple(i for i in table.indexes if not i.mentions(change.column)),
        )

    @apply.register(c.AlterColumn)
    def _(self, change: c.AlterColumn) -> Schema:
        table = self._parts(change.table)
        if table.column(change.column) is None:
            return replace(self, unknown=self.unknown | {change.table})
        columns = tuple(
            altered(col, change) if col.name == change.column else col for col in table.columns
        )
        changed = self._changed(change.table, columns=columns)
        new = option(change.options, "new_column_name")
        if new is None or new.string is None or new.string == change.column:
            return changed
        return changed.renamed_in_parts(change.table, change.column, new.string)

    def renamed_in_parts(self, name: Name, old: str, new: str) -> Schema:
        """The same schema with a column's new name in the table's constraints and indexes."""
        table = self.tables[name]
        constraints = tuple(
            replace(part, columns=tuple(new if col == old else col for col in part.columns))
            for part in table.constraints
        )
        indexes = tuple(
            replace(
                index,
                columns=tuple(
                    replace(part, text=repr(new), value=new) if part.value == old else part
                    for part in index.columns
                ),
            )
            for index in table.indexes
        )
        return self._changed(name, constraints=constraints, indexes=indexes)

    @apply.register(c.CreateIndex)
    def _(self, change: c.CreateIndex) -> Schema:
        table = self._parts(change.index.table)
        return self._changed(change.index.table, indexes=(*table.indexes, change.index))

    @apply.register(c.DropIndex)
    def _(self, change: c.DropIndex) -> Schema:
        if change.name is None:
            return self
        index = self.index(change.name, change.table)
        if index is None:
            return self
        table = self._parts(index.table)
        kept = tuple(i for i in table.indexes if i.name != change.name)
        return self._changed(index.table, indexes=kept)

    @apply.register(c.AddConstraint)
    def _(self, change: c.AddConstraint) -> Schema:
        table = self._parts(change.table)
        return self._changed(change.table, constraints=(*table.constraints, change.constraint))

    @apply.register(c.DropConstraint)
    def _(self, change: c.DropConstraint) -> Schema:
        table = self.tables.get(change.table)
        if table is None:
            return self
        kept = tuple(p for p in table.constraints if p.name != change.name)
        if change.name is None or len(kept) == len(table.constraints):
            # Its name may be the database's own or a naming convention's.
            return replace(self, unknown=self.unknown | {change.table})
        return self._changed(change.table, constraints=kept)

    @apply.register(c.CreateEnum)
    def _(self, change: c.CreateEnum) -> Schema:
        return self.with_enums([change.enum])

    @apply.register(c.DropEnum)
    def _(self, change: c.DropEnum) -> Schema:
        enums = {name: enum for name, enum in self.enums.items() if name != change.name}
        return replace(self, enums=MappingProxyType(enums))

    @apply.register(c.CreateObject)
    def _(self, change: c.CreateObject) -> Schema:
        return replace(self, objects=self.objects | {(change.kind, change.name)})

    @apply.register(c.DropObject)
    def _(self, change: c.DropObject) -> Schema:
        return replace(self, objects=self.objects - {(change.kind, change.name)})

    @apply.register(c.SetComment)
    def _(self, change: c.SetComment) -> Schema:
        table = self._parts(change.table)
        options = without(table.options, "comment")
        if change.comment is not None and change.comment.value is not None:
            options = (*options, ("comment", change.comment))
        return self._changed(change.table, options=options)

    @apply.register(c.WriteRows)
    def _(self, _: c.WriteRows) -> Schema:
        return self

    @apply.register(c.Unknown)
    def _(self, change: c.Unknown) -> Schema:
        if change.tables is None:
            return replace(self, opaque=True)
        return replace(self, unknown=self.unknown | change.tables)


def altered(column: Column, change: c.AlterColumn) -> Column:
    """A column after `alter_column`."""
    given = dict(change.options)
    new_type, nullable = given.get("type_"), given.get("nullable")
    new_name = given.get("new_column_name")
    if new_type is not None:
        column = replace(column, type=new_type)
    if nullable is not None:
        known = nullable.value if isinstance(nullable.value, bool) else None
        column = replace(column, nullable=known).with_option("nullable", nullable)
    if new_name is not None and new_name.string is not None:
        column = replace(column, name=new_name.string)
    for name, value in change.options:
        if name not in _NOT_OPTIONS:
            column = column.with_option(name, None if value.value in {None, False} else value)
    return column


def _names_enum(text: str, enum: Name) -> bool:
    quoted = (f"name='{enum.name}'", f'name="{enum.name}"')
    return any(part in text for part in quoted)


@dataclass(frozen=True)
class Replay:
    """The schema after a series of operations, and which operation made what is in it."""

    schema: Schema
    origins: Mapping[Key, Operation]


def replay(schema: Schema, operations: Iterable[Operation], dialect: str | None = None) -> Replay:
    """Apply operations in order, those that run on a dialect (None: all of them)."""
    origins: dict[Key, Operation] = {}
    for operation in operations:
        if not operation.runs_on(dialect):
            continue
        before = schema
        for change in operation.changes:
            schema = schema.apply(change)
        made = set(_new_keys(before, schema))
        origins |= dict.fromkeys(made, operation)
    return Replay(schema, MappingProxyType(origins))


def _new_keys(before: Schema, after: Schema) -> Iterator[Key]:
    """Objects that are in one schema and were not in the other; only changed tables are read."""
    for name, table in after.tables.items():
        old = before.tables.get(name)
        if old is table:
            continue
        part = Schema(tables={name: table})
        known = set(Schema(tables={name: old}).keys()) if old else set()
        yield from (key for key in part.keys() if key not in known)  # noqa: SIM118 - a schema is no mapping
    yield from (Key("enum", name) for name in after.enums if name not in before.enums)
    yield from (Key(kind, name) for kind, name in after.objects - before.objects)
