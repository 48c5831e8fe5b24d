"""The last rehearsal's downgrade did not bring the schema back.

## Why it matters
After the rollback the database is neither what the old code knows nor what the new one knows. What
lies around is in the way of the next upgrade; what is missing, the old code misses.

## What to do
Make the downgrade restore the object as it was: what was expected and what was found is in the
message. Where another rule says already from the code that this object is not restored, this one is
silent; differences of no consequence, such as the order of columns, are left to the report.
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

rule = Rule(__name__, severity="error", measured=True, stage=1)

_OF_ALL = frozenset({"missing-downgrade", "empty-downgrade", "ineffective-downgrade"})
_OF_ONE = ("-not-dropped", "-not-restored", "-not-reversed", "-not-removable")
_OF_ONE_TOO = frozenset({"leftover-enum-type", "unrelated-drop", "wrong-schema", "unknown-object"})


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Measured residue of the schema that no other rule has announced, one finding an object."""
    if context.evidence is None:
        return
    for residue, place in measured_residue(context):
        if residue.kind != "rows" and not _announced(residue, context):
            message = f"{residue_line(residue)} ({conditions(context.evidence)})"
            yield Finding(place, message)


def _announced(residue: Residue, context: Context) -> bool:
    name, about = found_with(context, residue.object)
    if any(found.rule in _OF_ALL for found in about):
        return True
    names = {f"`{name}`", f"`{name.rpartition('.')[2]}`"}
    return any(
        any(name in found.message for name in names)
        for found in about
        if found.rule.endswith(_OF_ONE) or found.rule in _OF_ONE_TOO
    )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('nick', sa.Text()))\n"
)


def _measured(*residue: Residue) -> RevisionEvidence:
    verdict = Verdict.RESIDUE if residue else Verdict.LOSSLESS
    version = "3.45"
    return RevisionEvidence(
        "under_test", None, verdict, 0.1, residue=residue, database_version=version, rows=100
    )


_VIEW = Residue("view", "😋", "changed", "SELECT id FROM users", "SELECT nick FROM users")
_TABLE = Residue("table", "teams", "left", None, "(id)")

rule.example(
    "A view that is made by code that cannot be read",
    """
    def upgrade():
        op.execute(sql_of("😋"))


    def downgrade():
        ^^^^^^^^^ `downgrade()` restores view `😋` differently: SELECT id FROM users → SELECT nick FROM users (SQLite 3.45, 100 made-up rows a table)
        op.execute(sql_of("old 😋"))
    """,
    history=(_USERS,),
    evidence=_measured(_VIEW),
)
rule.example(
    "What is seen in the code already is not said twice",
    """
    def upgrade():
        op.create_table("teams", sa.Column("id", sa.Integer()))
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
    evidence=_measured(_TABLE),
)
rule.example(
    "Measured clean",
    """
    def upgrade():
        op.execute(sql_of("😋"))


    def downgrade():
        op.execute(sql_of("old 😋"))
    """,
    history=(_USERS,),
    evidence=_measured(),
)
