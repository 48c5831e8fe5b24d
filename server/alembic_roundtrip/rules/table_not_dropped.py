"""A table that the upgrade creates stays after the downgrade.

## Why it matters
The next upgrade fails because the table already exists, and until then the old version of the
application runs beside a table it does not know.

## What to do
Drop the table in the downgrade, after what depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.schemas import misplaced
from alembic_roundtrip.comparison.symmetry import MAKING, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, dropped

rule = Rule(__name__, severity="error", upgrade=MAKING["table"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Tables that are there after the downgrade and were not before the upgrade."""
    elsewhere = {found.meant for found in misplaced(context)}
    for leftover in leftovers(context, "table"):
        name = leftover.key.table
        if name in elsewhere:
            continue
        schema = f', schema="{name.schema}"' if name.schema else ""
        yield Finding(
            leftover.operation.range,
            f"nothing in downgrade() drops the table `{name}`",
            partial(dropped, context, leftover, f'op.drop_table("{name.name}"{schema})'),
            at_downgrade(leftover, context),
        )


rule.example(
    "One of two tables is forgotten",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("😋s", sa.Column("id", sa.Integer(), primary_key=True))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the table `😋s`


    def downgrade():
        op.drop_table("tags")
    """,
    fixed="""
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("😋s", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.drop_table("😋s")
        op.drop_table("tags")
    """,
)
rule.example(
    "A temporary table, which goes by itself",
    """
    def upgrade():
        op.create_table("scratch", sa.Column("id", sa.Integer()), prefixes=["TEMPORARY"])
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.drop_table("tags")
    """,
)
rule.example(
    "Dropped in a loop",
    """
    def upgrade():
        for name in ("tags", "notes"):
            op.create_table(name, sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        for name in ("notes", "tags"):
            op.drop_table(name)
    """,
)
rule.example(
    "Renamed later in the same migration",
    """
    def upgrade():
        op.create_table("tags_new", sa.Column("id", sa.Integer(), primary_key=True))
        op.rename_table("tags_new", "tags")


    def downgrade():
        op.drop_table("tags")
    """,
)
rule.example(
    "Dropped by SQL",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.execute("DROP TABLE IF EXISTS tags CASCADE")
    """,
)
rule.example(
    "SQL that was not read may have dropped it",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.execute(open("drop.sql").read())
    """,
)
rule.example(
    "Dropped by a helper",
    """
    def drop(*names):
        for name in names:
            op.drop_table(name)


    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_table("notes", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        drop("notes", "tags")
    """,
)
rule.example(
    "It goes with its schema",
    """
    def upgrade():
        op.execute("CREATE SCHEMA api")
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True), schema="api")


    def downgrade():
        op.execute("DROP SCHEMA api CASCADE")
    """,
    dialects=("postgresql",),
)
