"""After the downgrade a column takes NULL where it did not before, or the other way round.

## Why it matters
A column that takes NULL lets rows in that the old version of the application cannot read; one that
takes none refuses rows that it writes.

## What to do
Set `nullable` to what it was at the parent revision. Before NOT NULL comes back, fill or refuse the
rows that are NULL by now.
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
    """Columns whose NOT NULL is not what it was."""
    yield from restored_otherwise(context, "nullability")


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
    "Never changed back",
    """
    def upgrade():
        op.alter_column("users", "nick", nullable=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.nick` takes NULL, which it did not
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
    fixed="""
    def upgrade():
        op.alter_column("users", "nick", nullable=True)
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
        # FRAGILE: NULLs in users.nick would stop this.
        op.alter_column(
            "users",
            "nick",
            existing_type=sa.String(30),
            nullable=False,
            existing_server_default='x',
        )
    """,
    history=(_USERS,),
)
rule.example(
    "Added again without NOT NULL",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30), server_default="x"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.nick` takes NULL, which it did not
    """,
    fixed="""
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30), server_default="x", nullable=False))
    """,
    history=(_USERS,),
)
rule.example(
    "There and back",
    """
    def upgrade():
        op.alter_column("users", "nick", nullable=True)


    def downgrade():
        op.alter_column("users", "nick", nullable=False)
    """,
    history=(_USERS,),
)
rule.example(
    "Added, then made NOT NULL",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30), server_default="x"))
        op.execute("UPDATE users SET nick = 'x'")
        op.alter_column("users", "nick", nullable=False)
    """,
    history=(_USERS,),
)
rule.example(
    "A key had made it NOT NULL",
    """
    def upgrade():
        op.drop_table("parts")


    def downgrade():
        op.create_table("parts", sa.Column("id", sa.Integer(), nullable=False))
        op.create_primary_key("parts_pkey", "parts", ["id"])
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('parts', sa.Column('id', sa.Integer()))\n"
        "    op.create_primary_key('parts_pkey', 'parts', ['id'])\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A primary key, which takes no NULL in any spelling",
    """
    def upgrade():
        op.drop_table("users")


    def downgrade():
        op.create_table("users", sa.Column("id", sa.Integer()), sa.PrimaryKeyConstraint("id"))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n",
    ),
)
rule.example(
    "Added only where it is missing",
    """
    def upgrade():
        op.drop_column("teams", "id")


    def downgrade():
        op.execute("ALTER TABLE teams ADD COLUMN id serial PRIMARY KEY")
        op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS id integer")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
