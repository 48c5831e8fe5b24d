"""The last rehearsal was ended because it took too long.

## Why it matters
A downgrade that waits for a lock, for input or for ever is no rollback; one that is only slow keeps
an outage going.

## What to do
Look at the line it was at. A migration that needs longer gets it by the setting `timeout`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import OVERDUE, RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.measurements import measured_failure
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """A step that did not come to its end in time, at the line it was at."""
    for found in measured_failure(context, "time"):
        yield Finding(found.range, found.message)


_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade", 0.1),
        Step(
            "downgrade",
            0.0,
            StepError(OVERDUE, "did not finish within 60 s; it was at line 12 of under_test.py"),
        ),
    ),
    reason="`downgrade()` did not finish within 60 s; it was at line 12 of under_test.py",
    database_version="3.45",
    rows=100,
)

rule.example(
    "A loop without an end",
    """
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer()))


    def downgrade():
        ^^^^^^^^^ `downgrade()` did not finish within 60 s; it was at line 12 of under_test.py (SQLite 3.45, 100 made-up rows a table)
        while True:
            op.get_bind()
    """,
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer()))


    def downgrade():
        while True:
            op.get_bind()
    """,
)
