"""Enum value removal: PostgreSQL takes no value away, so the type is made anew without it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.migration.objects import Column, EnumType, Name
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.scaffold.enums import remade
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, refusal
from alembic_roundtrip.scaffold.sql import quoted, sql_table, sql_value
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
    values = ", ".join(map(sql_value, added))
    asked = [
        (table, f"FROM {sql_table(table, _POSTGRESQL)} WHERE {_is_in(column, values)}")
        for table, column in before.users_of(enum.name)
    ]
    if asked:
        yield from refusal(asked, render)
    render.need_operations()
    yield from remade(enum, before, render)


def _is_in(column: Column, values: str) -> str:
    return f"CAST({quoted(column.name, _POSTGRESQL)} AS text) IN ({values})"
