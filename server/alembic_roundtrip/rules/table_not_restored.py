"""A table that the upgrade drops does not come back with the downgrade.

## Why it matters
The old version of the application runs into a table that is not there, and the next upgrade fails
because there is nothing to drop.

## What to do
Create the table again in the downgrade, as it was at the parent revision; its rows are gone all the
same, which the docstring should say.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.schemas import misplaced
from alembic_roundtrip.comparison.symmetry import TAKING, missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import not_restored

rule = Rule(__name__, severity="error", upgrade=TAKING["table"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Tables that were there before the upgrade and are not after the downgrade."""
    elsewhere = {found.meant for found in misplaced(context)}
    for gone in missing(context, "table"):
        if gone.key.table not in elsewhere:
            yield not_restored(
                context, gone, f"nothing in downgrade() restores the table `{gone.key.table}`"
            )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()))\n"
    "    op.create_index('ix_users_😋', 'users', ['😋'])\n"
    "    op.create_unique_constraint('uq_users_😋', 'users', ['😋'])\n"
)

rule.example(
    "Only the column comes back",
    """
    def upgrade():
        op.drop_table("teams")
        ^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the table `teams`
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "Created again",
    """
    def upgrade():
        op.drop_table("teams")


    def downgrade():
        op.create_table("teams", sa.Column("id", sa.Integer()))
    """,
    history=(_USERS,),
)
rule.example(
    "Renamed there and back",
    """
    def upgrade():
        op.rename_table("teams", "groups")


    def downgrade():
        op.rename_table("groups", "teams")
    """,
    history=(_USERS,),
)
rule.example(
    "Created again by SQL that is not read",
    """
    def upgrade():
        op.drop_table("teams")


    def downgrade():
        op.execute(open("teams.sql").read())
    """,
    history=(_USERS,),
)
rule.example(
    "Declared irreversible",
    """
    def upgrade():
        op.drop_table("users")


    def downgrade():
        raise NotImplementedError("the data is gone")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('nick', sa.Text()),\n"
        "        sa.PrimaryKeyConstraint('id', name='users_pkey'),\n"
        "        sa.UniqueConstraint('nick', name='uq_nick'))\n"
        "    op.create_index('ix_nick', 'users', ['nick'])\n",
    ),
)
rule.example(
    "Renamed aside and back",
    """
    def upgrade():
        op.rename_table("users", "users_old")
        op.create_table("accounts", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.drop_table("accounts")
        op.rename_table("users_old", "users")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Tables that no migration has made",
    """
    def upgrade():
        op.drop_table("pets")
        ^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the table `pets`
        op.drop_table("toys")
        op.execute("DROP TABLE IF EXISTS things")


    def downgrade():
        op.execute("CREATE TABLE toys (id integer PRIMARY KEY)")
    """,
)
