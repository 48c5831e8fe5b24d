"""The history has no way back: nearly all downgrades are missing, refuse or do nothing.

## Why it matters
Some projects decide never to roll a schema back. Then it is no news in each file; but everyone on
call has to know that a rollback of the application leaves the schema where it is.

## What to do
Nothing, where that is the policy: this is said once, at the head. Otherwise write the downgrades,
the newest first; the rules for single downgrades come back as soon as a fifth of them do something.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Said at the head of a history without downgrades."""
    revision = context.migration.revision
    if context.upgrade_only and context.recent and revision is not None:
        count = len(context.history.by_id)
        yield Finding(
            revision.range,
            f"this history of {count} revisions has no way back: nearly all downgrades are "
            "missing, refuse or do nothing",
        )


_STEP = "def upgrade():\n    op.add_column('users', sa.Column('😋', sa.Text()))\n"
_BACK = _STEP + "\n\ndef downgrade():\n    op.drop_column('users', '😋')\n"
_QUIET = _STEP + '\n\ndef downgrade() -> None:\n    """Never."""\n    # nothing\n    pass\n'

rule.example(
    "Nobody ever wrote one",
    """
    revision = "under_test"  # 😋
               ^^^^^^^^^^^^ this history of 6 revisions has no way back: nearly all downgrades are missing, refuse or do nothing
    down_revision = "revision4"


    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(_STEP, _STEP, _QUIET, _STEP, _STEP),
)
rule.example(
    "Two of six go back",
    """
    revision = "under_test"
    down_revision = "revision4"


    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(_STEP, _BACK, _STEP, _BACK, _STEP),
)
rule.example(
    "Too few to speak of a policy",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(_STEP,),
)
