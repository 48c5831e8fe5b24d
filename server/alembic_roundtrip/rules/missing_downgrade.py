"""The migration has no `downgrade()` function.

## Why it matters
`alembic downgrade` through this revision stops with an `AttributeError`, and everything older
cannot be reached any more either.

## What to do
Write the function; the fix proposes it from the upgrade. Where there is no way back, let it `raise`
with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import written_downgrade

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """An upgrade without a downgrade beside it."""
    migration = context.migration
    if migration.upgrade is None or migration.downgrade is not None or context.upgrade_only:
        return
    if migration.imported_downgrade or migration.problems or not migration.id:
        return
    yield Finding(
        migration.upgrade.header,
        "the migration has no downgrade(): a rollback stops here with an error",
        partial(written_downgrade, context),
    )


rule.example(
    "Only an upgrade",
    """
    def upgrade():
        ^^^^^^^ the migration has no downgrade(): a rollback stops here with an error
        op.create_table("😋", sa.Column("id", sa.Integer(), primary_key=True))
    """,
    fixed="""
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.drop_table("😋")
    """,
)
rule.example(
    "A downgrade that comes from elsewhere",
    """
    from shared.downgrades import downgrade


    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
    """,
)
rule.example(
    "A helper module beside the migrations",
    """
    revision = ""


    def upgrade_text(text):
        return text
    """,
)
rule.example(
    "A downgrade that is assigned",
    """
    from shared import migrations

    downgrade = migrations.nothing


    def upgrade():
        op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
    """,
)
rule.example(
    "The script that runs migrations",
    """
    from alembic import context


    def upgrade():  # 😋
        context.run_migrations()
    """,
    file="migrations/env.py",
)
