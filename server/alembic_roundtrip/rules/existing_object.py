"""The downgrade makes a table, column, index or constraint that is there already.

## Why it matters
The downgrade fails at that operation, in the middle of a rollback.

## What to do
Leave out what comes back by itself: an index follows a table that is renamed back, and a column that
the upgrade did not drop is still there. Or drop first what has the name now.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.targets import MAKING, present_already
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error", downgrade=MAKING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Names that are taken when the downgrade comes to them."""
    for found in present_already(context):
        kind = "enum type" if found.key.kind == "enum" else found.key.kind
        subject = f"the {kind} `{found.key}`"
        yield Finding(found.operation.range, f"{subject} is there already at this point")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_index('ix_users_😋', 'users', ['😋'])\n"
)

rule.example(
    "An index that came back with its table",
    """
    def upgrade():
        op.rename_table("users", "people")


    def downgrade():
        op.rename_table("people", "users")
        op.create_index("ix_users_😋", "users", ["😋"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `users.ix_users_😋` is there already at this point
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A column that the upgrade did not drop",
    """
    def upgrade():
        op.alter_column("users", "😋", nullable=False)


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the column `users.😋` is there already at this point
    """,
    history=(_USERS,),
)
rule.example(
    "Dropped first",
    """
    def upgrade():
        op.drop_index("ix_users_😋", table_name="users")
        op.create_index("ix_users_😋", "users", ["id"])


    def downgrade():
        op.drop_index("ix_users_😋", table_name="users")
        op.create_index("ix_users_😋", "users", ["😋"])
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Where it is not there",
    """
    def upgrade():
        op.alter_column("users", "😋", nullable=False)


    def downgrade():
        op.create_index("ix_users_😋", "users", ["😋"], if_not_exists=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A column, by SQL",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.execute('ALTER TABLE users ADD COLUMN "😋" text')
        op.execute("ALTER TABLE users ADD COLUMN id integer")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the column `users.id` is there already at this point
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A CHECK that went with its column, whose name had changed",
    """
    def upgrade():
        op.alter_column("cats", "age", new_column_name="years")


    def downgrade():
        op.add_column("cats", sa.Column("age", sa.Integer()))
        op.execute("UPDATE cats SET age = years")
        op.drop_column("cats", "years")
        op.create_check_constraint("ck_age", "cats", "age > 0")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('age', sa.Integer()))\n"
        "    op.create_check_constraint('ck_age', 'cats', 'age > 0')\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "One takes the place of the other",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.execute("CREATE OR REPLACE TABLE users (id integer)")
    """,
    history=(_USERS,),
    dialects=("mariadb",),
)
rule.example(
    "The same column in each of several databases",
    """
    def upgrade(engine_name):
        globals()["upgrade_%s" % engine_name]()


    def downgrade(engine_name):
        globals()["downgrade_%s" % engine_name]()


    def upgrade_one():
        op.drop_column("users", "😋")


    def downgrade_one():
        op.add_column("users", sa.Column("😋", sa.Text()))


    def upgrade_two():
        op.drop_column("users", "😋")


    def downgrade_two():
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
