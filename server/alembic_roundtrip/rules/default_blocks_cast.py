"""The column's server default stands in the way of its new type.

## Why it matters
PostgreSQL refuses the change: "default for column … cannot be cast automatically to type …".

## What to do
Drop the default, change the type, set the default again.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.equivalence import casts_itself
from alembic_roundtrip.comparison.typechanges import type_changes
from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="warning")


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
                )


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
