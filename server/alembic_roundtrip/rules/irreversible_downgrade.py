"""The downgrade refuses: it raises instead of undoing the upgrade.

## Why it matters
A rollback stops at this revision. That is honest, and better than a downgrade that destroys data;
everyone who plans a rollback past it has to know.

## What to do
Nothing, where there really is no way back. Say the reason in the message of the exception.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A downgrade that only raises."""
    downgrade = context.migration.downgrade
    if downgrade is None or downgrade.kind is not Body.RAISES or context.upgrade_only:
        return
    reason = f": {downgrade.message}" if downgrade.message else ""
    yield Finding(downgrade.header, f"a rollback stops at this revision{reason}")


rule.example(
    "A declared end of the road",
    """
    def upgrade():
        op.drop_table("old_events")


    def downgrade():
        ^^^^^^^^^ a rollback stops at this revision: the 😋 events are gone
        raise NotImplementedError("the 😋 events are gone")
    """,
)
rule.example(
    "A guard on the data",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))


    def downgrade():
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM users WHERE nick <> ''")):
            raise RuntimeError("nicknames would be lost")
        op.drop_column("users", "nick")
    """,
)
