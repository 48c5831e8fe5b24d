"""A broad `except` lets every failure of an operation pass.

## Why it matters
Alembic notes the revision as done although nothing, or half of it, happened. On PostgreSQL the
transaction is broken from there on anyway.

## What to do
Ask for the one case that is meant (`sa.inspect`, `if_exists=True`), or catch that one exception.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Range

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """`except Exception` around operations, where nothing is raised again."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        for place in direction.swallowed if direction is not None else ():
            end = context.migration.source.line_range(place.start.line).end
            yield Finding(
                Range(place.start, min(end, place.end)),
                "every failure of these operations passes unseen",
                severity=None if context.recent else "hint",
            )


rule.example(
    "Everything is caught",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        try:
            op.drop_column("users", "😋")
        except Exception:
        ^^^^^^^^^^^^^^^^^ every failure of these operations passes unseen
            pass
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Suppressed",
    """
    from contextlib import suppress


    def upgrade():
        with suppress(Exception):
             ^^^^^^^^^^^^^^^^^^^ every failure of these operations passes unseen
            op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "One exception is meant",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        try:
            op.drop_column("users", "nick")
        except sa.exc.OperationalError:
            pass
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Raised again",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        try:
            op.drop_column("users", "nick")
        except Exception:
            print("failed")
            raise
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "A savepoint that is rolled back before the failure goes on",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        savepoint = op.get_bind().begin_nested()
        try:
            op.drop_column("users", "nick")
        except Exception:
            savepoint.rollback()
            raise
        savepoint.commit()
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
