"""The last rehearsal's `upgrade()` failed.

## Why it matters
What cannot be applied cannot be rolled back either. Where the database has no transactional DDL, a
failing upgrade leaves a state that neither direction knows.

## What to do
Read the database's message: it was made by the project's own `env.py` on an empty scratch database,
or with made-up rows in it, as the message says.
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
    """The failure of the first upgrade, at the operation that failed."""
    for found in measured_failure(context, "upgrade"):
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
    steps=(Step("upgrade", 0.1, StepError("OperationalError", "duplicate column name: 😋")),),
    reason="`upgrade()` fails: OperationalError: duplicate column name: 😋",
    database_version="3.45",
    rows=100,
)

rule.example(
    "A column added twice",
    """
    def upgrade():
        ^^^^^^^ `upgrade()` fails: OperationalError: duplicate column name: 😋 (SQLite 3.45, 100 made-up rows a table)
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
    history=(_USERS,),
    evidence=_FAILED,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
    history=(_USERS,),
)
