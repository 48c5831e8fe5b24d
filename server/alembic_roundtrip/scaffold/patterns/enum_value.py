"""Enum value removal: PostgreSQL takes no value away, so the type is made anew without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.migration.objects import Column, EnumType, Name, Table
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.rule import Fix
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, refusal, sql_table
from alembic_roundtrip.scaffold.sql import quoted, sql_value
from alembic_roundtrip.schema import Schema

_POSTGRESQL = ("postgresql",)
_ENUMS = c.CreateEnum | c.RenameEnum | c.DropEnum | c.SetEnumValues


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """The recipe at each value that the upgrade adds."""
    for operation in context.upgrade_operations:
        for change in operation.changes:
            if isinstance(change, c.AddEnumValue) and operation in at:
                fix = removal(context, change.name)
                if fix is not None:
                    yield Pattern("enum-value", operation.range, fix)


def removal(context: Context, name: Name) -> Fix | None:
    """Rename, create, cast, drop; None where it is done already, or not all is known."""
    migration, before = context.migration, context.parents.get("postgresql")
    downgrade = migration.downgrade
    enum = before.enums.get(name) if before is not None else None
    if before is None or enum is None or enum.members is None or before.opaque:
        return None
    if downgrade is not None and (downgrade.kind is Body.RAISES or _remakes(context, name)):
        return None
    render = Renderer(migration)
    with suppress(NotKnownError):
        statements = tuple(_recipe(enum, _added(context, name), before, render))
        place = len(downgrade.statements) if downgrade else 0
        insert = InsertStatements("downgrade", place, statements, tuple(render.imports))
        title = f"Make `{name}` anew without the new values, where no row has them"
        told = "refuses with the number of rows that have one of them"
        return Fix(title, (insert,), "unsafe", description=told)
    return None


def _remakes(context: Context, name: Name) -> bool:
    changes = [change for each in context.downgrade_operations for change in each.changes]
    return any(
        isinstance(change, c.Unknown) and change.tables is None for change in changes
    ) or any(
        isinstance(change, _ENUMS)
        and name == (change.enum.name if isinstance(change, c.CreateEnum) else change.name)
        for change in changes
    )


def _added(context: Context, name: Name) -> list[str]:
    return [
        change.value
        for operation in context.upgrade_operations
        for change in operation.changes
        if isinstance(change, c.AddEnumValue) and change.name == name
    ]


def _recipe(enum: EnumType, added: list[str], before: Schema, render: Renderer) -> Iterator[str]:
    users = list(before.users_of(enum.name))
    for table, column in users:
        _check(before.tables[table], column)
        values = ", ".join(map(sql_value, added))
        rows = f"CAST({quoted(column.name, _POSTGRESQL)} AS text) IN ({values})"
        yield from refusal(table, f"FROM {sql_table(table, _POSTGRESQL)} WHERE {rows}", render)
    render.need_operations()
    old = enum.name._replace(name=f"{enum.name.name}_old")
    name, parked = (sql_table(each, _POSTGRESQL) for each in (enum.name, old))
    members = ", ".join(map(sql_value, enum.members or ()))
    lines = [
        f"ALTER TYPE {name} RENAME TO {quoted(old.name, _POSTGRESQL)}",
        f"CREATE TYPE {name} AS ENUM ({members})",
        *(line for table, column in users for line in _converted(table, column, name)),
        f"DROP TYPE {parked}",
    ]
    yield from (call("op.execute", [render.text(line)]) for line in lines)


def _check(table: Table, column: Column) -> None:
    """Raises `NotKnownError` for what a change of the type would not pass by."""
    array = column.type is not None and "ARRAY" in column.type.text
    partial = any(key.endswith("_where") for index in table.indexes for key, _ in index.options)
    checked = any(
        part.kind in {"check", "exclude"} and not part.of_type for part in table.constraints
    )
    if array or partial or checked:
        raise NotKnownError(f"what of `{table.name}` depends on `{column.name}`")


def _converted(table: Name, column: Column, enum: str) -> Iterator[str]:
    default = column.server_default
    if default is not None and default.string is None:
        raise NotKnownError(f"the default of `{column.name}`")
    name = quoted(column.name, _POSTGRESQL)
    alter = f"ALTER TABLE {sql_table(table, _POSTGRESQL)} ALTER COLUMN {name}"
    if default is not None:
        yield f"{alter} DROP DEFAULT"
    yield f"{alter} TYPE {enum} USING {name}::text::{enum}"
    if default is not None:
        yield f"{alter} SET DEFAULT {sql_value(default.string)}"
