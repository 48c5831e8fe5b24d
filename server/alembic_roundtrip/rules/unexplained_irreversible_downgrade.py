"""The downgrade refuses and does not say why.

## Why it matters
Whoever rolls back at night meets a bare exception and cannot tell a decision from a forgotten task.

## What to do
Give the exception a message: what is lost or impossible, and what to do instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.losses import documentation, explains
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.rule import Finding, Rule, Severity

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A downgrade that only raises, without a message, comment or docstring about it."""
    downgrade = context.migration.downgrade
    if downgrade is None or downgrade.kind is not Body.RAISES or context.upgrade_only:
        return
    if downgrade.message or downgrade.docstring or explains(documentation(context.migration)):
        return
    severity: Severity | None = None if context.recent else "hint"
    yield Finding(downgrade.body, "the downgrade refuses without a reason", severity=severity)


rule.example(
    "A bare exception",
    """
    def upgrade():
        op.drop_table("😋")


    def downgrade():
        raise NotImplementedError
        ^^^^^^^^^^^^^^^^^^^^^^^^^ the downgrade refuses without a reason
    """,
)
rule.example(
    "With its reason",
    """
    def upgrade():
        op.drop_table("events")


    def downgrade():
        raise NotImplementedError("the events are gone")
    """,
)
