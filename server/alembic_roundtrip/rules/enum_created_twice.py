"""An enum type is created by itself and again with the table that uses it.

## Why it matters
`op.create_table` creates the type without looking: the upgrade fails with `type "…" already exists`.

## What to do
Give the column's type `create_type=False` (`sqlalchemy.dialects.postgresql.ENUM`), or leave out the
explicit `create()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import EnumType, Name
from alembic_roundtrip.migration.places import Place, calls_of
from alembic_roundtrip.migration.rendering import NotKnownError
from alembic_roundtrip.migration.rewrite import ChangeCall, Rewrite
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error", upgrade=(c.CreateEnum,), downgrade=(c.CreateEnum,))


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
                        yield Finding(
                            operation.range,
                            f"the enum type `{enum.name}` exists by now",
                            partial(_fixes, context, operation, enum),
                        )


def _fixes(context: Context, operation: Operation, enum: EnumType) -> tuple[Fix, ...]:
    """`create_type=False` where the table's type is written; not where an option is in the way."""
    places = _places(context, operation, enum.name)
    try:
        rewrites = tuple(_existing(context, place, enum) for place in places)
    except NotKnownError:
        return ()
    title = f"Use the enum type `{enum.name}` as it is"
    return (Fix(title, rewrites, "unsafe"),) if rewrites else ()


def _places(context: Context, operation: Operation, name: Name) -> list[Place]:
    """The type in the table's definition, or else at the variables that are named there."""
    said = {"name": name.name, **({"schema": name.schema} if name.schema else {})}
    written = context.migration.source.slice(operation.range)
    places = [
        place
        for place in calls_of(context.migration, "Enum", "ENUM")
        if all(place.keywords.get(key) == value for key, value in said.items())
    ]
    start, end = operation.range
    inside = [p for p in places if start <= p.range.start and p.range.end <= end]
    words = set(re.findall(r"\w+", written))
    return inside or [place for place in places if place.variable in words]


def _existing(context: Context, place: Place, enum: EnumType) -> Rewrite:
    if place.function.endswith("ENUM"):
        return ChangeCall(place.range, arguments=(("create_type", "False"),))
    if context.dialects != ("postgresql",) or not place.keywords.keys() <= {"name", "schema"}:
        raise NotKnownError(f"the type `{enum.name}` on other databases")
    return ChangeCall(
        place.range,
        "postgresql.ENUM",
        (("create_type", "False"),),
        imports=("from sqlalchemy.dialects import postgresql",),
    )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Created before the table",
    """
    import sqlalchemy as sa
    from alembic import op

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        sa.Enum("new", name="😋").create(op.get_bind())
        op.create_table("orders", sa.Column("state", sa.Enum("new", name="😋")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `😋` exists by now


    def downgrade():
        op.drop_table("orders")
        sa.Enum(name="😋").drop(op.get_bind())
    """,
    fixed="""
    import sqlalchemy as sa
    from alembic import op
    from sqlalchemy.dialects import postgresql

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        sa.Enum("new", name="😋").create(op.get_bind())
        op.create_table("orders", sa.Column("state", postgresql.ENUM("new", name="😋", create_type=False)))


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
rule.example(
    "By a variable, told where it is defined",
    """
    state = postgresql.ENUM("new", "😋", name="state")


    def upgrade():
        state.create(op.get_bind(), checkfirst=True)
        op.create_table("orders", sa.Column("state", state))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the enum type `state` exists by now


    def downgrade():
        op.drop_table("orders")
        state.drop(op.get_bind())
    """,
    fixed="""
    state = postgresql.ENUM("new", "😋", name="state", create_type=False)


    def upgrade():
        state.create(op.get_bind(), checkfirst=True)
        op.create_table("orders", sa.Column("state", state))


    def downgrade():
        op.drop_table("orders")
        state.drop(op.get_bind())
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
