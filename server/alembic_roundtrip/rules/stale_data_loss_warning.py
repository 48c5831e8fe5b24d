"""The docstring's WARNING and what the last rehearsal lost do not agree.

## Why it matters
A warning that leaves out a loss is trusted where it should not be; one that names what is kept makes
people afraid of a rollback that would have been safe.

## What to do
Name what is lost, as `table.column`, and nothing else. The fix adds what is missing, and corrects
the numbers that an earlier rehearsal gave. What is named and was not lost may be an oversight of the
made-up rows: a sentence that a fix has written can be taken out, and the rest is yours to judge.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.evidence import Loss, Note, RevisionEvidence, Verdict
from alembic_roundtrip.measurements import MeasuredLoss, measured_losses, subject_of
from alembic_roundtrip.migration.docstring import warning_paragraph
from alembic_roundtrip.migration.rewrite import AddWarning, CorrectWarning
from alembic_roundtrip.prose import documentation
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import first_line

rule = Rule(__name__, severity="hint", measured=True)

_COMPARABLE = (Verdict.LOSSLESS, Verdict.LOSSY, Verdict.RESIDUE)
_STEPS = ("upgrade", "round trip")
_MUCH = 0.1
"""By how much the share of lost values may differ: rows are made up, and not always as many."""
_WRITTEN = re.compile(
    r"(?P<sentence>The (?P<kind>values|rows) of (?P<subject>\S+) "
    r"(?:that the upgrade (?:overwrote|deleted) )?(?:cannot be restored|are lost)"
    r"(?: \(in a rehearsal (?P<lost>\d+) of (?P<rows>\d+)\))?\.)"
)
_COLUMN = re.compile(r"\b\w+\.\w+(?:\.\w+)?\b")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Losses that the WARNING leaves out, and columns that it names though nothing of them went."""
    evidence, docstring = context.evidence, context.migration.docstring
    warning = warning_paragraph(docstring.text) if docstring else None
    if evidence is None or docstring is None or warning is None or not evidence.rows:
        return
    if evidence.verdict not in _COMPARABLE:
        return
    place = first_line(context.migration)
    for found in _left_out(context):
        fix = Fix("Add the measured loss to the docstring", (AddWarning((found.sentence,)),))
        message = f"the WARNING does not name `{subject_of(found.loss)}`: {found.message}"
        yield Finding(place, message, (fix,))
    for said, found in _outdated(context, warning):
        correction = CorrectWarning(said["sentence"], found.sentence)
        fix = Fix("Correct the numbers in the docstring", (correction,))
        message = f"the WARNING says {said['lost']} of {said['rows']}: {found.message}"
        yield Finding(place, message, (fix,))
    for name in _kept(context, evidence, warning):
        message = f"the WARNING names `{name}`, but the last rehearsal lost nothing of it"
        yield Finding(place, message, tuple(_removals(name, warning)))


def _outdated(context: Context, warning: str) -> Iterator[tuple[re.Match[str], MeasuredLoss]]:
    """Numbers that another rehearsal gave, and that were far from the last one's."""
    measured = [found for step in _STEPS for found in measured_losses(context, step)]
    for said in _WRITTEN.finditer(warning):
        if said["rows"] is None:
            continue
        same = [found for found in measured if subject_of(found.loss) == said["subject"]]
        share = int(said["lost"]) / max(1, int(said["rows"]))
        now = [found.loss.lost / max(1, found.loss.rows) for found in same]
        if same and all(abs(share - each) >= _MUCH for each in now):
            yield said, same[-1]


def _removals(name: str, warning: str) -> Iterator[Fix]:
    """A sentence that a fix has written goes as it came; that takes nobody's own words away."""
    for said in _WRITTEN.finditer(warning):
        if said["subject"] == name:
            title = f"Take `{name}` out of the WARNING"
            told = "the next reader is not warned of it"
            yield Fix(title, (CorrectWarning(said["sentence"]),), "unsafe", description=told)


def _left_out(context: Context) -> Iterator[MeasuredLoss]:
    said = documentation(context.migration)
    for step in _STEPS:
        for found in measured_losses(context, step):
            if not _named(found.loss, said):
                yield found


def _named(loss: Loss, said: str) -> bool:
    """Whether prose names a column, or its table as a whole."""
    whole = rf"\b{re.escape(loss.table)}\b(?!\.\w)"
    column = rf"\b{re.escape(loss.column)}\b" if loss.column else whole
    return re.search(f"{whole}|{column}", said) is not None


def _kept(context: Context, evidence: RevisionEvidence, warning: str) -> Iterator[str]:
    """Columns of tables with rows that the warning names, and whole tables, that lost nothing."""
    lost = {subject_of(loss) for loss in evidence.losses}
    touched = {loss.table for loss in evidence.losses}
    emptied = {loss.table for loss in evidence.losses if loss.column is None}
    unmeasured = {note.table for note in evidence.notes if note.kind == "unfilled"}
    schemas = [s for trip in context.round_trips for s in (trip.before, trip.up.schema)]
    tables = [table for schema in schemas for table in schema.tables.values()]
    columns = {f"{table.name}.{column.name}" for table in tables for column in table.columns}
    names = {str(table.name) for table in tables}
    for name in dict.fromkeys(_COLUMN.findall(warning)):
        table = name.rpartition(".")[0]
        if name in columns and name not in lost and table not in emptied | unmeasured:
            yield name
    for said in _WRITTEN.finditer(warning):
        name = said["subject"]
        if said["kind"] == "rows" and name in names and name not in touched | unmeasured:
            yield name


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('bio', sa.Text()),\n"
    "        sa.Column('nick', sa.Text()))\n"
)
_MEASURED = RevisionEvidence(
    "under_test",
    None,
    Verdict.LOSSY,
    0.1,
    losses=(Loss("users", "bio", 90, 100, "upgrade"),),
    database_version="3.45",
    rows=100,
)

rule.example(
    "Another column than the one that is lost",
    '''
    """Drop a column. 😋
    ^^^^^^^^^^^^^^^^^^^ the WARNING does not name `users.bio`: upgrading loses `users.bio`: 90 of 100 values differ after the upgrade (SQLite 3.45, 100 made-up rows a table)
    ^^^^^^^^^^^^^^^^^^^ the WARNING names `users.nick`, but the last rehearsal lost nothing of it

    WARNING: Downgrade will result in data loss. What is in users.nick is gone.
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
    evidence=_MEASURED,
    fixed='''
    """Drop a column. 😋

    WARNING: Downgrade will result in data loss. What is in users.nick is gone.
    The values of users.bio cannot be restored (in a rehearsal 90 of 100).
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
)
rule.example(
    "Names what was lost",
    '''
    """Drop the bio.

    WARNING: Downgrade will result in data loss. The values of users.bio cannot be restored.
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
    evidence=_MEASURED,
)
rule.example(
    "The rehearsal could put no rows in",
    '''
    """Drop the bio.

    WARNING: Downgrade will result in data loss. The values of users.nick cannot be restored.
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))
    ''',
    history=(_USERS,),
    evidence=replace(
        _MEASURED,
        verdict=Verdict.LOSSLESS,
        losses=(),
        notes=(Note("no rows could be made for `users`", "unfilled", "users"),),
    ),
)
rule.example(
    "Never rehearsed",
    '''
    """Drop the bio.

    WARNING: Downgrade will result in data loss. The values of users.nick cannot be restored.
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
)
rule.example(
    "Numbers of an earlier rehearsal",
    '''
    """Drop the 😋 bio.
    ^^^^^^^^^^^^^^^^^^ the WARNING says 5 of 100: upgrading loses `users.bio`: 90 of 100 values differ after the upgrade (SQLite 3.45, 100 made-up rows a table)

    WARNING: Downgrade will result in data loss. The values of users.bio cannot be restored (in a
    rehearsal 5 of 100). Ask support first.

    Revision ID: under_test
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
    history=(_USERS,),
    evidence=_MEASURED,
    fixed='''
    """Drop the 😋 bio.

    WARNING: Downgrade will result in data loss. The values of users.bio cannot be restored (in a rehearsal 90 of 100). Ask support first.

    Revision ID: under_test
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.drop_column("users", "bio")


    def downgrade():
        op.add_column("users", sa.Column("bio", sa.Text()))
    ''',
)
rule.example(
    "A sentence that is not true any more",
    '''
    """Keep the nick after all.
    ^^^^^^^^^^^^^^^^^^^^^^^^^^^ the WARNING names `users.nick`, but the last rehearsal lost nothing of it

    Revision ID: under_test

    WARNING: Downgrade will result in data loss. The values of users.nick cannot be restored (in a
    rehearsal 90 of 100).
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.alter_column("users", "nickname", new_column_name="nick")
    ''',
    history=(_USERS,),
    evidence=replace(_MEASURED, verdict=Verdict.LOSSLESS, losses=()),
    fixed='''
    """Keep the nick after all.

    Revision ID: under_test
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.alter_column("users", "nickname", new_column_name="nick")
    ''',
)
rule.example(
    "Rows that are kept by now",
    '''
    """Put the users aside.
    ^^^^^^^^^^^^^^^^^^^^^^^ the WARNING names `users`, but the last rehearsal lost nothing of it

    WARNING: Downgrade will result in data loss.
    The rows of users that the upgrade deleted cannot be restored.
    The 😋 of users are theirs.
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.rename_table("users", "users_parked")


    def downgrade():
        op.rename_table("users_parked", "users")
    ''',
    history=(_USERS,),
    evidence=replace(_MEASURED, verdict=Verdict.LOSSLESS, losses=()),
)
