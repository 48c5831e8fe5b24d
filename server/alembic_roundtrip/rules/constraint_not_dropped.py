"""A constraint that the upgrade adds stays after the downgrade.

## Why it matters
The next upgrade fails because the constraint already exists, and until then the database refuses
rows that the old version of the application writes.

## What to do
Drop the constraint in the downgrade, by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import MAKING, Leftover, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.changes import AddConstraint
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade, dropped

rule = Rule(__name__, severity="error", upgrade=MAKING["constraint"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Constraints that are there after the downgrade and were not before the upgrade."""
    for leftover in leftovers(context, "constraint"):
        name = leftover.key
        yield Finding(
            leftover.operation.range,
            f"nothing in downgrade() drops the constraint `{name.name}` of `{name.table}`",
            partial(_fixes, context, leftover),
            at_downgrade(leftover, context),
        )


def _fixes(context: Context, leftover: Leftover) -> tuple[Fix, ...]:
    table, name = leftover.key.table, leftover.key.name
    added = [c for c in leftover.operation.changes if isinstance(c, AddConstraint)]
    if not added:
        return ()
    schema = f', schema="{table.schema}"' if table.schema else ""
    kind = f', type_="{added[0].constraint.kind}"'
    statement = f'op.drop_constraint("{name}", "{table.name}"{kind}{schema})'
    if leftover.operation.batch is not None:
        statement = (
            f'with op.batch_alter_table("{table.name}"{schema}) as batch_op:\n'
            f'    batch_op.drop_constraint("{name}"{kind})'
        )
    return dropped(context, leftover, statement)


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
        op.create_check_constraint("ck_😋", "users", "id > 0")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the constraint `ck_😋` of `users`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.create_check_constraint("ck_😋", "users", "id > 0")
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_constraint("ck_😋", "users", type_="check")
        op.drop_column("users", "age")
    """,
)
rule.example(
    "It goes away with its column",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.create_unique_constraint("uq_age", "users", ["age"])


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
)
rule.example(
    "A CHECK written at a column goes away with it",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer(), sa.CheckConstraint("age > 0", name="ck")))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
)
rule.example(
    "It goes away with its table",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()), sa.UniqueConstraint("id", name="uq_tags"))


    def downgrade():
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "Dropped by SQL",
    """
    def upgrade():
        op.create_check_constraint("ck_😋", "users", "id > 0")


    def downgrade():
        op.execute("ALTER TABLE users DROP CONSTRAINT ck_😋")
    """,
    history=(_USERS,),
)
rule.example(
    "A CHECK that may go with its column",
    """
    def upgrade():
        op.add_column("users", sa.Column("age", sa.Integer()))
        op.execute("ALTER TABLE users ADD CONSTRAINT ck CHECK (age > 0)")


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
)
rule.example(
    "Dropped in a loop",
    """
    def upgrade():
        op.create_unique_constraint("uq_first", "users", ["first"])
        op.create_unique_constraint("uq_last", "users", ["last"])


    def downgrade():
        for name in ("uq_last", "uq_first"):
            op.drop_constraint(name, "users", type_="unique")
    """,
)
rule.example(
    "Dropped by a helper",
    """
    def drop(name):
        op.drop_constraint(name, "users", type_="unique")


    def upgrade():
        op.create_unique_constraint("uq_first", "users", ["first"])


    def downgrade():
        drop("uq_first")
    """,
)
rule.example(
    "Renamed later in the same migration",
    """
    def upgrade():
        op.create_unique_constraint("uq_new", "users", ["nick"])
        op.execute("ALTER TABLE users RENAME CONSTRAINT uq_new TO uq_nick")


    def downgrade():
        op.drop_constraint("uq_nick", "users", type_="unique")
    """,
    dialects=("postgresql",),
)
rule.example(
    "It goes with the table that it refers to",
    """
    def upgrade():
        op.create_table("teams", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_foreign_key("fk_team", "users", "teams", ["team"], ["id"])


    def downgrade():
        op.execute("DROP TABLE teams CASCADE")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Of a table that no migration has made",
    """
    def upgrade():
        op.create_unique_constraint("uq_first", "people", ["first"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() drops the constraint `uq_first` of `people`
        op.create_unique_constraint("uq_last", "people", ["last"])
        op.create_check_constraint("ck_age", "pets", "age > 0")


    def downgrade():
        op.drop_constraint("uq_last", "people", type_="unique")
        op.drop_column("pets", "age")
    """,
)
