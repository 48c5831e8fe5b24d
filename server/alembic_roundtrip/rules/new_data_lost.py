"""What is written into the new tables and columns after the upgrade is lost by a rollback.

## Why it matters
That is what dropping them means, and mostly it is right. Whoever rolls back a week later should know
that a week of data goes.

## What to do
Say so in the docstring; any wording counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.losses import new_data_lost
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.prose import documentation, says_loss
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="information", downgrade=(c.DropTable, c.DropColumn))

_SHOWN = 3


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """The tables and columns that only this revision has; one finding, on the newest only."""
    downgrade = context.written_downgrade
    if downgrade is None or not context.recent or says_loss(documentation(context.migration)):
        return
    names = [f"`{name}`" for name in new_data_lost(context)]
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        message = f"rolling back loses what is in {', '.join(names[:_SHOWN])}{more} by then"
        yield Finding(downgrade.header, message)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "A new column",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        ^^^^^^^^^ rolling back loses what is in `users.😋` by then
        op.drop_column("users", "😋")
    """,
    history=(_USERS,),
)
rule.example(
    "Said",
    """
    def upgrade():
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        '''Loses the addresses' data.'''
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
)
