"""An index that the upgrade drops does not come back with the downgrade.

## Why it matters
Queries get slow after the rollback; where the index is unique, rows that it kept out come in.

## What to do
Create the index again in the downgrade, with its columns, uniqueness and predicate.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import TAKING, missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import not_restored

rule = Rule(__name__, severity="error", upgrade=TAKING["index"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Indexs that were there before the upgrade and are not after the downgrade."""
    for gone in missing(context, "index"):
        yield not_restored(
            context, gone, f"nothing in downgrade() restores the index `{gone.key.name}`"
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()))\n"
    "    op.create_index('ix_users_😋', 'users', ['😋'])\n"
    "    op.create_unique_constraint('uq_users_😋', 'users', ['😋'])\n"
)

rule.example(
    "Forgotten beside a column",
    """
    def upgrade():
        op.drop_index("ix_users_😋", table_name="users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the index `ix_users_😋`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    fixed="""
    def upgrade():
        op.drop_index("ix_users_😋", table_name="users")
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
        op.create_index("ix_users_😋", "users", ['😋'])
    """,
    history=(_USERS,),
)
rule.example(
    "Created again",
    """
    def upgrade():
        op.drop_index("ix_users_😋", table_name="users")


    def downgrade():
        op.create_index("ix_users_😋", "users", ["😋"])
    """,
    history=(_USERS,),
)
rule.example(
    "An equal index under another name",
    """
    def upgrade():
        op.drop_index("ix_users_😋", table_name="users")


    def downgrade():
        op.create_index("ix_again", "users", ["😋"])
    """,
    history=(_USERS,),
)
rule.example(
    "It went with a column, and the column comes back alone",
    """
    def upgrade():
        op.drop_column("users", "nick")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the index `ix_nick`


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('nick', sa.String(30)))\n"
        "    op.create_index('ix_nick', 'users', ['nick'])\n",
    ),
)
rule.example(
    "Declared irreversible",
    """
    def upgrade():
        op.drop_index("ix_nick", table_name="users")


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
    "Of a table that no migration has made",
    """
    def upgrade():
        op.drop_index("ix_first", "people")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the index `ix_first`
        op.drop_index("ix_last", "people")
        op.drop_index("ix_name", "pets")
        op.drop_constraint("fk_owner", "toys", type_="foreignkey")
        op.drop_index("fk_owner", "toys")


    def downgrade():
        op.create_index("ix_last", "people", ["last"])
        op.create_index("ix_pets_name", "pets", ["name"])
        op.create_foreign_key("fk_owner", "toys", "people", ["owner"], ["id"])
    """,
)
