"""The last rehearsal's round trip lost older data, and the migration does not say so.

## Why it matters
The values were there before the upgrade and are not what they were after upgrade and downgrade:
whoever rolls back damages data that this revision should not have touched. The schema comes back
as it was, so nothing else shows it.

## What to do
Make the downgrade bring the values back, or say in the docstring what is lost; any wording counts,
and the fix writes it with the numbers. Rehearse again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.evidence import Loss, RevisionEvidence, Verdict
from alembic_roundtrip.measurements import measured_losses
from alembic_roundtrip.migration.rewrite import AddWarning
from alembic_roundtrip.prose import documentation, says_loss
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error", measured=True)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Measured losses of the round trip, each at the operation behind it."""
    if says_loss(documentation(context.migration)):
        return
    for found in measured_losses(context, "round trip"):
        fix = Fix("Add the measured loss to the docstring", (AddWarning((found.sentence,)),))
        yield Finding(found.range, found.message, (fix,))


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('kind', sa.Text()))\n"
)
_LOSSY = RevisionEvidence(
    "under_test",
    None,
    Verdict.LOSSY,
    0.1,
    losses=(Loss("users", "kind", 40, 40, "round trip"),),
    database_version="3.45",
    rows=40,
)

rule.example(
    "Values that an UPDATE overwrote",
    '''
    """Shorten the kind."""
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.execute("UPDATE users SET kind = '😋'")


    def downgrade():
        op.execute("UPDATE users SET kind = 'one of them'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ rolling back loses `users.kind`: 40 of 40 values differ after the round trip (SQLite 3.45, 40 made-up rows a table)
    ''',
    history=(_USERS,),
    evidence=_LOSSY,
    fixed='''
    """Shorten the kind.

    WARNING: Downgrade will result in data loss.
    The values of users.kind cannot be restored (in a rehearsal 40 of 40).
    """
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.execute("UPDATE users SET kind = '😋'")


    def downgrade():
        op.execute("UPDATE users SET kind = 'one of them'")
    ''',
)
rule.example(
    "The same, said",
    '''
    """Shorten the kind. The old values cannot be restored."""
    revision = "under_test"
    down_revision = "revision0"


    def upgrade():
        op.execute("UPDATE users SET kind = 'x'")


    def downgrade():
        op.execute("UPDATE users SET kind = 'one of them'")
    ''',
    history=(_USERS,),
    evidence=_LOSSY,
)
rule.example(
    "Never rehearsed",
    """
    def upgrade():
        op.execute("UPDATE users SET kind = 'x'")


    def downgrade():
        op.execute("UPDATE users SET kind = 'one of them'")
    """,
    history=(_USERS,),
)
