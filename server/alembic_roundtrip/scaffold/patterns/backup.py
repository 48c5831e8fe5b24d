"""Backup column: values that an upgrade overwrites or narrows are kept beside, and put back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

from alembic_roundtrip.comparison.casting import fits_or_fails, narrowing
from alembic_roundtrip.comparison.typechanges import TypeChange, type_changes
from alembic_roundtrip.comparison.writes import Write, settled_columns, writes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.mentions import is_on
from alembic_roundtrip.migration.model import Body, GuardKind, Operation
from alembic_roundtrip.migration.objects import Column, Name, Table, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.scaffold.patterns import _pattern
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, place_of
from alembic_roundtrip.scaffold.sql import quoted, sql_table

_DESCRIPTION = "the downgrade puts them back, and what was written into them since goes"


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """A backup for each UPDATE of older columns and each type that holds less."""
    for write in writes(context, "upgrade", "update"):
        fix = of_update(context, write) if write.operation in at else None
        if fix is not None:
            yield Pattern("backup", write.operation.range, fix)
    for change in type_changes(context, "upgrade"):
        fix = of_type_change(context, change) if change.operation in at else None
        if fix is not None:
            yield Pattern("backup", change.operation.range, fix)


def of_update(context: Context, write: Write) -> Fix | None:
    """The backup of what an UPDATE overwrites; None where it cannot be put back for sure."""
    old = settled_columns(context, write.table)
    table = context.before.table(write.table)
    columns = [c for name in write.columns if name in old and table and (c := table.column(name))]
    types = {column.name: column.type for column in columns}
    looped = all(guard.kind is GuardKind.LOOP for guard in write.operation.guards)
    if table is None or not columns or not looped:
        return None
    end = len(context.migration.downgrade.statements) if context.migration.downgrade else 0
    return _fix(context, write.operation, table, columns, types, end)


def of_type_change(context: Context, change: TypeChange) -> Fix | None:
    """The backup of what a narrower type cuts, where the downgrade gives the old type back."""
    altered, downgrade = change.change, context.written_downgrade
    table = context.before.table(altered.table)
    column = table.column(altered.column) if table else None
    types = (change.before, change.after)
    if not narrowing(*types) or fits_or_fails(*types) or change.dialect == "sqlite":
        return None
    if table is None or column is None or downgrade is None or change.operation.guards:
        return None
    back = [
        operation
        for operation in _pattern.single(downgrade.operations, c.AlterColumn)
        if _gives_back(operation.changes[0], altered)
    ]
    if len(back) != 1 or option(altered.options, "new_column_name") is not None:
        return None
    place = place_of(downgrade, back[0]) + 1
    return _fix(context, change.operation, table, [column], {column.name: change.before}, place)


def _gives_back(change: c.Change, altered: c.AlterColumn) -> bool:
    return (
        isinstance(change, c.AlterColumn)
        and (change.table, change.column) == (altered.table, altered.column)
        and option(change.options, "type_") is not None
    )


def _fix(
    context: Context,
    operation: Operation,
    table: Table,
    columns: list[Column],
    types: Mapping[str, Expression | None],
    place: int,
) -> Fix | None:
    migration = context.migration
    upgrade, downgrade = migration.upgrade, migration.downgrade
    if upgrade is None or (downgrade is not None and downgrade.kind is Body.RAISES):
        return None
    if not _pattern.may_change_upgrade(context):
        return None
    if _pattern.writes_to(context.downgrade_operations, table.name):
        return None
    if any(_is_key(table, column.name) for column in columns):
        return None
    render = Renderer(migration)
    with suppress(NotKnownError):
        backup = _Backup(render, table.name, columns, types, context.dialects)
        there, back = backup.there(table), backup.back()
        render.need_operations()
        imports = tuple(render.imports)
        rewrites = (
            InsertStatements("upgrade", place_of(upgrade, operation), there, imports),
            InsertStatements("downgrade", place, back, imports),
        )
        subject = ", ".join(f"`{table.name}.{column.name}`" for column in columns)
        title = f"Keep the old values of {subject} in a column of their own"
        return Fix(title, rewrites, "unsafe", description=_DESCRIPTION)
    return None


def _is_key(table: Table, column: str) -> bool:
    """Whether rows are told apart by a column: an old value may be another row's by then."""
    keys = [p.columns for p in table.constraints if p.kind in {"primary", "unique"}]
    unique = any(index.unique and is_on(index, column, ()) for index in table.indexes)
    return unique or any(column in key for key in keys)


class _Backup:
    """Writes the columns beside some columns of a table, their filling, and the way back."""

    def __init__(
        self,
        render: Renderer,
        table: Name,
        columns: list[Column],
        types: Mapping[str, Expression | None],
        dialects: tuple[str, ...],
    ) -> None:
        self._render = render
        self._table = table
        self._columns = columns
        self._types = types
        self._dialects = dialects
        render.need("import sqlalchemy as sa")

    def there(self, table: Table) -> tuple[str, ...]:
        """Statements before the values change."""
        added, filled = [], []
        for column in self._columns:
            kept, mark = self._names(column)
            taken = {mark, kept} & {each.name for each in table.columns}
            type_ = self._types[column.name]
            if type_ is None or taken:
                raise NotKnownError(f"the type of `{column.name}`")
            added.append(self._added(kept, self._render.expression(type_)))
            filled.append(f"{self._sql(kept)} = {self._sql(column.name)}")
            if mark is not None:
                said = "sa.Boolean(), server_default=sa.false(), nullable=False"
                added.append(self._added(mark, said))
                filled.append(f"{self._sql(mark)} = true")
        return (*added, self._executed(f"SET {', '.join(filled)}"))

    def back(self) -> tuple[str, ...]:
        """Statements that put the values back, once the column can hold them."""
        restored, dropped = [], []
        for column in self._columns:
            kept, mark = self._names(column)
            where = self._sql(mark) if mark else f"{self._sql(kept)} IS NOT NULL"
            setting = f"SET {self._sql(column.name)} = {self._sql(kept)} WHERE {where}"
            restored.append(self._executed(setting))
            dropped += [self._dropped(name) for name in (mark, kept) if name is not None]
        return (*restored, *dropped)

    @staticmethod
    def _names(column: Column) -> tuple[str, str | None]:
        """Of the backup, and of the mark that tells old NULLs from rows written since."""
        name = column.name
        return f"{name}_backup", None if column.nullable is False else f"{name}_backed_up"

    def _sql(self, name: str) -> str:
        return quoted(name, self._dialects)

    def _executed(self, setting: str) -> str:
        sql = f"UPDATE {sql_table(self._table, self._dialects)} {setting}"
        return self._render.executed(sql)

    def _added(self, name: str, definition: str) -> str:
        column = f"sa.Column({self._render.text(name)}, {definition})"
        parts = [self._render.text(self._table.name), column, *self._render.schema(self._table)]
        return call("op.add_column", parts)

    def _dropped(self, name: str) -> str:
        parts = [self._render.text(self._table.name), self._render.text(name)]
        return call("op.drop_column", [*parts, *self._render.schema(self._table)])
