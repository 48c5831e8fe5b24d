"""PostgreSQL does not cast a column to this type by itself: it needs `postgresql_using`.

## Why it matters
The operation fails, also on an empty table: "column cannot be cast automatically to type …".

## What to do
Give the expression: `postgresql_using="nick::integer"`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.casting import casts_itself
from alembic_roundtrip.comparison.typechanges import TypeChange, type_changes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.alteration import cast, type_name
from alembic_roundtrip.scaffold.edits import changed_call, has_own_call

rule = Rule(__name__, severity="error", upgrade=(c.AlterColumn,), downgrade=(c.AlterColumn,))

_FROM_BOOLEAN = frozenset({"integer", "string", "text", "unicode", "unicodetext", "varchar"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Type changes without USING between types that have no assignment cast."""
    for direction in ("upgrade", "downgrade"):
        for change in type_changes(context, direction):
            if change.dialect != "postgresql" or change.using:
                continue
            if casts_itself(change.before, change.after) is False:
                yield Finding(
                    change.operation.range,
                    f"PostgreSQL does not cast {change.before.text} to {change.after.text} "
                    "without `postgresql_using`",
                    partial(_fixes, context.migration, change),
                )


def _fixes(migration: Migration, found: TypeChange) -> tuple[Fix, ...]:
    """The cast that PostgreSQL makes when it is told to; of numbers only integers make booleans."""
    kinds = {type_name(found.before), type_name(found.after)}
    refused = "boolean" in kinds and not kinds & _FROM_BOOLEAN
    sql = None if refused else cast(found.change.column, found.after)
    operation = found.operation
    if sql is None or operation.name != "alter_column" or not has_own_call(migration, operation):
        return ()
    given = {"postgresql_using": Renderer(migration).text(sql)}
    return (Fix(f"Cast it with `{sql}`", (changed_call(operation, given),), "unsafe"),)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Back to a number",
    """
    def upgrade():
        op.alter_column("teams", "id", type_=sa.String(20), comment="😋")


    def downgrade():
        op.alter_column("teams", "id", type_=sa.Integer(), comment="")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ PostgreSQL does not cast sa.String(20) to sa.Integer() without `postgresql_using`
    """,
    history=(_USERS,),
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.alter_column("teams", "id", type_=sa.String(20), comment="😋")


    def downgrade():
        op.alter_column("teams", "id", type_=sa.Integer(), comment="", postgresql_using="id::integer")
    """,
)
rule.example(
    "No cast leads from this number to a truth value",
    """
    def upgrade():
        op.alter_column("teams", "id", type_=sa.BigInteger())


    def downgrade():
        op.alter_column("teams", "id", type_=sa.Boolean())
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ PostgreSQL does not cast sa.BigInteger() to sa.Boolean() without `postgresql_using`
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "With the expression",
    """
    def upgrade():
        op.alter_column("teams", "id", type_=sa.String(20))


    def downgrade():
        op.alter_column("teams", "id", type_=sa.Integer(), postgresql_using="id::integer")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Numbers among themselves",
    """
    def upgrade():
        op.alter_column("teams", "id", type_=sa.BigInteger())


    def downgrade():
        op.alter_column("teams", "id", type_=sa.Integer())
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
