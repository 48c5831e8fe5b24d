"""The last rehearsal's `downgrade()` failed, on empty tables.

## Why it matters
The rollback never works, whatever is in the database. Whoever needs it learns so in the middle of
an outage.

## What to do
Read the database's message, mend the downgrade and rehearse again.
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
    """The failure of the downgrade on empty tables, at the operation that failed."""
    for found in measured_failure(context, "downgrade"):
        yield Finding(found.range, found.message)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.Text()))\n"
)
_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade", 0.1),
        Step("downgrade", 0.1, StepError("OperationalError", "no such index: ix_😋")),
    ),
    reason="`downgrade()` fails: OperationalError: no such index: ix_😋",
    database_version="3.45",
    rows=100,
)

rule.example(
    "An index that is not there",
    """
    def upgrade():
        op.create_index("ix_nick", "users", ["nick"])


    def downgrade():
        ^^^^^^^^^ `downgrade()` fails: OperationalError: no such index: ix_😋 (SQLite 3.45, 100 made-up rows a table)
        op.drop_index("ix_😋", "users")
    """,
    history=(_USERS,),
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.create_index("ix_nick", "users", ["nick"])


    def downgrade():
        op.drop_index("ix_😋", "users")
    """,
    history=(_USERS,),
)
