"""The last rehearsal's downgrade left rows that were not there before the upgrade.

## Why it matters
The next upgrade writes them again: twice the same settings, or a UNIQUE constraint that refuses.

## What to do
Let the downgrade delete by key what the upgrade inserts.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import Residue, RevisionEvidence, Verdict
from alembic_roundtrip.measurements import (
    conditions,
    found_with,
    measured_residue,
    residue_line,
)
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", measured=True, stage=1)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Rows that were left, unless `rows-not-removed` has announced them or nothing is undone."""
    announced = {"rows-not-removed", "missing-downgrade", "empty-downgrade"}
    if context.evidence is None:
        return
    for residue, place in measured_residue(context):
        _, about = found_with(context, residue.object)
        if residue.kind == "rows" and not any(found.rule in announced for found in about):
            message = f"{residue_line(residue)} ({conditions(context.evidence)})"
            yield Finding(place, message)


_KINDS = "def upgrade():\n    op.create_table('kinds', sa.Column('id', sa.Integer(), primary_key=True))\n"
_LEFT = RevisionEvidence(
    "under_test",
    None,
    Verdict.RESIDUE,
    0.1,
    residue=(Residue("rows", "kinds", "left", None, "3 rows"),),
    database_version="3.45",
    rows=100,
)

rule.example(
    "Rows that a loop over computed values writes",
    """
    def upgrade():
        for number in kinds_of("😋"):
            op.execute(f"INSERT INTO kinds VALUES ({number})")


    def downgrade():
        print("😋"); op.execute("DELETE FROM kinds WHERE id = 1")
                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `downgrade()` leaves rows `kinds` behind: 3 rows (SQLite 3.45, 100 made-up rows a table)
    """,
    history=(_KINDS,),
    evidence=_LEFT,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        for number in kinds_of("😋"):
            op.execute(f"INSERT INTO kinds VALUES ({number})")


    def downgrade():
        op.execute("DELETE FROM kinds WHERE id = 1")
    """,
    history=(_KINDS,),
)
