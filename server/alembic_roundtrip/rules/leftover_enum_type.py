"""A PostgreSQL enum type made with a table or column stays after the downgrade.

## Why it matters
Dropping a table or column does not drop the enum type that was created with it. The next upgrade
fails with `type "…" already exists`.

## What to do
Drop the type after the table or column that used it:
`sa.Enum(name="…").drop(op.get_bind(), checkfirst=True)`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import MAKING, Leftover, leftovers
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import at_downgrade

rule = Rule(__name__, severity="error", upgrade=MAKING["enum"])


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Enum types that no column uses any more after the downgrade, and that are still there."""
    if "postgresql" not in context.dialects or _handled_elsewhere(context):
        return
    for leftover in leftovers(context, "enum", only="postgresql"):
        if any(leftover.trip.down.schema.users_of(leftover.key.table)):
            continue
        yield Finding(
            leftover.operation.range,
            f"the enum type `{leftover.key}` stays after downgrade()"
            + (": the next upgrade fails because it already exists" if _fails(leftover) else ""),
            (_drop(leftover),),
            at_downgrade(leftover, context),
        )


def _fails(leftover: Leftover) -> bool:
    """Whether the next upgrade fails; `create()` may look first."""
    made = [each for each in leftover.operation.changes if isinstance(each, c.CreateEnum)]
    return not any(each.if_not_exists for each in made)


def _handled_elsewhere(context: Context) -> bool:
    return any("alembic_postgresql_enum" in line for line in context.migration.imports)


def _drop(leftover: Leftover) -> Fix:
    name = leftover.key.table
    schema = f', schema="{name.schema}"' if name.schema else ""
    statement = f'sa.Enum(name="{name.name}"{schema}).drop(op.get_bind(), checkfirst=True)'
    end = len(leftover.downgrade.statements)
    rewrite = InsertStatements("downgrade", end, (statement,), ("import sqlalchemy as sa",))
    return Fix(f"Drop the enum type `{name}` in the downgrade", (rewrite,), "unsafe")


rule.example(
    "Created with a table",
    """
    def upgrade():
        op.create_table("orders", sa.Column("😋", sa.Enum("new", "paid", name="state")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` stays after downgrade(): the next upgrade fails because it already exists


    def downgrade():
        op.drop_table("orders")
    """,
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.create_table("orders", sa.Column("😋", sa.Enum("new", "paid", name="state")))


    def downgrade():
        op.drop_table("orders")
        sa.Enum(name="state").drop(op.get_bind(), checkfirst=True)
    """,
)
rule.example(
    "Dropped by its own object",
    """
    state = sa.Enum("new", "paid", name="state")


    def upgrade():
        op.create_table("orders", sa.Column("state", state))


    def downgrade():
        op.drop_table("orders")
        state.drop(op.get_bind())
    """,
    dialects=("postgresql",),
)
rule.example(
    "Dropped by SQL",
    """
    def upgrade():
        op.create_table("orders", sa.Column("state", sa.Enum("new", "paid", name="state")))


    def downgrade():
        op.drop_table("orders")
        op.execute("DROP TYPE state")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Made before, by another revision",
    """
    def upgrade():
        op.create_table("refunds", sa.Column("state", sa.Enum("new", name="state")))


    def downgrade():
        op.drop_table("refunds")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('s', sa.Enum('new', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "SQLite has no enum types",
    """
    def upgrade():
        op.create_table("orders", sa.Column("state", sa.Enum("new", "paid", name="state")))


    def downgrade():
        op.drop_table("orders")
    """,
    dialects=("sqlite",),
)
rule.example(
    "Dropped where there are enum types, in a project for two databases",
    """
    def upgrade():
        op.create_table("orders", sa.Column("state", sa.Enum("new", "paid", name="state")))


    def downgrade():
        op.drop_table("orders")
        if op.get_bind().dialect.name == "postgresql":
            op.execute("DROP TYPE state")
    """,
    dialects=("sqlite", "postgresql"),
)
rule.example(
    "Renamed to the name of the type that it replaces",
    """
    def upgrade():
        op.execute("CREATE TYPE state_new AS ENUM ('new', 'paid')")
        op.execute("ALTER TABLE orders ALTER COLUMN state TYPE state_new")
        op.execute("DROP TYPE state")
        op.execute("ALTER TYPE state_new RENAME TO state")


    def downgrade():
        op.execute("ALTER TYPE state RENAME TO state_old")
        op.execute("CREATE TYPE state AS ENUM ('new')")
        op.execute("ALTER TABLE orders ALTER COLUMN state TYPE state")
        op.execute("DROP TYPE state_old")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('state', sa.Enum('new', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Another table uses it",
    """
    def upgrade():
        op.add_column("orders", sa.Column("old_state", sa.Enum("new", name="state")))


    def downgrade():
        op.drop_column("orders", "old_state")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('state', sa.Enum('new', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Told not to create it",
    """
    def upgrade():
        state = postgresql.ENUM("new", name="state", create_type=False)
        op.create_table("orders", sa.Column("state", state))


    def downgrade():
        op.drop_table("orders")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Taken care of by alembic-postgresql-enum",
    """
    import alembic_postgresql_enum


    def upgrade():
        op.create_table("orders", sa.Column("state", sa.Enum("new", "paid", name="state")))


    def downgrade():
        op.drop_table("orders")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Created in a block that bears the type being there",
    """
    def upgrade():
        op.execute("DO $$ BEGIN CREATE TYPE state AS ENUM ('😋'); EXCEPTION WHEN duplicate_object THEN null; END $$")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` stays after downgrade()
        op.execute("ALTER TABLE users ADD COLUMN state state")


    def downgrade():
        op.drop_column("users", "state")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    dialects=("postgresql",),
)
rule.example(
    "Created in a block that looks first",
    """
    def upgrade():
        op.execute("DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'state') THEN CREATE TYPE state AS ENUM ('😋'); END IF; END $$")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` stays after downgrade()


    def downgrade():
        op.execute("SELECT 1")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Created in a block that does neither",
    """
    def upgrade():
        op.execute("DO $$ BEGIN CREATE TYPE state AS ENUM ('😋'); END $$")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` stays after downgrade(): the next upgrade fails because it already exists


    def downgrade():
        op.execute("SELECT 1")
    """,
    dialects=("postgresql",),
)
rule.example(
    "Created where it is not there",
    """
    def upgrade():
        state = postgresql.ENUM("new", "😋", name="state")
        state.create(op.get_bind(), checkfirst=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` stays after downgrade()
        op.add_column("users", sa.Column("state", state))


    def downgrade():
        op.drop_column("users", "state")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    dialects=("postgresql",),
)
