"""The last rehearsal's `downgrade()` worked on empty tables and failed with rows in them.

## Why it matters
It passes every test that migrates an empty database, and fails where it is needed: in production.

## What to do
Make the downgrade give the rows what the old schema demands: a server default, a backfill before the
constraint, a cast. Or let it count the rows in its way and refuse with their number.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.measurements import measured_failure
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """The failure of the downgrade over rows that were there before the upgrade."""
    for found in measured_failure(context, "downgrade with rows"):
        yield Finding(found.range, found.message)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('😋', sa.Text(), nullable=False))\n"
)
_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade", 0.1),
        Step("downgrade", 0.1),
        Step("upgrade with tame rows", 0.1),
        Step(
            "downgrade with tame rows",
            0.1,
            StepError("IntegrityError", "NOT NULL constraint failed: users.😋"),
        ),
    ),
    reason="`downgrade()` fails with made-up rows in the tables: IntegrityError: NOT NULL constraint failed: users.😋",
    database_version="3.45",
    rows=100,
)

rule.example(
    "A column that must not be NULL",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        ^^^^^^^^^ `downgrade()` fails with made-up rows in the tables: IntegrityError: NOT NULL constraint failed: users.😋 (SQLite 3.45, 100 made-up rows a table)
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))
    """,
    history=(_USERS,),
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))
    """,
    history=(_USERS,),
)
