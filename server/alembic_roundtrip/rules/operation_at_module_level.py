"""An operation is called when the file is loaded, outside of upgrade() and downgrade().

## Why it matters
Every Alembic command loads every file, `history` and `current` too: the call fails there, or runs
against a database that nobody wanted to migrate.

## What to do
Move it into the function that needs it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Calls on `op` at module level."""
    for use in context.migration.module_uses:
        yield Finding(use.range, f"`{use.name}` runs whenever the file is loaded")


rule.example(
    "A connection for later",
    """
    bind = op.get_bind()  # 😋
           ^^^^^^^^^^^^^ `op.get_bind` runs whenever the file is loaded


    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "A name",
    """
    index = op.f("ix_users_nick")


    def upgrade():
        op.create_index(index, "users", ["id"])


    def downgrade():
        op.drop_index(index, table_name="users")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
