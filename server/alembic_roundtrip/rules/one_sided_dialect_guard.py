"""The upgrade makes something on some databases only, and the downgrade drops it on all.

## Why it matters
On the other databases the downgrade fails: there is nothing to drop.

## What to do
Put the same condition around both.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.guards import one_sided
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Related
from alembic_roundtrip.migration.model import GuardKind
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Drops on every database of what only some databases have."""
    if len(context.dialects) == 1:
        return
    for key, made, dropped in one_sided(context, GuardKind.DIALECT):
        related = Related(context.migration.path, made.range, "made on some databases only")
        yield Finding(
            dropped.range,
            f"drops the {key.kind} `{key}` on databases where upgrade() does not make it",
            related=(related,),
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "The drop is for all",
    """
    def upgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.create_index("😋", "users", ["nick"])


    def downgrade():
        op.drop_index("😋", table_name="users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ drops the index `users.😋` on databases where upgrade() does not make it
    """,
    history=(_USERS,),
)
rule.example(
    "The same condition",
    """
    def upgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.create_index("ix", "users", ["nick"])


    def downgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.drop_index("ix", table_name="users")
    """,
    history=(_USERS,),
)
rule.example(
    "A project for that database only",
    """
    def upgrade():
        if op.get_bind().dialect.name == "postgresql":
            op.create_index("ix", "users", ["nick"])


    def downgrade():
        op.drop_index("ix", table_name="users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
