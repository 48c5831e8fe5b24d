"""After the last rehearsal's downgrade, `upgrade()` failed.

## Why it matters
A rollback is followed by a repaired deployment. This one cannot be deployed again until somebody
has cleaned up by hand what the downgrade left.

## What to do
Make the downgrade take away all that the upgrade makes; what lies in the way is in the message.
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
    """The failure of the second upgrade, at the operation that failed."""
    for found in measured_failure(context, "upgrade again"):
        yield Finding(found.range, found.message)


_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade", 0.1),
        Step("downgrade", 0.1),
        Step("upgrade again", 0.1, StepError("ProgrammingError", 'type "mood" already exists')),
    ),
    reason='`upgrade()` fails after the downgrade: ProgrammingError: type "mood" already exists',
    database_version="3.45",
    rows=100,
)

rule.example(
    "A type that stays",
    """
    def upgrade():
        ^^^^^^^ `upgrade()` fails after the downgrade: ProgrammingError: type "mood" already exists (SQLite 3.45, 100 made-up rows a table)
        op.execute("CREATE TYPE mood AS ENUM ('😋')")


    def downgrade():
        pass
    """,
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.execute("CREATE TYPE mood AS ENUM ('😋')")


    def downgrade():
        pass
    """,
)
