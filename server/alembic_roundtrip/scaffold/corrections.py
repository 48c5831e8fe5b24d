"""Calls of a downgrade that bring something back otherwise, given what the parent's schema says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alembic_roundtrip.comparison.casting import casts_itself
from alembic_roundtrip.comparison.differences import Difference
from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Column, Options, Table, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.rewrite import ChangeCall
from alembic_roundtrip.scaffold.edits import changed_call, column_call, has_own_call

_COLUMN = ("name", "type_")
_INDEX = ("unique", "_where", "_using", "_include", "_ops")
_FOREIGN_KEY = ("ondelete", "onupdate", "deferrable", "initially", "match")
_ARGUMENTS = {"type": "type_", "nullability": "nullable", "server default": "server_default"}

_Values = dict[str, str | None]


def correction(context: Context, found: Difference) -> ChangeCall | None:
    """The call with the parent's values; None where it is not in the downgrade, or not known."""
    operation, migration = found.operation, context.migration
    if found.direction is not found.downgrade or not has_own_call(migration, operation):
        return None
    name = found.subject.rpartition(".")[2]
    render = Renderer(migration)
    for change in operation.changes:
        for table in map(context.before.table, c.tables_of(change)):
            try:
                values = _values(found.aspect, name, change, table, render) if table else {}
            except NotKnownError:
                return None
            if values:
                return _changed(context, operation, name, change, values, tuple(render.imports))
    return None


def _values(aspect: str, name: str, change: c.Change, table: Table, render: Renderer) -> _Values:
    """The arguments that make an object what it was; none where the change is not about it."""
    if isinstance(change, c.CreateIndex) and change.index.name == name:
        old = [index for index in table.indexes if index.name == name]
        return dict(_other(old[0].options, change.index.options, _INDEX, render)) if old else {}
    if isinstance(change, c.AddConstraint) and change.constraint.name == name:
        parts = [part for part in table.constraints if part.is_known_as(name)]
        new = change.constraint.options
        return dict(_other(parts[0].options, new, _FOREIGN_KEY, render)) if parts else {}
    column = table.column(name)
    if column is None or not _is_about(name, change):
        return {}
    if aspect == "type" and isinstance(change, c.AlterColumn) and not _casts(change, column):
        raise NotKnownError(f"the cast to the type of `{name}`")
    if aspect in _ARGUMENTS:
        values = {_ARGUMENTS[aspect]: _value(_ARGUMENTS[aspect], column, render)}
        if isinstance(change, c.AddColumn) and column.nullable is False:
            values |= _filled(aspect, change.column, column, render)
        return values
    comment = option(column.options, "comment")
    return {"comment": render.expression(comment) if comment else None}


def _casts(change: c.AlterColumn, column: Column) -> bool:
    """Whether PostgreSQL, too, casts to what a column was."""
    now = option(change.options, "existing_type") or option(change.options, "type_")
    return now is not None and column.type is not None and casts_itself(now, column.type) is True


def _filled(aspect: str, new: Column, old: Column, render: Renderer) -> _Values:
    """What rows that are there get in a column that takes no NULL."""
    kept = new.server_default is not None and aspect != "server default"
    if kept or new.fills_itself:
        return {}
    if old.server_default is None:
        raise NotKnownError(f"what rows get in `{old.name}`")
    return {"server_default": render.expression(old.server_default)}


def _is_about(name: str, change: c.Change) -> bool:
    if isinstance(change, c.AlterColumn):
        renamed = option(change.options, "new_column_name")
        return name == (renamed.value if renamed is not None else change.column)
    if isinstance(change, c.AddColumn):
        return change.column.name == name
    return isinstance(change, c.CreateTable) and change.table.column(name) is not None


def _value(argument: str, column: Column, render: Renderer) -> str | None:
    if argument == "nullable":
        return str(column.nullable)
    known = column.type if argument == "type_" else column.server_default
    if known is None and argument == "type_":
        raise NotKnownError(f"the type of `{column.name}`")
    return None if known is None else render.expression(known)


def _other(
    old: Options, new: Options, names: Iterable[str], render: Renderer
) -> Iterator[tuple[str, str | None]]:
    """Arguments that are not the same, as they were; None for those that were not given."""
    was, now = (dict(_named(options, names)) for options in (old, new))
    for key in was | now:
        value = was.get(key)
        if value != now.get(key):
            yield key, None if value is None else render.expression(value)


def _named(options: Options, names: Iterable[str]) -> Iterator[tuple[str, Expression]]:
    return ((key, value) for key, value in options if key.endswith(tuple(names)))


def _changed(
    context: Context,
    operation: Operation,
    name: str,
    change: c.Change,
    values: _Values,
    imports: tuple[str, ...],
) -> ChangeCall | None:
    """The operation's own call with other arguments, or that of a column in it."""
    if not isinstance(change, c.AddColumn | c.CreateTable):
        if isinstance(change, c.AlterColumn):
            # To alter a column to nothing has to be said.
            values = {key: "None" if value is None else value for key, value in values.items()}
        made = changed_call(operation, values)
        return ChangeCall(made.call, "", made.arguments, made.signature, imports)
    place = column_call(context.migration, operation, name)
    if place is None:
        return None
    return ChangeCall(place.range, "", tuple(values.items()), _COLUMN, imports)
