"""What SQLite forgets where batch mode makes a table anew, on the way up or down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Batch
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Table, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.sql import type_condition
from alembic_roundtrip.scaffold.step import Step
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.schema.recreation import is_recreated, reflected

_IN_PLACE = ("batch_op.create_index", "batch_op.drop_index", "batch_op.add_column")
_NOT_IN_PLACE = ("ForeignKey(", "server_default=sa.", "persisted=True")


@dataclass(frozen=True)
class Forgotten:
    """What reflection does not see of a table: CHECKs without a name, indexes on expressions.

    `by_upgrade` says that the upgrade makes the table anew, and so loses them already.
    """

    checks: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    by_upgrade: bool = False

    @classmethod
    def of(cls, batch: Batch, steps: Sequence[Step], render: Renderer) -> Forgotten:
        """Of the table of a batch block, by the block's steps; raises `NotKnownError`."""
        table, later = steps[0].before.table(batch.table), steps[-1].after.table(batch.table)
        if table is None or later is None:
            return cls()
        kept = {index.name for index in later.indexes}
        indexes = [
            line
            for index in table.indexes
            if index.name in kept
            for line in _made_again(index, render)
        ]
        checks = [
            _check(part, table, render)
            for part in table.constraints
            if part.kind == "check" and part.name is None
        ]
        operations = [*dict.fromkeys(step.operation for step in steps)]
        return cls(tuple(checks), tuple(indexes), is_recreated(batch, operations, "sqlite"))


NOTHING = Forgotten()


def _made_again(index: Index, render: Renderer) -> list[str]:
    """The statements that make an index what it was after SQLAlchemy has reflected it."""
    seen = reflected(index)
    if seen == index or index.name is None:
        return []
    made = render.create_index(index)
    if seen is None:
        return [made]
    name = [render.text(index.name), f"table_name={render.text(index.table.name)}"]
    return [call("op.drop_index", [*name, *render.schema(index.table)]), made]


def _check(part: Constraint, table: Table, render: Renderer) -> str:
    render.need("import sqlalchemy as sa")
    if part.arguments:
        conditions = [render.expression(argument) for argument in part.arguments]
    else:
        column = table.column(part.columns[0]) if part.columns else None
        if column is None:
            raise NotKnownError(f"a CHECK of `{table.name}`")
        conditions = [render.text(type_condition(part, column, ("sqlite",)))]
    return f"sa.CheckConstraint({', '.join([*conditions, *render.options(part.options)])})"


def copies(lines: Sequence[str], batch: Batch) -> bool:
    """Whether a batch block of these statements makes the table anew on SQLite."""
    asked = option(batch.options, "recreate")
    if asked is not None and asked.value in {"always", "never"}:
        return bool(asked.value == "always")
    calls = [line for line in lines if line.startswith("batch_op.")]
    return not all(
        line.startswith(_IN_PLACE) and not any(mark in line for mark in _NOT_IN_PLACE)
        for line in calls
    )


def copies_generated(step: Step) -> bool:
    """Whether undoing the step in its batch block copies a table with generated columns on SQLite.

    Alembic copies the values of all columns then, and these cannot be written.
    """
    batch = step.operation.batch
    table = step.after.table(batch.table) if batch is not None else None
    if table is None or isinstance(step.change, c.CreateIndex | c.DropIndex | c.DropColumn):
        return False
    return any(column.computed for column in table.columns)


def may_copy_generated(step: Step) -> bool:
    """Whether a table is not known whose plain new column can go without copying the table."""
    change = step.change
    if not isinstance(change, c.AddColumn) or change.constraints or change.column.arguments:
        return False
    return step.after.table(change.table) is None


def hides_behind_a_view(step: Step) -> bool:
    """Whether a plain new column is of a table that a view reads: SQLite does not exchange that."""
    change = step.change
    if not isinstance(change, c.AddColumn) or change.constraints or change.column.arguments:
        return False
    return _has_views(step.before, change.table)


def stands_behind_a_broken_view(step: Step) -> bool:
    """Whether a view is of a table that is gone: SQLite drops no column then, of any table."""
    gone = (name for name in step.after.gone if step.after.table(name) is None)
    return _has_views(step.after, *gone)


def _has_views(schema: Schema, *tables: Name) -> bool:
    return any(kind == "view" for kind, _ in schema.definitions_with(*tables))
