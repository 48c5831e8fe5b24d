"""What one operation does to the schema or to rows, as values."""

from __future__ import annotations

from dataclasses import dataclass, field

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    EnumType,
    Index,
    Name,
    Options,
    Table,
)


@dataclass(frozen=True, slots=True)
class CreateTable:
    """CREATE TABLE, with the indexes and enum types that come with it."""

    table: Table
    enums: tuple[EnumType, ...] = ()
    if_not_exists: bool = False
    """Whether nothing happens where there is one of that name."""


@dataclass(frozen=True, slots=True)
class DropTable:
    """DROP TABLE."""

    table: Name
    cascade: bool = field(default=False, compare=False)
    """Whether it is to take along what depends on the table."""


@dataclass(frozen=True, slots=True)
class RenameTable:
    """A table gets another name, or another schema where one is said."""

    table: Name
    new_name: str
    new_schema: str | None = None

    @property
    def new(self) -> Name:
        """What it is called then."""
        schema = self.table.schema if self.new_schema is None else self.new_schema
        return Name.of(self.new_name, schema)


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A column is added."""

    table: Name
    column: Column
    enums: tuple[EnumType, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropColumn:
    """A column is dropped."""

    table: Name
    column: str


@dataclass(frozen=True, slots=True)
class AlterColumn:
    """A column's definition changes; `options` are the arguments given to `alter_column`."""

    table: Name
    column: str
    options: Options


@dataclass(frozen=True, slots=True)
class CreateIndex:
    """An index is created."""

    index: Index
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropIndex:
    """An index is dropped; `table` is None where the call does not name it."""

    name: str | None
    table: Name | None


@dataclass(frozen=True, slots=True)
class RenameIndex:
    """An index gets another name; `table` is None where the statement does not name it."""

    name: str
    table: Name | None
    new_name: str


@dataclass(frozen=True, slots=True)
class AddConstraint:
    """A constraint is added to a table that exists."""

    table: Name
    constraint: Constraint
    not_valid: bool = False
    """Whether the rows that are there are not held to it, as PostgreSQL's NOT VALID says."""
    index: str | None = None
    """The index that becomes it, as PostgreSQL's USING INDEX says: it has the columns."""


@dataclass(frozen=True, slots=True)
class DropConstraint:
    """A constraint is dropped; `name` is None where the call says None."""

    table: Name
    name: str | None
    kind: str | None
    final: bool = False
    """Whether its name is `op.f(…)`: naming conventions are not applied to it."""
    if_exists: bool = False
    """Whether nothing happens where there is none."""


@dataclass(frozen=True, slots=True)
class RenameConstraint:
    """A constraint gets another name."""

    table: Name
    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class CreateEnum:
    """CREATE TYPE … AS ENUM on its own."""

    enum: EnumType
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class DropEnum:
    """DROP TYPE."""

    name: Name


@dataclass(frozen=True, slots=True)
class RenameEnum:
    """ALTER TYPE … RENAME TO."""

    name: Name
    new_name: str


@dataclass(frozen=True, slots=True)
class AddEnumValue:
    """ALTER TYPE … ADD VALUE, at the end or beside another value."""

    name: Name
    value: str
    before: str | None = None
    after: str | None = None
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class RenameEnumValue:
    """ALTER TYPE … RENAME VALUE."""

    name: Name
    value: str
    new_value: str


@dataclass(frozen=True, slots=True)
class SetEnumValues:
    """An enum type gets these members, its columns with it; None where they are not literal."""

    name: Name
    members: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class CreateObject:
    """A view, function, trigger, sequence, schema or other object made by SQL.

    `definition` is the statement, where there is one, and `owner` the table of a trigger or policy.
    """

    kind: str
    name: Name
    definition: str = field(default="", compare=False)
    owner: Name | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ReplaceObject:
    """CREATE OR REPLACE: there may have been such an object before."""

    kind: str
    name: Name
    definition: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class DropObject:
    """Such an object dropped."""

    kind: str
    name: Name


Row = tuple[tuple[str, object], ...]
"""Columns and their values; `UNKNOWN` for those that are not literal."""


@dataclass(frozen=True, slots=True)
class WriteRows:
    """Rows are written; `verb` is insert, update, delete or truncate.

    `columns` are those that an update sets or an insert lists. `rows` are those that an insert
    certainly adds; none where some are not known, or are left out when they are there already.
    `computed` says that an UPDATE may make its values from others: constants overwrite them.
    `read` are the columns and tables that the values are made of, None where that is not known.
    `nulls_of` is the column whose NULLs choose the rows, where nothing else does.
    """

    verb: str
    table: Name | None
    bounded: bool = True
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    computed: bool = False
    read: frozenset[str] | None = None
    nulls_of: str | None = None


@dataclass(frozen=True, slots=True)
class SetComment:
    """A table's comment is set or removed."""

    table: Name
    comment: Expression | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """An effect that could not be read, on these tables; None means it may be anything."""

    tables: frozenset[Name] | None = None


Change = (
    CreateTable
    | DropTable
    | RenameTable
    | AddColumn
    | DropColumn
    | AlterColumn
    | CreateIndex
    | DropIndex
    | RenameIndex
    | AddConstraint
    | DropConstraint
    | RenameConstraint
    | CreateEnum
    | DropEnum
    | RenameEnum
    | AddEnumValue
    | RenameEnumValue
    | SetEnumValues
    | CreateObject
    | DropObject
    | ReplaceObject
    | WriteRows
    | SetComment
    | Unknown
)

Kinds = tuple[type[Change], ...]
"""Kinds of changes: some of these classes."""

_OF_A_TABLE = (
    DropTable,
    AddColumn,
    DropColumn,
    AlterColumn,
    DropIndex,
    RenameIndex,
    AddConstraint,
    DropConstraint,
    RenameConstraint,
    SetComment,
)


def tables_of(change: Change) -> tuple[Name, ...]:
    """The tables whose definition a change is about, before and after it."""
    if isinstance(change, _OF_A_TABLE):
        return () if change.table is None else (change.table,)
    if isinstance(change, CreateTable):
        return (change.table.name,)
    if isinstance(change, CreateIndex):
        return (change.index.table,)
    if isinstance(change, RenameTable):
        return (change.table, change.new)
    if isinstance(change, Unknown):
        return tuple(change.tables or ())
    return ()
