"""The column's server default stands in the way of its new type.

## Why it matters
PostgreSQL refuses the change: "default for column … cannot be cast automatically to type …".

## What to do
Drop the default, change the type, set the default again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.casting import casts_itself
from alembic_roundtrip.comparison.equivalence import read_type
from alembic_roundtrip.comparison.typechanges import TypeChange, type_changes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import AlterColumn
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import SurroundStatement
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import receiver, stands_alone

rule = Rule(__name__, severity="warning", upgrade=(c.AlterColumn,), downgrade=(c.AlterColumn,))

_NUMBERS = frozenset({"integer", "bigint", "smallint", "numeric"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Type changes of columns with a default that has no cast of its own."""
    for direction in ("upgrade", "downgrade"):
        for change in type_changes(context, direction):
            if change.dialect != "postgresql" or not change.using or change.default is None:
                continue
            if casts_itself(change.before, change.after) is False:
                yield Finding(
                    change.operation.range,
                    f"the default {change.default.text} of `{change.column}` cannot be cast: "
                    "drop it first",
                    partial(_fixes, context, direction, change),
                )


def _fixes(context: Context, direction: str, change: TypeChange) -> tuple[Fix, ...]:
    """The default dropped before the new type and set after it, where it is known what to."""
    operation, migration = change.operation, context.migration
    altered = operation.changes[0]
    if not isinstance(altered, AlterColumn) or not stands_alone(migration, operation):
        return ()
    default = _default_after(context, direction, change, altered)
    if default is None or option(altered.options, "new_column_name") is not None:
        return ()
    render = Renderer(migration)
    table = [] if operation.batch else [render.text(altered.table.name)]
    column = [*table, render.text(altered.column)]
    schema = [] if operation.batch else render.schema(altered.table)
    name = f"{receiver(migration, operation)}.alter_column"
    try:
        text = render.expression(default)
    except NotKnownError:
        return ()
    dropped = call(name, [*column, "server_default=None", *schema])
    again = call(name, [*column, f"server_default={text}", *schema])
    after = () if default.value is None else (again,)
    rewrite = SurroundStatement(operation.statement, (dropped,), after, tuple(render.imports))
    return (Fix("Drop the default first and set it again", (rewrite,), "unsafe"),)


def _default_after(
    context: Context, direction: str, change: TypeChange, altered: AlterColumn
) -> Expression | None:
    """The parent's default for a downgrade; for an upgrade the same, where the type may have it."""
    if direction == "upgrade":
        number = change.default is not None and re.fullmatch(r"-?\d+", change.default.string or "")
        after = read_type(change.after.text)
        return change.default if number and after and after.family in _NUMBERS else None
    table = context.before.table(altered.table)
    column = table.column(altered.column) if table else None
    return None if column is None else column.server_default or literal(None)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Text with a default",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.Integer(), postgresql_using="age::int", info="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the default '1' of `users.age` cannot be cast: drop it first


    def downgrade():
        op.alter_column("users", "age", type_=sa.Text())
    """,
    fixed="""
    def upgrade():
        op.alter_column("users", "age", server_default=None)
        op.alter_column("users", "age", type_=sa.Integer(), postgresql_using="age::int", info="😋")
        op.alter_column("users", "age", server_default='1')


    def downgrade():
        op.alter_column("users", "age", type_=sa.Text())
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Dropped first",
    """
    def upgrade():
        op.alter_column("users", "age", server_default=None)
        op.alter_column("users", "age", type_=sa.Integer(), postgresql_using="age::int")


    def downgrade():
        op.alter_column("users", "age", type_=sa.Text(), server_default="1")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "In the downgrade, with another default than before",
    """
    def upgrade():
        op.alter_column("users", "id", type_=sa.Text(), server_default="none", info="😋")


    def downgrade():
        op.alter_column("users", "id", type_=sa.Integer(), postgresql_using="id::int")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the default "none" of `users.id` cannot be cast: drop it first
    """,
    fixed="""
    def upgrade():
        op.alter_column("users", "id", type_=sa.Text(), server_default="none", info="😋")


    def downgrade():
        op.alter_column("users", "id", server_default=None)
        op.alter_column("users", "id", type_=sa.Integer(), postgresql_using="id::int")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
