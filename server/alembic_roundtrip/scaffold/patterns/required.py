"""NOT NULL with default or backfill: rows that are there get a value before one is demanded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from alembic_roundtrip.comparison.equivalence import read_type
from alembic_roundtrip.comparison.tightening import Tightening, tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body, Direction, Operation
from alembic_roundtrip.migration.objects import Column, Name, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import ChangeCall, InsertStatements, SurroundStatement
from alembic_roundtrip.scaffold.edits import column_call
from alembic_roundtrip.scaffold.patterns import _pattern
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, place_of
from alembic_roundtrip.scaffold.sql import quoted, sql_table

# They put the type's own zero or empty text into the rows that are there.
_ZEROS = {
    **dict.fromkeys(("string", "text"), '""'),
    **dict.fromkeys(("integer", "bigint", "smallint", "numeric", "float"), '"0"'),
    "boolean": "sa.false()",
}


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """Backfills in a downgrade, and columns that demand a value of rows there are."""
    for found in tightenings(context):
        fix = backfill(context, found) if found.operation in at else None
        if fix is not None:
            yield Pattern("required", found.operation.range, fix)
    migration = context.migration
    directions = [migration.downgrade]
    if _pattern.may_change_upgrade(context):
        directions.append(migration.upgrade)
    for direction in directions:
        if direction is not None and direction.kind is Body.CODE:
            yield from _added(context, direction, at)


def backfill(context: Context, found: Tightening) -> Fix | None:
    """NULLs written since get the default that the column has; None where it has none."""
    change, downgrade = found.change, context.written_downgrade
    if downgrade is None or not isinstance(change, c.AlterColumn) or found.operation.guards:
        return None
    nullable = option(change.options, "nullable")
    table = context.before.table(found.table)
    column = table.column(change.column) if table else None
    default = column.server_default if column else None
    if nullable is None or nullable.value is not False or default is None:
        return None
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        name = quoted(change.column, context.dialects)
        target = sql_table(found.table, context.dialects)
        sql = f"UPDATE {target} SET {name} = {_pattern.sql_default(default)} WHERE {name} IS NULL"  # noqa: S608 - names only
        render.need_operations()
        statement = render.executed(sql)
        place, imports = place_of(downgrade, found.operation), tuple(render.imports)
        insert = InsertStatements("downgrade", place, (statement,), imports)
        title = f"Fill {found.rows} with the default first"
        told = "rows that were written since the upgrade get the column's default"
        return Fix(title, (insert,), "unsafe", description=told)
    return None


def _added(context: Context, direction: Direction, at: At) -> Iterator[Pattern]:
    """Columns that a direction adds NOT NULL to a table that may have rows."""
    if context.dialects and MYSQL.issuperset(context.dialects):
        return
    for operation in _pattern.single(direction.operations, c.AddColumn):
        change = operation.changes[0]
        assert isinstance(change, c.AddColumn)
        asked = operation in at and _demands(context, change)
        fix = _filled(context, direction, operation, change) if asked else None
        if fix is not None:
            yield Pattern("required", operation.range, fix)


def _demands(context: Context, change: c.AddColumn) -> bool:
    column = change.column
    bare = column.nullable is False and column.server_default is None and not column.fills_itself
    older = change.table in context.before.tables
    return older and bare and not option(column.options, "primary_key") and not change.constraints


def _filled(
    context: Context, direction: Direction, operation: Operation, change: c.AddColumn
) -> Fix | None:
    """A default for the rows there are, which goes again when they have it."""
    migration, column = context.migration, change.column
    place = column_call(migration, operation, column.name)
    known = read_type(column.type.text) if column.type is not None else None
    zero = _ZEROS.get(known.family) if known is not None else None
    if zero is None or place is None:
        return None
    render = Renderer(migration)
    with suppress(NotKnownError):
        render.need("import sqlalchemy as sa")
        render.need_operations()
        after = _without_default(change.table, column, render, context.dialects)
        value = render.text(zero.strip('"')) if zero.startswith('"') else zero
        given = ChangeCall(place.range, arguments=(("server_default", value),))
        statement = direction.statements[place_of(direction, operation)]
        following = SurroundStatement(statement, after=(after,), imports=tuple(render.imports))
        title = f"Add `{change.table}.{column.name}` with {value} for the rows there are"
        told = "a default that is there only while the column is added"
        return Fix(title, (given, following), "unsafe", description=told)
    return None


def _without_default(
    table: Name, column: Column, render: Renderer, dialects: tuple[str, ...]
) -> str:
    batch = "sqlite" in dialects
    parts = [] if batch else [render.text(table.name)]
    parts.append(render.text(column.name))
    parts += [*_pattern.existing(column, render, dialects), "server_default=None"]
    if not batch:
        return call("op.alter_column", [*parts, *render.schema(table)])
    said = [render.text(table.name), *render.schema(table)]
    inner = call("batch_op.alter_column", parts).replace("\n", "\n    ")
    return f"{call('with op.batch_alter_table', said)} as batch_op:\n    {inner}"
