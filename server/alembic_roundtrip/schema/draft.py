"""A schema being changed, as each operation changes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    EnumType,
    Index,
    Name,
    Options,
    Table,
    option,
    without,
)
from alembic_roundtrip.schema.names import known_as, numbered_column, with_names, with_sequences
from alembic_roundtrip.schema.recreation import Recreation, is_read, recreated
from alembic_roundtrip.schema.state import Key, Schema, keys_of, names_enum

_KEPT_BY_ALTER = ("existing_type", "existing_nullable", "existing_server_default")
_NATIVE = {
    "postgresql": frozenset({"Boolean", "Enum"}),
    "mysql": frozenset({"Enum"}),
    "mariadb": frozenset({"Enum"}),
}
"""Types that a database needs no CHECK for."""
_NOT_OPTIONS = (
    *_KEPT_BY_ALTER,
    "existing_comment",
    "existing_autoincrement",
    "new_column_name",
    "type_",
    "nullable",
    "postgresql_using",
)


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
        )

    def take_made(self) -> list[Key]:
        """The keys of what was made since the last time this was asked."""
        made, self.made = self.made, []
        return made

    def _put(self, table: Table) -> None:
        self.tables = self.tables.set(table.name, table)

    def _doubt(self, *names: Name) -> None:
        self.unknown |= frozenset(names)

    def _know(self, name: Name) -> None:
        if name in self.unknown:
            self.unknown -= {name}

    def _taken(self, name: str) -> bool:
        """Whether PostgreSQL takes another name than this for what has none."""
        return name in self.kept or Name(name) in self.tables

    def _change(
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
            self._doubt(name)
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
            changed = with_names(changed, self.dialect, self._taken)
        self._put(changed)

    def make(self, change: c.Change, operation: Operation) -> None:
        """Make a change of an operation, unless that first asks and finds it made."""
        guards = operation.guards
        asks = bool(guards) and any(guard.kind is GuardKind.EXISTENCE for guard in guards)
        if not (asks and self.is_done(change)):
            self.apply(change)

    def enter(self, recreation: Recreation) -> None:
        """An operation comes that stands in a block which makes a table anew, or in none."""
        self.recreating = recreation.batch is not None
        if recreation.batch is None or not recreation.begins:
            return
        batch = recreation.batch
        table = self.tables.get(batch.table)
        self.now = {column.name: column.name for column in table.columns} if table else {}
        if table is not None:
            self._put(recreated(table, batch))
        if not is_read(batch):
            self._doubt(batch.table)

    def _name_now(self, column: str) -> str:
        return self.now.get(column, column) if self.recreating else column

    def _part_now(self, part: Expression) -> Expression:
        new = self.now.get(part.string or "")
        return part if new in {None, part.string} else literal(new)

    def is_done(self, change: c.Change) -> bool:
        """Whether a change that is made only where it is needed finds that it is not."""
        if isinstance(change, c.CreateTable):
            return change.table.name in self.tables
        key = _made_or_dropped(change)
        if key is None or key.table not in self.tables:
            return False
        there = self.schema().has(key)
        return there == isinstance(change, c.AddColumn | c.CreateIndex | c.AddConstraint)

    def _parts(self, name: Name) -> Table:
        return self.tables.get(name) or Table(name, complete=False)

    def _made_constraints(self, table: Name, constraints: Iterable[Constraint]) -> None:
        self.made += [Key("constraint", table, part.name) for part in constraints if part.name]

    def _add_enums(self, enums: Iterable[EnumType]) -> None:
        for enum in enums:
            if enum.name not in self.enums:
                self.made.append(Key("enum", enum.name))
                self.enums = self.enums.set(enum.name, enum)

    def apply(self, change: c.Change) -> None:
        """Make a change."""
        _MAKERS[type(change)](self, change)

    def create_table(self, change: c.CreateTable) -> None:
        constraints = self._needed(change.table.constraints)
        if self.dialect == "postgresql":
            constraints = _merged(constraints)
        table = self._with_keys_filled(replace(change.table, constraints=constraints))
        table = with_names(table, self.dialect, self._taken)
        self._put(table)
        self.made += keys_of(table)
        self._know(table.name)
        self._add_enums(change.enums)

    def _needed(self, constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
        """Constraints without the CHECKs of types that the database has itself."""
        if not constraints or not any(part.of_type for part in constraints):
            return constraints
        native = _NATIVE.get(self.dialect or "", frozenset())
        known = self.dialect is not None
        return tuple(p for p in constraints if not p.of_type or (known and p.of_type not in native))

    def _with_keys_filled(self, table: Table) -> Table:
        """SQLite takes a primary key that is NULL where the column says so; others do not."""
        primary = {c for part in table.constraints if part.kind == "primary" for c in part.columns}
        if self.dialect == "sqlite" or all(
            column.nullable is False for column in table.columns if column.name in primary
        ):
            return table
        columns = tuple(
            replace(column, nullable=False) if column.name in primary else column
            for column in table.columns
        )
        return replace(table, columns=columns)

    def drop_table(self, change: c.DropTable) -> None:
        self.tables = self.tables.without(change.table)
        self._know(change.table)

    def rename_table(self, change: c.RenameTable) -> None:
        new = change.table._replace(name=change.new_name)
        table = self.tables.get(change.table)
        self.tables = self.tables.without(change.table)
        if table is None or change.table in self.unknown:
            self._know(change.table)
            self._doubt(new)
        if table is not None:
            self.kept |= {part.name for part in table.indexes if part.name}
            self.kept |= {name for part in table.constraints if (name := known_as(part))}
            indexes = tuple(replace(index, table=new) for index in table.indexes)
            moved = replace(table, name=new, indexes=indexes)
            self._put(with_sequences(moved, table, {}))
            self.made += keys_of(moved)
            self._retarget(change.table, new, {})

    def add_column(self, change: c.AddColumn) -> None:
        table = self._parts(change.table)
        others = table.columns
        if table.column(change.column.name) is not None:
            others = tuple(col for col in others if col.name != change.column.name)
        made = self._needed(change.constraints)
        if self.dialect == "sqlite" and not self.recreating:
            # SQLite adds no constraint to a table; Alembic leaves out those of types.
            made = tuple(part for part in made if not part.of_type)
        constraints = (*table.constraints, *made) if made else None
        self._change(change.table, columns=(*others, change.column), constraints=constraints)
        self.now[change.column.name] = change.column.name
        self.made.append(Key("column", change.table, change.column.name))
        self._made_constraints(change.table, made)
        self._add_enums(change.enums)

    def drop_column(self, change: c.DropColumn) -> None:
        table = self._parts(change.table)
        column = self._name_now(change.column)
        constraints = table.constraints
        if constraints:
            constraints = tuple(self._without_column(constraints, column))
        indexes = [index for index in table.indexes if not index.mentions(column)]
        self._change(
            change.table,
            columns=tuple([col for col in table.columns if col.name != column]),
            # What stays the same is the same object: comparing two schemas is quick then.
            constraints=constraints if constraints != table.constraints else None,
            indexes=tuple(indexes) if len(indexes) < len(table.indexes) else None,
        )

    def _without_column(
        self, constraints: Iterable[Constraint], column: str
    ) -> Iterator[Constraint]:
        for part in constraints:
            if part.kind == "check" and self.dialect != "sqlite" and _is_about(part, column):
                continue
            if column not in part.columns:
                yield part
            elif self.recreating and part.kind == "primary" and len(part.columns) > 1:
                yield replace(part, columns=tuple(c for c in part.columns if c != column))

    def alter_column(self, change: c.AlterColumn) -> None:
        table = self._parts(change.table)
        name = self._name_now(change.column)
        if table.column(name) is None:
            self._doubt(change.table)
            return
        columns = tuple(
            [altered(col, change) if col.name == name else col for col in table.columns]
        )
        if option(change.options, "server_default") is not None and (
            self.dialect == "postgresql" and numbered_column(table) == name
        ):
            # The numbers are a default there, and this takes its place.
            columns = tuple(
                [
                    col.with_option("autoincrement", literal(value=False))
                    if before.name == name
                    else col
                    for before, col in zip(table.columns, columns, strict=True)
                ]
            )
        self._change(change.table, columns=columns)
        new = option(change.options, "new_column_name")
        if new is not None and new.string is not None and new.string != name:
            self.made.append(Key("column", change.table, new.string))
            self._rename_in_parts(change.table, name, new.string)
            renamed = self.tables[change.table]
            self._put(with_sequences(renamed, table, {name: new.string}))

    def _rename_in_parts(self, name: Name, old: str, new: str) -> None:
        """A column's new name in the table's constraints and indexes."""
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
        self._change(name, constraints=constraints, indexes=indexes)
        if self.recreating:
            # The new table takes the old one's place; keys that refer to it stay as they are.
            self.now |= {key: new for key, called in self.now.items() if called == old}
        else:
            self._retarget(name, name, {old: new})

    def _retarget(self, old: Name, new: Name, columns: Mapping[str, str]) -> None:
        """Foreign keys follow what they refer to."""
        for table in self.tables.values():
            if any(part.referent == old for part in table.constraints):
                self._put(_retargeted(table, old, new, columns))

    def create_index(self, change: c.CreateIndex) -> None:
        table = self._parts(change.index.table)
        index = change.index
        if self.recreating:
            index = replace(index, columns=tuple(map(self._part_now, index.columns)))
        self._change(change.index.table, indexes=(*table.indexes, index))
        if change.index.name:
            self.made.append(Key("index", change.index.table, change.index.name))

    def drop_index(self, change: c.DropIndex) -> None:
        named = [self.tables.get(change.table)] if change.table else self.tables.values()
        for table in named if change.name is not None else ():
            kept = tuple(i for i in table.indexes if i.name != change.name) if table else ()
            if table is not None and len(kept) < len(table.indexes):
                self._change(table.name, indexes=kept)

    def rename_index(self, change: c.RenameIndex) -> None:
        for table in list(self.tables.values()):
            if any(index.name == change.name for index in table.indexes):
                indexes = tuple(
                    replace(index, name=change.new_name) if index.name == change.name else index
                    for index in table.indexes
                )
                self._change(table.name, indexes=indexes)
                self.made.append(Key("index", table.name, change.new_name))
                return
        # It may be the index of a constraint, or of a table that is not known.
        for table in list(self.tables.values()):
            if any(part.is_known_as(change.name) for part in table.constraints):
                self.rename_constraint(c.RenameConstraint(table.name, change.name, change.new_name))
                return
        self._doubt(*([change.table] if change.table else self._owners(change.name)))

    def _owners(self, constraint: str) -> list[Name]:
        """Tables with a constraint of that name, or one whose name is not known."""
        return [
            table.name
            for table in self.tables.values()
            if any(known_as(part) in {None, constraint} for part in table.constraints)
        ]

    def add_constraint(self, change: c.AddConstraint) -> None:
        table = self._parts(change.table)
        if self.recreating:
            if not self.now.keys() >= {*change.constraint.columns}:
                return  # Alembic leaves out a constraint on names that the table did not have
            columns = tuple(self.now[name] for name in change.constraint.columns)
            change = replace(change, constraint=replace(change.constraint, columns=columns))
        if change.constraint.kind == "primary" and self.dialect == "sqlite":
            table = with_known_nulls(table)
        constraints = table.constraints
        if change.constraint.kind == "primary":
            # A table has one; where it has one already, this one takes its place.
            constraints = tuple(part for part in constraints if part.kind != "primary")
        self._change(
            change.table,
            columns=table.columns if change.table in self.tables else None,
            constraints=(*constraints, change.constraint),
        )
        if change.constraint.kind == "primary" and change.table in self.tables:
            self._put(self._with_keys_filled(self.tables[change.table]))
        self._made_constraints(change.table, (change.constraint,))

    def drop_constraint(self, change: c.DropConstraint) -> None:
        table = self.tables.get(change.table)
        if table is None:
            return
        # A table has one primary key, whatever its name.
        primary = change.kind == "primary"
        if primary and self.dialect == "sqlite":
            table = with_known_nulls(table)
        kept = tuple(
            part
            for part in table.constraints
            if (part.kind != "primary" if primary else not part.is_known_as(change.name))
        )
        if change.name is None or len(kept) == len(table.constraints):
            if change.if_exists and change.name and all(map(_is_named, table.constraints)):
                return
            # Its name may be the database's own or a naming convention's.
            self._doubt(change.table)
        else:
            self._change(change.table, columns=table.columns, constraints=kept)

    def rename_constraint(self, change: c.RenameConstraint) -> None:
        table = self.tables.get(change.table)
        named = table is not None and any(p.is_known_as(change.name) for p in table.constraints)
        if table is None or not named:
            self._doubt(change.table)
            return
        constraints = tuple(
            replace(part, name=change.new_name) if part.is_known_as(change.name) else part
            for part in table.constraints
        )
        self._change(change.table, constraints=constraints)
        self.made.append(Key("constraint", change.table, change.new_name))

    def create_enum(self, change: c.CreateEnum) -> None:
        self._add_enums([change.enum])

    def drop_enum(self, change: c.DropEnum) -> None:
        self.enums = self.enums.without(change.name)

    def rename_enum(self, change: c.RenameEnum) -> None:
        enum = self.enums.get(change.name)
        self.enums = self.enums.without(change.name)
        if enum is not None:
            new = change.name._replace(name=change.new_name)
            self.made.append(Key("enum", new))
            self.enums = self.enums.set(new, replace(enum, name=new))
            self._retype(change.name, new)

    def _retype(self, old: Name, new: Name) -> None:
        """Columns follow the name of their type."""
        for table in list(self.tables.values()):
            if any(
                col.type is not None and names_enum(col.type.text, old) for col in table.columns
            ):
                self._put(replace(table, columns=tuple(map(_renamer(old, new), table.columns))))

    def add_enum_value(self, change: c.AddEnumValue) -> None:
        enum = self.enums.get(change.name)
        if enum is None or enum.members is None or change.value in enum.members:
            return
        members = list(enum.members)
        place = len(members)
        if change.before in members:
            place = members.index(change.before)
        elif change.after in members:
            place = members.index(change.after) + 1
        members.insert(place, change.value)
        self.enums = self.enums.set(change.name, with_members(enum, tuple(members)))

    def rename_enum_value(self, change: c.RenameEnumValue) -> None:
        enum = self.enums.get(change.name)
        if enum is not None and enum.members is not None:
            members = (change.new_value if m == change.value else m for m in enum.members)
            self.enums = self.enums.set(change.name, with_members(enum, tuple(members)))

    def set_enum_values(self, change: c.SetEnumValues) -> None:
        enum = self.enums.get(change.name)
        if enum is None:
            return
        unknown = replace(enum, members=None, text=Expression(""))
        known = unknown if change.members is None else with_members(enum, change.members)
        self.enums = self.enums.set(change.name, known)

    def create_object(self, change: c.CreateObject) -> None:
        key = (change.kind, change.name)
        # Two of a name: functions for other arguments, triggers of other tables.
        self.definitions = self.definitions.set(
            key, "" if key in self.objects else change.definition
        )
        if key not in self.objects:
            self.made.append(Key(change.kind, change.name))
            self.objects |= {key}

    def replace_object(self, change: c.ReplaceObject) -> None:
        key = (change.kind, change.name)
        self.definitions = self.definitions.set(key, change.definition)

    def drop_object(self, change: c.DropObject) -> None:
        key = (change.kind, change.name)
        self.objects -= {key}
        if key in self.definitions:
            self.definitions = self.definitions.without(key)
        if change.kind == "schema":
            # PostgreSQL refuses where there is something in it, but for CASCADE.
            for name in [name for name in self.tables if name.schema == change.name.name]:
                self.drop_table(c.DropTable(name))
            for name in [name for name in self.enums if name.schema == change.name.name]:
                self.drop_enum(c.DropEnum(name))

    def set_comment(self, change: c.SetComment) -> None:
        options = without(self._parts(change.table).options, "comment")
        if change.comment is not None and change.comment.value is not None:
            options = (*options, ("comment", change.comment))
        self._change(change.table, options=options)

    def write_rows(self, _: c.WriteRows) -> None:
        return

    def doubt(self, changes: Iterable[c.Change]) -> None:
        """Changes that were made may not have been."""
        self._doubt(*(name for change in changes for name in c.tables_of(change)))

    def not_known(self, change: c.Unknown) -> None:
        if change.tables is None:
            self.opaque = True
        else:
            self.unknown |= change.tables


_MAKERS: dict[type[c.Change], Callable[[Draft, Any], None]] = {
    c.CreateTable: Draft.create_table,
    c.DropTable: Draft.drop_table,
    c.RenameTable: Draft.rename_table,
    c.AddColumn: Draft.add_column,
    c.DropColumn: Draft.drop_column,
    c.AlterColumn: Draft.alter_column,
    c.CreateIndex: Draft.create_index,
    c.DropIndex: Draft.drop_index,
    c.RenameIndex: Draft.rename_index,
    c.AddConstraint: Draft.add_constraint,
    c.DropConstraint: Draft.drop_constraint,
    c.RenameConstraint: Draft.rename_constraint,
    c.CreateEnum: Draft.create_enum,
    c.DropEnum: Draft.drop_enum,
    c.RenameEnum: Draft.rename_enum,
    c.AddEnumValue: Draft.add_enum_value,
    c.RenameEnumValue: Draft.rename_enum_value,
    c.SetEnumValues: Draft.set_enum_values,
    c.CreateObject: Draft.create_object,
    c.DropObject: Draft.drop_object,
    c.ReplaceObject: Draft.replace_object,
    c.SetComment: Draft.set_comment,
    c.WriteRows: Draft.write_rows,
    c.Unknown: Draft.not_known,
}
# A table, and not `singledispatchmethod`: that took a seventh of all the time.


def _merged(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """PostgreSQL makes one index for a primary key and a UNIQUE on the same columns."""
    primary = next((part for part in constraints if part.kind == "primary"), None)
    same = [
        p for p in constraints if primary and (p.kind, p.columns) == ("unique", primary.columns)
    ]
    if primary is None or not same:
        return constraints
    named = replace(primary, name=primary.name or same[0].name)
    return tuple(named if p is primary else p for p in constraints if p not in same)


def _is_named(part: Constraint) -> bool:
    """Whether it is certain what a constraint is called."""
    return part.sure and known_as(part) is not None


def _is_about(check: Constraint, column: str) -> bool:
    """Whether the condition of a CHECK names a column."""
    word = rf"\b{re.escape(column)}\b"
    return any(re.search(word, argument.text) for argument in check.arguments)


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


def with_known_nulls(table: Table) -> Table:
    """A table that is about to have another primary key: its columns keep what the old one said."""
    primary = {name for p in table.constraints if p.kind == "primary" for name in p.columns}
    columns = tuple(
        column
        if option(column.options, "nullable") is not None
        else _taking_null(column, column.nullable if column.name not in primary else False)
        for column in table.columns
    )
    return replace(table, columns=columns)


def _taking_null(column: Column, nullable: bool | None) -> Column:
    if nullable is None:
        return column
    return replace(column, nullable=nullable).with_option("nullable", literal(nullable))


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


def _renamer(old: Name, new: Name) -> Callable[[Column], Column]:
    """What gives a column of an enum type the type's new name."""

    def renamed(column: Column) -> Column:
        if column.type is None or not names_enum(column.type.text, old):
            return column
        text = re.sub(
            rf"""name=(['"]){re.escape(old.name)}\1""", rf"name=\1{new.name}\1", column.type.text
        )
        return replace(column, type=replace(column.type, text=text))

    return renamed


def with_members(enum: EnumType, members: tuple[str, ...]) -> EnumType:
    """The enum type with other members, as it would be written now."""
    parts = [literal(member).text for member in members]
    parts.append(f"name={literal(enum.name.name).text}")
    parts += [f"schema={literal(enum.name.schema).text}"] if enum.name.schema else []
    text = Expression(f"sa.Enum({', '.join(parts)})", imports=("import sqlalchemy as sa",))
    return replace(enum, members=members, text=text)
