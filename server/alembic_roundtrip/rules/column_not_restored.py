"""A column that the upgrade drops does not come back with the downgrade.

## Why it matters
The old version of the application fails with the first query that names the column.

## What to do
Add the column again in the downgrade, with the type, default and nullability it had. Its values are
gone all the same, which the docstring should say.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import TAKING, missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import not_restored

rule = Rule(__name__, severity="error", upgrade=TAKING["column"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Columns that were there before the upgrade and are not after the downgrade."""
    for gone in missing(context, "column"):
        yield not_restored(
            context, gone, f"nothing in downgrade() restores the column `{gone.key}`"
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()))\n"
    "    op.create_index('ix_users_😋', 'users', ['😋'])\n"
    "    op.create_unique_constraint('uq_users_😋', 'users', ['😋'])\n"
)

rule.example(
    "Forgotten beside another one",
    """
    def upgrade():
        op.drop_column("users", "😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the column `users.😋`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
)
rule.example(
    "Made anew without it, in a table that the upgrade has made anew with it",
    """
    def upgrade():
        op.create_table("new", sa.Column("id", sa.Integer()), sa.Column("😋", sa.Text()))
        op.execute("INSERT INTO new SELECT * FROM users")
        op.drop_table("users")
        ^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the column `users.😋`
        op.rename_table("new", "users")


    def downgrade():
        op.create_table("old", sa.Column("id", sa.Integer()))
        op.execute("INSERT INTO old SELECT id FROM users")
        op.drop_table("users")
        op.rename_table("old", "users")
    """,
    history=(_USERS,),
)
rule.example(
    "The table comes back without it",
    """
    def upgrade():
        op.drop_table("users")
        ^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the column `users.😋`


    def downgrade():
        op.create_table("users", sa.Column("id", sa.Integer()))
    """,
    history=(_USERS,),
)
rule.example(
    "Added again",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "Renamed there and back",
    """
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.alter_column("users", "nick", new_column_name="😋")
    """,
    history=(_USERS,),
)
rule.example(
    "Declared irreversible",
    """
    def upgrade():
        op.drop_column("users", "nick")


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
    "Another column takes its name back",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick_new", sa.Text()))
        op.execute("UPDATE users SET nick_new = nick")
        op.drop_column("users", "nick")
        op.alter_column("users", "nick_new", new_column_name="nick")


    def downgrade():
        op.alter_column("users", "nick", new_column_name="nick_new")
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.execute("UPDATE users SET nick = nick_new")
        op.drop_column("users", "nick_new")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('nick', sa.String(30)))\n",
    ),
)
rule.example(
    "Of a table that no migration has made",
    """
    def upgrade():
        op.drop_column("people", "first")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the column `people.first`
        op.drop_column("people", "last")
        op.execute("ALTER TABLE people DROP COLUMN IF EXISTS middle")


    def downgrade():
        op.alter_column("people", "nick", new_column_name="last")
    """,
)
rule.example(
    "What the upgrade has for a while only, of such a table",
    """
    def upgrade():
        op.add_column("people", sa.Column("tmp", sa.Integer()))
        op.drop_column("people", "tmp")


    def downgrade():
        pass
    """,
)
