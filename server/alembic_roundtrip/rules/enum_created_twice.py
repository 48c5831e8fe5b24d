"""An enum type is created by itself and again with the table that uses it.

## Why it matters
`op.create_table` creates the type without looking: the upgrade fails with `type "…" already exists`.

## What to do
Give the column's type `create_type=False` (`sqlalchemy.dialects.postgresql.ENUM`), or leave out the
explicit `create()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Tables whose enum type the same function has made before."""
    if "postgresql" not in context.dialects:
        return
    for operations in (context.upgrade_operations, context.downgrade_operations):
        made: set[Name] = set()
        for operation in operations:
            if not operation.runs_on("postgresql") or operation.doubtful:
                continue
            for change in operation.changes:
                if isinstance(change, c.CreateEnum):
                    made.add(change.enum.name)
                elif isinstance(change, c.DropEnum):
                    made.discard(change.name)
                for enum in change.enums if isinstance(change, c.CreateTable) else ():
                    if enum.name in made:
                        yield Finding(operation.range, f"the enum type `{enum.name}` exists by now")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Created before the table",
    """
    def upgrade():
        sa.Enum("new", name="😋").create(op.get_bind())
        op.create_table("orders", sa.Column("state", sa.Enum("new", name="😋")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `😋` exists by now


    def downgrade():
        op.drop_table("orders")
        sa.Enum(name="😋").drop(op.get_bind())
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Told not to create it",
    """
    def upgrade():
        postgresql.ENUM("new", name="state").create(op.get_bind())
        state = postgresql.ENUM("new", name="state", create_type=False)
        op.create_table("orders", sa.Column("state", state))


    def downgrade():
        op.drop_table("orders")
        sa.Enum(name="state").drop(op.get_bind())
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
