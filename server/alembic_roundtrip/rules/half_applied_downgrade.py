"""The last rehearsal's downgrade failed half-way, and nothing undoes what it had done by then.

## Why it matters
MariaDB and MySQL have no transaction around changes of the schema. After the failure the database is
at no revision: what the version table says is not what is there, so neither `upgrade` nor `downgrade`
works on, and somebody has to put it right by hand, in the middle of an outage.

## What to do
Mend what fails first. Where a step may fail on the data, put it, or a count of the rows in its way,
before everything else; or split the revision, so that each part is applied whole or not at all. The
message says what is done by then and what is not, for whoever has to clean up.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.evidence import RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.measurements import conditions
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """What a failing downgrade left half done, at its name."""
    evidence, downgrade = context.evidence, context.migration.downgrade
    if evidence is None or downgrade is None or evidence.half_done is None:
        return
    step = evidence.decisive_step()
    if step is not None and step.name.startswith("downgrade"):
        yield Finding(downgrade.header, f"{evidence.half_done} ({conditions(evidence)})")


_REASON = "`downgrade()` fails: OperationalError: Can't DROP INDEX `ix_😋`"
_HALF = (
    "`downgrade()` stops half-way, and nothing undoes what it did: column `users.😋` is gone; "
    "the version table still says `under_test`"
)
_FAILED = RevisionEvidence(
    "under_test",
    None,
    Verdict.FAILED,
    0.1,
    steps=(
        Step("upgrade", 0.1),
        Step("downgrade", 0.1, StepError("OperationalError", "Can't DROP INDEX `ix_😋`")),
    ),
    reason=_REASON,
    half_done=_HALF,
    database="mariadb",
    database_version="10.11",
    rows=100,
)
_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "An index that is not there, after a column has gone",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        ^^^^^^^^^ `downgrade()` stops half-way, and nothing undoes what it did: column `users.😋` is gone; the version table still says `under_test` (MariaDB 10.11, 100 made-up rows a table)
        op.drop_column("users", "😋")
        op.drop_index("ix_😋", "users")
    """,
    history=(_USERS,),
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
        op.drop_index("ix_😋", "users")
    """,
    history=(_USERS,),
)
