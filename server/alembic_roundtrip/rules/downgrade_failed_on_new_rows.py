"""The last rehearsal's `downgrade()` failed on rows that only the new schema allows.

## Why it matters
Right after the deployment the rollback works. Some hours later, when users have written what was not
allowed before, it does not.

## What to do
Let the downgrade count the rows in its way and refuse with their number, or decide what becomes of
them and say so in the docstring.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.measurements import measured_failure
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """The failure of the downgrade over rows that were written since the upgrade."""
    for found in measured_failure(context, "downgrade on new rows"):
        yield Finding(found.range, found.message)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('😋', sa.Text()))\n"
    "    op.create_index('ix_😋', 'users', ['😋'], unique=True)\n"
)
_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade with tame rows", 0.1),
        Step(
            "downgrade with tame rows",
            0.1,
            StepError("IntegrityError", "UNIQUE constraint failed: users.😋"),
        ),
        Step("upgrade with old tame rows only", 0.1),
        Step("downgrade with old tame rows only", 0.1),
    ),
    reason="`downgrade()` fails with made-up rows in the tables: IntegrityError: UNIQUE constraint failed: users.😋",
    database_version="3.45",
    rows=100,
)

rule.example(
    "Values written twice since",
    """
    def upgrade():
        op.drop_index("ix_😋", "users")


    def downgrade():
        ^^^^^^^^^ `downgrade()` fails with made-up rows in the tables: IntegrityError: UNIQUE constraint failed: users.😋 (SQLite 3.45, 100 made-up rows a table)
        op.create_index("ix_😋", "users", ["😋"], unique=True)
    """,
    history=(_USERS,),
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.drop_index("ix_😋", "users")


    def downgrade():
        op.create_index("ix_😋", "users", ["😋"], unique=True)
    """,
    history=(_USERS,),
)
