"""What undoes each change of an upgrade, by the schema it was made in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import singledispatchmethod

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.mentions import checks, is_on
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    Index,
    Name,
    Table,
    option,
)
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold import entities
from alembic_roundtrip.scaffold.alteration import COLUMN_PARTS, NONE, TRUE, Alteration
from alembic_roundtrip.scaffold.constraints import Constraints
from alembic_roundtrip.scaffold.enums import enums_of
from alembic_roundtrip.scaffold.fragility import (
    against_column,
    against_constraint,
    against_index,
    against_refilled,
    against_refilled_index,
    fragile,
)
from alembic_roundtrip.scaffold.sql import (
    renamed_back,
    rows_undone,
    sql_name,
    type_renamed_back,
)
from alembic_roundtrip.scaffold.step import Inverse, Step, in_block, spelled, table_arguments
from alembic_roundtrip.scaffold.tables import Tables, with_kept_names
from alembic_roundtrip.scaffold.told import DESTRUCTIVE, dropped_along, to_fill, values_lost
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.schema.columns import whole
from alembic_roundtrip.schema.names import known_as, numbered_column, sequence_of
from alembic_roundtrip.schema.recreation import reflected

_SYNCED = {"enum_schema", "enum_name", "new_values", "affected_columns"}
_NOTHING: tuple[object, ...] = (None, ())
_CALL = re.compile(r"\w\((?<!\.f\()")  # a second call might not give the same


class Inverter:
    """Writes the inverse of one step after the other, the last first.

    `later` is the schema that the downgrade begins with, `types` are the enum types that are there
    at the point it has come to.
    """

    def __init__(self, render: Renderer, dialects: tuple[str, ...], later: Schema) -> None:
        self.render = render
        self.types = set(later.enums)
        self._later = later
        self._tables = Tables(render, dialects, self.types)
        self._constraints = Constraints(render, dialects)
        self.dialects = dialects
        self._native = not dialects or "postgresql" in dialects
        self._only_native = dialects == ("postgresql",)
        self._only_mysql = bool(dialects) and {*dialects} <= MYSQL

    @singledispatchmethod
    def invert(self, change: c.Change, step: Step) -> Inverse:  # noqa: ARG002 - for the others
        """What undoes a change; raises `NotKnownError` where that cannot be told."""
        raise NotKnownError(type(change).__name__)

    def is_used_before(self, step: Step) -> bool:
        """Whether a table that was made before an enum type has got it since: that goes first."""
        change = step.change
        if not isinstance(change, c.CreateEnum):
            return False
        return any(table in step.made for table, _ in self._later.users_of(change.enum.name))

    # Tables

    @invert.register(c.CreateTable)
    def _(self, change: c.CreateTable, step: Step) -> Inverse:
        name = change.table.name
        said = spelled(self.render, step, "table_name", name.name)
        return Inverse(
            [call("op.drop_table", [said, *self.render.schema(name)])],
            after=self._without_types((enum.name for enum in change.enums), step),
        )

    @invert.register(c.DropTable)
    def _(self, change: c.DropTable, step: Step) -> Inverse:
        dropped = self._tables.dropped(change, step)
        table = step.before.tables[change.table]
        return replace(
            dropped,
            before=self._constraints.doubts(*table.constraints),
            after=list(self._taken_along(change, step)),
        )

    def _taken_along(self, change: c.DropTable, step: Step) -> Iterator[str]:
        """What PostgreSQL drops together with a table: foreign keys that refer to it, and views."""
        if not change.cascade or step.before.dialect != "postgresql":
            return
        for table in step.before.tables.values():
            for part in table.constraints:
                if part.referent == change.table != table.name:
                    named = replace(part, name=known_as(part))
                    yield from fragile(against_constraint(table.name, named, self._later))
                    yield self.render.create_constraint(table.name, named)
        for kind, name in step.before.definitions_with(change.table):
            if kind == "view":
                yield dropped_along(name, change.table)

    @invert.register(c.RenameTable)
    def _(self, change: c.RenameTable, step: Step) -> Inverse:
        old = spelled(self.render, step, "old_table_name", change.table.name)
        new = spelled(self.render, step, "new_table_name", change.new_name)
        return Inverse([call("op.rename_table", [new, old, *self.render.schema(change.table)])])

    @invert.register(c.SetComment)
    def _(self, change: c.SetComment, step: Step) -> Inverse:
        table = step.before.table(change.table)
        if table is None:
            raise NotKnownError(f"the comment of `{change.table}`")
        old, name = (
            option(table.options, "comment"),
            table_arguments(change.table, step, self.render),
        )
        if old is None:
            return Inverse([call(f"{step.target}.drop_table_comment", name)])
        parts = [*name[:1], self.render.expression(old), *name[1:]]
        return Inverse([call(f"{step.target}.create_table_comment", parts)])

    # Columns

    @invert.register(c.AddColumn)
    def _(self, change: c.AddColumn, step: Step) -> Inverse:
        table = table_arguments(change.table, step, self.render)
        column = self.render.text(change.column.name)
        parts = [*table[:1], column, *table[1:]] if table else [column]
        statements = [
            self._constraints.drop(change.table, part, step)
            for part in change.constraints
            if part.kind == "foreignkey" and self._keeps_columns(part)
        ]
        if step.target != "op" and "sqlite" in self.dialects:
            statements += self._checks_with(change, step)
        return Inverse(
            [*statements, call(f"{step.target}.drop_column", parts)],
            after=self._without_types((enum.name for enum in change.enums), step),
        )

    def _keeps_columns(self, part: Constraint) -> bool:
        """Whether a foreign key has to go before its columns; in what calls it by a name."""
        return self._only_mysql or (part.name is not None and bool(MYSQL & {*self.dialects}))

    def _checks_with(self, change: c.AddColumn, step: Step) -> Iterator[str]:
        """CHECKs of a column that batch mode would give to the table without it."""
        for part in change.constraints:
            if part.kind == "check" and part.name:
                if part.of_type and self.dialects != ("sqlite",):
                    raise NotKnownError(f"which databases have `{part.name}`")
                yield self._constraints.drop(change.table, part, step)

    @invert.register(c.DropColumn)
    def _(self, change: c.DropColumn, step: Step) -> Inverse:
        table = step.before.table(change.table)
        column = table.column(change.column) if table else None
        if table is None or column is None or change.table in step.before.unknown:
            raise NotKnownError(f"the definition of `{change.table}.{change.column}`")
        if self._native:
            table = with_kept_names(table)
        before = [
            f"{self.render.expression(enum.text)}.create(op.get_bind(), checkfirst=True)"
            for enum in (step.before.enums[name] for name in enums_of(column, step.before))
            if self._native and enum.name not in self.types
        ]
        self.types |= set(enums_of(column, step.before))
        lost = values_lost(f"{change.table}.{change.column}")
        if step.target != "op" and any(
            part.inline and part.name is None and change.column in part.columns
            for part in table.constraints
        ):
            raise NotKnownError(f"the name of a constraint of `{change.table}`")
        required = column.nullable is not True and _empty(column)
        added = replace(column, nullable=True).with_option("nullable", TRUE) if required else column
        parts = [*table_arguments(change.table, step, self.render)]
        type_ = self._tables.unchecked(column, table)
        parts.insert(1 if parts else 0, self.render.column(added, table, type_))
        along = [part for part in table.constraints if self._goes_with(part, change.column)]
        stays = [part for part in table.constraints if part not in along]
        found = (against_refilled(part, table, column, self.dialects) for part in stays)
        rows = fragile(" or ".join(filter(None, found)))
        doubts = self._constraints.doubts(
            *(part for part in stays if change.column in part.columns)
        )
        made = call(f"{step.target}.add_column", parts)
        statements = [f"{DESTRUCTIVE}{lost}", *doubts, *rows, made]
        inner, after = self._indexes_with(column, table, step)
        for part in along:
            with_it, afterwards = self._constraints.with_column(part, table, column, step)
            statements += with_it
            after += afterwards
        again = self._required_again(change, column, step) if required else []
        after += [line for line in again if line not in after]  # what is to be filled is said once
        return Inverse([*statements, *inner], before, after, [lost])

    def _required_again(self, change: c.DropColumn, column: Column, step: Step) -> list[str]:
        """NOT NULL for a column without values comes after somebody's filling it."""
        # Which databases there are is not always known; that the author needs batch mode is.
        target = "batch_op" if "sqlite" in self.dialects else step.target
        parts = [self.render.text(column.name)]
        if column.type is not None:
            parts.append(f"existing_type={self.render.expression(column.type)}")
        parts.append("nullable=False")
        if target == "op":
            name = self.render.text(change.table.name)
            schema = self.render.schema(change.table)
            alter = call("op.alter_column", [name, *parts, *schema])
        else:
            alter = in_block(change.table, call("batch_op.alter_column", parts), self.render)
        return [to_fill(f"{change.table}.{change.column}"), alter]

    def _goes_with(self, part: Constraint, column: str) -> bool:
        """Whether a constraint goes away with a column, and is no part of its definition.

        A CHECK cannot outlive its column: some databases drop it, the others refuse.
        """
        with_it = column in part.columns or checks(part, column, self.dialects)
        return with_it and not part.inline

    def _indexes_with(
        self, column: Column, table: Table, step: Step
    ) -> tuple[list[str], list[str]]:
        """Indexes that went away with a column: those made in its batch block, and those after."""
        inner: list[str] = []
        after: list[str] = []
        for index in (index for index in table.indexes if is_on(index, column.name, self.dialects)):
            plain = _made_in(index, step)
            lines = inner if plain else after
            lines += fragile(against_refilled_index(index, column))
            lines.append(self.render.create_index(index, step.target if plain else "op"))
        return inner, after

    @invert.register(c.AlterColumn)
    def _(self, change: c.AlterColumn, step: Step) -> Inverse:
        table = step.before.table(change.table)
        known = table is not None and change.table not in step.before.unknown
        column = table.column(change.column) if table and known else None
        if table is not None and column is not None and self._only_mysql:
            change = whole(change, table)
        options = dict(change.options)
        if not {"type_", "new_column_name", *COLUMN_PARTS[:-1]} & set(options):
            # `autoincrement=False` comes with what autogenerate reads on other databases.
            if _is_true(options.get("autoincrement")):
                raise NotKnownError("autoincrement")
            return Inverse()
        if table is not None and column is not None and "server_default" in options:
            column = self._numbering(column, table)
        renamed = options.get("new_column_name")
        name = change.column
        if renamed is not None:
            if renamed.string is None:
                raise NotKnownError("the new name")
            name = renamed.string
        parts = [*table_arguments(change.table, step, self.render)]
        parts.insert(
            1 if parts else 0,
            self.render.text(name) if renamed else spelled(self.render, step, "column_name", name),
        )
        parts += Alteration(self.render, self.dialects).back(change, column, options)
        defined_anew = self._only_mysql and "type_" in options
        if defined_anew and table is not None and numbered_column(table) == change.column:
            parts.append("autoincrement=True")  # it counts no more unless that is said
        if renamed is not None:
            said = spelled(self.render, step, "column_name", change.column)
            parts.append(f"new_column_name={said}")
        old = column.type if column else options.get("existing_type")
        rows = " or ".join(against_column(change, column, old, self.dialects, step.after))
        altered = call(f"{step.target}.alter_column", parts)
        taken, again = self._constraints.checks_anew(change, column, step)
        return Inverse([*taken, *fragile(rows), altered, *again])

    def _numbering(self, column: Column, table: Table) -> Column:
        """A column with the default that PostgreSQL numbers rows by, where it has that."""
        if not self._native or numbered_column(table) != column.name:
            return column
        if not self._only_native:
            raise NotKnownError(f"which databases number rows by a default of `{column.name}`")
        self.render.need("import sqlalchemy as sa")
        sequence = column.sequence or sequence_of(table.name, column.name)
        made = sql_name(Name(sequence, table.name.schema))
        said = self.render.text(f"nextval('{made}'::regclass)")
        text = Expression(f"sa.text({said})", imports=("import sqlalchemy as sa",))
        return column.with_option("server_default", text)

    # Indexes and constraints

    @invert.register(c.CreateIndex)
    def _(self, change: c.CreateIndex, step: Step) -> Inverse:
        index = change.index
        if index.name is None:
            raise NotKnownError("the index's name")
        parts = [spelled(self.render, step, "index_name", index.name)]
        if step.target == "op":
            parts.append(f"table_name={spelled(self.render, step, 'table_name', index.table.name)}")
            parts += self.render.schema(index.table)
        concurrently = option(index.options, "postgresql_concurrently")
        if concurrently is not None:
            parts.append(f"postgresql_concurrently={self.render.expression(concurrently)}")
        columns = tuple(column.string for column in index.columns)
        needed = self._constraints.indexes.taken_back(index.table, index.name, columns, step)
        return Inverse([*needed, call(f"{step.target}.drop_index", parts)])

    @invert.register(c.DropIndex)
    def _(self, change: c.DropIndex, step: Step) -> Inverse:
        index = step.before.index(change.name, change.table) if change.name else None
        if index is None and change.table is not None and self._only_mysql:
            # A unique constraint is nothing but its index.
            named = c.DropConstraint(change.table, change.name, "unique")
            return self._constraints.dropped(named, step, self._later)
        if index is None:
            raise NotKnownError(f"the columns of `{change.name}`")
        rows = fragile(against_index(index, self._later))
        if not _made_in(index, step):
            return Inverse(after=[*rows, self.render.create_index(index)])
        return Inverse([*rows, self.render.create_index(index, step.target)])

    @invert.register(c.AddConstraint)
    def _(self, change: c.AddConstraint, step: Step) -> Inverse:
        return self._constraints.added(change, step)

    @invert.register(c.DropConstraint)
    def _(self, change: c.DropConstraint, step: Step) -> Inverse:
        return self._constraints.dropped(change, step, self._later)

    # Enum types and other objects

    @invert.register(c.CreateEnum)
    def _(self, change: c.CreateEnum, step: Step) -> Inverse:
        return Inverse(after=self._without_types([change.enum.name], step))

    @invert.register(c.DropEnum)
    def _(self, change: c.DropEnum, step: Step) -> Inverse:
        enum = step.before.enums.get(change.name)
        if not self._native or change.name in self.types:
            return Inverse()
        if enum is None:
            raise NotKnownError(f"the members of `{change.name}`")
        self.render.need(*enum.text.imports)
        self.types.add(change.name)
        made = self.render.expression(enum.text)
        return Inverse(before=[f"{made}.create(op.get_bind(), checkfirst=True)"])

    @invert.register(c.CreateObject)
    def _(self, change: c.CreateObject, step: Step) -> Inverse:
        return entities.made(change, step, self.render)

    @invert.register(c.ReplaceObject)
    def _(self, change: c.ReplaceObject, step: Step) -> Inverse:
        return entities.replaced(change, step, self.render)

    @invert.register(c.DropObject)
    def _(self, change: c.DropObject, step: Step) -> Inverse:
        return entities.dropped(change, step, self.render)

    @invert.register(c.RenameEnum)
    def _(self, change: c.RenameEnum, step: Step) -> Inverse:  # noqa: ARG002 - by dispatch
        return type_renamed_back(change, self.render)

    @invert.register(c.RenameIndex)
    @invert.register(c.RenameConstraint)
    @invert.register(c.RenameEnumValue)
    def _(
        self,
        change: c.RenameIndex | c.RenameConstraint | c.RenameEnumValue,
        step: Step,  # noqa: ARG002 - by dispatch
    ) -> Inverse:
        return renamed_back(change, self.render)

    @invert.register(c.SetEnumValues)
    def _(self, change: c.SetEnumValues, step: Step) -> Inverse:
        enum = step.before.enums.get(change.name)
        if enum is None or enum.members is None:
            raise NotKnownError(f"the values of `{change.name}`")
        members = f"[{', '.join(map(self.render.text, enum.members))}]"
        given = dict(step.operation.arguments)
        if _SYNCED - given.keys() or given.get("enum_values_to_rename", NONE).value not in _NOTHING:
            raise NotKnownError(f"what becomes of the values of `{change.name}`")
        parts = [
            f"{name}={members if name == 'new_values' else self.render.expression(value)}"
            for name, value in step.operation.arguments
        ]
        gone = sorted(set(change.members or ()) - set(enum.members))
        rows = f"values of {change.name} that it did not have" if gone else None
        return Inverse([*fragile(rows), call("op.sync_enum_values", parts)])

    @invert.register(c.AddEnumValue)
    def _(self, change: c.AddEnumValue, step: Step) -> Inverse:  # noqa: ARG002 - by dispatch
        raise NotKnownError(f"how `{change.name}` was used, which now has `{change.value}`")

    @invert.register(c.WriteRows)
    def _(self, change: c.WriteRows, step: Step) -> Inverse:
        return rows_undone(change, step, self.render, self.dialects)

    @invert.register(c.Unknown)
    def _(self, change: c.Unknown, step: Step) -> Inverse:  # noqa: ARG002 - by dispatch
        """What was made under a computed name is dropped under the same expression."""
        operation, target = step.operation, step.target
        if operation.opaque is None or (operation.batch and not operation.batch.table.name):
            raise NotKnownError(operation.name)
        arguments = dict(operation.arguments)
        table = [] if operation.batch else [self._argument(arguments, "table_name")]
        if operation.name == "create_table":
            return Inverse([call("op.drop_table", table)])
        if operation.name == "create_index":
            said = [f"table_name={text}" for text in table]
            parts = [self._argument(arguments, "index_name"), *said]
            return Inverse([call(f"{target}.drop_index", parts)])
        if operation.name == "add_column":
            parts = [*table, self.render.text(_column_name(arguments))]
            return Inverse([call(f"{target}.drop_column", parts)])
        raise NotKnownError(operation.name)

    def _argument(self, arguments: dict[str, Expression], name: str) -> str:
        found = arguments.get(name)
        if found is None or found.value is None or _CALL.search(found.text):
            raise NotKnownError(name)
        return self.render.expression(found)

    # Pieces

    def _without_types(self, names: Iterable[Name], step: Step) -> list[str]:
        """Drops of the enum types that came with a change and that nothing else uses."""
        statements = []
        for name in dict.fromkeys(names):
            unused = next(step.before.users_of(name), None) is None
            if name in self.types and name not in step.before.enums and unused and self._native:
                self.types.discard(name)
                made = self.render.enum(name)
                statements.append(f"{made}.drop(op.get_bind(), checkfirst=True)")
        return statements


def _made_in(index: Index, step: Step) -> bool:
    """Whether a batch block, where the step stands in one, makes an index as it is."""
    return step.operation.batch is None or reflected(index) == index


def _column_name(arguments: dict[str, Expression]) -> str:
    column = arguments.get("column")
    node = ast.parse(column.text, mode="eval").body if column else None
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        raise NotKnownError("the column's name")
    return first.value


def _is_true(expression: Expression | None) -> bool:
    return expression is not None and expression.value is not False


def _empty(column: Column) -> bool:
    return column.server_default is None and not column.fills_itself
