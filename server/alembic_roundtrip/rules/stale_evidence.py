"""The migration, or one before it, was edited since its last rehearsal.

## Why it matters
What was measured then may not hold any more, so nothing of it is shown as a problem.

## What to do
Rehearse the revision again: by the lens over `downgrade()`, or with `alembic-roundtrip test`.
Docstrings at the top of a migration and `# DESTRUCTIVE:` comments may be edited freely: they change
nothing that is measured.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="hint", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Evidence that is kept of another text than the present one."""
    migration = context.migration
    place = migration.downgrade or migration.upgrade
    if context.stale is not None and place is not None:
        verdict = context.stale.verdict.value
        message = f"was edited since its last rehearsal, which came to `{verdict}`"
        yield Finding(place.header, message)


_MEASURED = RevisionEvidence("under_test", None, Verdict.RESIDUE, 0.1)

rule.example(
    "An operation was added since",
    """
    def upgrade():
        op.execute("SELECT '😋'")


    def downgrade():
        ^^^^^^^^^ was edited since its last rehearsal, which came to `residue`
        op.execute("SELECT '😋'")
    """,
    evidence=_MEASURED,
    stale=True,
)
rule.example(
    "Rehearsed as it is",
    """
    def upgrade():
        op.execute("SELECT '😋'")


    def downgrade():
        op.execute("SELECT '😋'")
    """,
    evidence=_MEASURED,
)
