"""An operation destroys older data, and no comment at it says so.

## Why it matters
The docstring is read by whoever plans a rollback; the comment is read by whoever changes the code.

## What to do
Put a comment above the operation. Any wording counts; the fix writes `# DESTRUCTIVE: …`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.losses import DESTROYING, predicted_losses
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.migration.rewrite import AddComment
from alembic_roundtrip.prose import told_losses
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="hint", upgrade=DESTROYING, downgrade=DESTROYING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Destructive operations of a downgrade, or of an upgrade that has one, without a comment."""
    downgrade = context.migration.downgrade
    if context.upgrade_only or (downgrade is not None and downgrade.kind is Body.RAISES):
        return
    for loss in predicted_losses(context):
        if told_losses(context.migration.comment_at(loss.operation.statement), [loss.subject]):
            continue
        comment = AddComment(loss.operation.statement, f"DESTRUCTIVE: {loss.sentence}")
        yield Finding(
            loss.operation.range,
            f"this operation can lose the data in `{loss.subject}`, and no comment says so",
            (Fix("Mark this operation as destructive", (comment,)),),
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
)

rule.example(
    "A dropped column",
    """
    def upgrade():
        op.drop_column("users", "😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this operation can lose the data in `users.😋`, and no comment says so


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        # DESTRUCTIVE: The values of users.😋 cannot be restored.
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
)
rule.example(
    "A comment that says it",
    """
    def upgrade():
        # the texts are lost for good: data loss agreed with support
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "A column made in the same migration",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=(_USERS,),
)
