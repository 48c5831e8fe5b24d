"""After the downgrade a column has another type than it had before the upgrade.

## Why it matters
The old version of the application reads and writes the column as the type it knew: values no longer
fit, compare or sort as it expects, and the next migration starts from a schema that nobody tested.

## What to do
Give the column the type of the parent revision. Where values may no longer fit, say so in the
docstring and count them first.
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
    """Types that are not what they were."""
    yield from restored_otherwise(context, "type")


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
        op.alter_column("users", "nick", type_=sa.String(200))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.nick` has the type sa.String(200) instead of sa.String(30)
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
    """,
    history=(_USERS,),
)
rule.example(
    "A list, in a table that has another name meanwhile",
    """
    def upgrade():
        op.rename_table("users", "people")
        op.alter_column("people", "nick", type_=sa.ARRAY(sa.Text()), postgresql_using="'{}'")


    def downgrade():
        op.rename_table("people", "users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.nick` has the type sa.ARRAY(sa.Text()) instead of sa.String(30)
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Dropped and added as another",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.Text(), nullable=False, server_default="x"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.nick` has the type sa.Text() instead of sa.String(30)
    """,
    fixed="""
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30), nullable=False, server_default="x"))
    """,
    history=(_USERS,),
)
rule.example(
    "Equal, spelled otherwise",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.Text())


    def downgrade():
        op.alter_column("users", "nick", type_=sa.VARCHAR(length=30))
    """,
    history=(_USERS,),
)
rule.example(
    "A type that is not a standard one",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.Text())


    def downgrade():
        op.alter_column("users", "nick", type_=our.Nickname())
    """,
    history=(_USERS,),
)
rule.example(
    "A shorter text for names of values",
    """
    def upgrade():
        op.alter_column("tasks", "state", type_=sa.Enum("new", "finished", native_enum=False))


    def downgrade():
        op.alter_column("tasks", "state", type_=sa.Enum("new", "old", native_enum=False, length=20))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `tasks.state` has the type sa.Enum("new", "old", native_enum=False, length=20) instead of sa.Enum('new', 'old', native_enum=False)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('state', sa.Enum('new', 'old', native_enum=False)))\n",
    ),
)
rule.example(
    "A text that is as long as the longest name",
    """
    def upgrade():
        op.alter_column("tasks", "state", type_=sa.Enum("new", "finished", native_enum=False))


    def downgrade():
        op.alter_column("tasks", "state", type_=sa.String(3))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('state', sa.Enum('new', 'old', native_enum=False)))\n",
    ),
)
rule.example(
    "An enum type of PostgreSQL and text",
    """
    def upgrade():
        op.alter_column("tasks", "state", type_=sa.String(3), comment="😋")


    def downgrade():
        op.alter_column("tasks", "state", comment=None)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `tasks.state` has the type sa.String(3) instead of sa.Enum('new', 'old', name='state')
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('state', sa.Enum('new', 'old', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "In SQLite both are the same text",
    """
    def upgrade():
        with op.batch_alter_table("tasks") as batch_op:
            batch_op.alter_column("state", type_=sa.String(3))


    def downgrade():
        with op.batch_alter_table("tasks") as batch_op:
            batch_op.alter_column("state", existing_type=sa.String(3))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('tasks', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('state', sa.Enum('new', 'old', name='state')))\n",
    ),
    dialects=("sqlite",),
)
