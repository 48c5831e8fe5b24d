"""The downgrade refuses and does not say why.

## Why it matters
Whoever rolls back at night meets a bare exception and cannot tell a decision from a forgotten task.

## What to do
Give the exception a message: what is lost or impossible, and what to do instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.losses import predicted_losses
from alembic_roundtrip.migration.model import Body, Direction
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.migration.rewrite import AddWarning, Replace
from alembic_roundtrip.prose import documentation, explains
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="warning")

_NO_REASON = re.compile(r"#\s*(?:###|todo\b|fixme\b|xxx\b|noqa\b|pragma\b|type:|$)", re.IGNORECASE)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A downgrade that only raises, without a message, comment or docstring about it."""
    downgrade = context.migration.downgrade
    if downgrade is None or downgrade.kind is not Body.RAISES or context.upgrade_only:
        return
    said = downgrade.message or downgrade.docstring or _reason(context, downgrade)
    if said or explains(documentation(context.migration)):
        return
    severity: Severity | None = None if context.recent else "hint"
    message = "the downgrade refuses without a reason"
    yield Finding(downgrade.body, message, partial(_fixes, context, downgrade), severity=severity)


def _reason(context: Context, downgrade: Direction) -> bool:
    """Whether a comment stands above the exception, other than a template's or a task."""
    comment = context.migration.comment_at(downgrade.body)
    return any(not _NO_REASON.match(line) for line in comment.splitlines())


def _fixes(context: Context, downgrade: Direction) -> tuple[Fix, ...]:
    """What the upgrade destroys, as the message and in the docstring."""
    raised = re.fullmatch(
        r"(raise\s+[\w.]+)(?:\(\s*\))?", context.migration.source.slice(downgrade.body)
    )
    said = [loss.sentence for loss in predicted_losses(context) if loss.direction == "upgrade"]
    if raised is None or not said:
        return ()
    text = Renderer(context.migration).text(" ".join(said))
    rewrites = (Replace(downgrade.body, f"{raised[1]}({text})"), AddWarning(tuple(said)))
    return (Fix("Say what cannot be restored", rewrites),)


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
    "A dropped table",
    '''
    """Drop the 😋s."""
    import sqlalchemy as sa
    from alembic import op

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_table("😋s")


    def downgrade():
        raise NotImplementedError()
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the downgrade refuses without a reason
    ''',
    fixed='''
    """Drop the 😋s.

    WARNING: Downgrade will result in data loss. The rows of 😋s cannot be restored.
    """
    import sqlalchemy as sa
    from alembic import op

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        op.drop_table("😋s")


    def downgrade():
        raise NotImplementedError("The rows of 😋s cannot be restored.")
    ''',
    history=("def upgrade():\n    op.create_table('😋s', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "With its reason in a comment",
    """
    def upgrade():
        op.drop_constraint("ck_age", "users", type_="check")


    def downgrade():
        # Ages below zero exist by now.
        raise NotImplementedError
    """,
)
rule.example(
    "Only a task",
    """
    def upgrade():
        op.drop_constraint("ck_age", "users", type_="check")


    def downgrade():
        # TODO
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
