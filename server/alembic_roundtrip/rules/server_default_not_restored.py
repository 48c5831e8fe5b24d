"""After the downgrade a column has another server default than it had before the upgrade.

## Why it matters
Rows that the old version of the application inserts without the column get another value, or are
refused where the column takes no NULL.

## What to do
Set `server_default` to what it was at the parent revision; `None` removes one.
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
    """Server defaults that are not what they were."""
    yield from restored_otherwise(context, "server default")


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
    "Never taken away",
    """
    def upgrade():
        op.alter_column("users", "team", server_default="1")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.team` has the server default "1" instead of no server default
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
    fixed="""
    def upgrade():
        op.alter_column("users", "team", server_default="1")
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
        op.alter_column(
            "users",
            "team",
            existing_type=sa.Integer(),
            existing_nullable=True,
            server_default=None,
        )
    """,
    history=(_USERS,),
)
rule.example(
    "Equal, spelled otherwise",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        column = sa.Column("nick", sa.String(30), nullable=False, server_default=sa.text("'x'"))
        op.add_column("users", column)
    """,
    history=(_USERS,),
)
rule.example(
    "A default that is computed",
    """
    def upgrade():
        op.alter_column("users", "nick", server_default="y")


    def downgrade():
        op.alter_column("users", "nick", server_default=default_nick())
    """,
    history=(_USERS,),
)
rule.example(
    "The same in another spelling",
    """
    def upgrade():
        op.drop_column("users", "admin")


    def downgrade():
        op.add_column("users", sa.Column("admin", sa.Boolean(), server_default=sa.text("false")))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()),\n"
        "        sa.Column('admin', sa.Boolean(), server_default='FALSE'))\n",
    ),
)
rule.example(
    "The same number, and another text",
    """
    def upgrade():
        op.alter_column("sales", "total", server_default=None)
        op.alter_column("sales", "rate", server_default=None)
        op.alter_column("sales", "share", server_default="1")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `sales.share` has the server default "1" instead of the server default 'sNaN'


    def downgrade():
        op.alter_column("sales", "rate", server_default="0.00")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `sales.rate` has the server default "0.00" instead of the server default '0'
        op.alter_column("sales", "total", server_default="0.00")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('sales', sa.Column('rate', sa.Text(), server_default='0'),\n"
        "        sa.Column('share', sa.Numeric(), server_default='sNaN'),\n"
        "        sa.Column('total', sa.Numeric(10, 2), server_default='0'))\n",
    ),
)
