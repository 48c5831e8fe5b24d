"""A column that the upgrade adds stays after the downgrade.

## Why it matters
The next upgrade fails because the column already exists. Where the column is NOT NULL without a
default, the old version of the application cannot insert rows any more.

## What to do
Drop the column in the downgrade.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import MAKING, Leftover, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, dropped

rule = Rule(__name__, severity="error", upgrade=MAKING["column"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Columns that are there after the downgrade and were not before the upgrade."""
    for leftover in leftovers(context, "column"):
        if _renamed(leftover):
            continue
        name = leftover.key
        schema = f', schema="{name.table.schema}"' if name.table.schema else ""
        statement = f'op.drop_column("{name.table.name}", "{name.name}"{schema})'
        if leftover.operation.batch is not None:
            statement = (
                f'with op.batch_alter_table("{name.table.name}"{schema}) as batch_op:\n'
                f'    batch_op.drop_column("{name.name}")'
            )
        yield Finding(
            leftover.operation.range,
            f"nothing in downgrade() drops the column `{name}`",
            partial(dropped, context, leftover, statement),
            at_downgrade(leftover, context),
        )


def _renamed(leftover: Leftover) -> bool:
    return leftover.operation.name == "alter_column"


rule.example(
    "The second column is forgotten",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.add_column("users", sa.Column("😋", sa.Text()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the column `users.😋`


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.add_column("users", sa.Column("😋", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
        op.drop_column("users", "nick")
    """,
)
rule.example(
    "In a batch block",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("nick", sa.String(30)))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the column `users.nick`


    def downgrade():
        op.execute("UPDATE users SET id = id")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "It goes away with its table",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("tags", sa.Column("label", sa.Text()))


    def downgrade():
        op.drop_table("tags")
    """,
)
rule.example(
    "Renamed later in the same migration",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.alter_column("users", "nick", new_column_name="nickname")


    def downgrade():
        op.drop_column("users", "nickname")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Dropped in a loop",
    """
    def upgrade():
        for name in ("first", "last"):
            op.add_column("users", sa.Column(name, sa.Text()))


    def downgrade():
        for name in ["last", "first"]:
            op.drop_column("users", name)
    """,
)
rule.example(
    "Dropped by a helper",
    """
    def drop(table, *names):
        with op.batch_alter_table(table) as batch_op:
            for name in names:
                batch_op.drop_column(name)


    def upgrade():
        op.add_column("users", sa.Column("first", sa.Text()))
        op.add_column("users", sa.Column("last", sa.Text()))


    def downgrade():
        drop("users", "last", "first")
    """,
)
rule.example(
    "Dropped by SQL",
    """
    def upgrade():
        op.add_column("users", sa.Column("first", sa.Text()))


    def downgrade():
        op.execute("ALTER TABLE users DROP COLUMN first CASCADE")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Of a table that no migration has made",
    """
    def upgrade():
        op.add_column("people", sa.Column("first", sa.Text()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the column `people.first`
        op.add_column("people", sa.Column("last", sa.Text()))
        op.add_column("pets", sa.Column("name", sa.Text()), if_not_exists=True)
        op.add_column("toys", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("people", "last")
        op.execute("SELECT set_up_again('toys')")
        op.drop_table("toys")
    """,
)
