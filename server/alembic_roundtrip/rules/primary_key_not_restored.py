"""After the downgrade a table has another primary key than it had before the upgrade, or none.

## Why it matters
Duplicates come in, foreign keys cannot refer to the table, replication and ORMs stop working.

## What to do
Create the primary key of the parent revision again; duplicates written since have to go first.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import restored_otherwise

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Primary keys that are not what they were."""
    yield from restored_otherwise(context, "primary key")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users',\n"
    "        sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30), nullable=False, server_default='x'),\n"
    "        sa.Column('team', sa.Integer(), sa.ForeignKey('teams.id', ondelete='CASCADE')),\n"
    "        sa.CheckConstraint('team > 0', name='ck_team'))\n"
    "    op.create_index('ix_nick', 'users', ['nick'], unique=True)\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Widened and never narrowed",
    """
    def upgrade():
        op.drop_constraint("users_pkey", "users", type_="primary")
        op.create_primary_key("users_pkey", "users", ["id", "team"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users` has the primary key (id, team) instead of (id)


    def downgrade():
        op.execute("UPDATE users SET team = 1")
    """,
    history=(_USERS,),
)
rule.example(
    "Recreated with another key",
    """
    def upgrade():
        op.drop_table("teams")


    def downgrade():
        op.create_table("teams", sa.Column("😋", sa.Integer()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `teams` has no primary key instead of (id)
    """,
    history=(_USERS,),
)
rule.example(
    "Recreated with the same key",
    """
    def upgrade():
        op.drop_table("teams")


    def downgrade():
        op.create_table("teams", sa.Column("id", sa.Integer()), sa.PrimaryKeyConstraint("id"))
    """,
    history=(_USERS,),
)
rule.example(
    "Declared irreversible",
    """
    def upgrade():
        op.drop_constraint("users_pkey", "users", type_="primary")


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
    "The same key under another name",
    """
    def upgrade():
        op.drop_constraint("users_pkey", "users", type_="primary")


    def downgrade():
        op.create_primary_key("pk_users", "users", ["id"])
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()),\n"
        "        sa.PrimaryKeyConstraint('id', name='users_pkey'))\n",
    ),
)
