"""A constraint that the upgrade drops does not come back with the downgrade.

## Why it matters
After the rollback the database takes rows that the old version of the application relies on it to
refuse.

## What to do
Create the constraint again in the downgrade. Rows written since may be against it: count them first.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import TAKING, missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import not_restored

rule = Rule(__name__, severity="error", upgrade=TAKING["constraint"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Constraints that were there before the upgrade and are not after the downgrade."""
    for gone in missing(context, "constraint"):
        yield not_restored(
            context,
            gone,
            f"nothing in downgrade() restores the constraint `{gone.key.name}` of `{gone.key.table}`",
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()))\n"
    "    op.create_index('ix_users_😋', 'users', ['😋'])\n"
    "    op.create_unique_constraint('uq_users_😋', 'users', ['😋'])\n"
)

rule.example(
    "A CHECK that PostgreSQL drops with a column in it",
    """
    def upgrade():
        op.drop_column("users", "age")  # 😋
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the constraint `ck_age` of `users`
        op.drop_column("users", "born")


    def downgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('age', sa.Integer()), sa.Column('born', sa.Date()),\n"
        "        sa.CheckConstraint('age > 0', name='ck_age'))\n"
        "    op.create_check_constraint('ck_born', 'users', sa.text(\"born > 'age'\"))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Forgotten beside a column",
    """
    def upgrade():
        op.drop_constraint("uq_users_😋", "users", type_="unique")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the constraint `uq_users_😋` of `users`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    fixed="""
    def upgrade():
        op.drop_constraint("uq_users_😋", "users", type_="unique")
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
        # FRAGILE: duplicates in users.😋 would stop this.
        op.create_unique_constraint("uq_users_😋", "users", ["😋"])
    """,
    history=(_USERS,),
)
rule.example(
    "Created again",
    """
    def upgrade():
        op.drop_constraint("uq_users_😋", "users", type_="unique")


    def downgrade():
        op.create_unique_constraint("uq_users_😋", "users", ["😋"])
    """,
    history=(_USERS,),
)
rule.example(
    "A unique index in its place",
    """
    def upgrade():
        op.drop_constraint("uq_users_😋", "users", type_="unique")


    def downgrade():
        op.create_index("ux", "users", ["😋"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "Declared irreversible",
    """
    def upgrade():
        op.drop_constraint("uq_nick", "users", type_="unique")


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
        op.drop_constraint("uq_first", "people", type_="unique")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the constraint `uq_first` of `people`
        op.drop_constraint("uq_last", "people", type_="unique")
        op.drop_constraint("pets_pkey", "pets", type_="primary")
        op.drop_constraint("toys_owner_fkey", "toys", type_="foreignkey")


    def downgrade():
        op.create_unique_constraint("uq_last", "people", ["last"])
        op.create_foreign_key(None, "toys", "people", ["owner"], ["id"])
    """,
)
_CODES = (
    "def upgrade():\n"
    "    op.create_table('codes', sa.Column('code', sa.String(9)),\n"
    "        sa.UniqueConstraint('code', name='uq_code'))\n"
)
rule.example(
    "Dropped as the index that it is, which comes back without UNIQUE",
    """
    def upgrade():
        op.drop_index("uq_code", "codes", info="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the constraint `uq_code` of `codes`
        op.create_unique_constraint("uq_new", "codes", ["code"])


    def downgrade():
        op.drop_constraint("uq_new", "codes", type_="unique")
        op.create_index("uq_code", "codes", ["code"])
    """,
    history=(_CODES,),
    dialects=("mysql",),
)
rule.example(
    "Dropped as the index that it is, which comes back",
    """
    def upgrade():
        op.drop_index("uq_code", "codes")


    def downgrade():
        op.create_index("uq_code", "codes", ["code"], unique=True)
    """,
    history=(_CODES,),
    dialects=("mysql",),
)
