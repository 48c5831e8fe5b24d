"""An index that the upgrade creates stays after the downgrade.

## Why it matters
The next upgrade fails because the index already exists; a unique index goes on refusing rows that
the old version of the application may write.

## What to do
Drop the index in the downgrade, before the column or table it is on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import MAKING, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, dropped

rule = Rule(__name__, severity="error", upgrade=MAKING["index"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Indexes that are there after the downgrade and were not before the upgrade."""
    for leftover in leftovers(context, "index"):
        name = leftover.key
        schema = f', schema="{name.table.schema}"' if name.table.schema else ""
        statement = f'op.drop_index("{name.name}", table_name="{name.table.name}"{schema})'
        yield Finding(
            leftover.operation.range,
            f"nothing in downgrade() drops the index `{name.name}`",
            partial(dropped, context, leftover, statement),
            at_downgrade(leftover, context),
        )


_USERS = "def upgrade():\n    op.create_table('users', sa.Column('nick', sa.Text()))\n"

rule.example(
    "Only the column is dropped from another table",
    """
    def upgrade():
        op.create_index("ix_😋", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the index `ix_😋`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.create_index("ix_😋", "users", ["nick"])
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_index("ix_😋", table_name="users")
        op.drop_column("users", "age")
    """,
)
rule.example(
    "It goes away with its column",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.create_index("ix_age", "users", ["age"])


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
)
rule.example(
    "It goes away with its table",
    """
    def upgrade():
        op.create_table("tags", sa.Column("label", sa.Text(), index=True))
        op.create_index(op.f("ix_tags_lower"), "tags", [sa.text("lower(label)")])


    def downgrade():
        op.drop_table("tags")
    """,
)
rule.example(
    "Dropped inside a batch block",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index(batch_op.f("ix_users_nick"), ["nick"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index(batch_op.f("ix_users_nick"))
    """,
    history=(_USERS,),
)
rule.example(
    "Dropped in a loop",
    """
    def upgrade():
        op.create_index("ix_first", "users", ["first"])
        op.create_index("ix_last", "users", ["last"])


    def downgrade():
        for name in ("ix_last", "ix_first"):
            op.drop_index(name, table_name="users")
    """,
)
rule.example(
    "Dropped by a helper",
    """
    def drop(name):
        op.drop_index(name, table_name="users")


    def upgrade():
        op.create_index("ix_first", "users", ["first"])


    def downgrade():
        drop("ix_first")
    """,
)
rule.example(
    "Renamed later in the same migration",
    """
    def upgrade():
        op.create_index("ix_new", "users", ["nick"])
        op.execute("ALTER INDEX ix_new RENAME TO ix_nick")


    def downgrade():
        op.drop_index("ix_nick", table_name="users")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Dropped by SQL",
    """
    def upgrade():
        op.create_index("ix_nick", "users", ["nick"])


    def downgrade():
        op.execute("DROP INDEX IF EXISTS ix_nick CASCADE")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Of a table that no migration has made",
    """
    def upgrade():
        op.create_index("ix_first", "people", ["first"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the index `ix_first`
        op.create_index("ix_last", "people", ["last"])
        op.create_index("ix_age", "people", ["age"])


    def downgrade():
        op.drop_index("ix_last")
        op.drop_column("people", "age")
    """,
)
rule.example(
    "An index goes with its materialized view",
    """
    def upgrade():
        op.execute("CREATE MATERIALIZED VIEW seen AS SELECT id FROM users")
        op.execute("CREATE UNIQUE INDEX ux_seen ON seen (id)")


    def downgrade():
        op.execute("DROP MATERIALIZED VIEW seen")
    """,
    dialects=("postgresql",),
)
