"""After the downgrade a foreign key, index, CHECK or comment is there, but defined otherwise.

## Why it matters
Everything has the right name and nothing fails: a lost ON DELETE, UNIQUE or predicate shows weeks
later, as rows that should not be there.

## What to do
Copy the definition from the migration that made it, with its rules, uniqueness and predicate.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Rule
from alembic_roundtrip.rules._fixes import restored_otherwise

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Constraints, indexes and comments whose definition is not what it was."""
    yield from restored_otherwise(context, "definition")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users',\n"
    "        sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30), nullable=False, server_default='x'),\n"
    "        sa.Column('team', sa.Integer(), sa.ForeignKey('teams.id', ondelete='CASCADE')),\n"
    "        sa.CheckConstraint('team > 0', name='ck_team'))\n"
    "    op.create_index('ix_😋', 'users', ['nick'], unique=True)\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "An index that was unique",
    """
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index("ix_😋", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_😋` is not unique any more
    """,
    history=(_USERS,),
)
rule.example(
    "A foreign key without its rule",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer(), sa.ForeignKey("teams.id")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.team` has ondelete nothing instead of 'CASCADE'
    """,
    history=(_USERS,),
)
rule.example(
    "No foreign key at all",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.team` comes back without its foreign key
    """,
    history=(_USERS,),
)
rule.example(
    "As it was",
    """
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index("ix_😋", "users", ["nick"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A unique index in place of UNIQUE, foreign key made apart",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_foreign_key("fk_team", "users", "teams", ["team"], ["id"], ondelete="CASCADE")
    """,
    history=(_USERS,),
)
rule.example(
    "An index that was not there before",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.create_index("ix_nick", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_nick` is an index that was not there before
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('nick', sa.String(30)))\n",
    ),
)
rule.example(
    "A foreign key from another column",
    """
    def upgrade():
        op.drop_constraint("fk_team", "users", type_="foreignkey")


    def downgrade():
        op.create_foreign_key("fk_team", "users", "teams", ["group"], ["id"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.fk_team` is on (group) instead of (team)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('users', sa.Column('team', sa.Integer()), sa.Column('group', sa.Integer()),\n"
        "        sa.ForeignKeyConstraint(['team'], ['teams.id'], name='fk_team'))\n",
    ),
)
