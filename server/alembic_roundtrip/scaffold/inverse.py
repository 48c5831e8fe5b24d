"""What undoes each change of an upgrade, by the schema it was made in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatchmethod

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import (
    option,
)
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.sql.words import says
from alembic_roundtrip.scaffold import entities
from alembic_roundtrip.scaffold.alteration import NONE
from alembic_roundtrip.scaffold.columns import Columns, made_in
from alembic_roundtrip.scaffold.constraints import Constraints
from alembic_roundtrip.scaffold.fragility import (
    against_constraint,
    against_index,
    fragile,
)
from alembic_roundtrip.scaffold.sql import (
    moved_back,
    object_renamed_back,
    renamed_back,
    rows_undone,
    type_renamed_back,
)
from alembic_roundtrip.scaffold.step import Inverse, Step, spelled, table_arguments
from alembic_roundtrip.scaffold.tables import Tables
from alembic_roundtrip.scaffold.told import dropped_along
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.schema.names import known_as

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
        self._columns = Columns(self._tables, self._constraints)
        self.dialects = dialects
        self._native = not dialects or "postgresql" in dialects
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
        if says(step.operation.sql, "CREATE", "FOREIGN", "TABLE"):
            raise NotKnownError(f"whether `{name}` is a foreign table, which DROP TABLE refuses")
        said = spelled(self.render, step, "table_name", name.name)
        return Inverse(
            [call("op.drop_table", [said, *self.render.schema(name)])],
            after=self._tables.without_types((enum.name for enum in change.enums), step),
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
        if change.new_schema is not None:
            return moved_back(change, self.render)
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
        return self._columns.added(change, step)

    @invert.register(c.DropColumn)
    def _(self, change: c.DropColumn, step: Step) -> Inverse:
        return self._columns.dropped(change, step)

    @invert.register(c.AlterColumn)
    def _(self, change: c.AlterColumn, step: Step) -> Inverse:
        return self._columns.altered(change, step)

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
        if not made_in(index, step):
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
        return Inverse(after=self._tables.without_types([change.enum.name], step))

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
        """What was made under a computed name is dropped under the same expression.

        An object of which nothing but its name is read gets that back.
        """
        operation, target = step.operation, step.target
        renamed = object_renamed_back(operation.sql) if operation.opaque is None else None
        if renamed is not None:
            return Inverse([self.render.executed(renamed)])
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


def _column_name(arguments: dict[str, Expression]) -> str:
    column = arguments.get("column")
    node = ast.parse(column.text, mode="eval").body if column else None
    first = node.args[0] if isinstance(node, ast.Call) and node.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str):
        raise NotKnownError("the column's name")
    return first.value
