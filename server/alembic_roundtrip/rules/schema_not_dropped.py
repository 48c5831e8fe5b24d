"""A schema that the upgrade creates stays after the downgrade.

## Why it matters
The next upgrade fails because the schema exists.

## What to do
Drop it in the downgrade, after what is in it: `op.execute("DROP SCHEMA …")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import MAKING, Leftover, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, inverse_of

rule = Rule(__name__, severity="warning", upgrade=MAKING["object"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Schemas that only this migration makes; one that may be there already is shared."""
    for leftover in leftovers(context, "schema"):
        if not leftover.operation.says("IF", "NOT", "EXISTS"):
            yield Finding(
                leftover.operation.range,
                f"nothing in downgrade() drops the schema `{leftover.key.table}`",
                partial(_fixes, context, leftover),
                at_downgrade(leftover, context),
            )


def _fixes(context: Context, leftover: Leftover) -> tuple[Fix, ...]:
    fix = inverse_of(context, leftover.operation)
    return () if fix is None else (fix,)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "It stays",
    """
    def upgrade():
        op.execute("CREATE SCHEMA audit")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the schema `audit`
        op.create_table("😋", sa.Column("id", sa.Integer()), schema="audit")


    def downgrade():
        op.drop_table("😋", schema="audit")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.execute("CREATE SCHEMA audit")
        op.create_table("😋", sa.Column("id", sa.Integer()), schema="audit")


    def downgrade():
        op.drop_table("😋", schema="audit")
        op.execute("DROP SCHEMA audit")
    """,
)
rule.example(
    "It may be shared",
    """
    def upgrade():
        op.execute("CREATE SCHEMA IF NOT EXISTS audit")
        op.create_table("log", sa.Column("id", sa.Integer()), schema="audit")


    def downgrade():
        op.drop_table("log", schema="audit")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "An extension",
    """
    def upgrade():
        op.execute("CREATE EXTENSION citext")
        op.create_table("log", sa.Column("id", sa.Integer()))


    def downgrade():
        op.drop_table("log")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
