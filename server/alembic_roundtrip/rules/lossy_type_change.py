"""The upgrade gives an older column a type that cannot hold all of its values.

## Why it matters
Values are cut, rounded or refused by the upgrade; the downgrade gives the type back, not the values.

## What to do
Keep the old values in a column of their own until the new type has proven itself, or say in the
docstring what is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.casting import narrowing
from alembic_roundtrip.comparison.typechanges import TypeChange, type_changes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.losses import kept_aside, predicted_losses
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.prose import documentation, told_losses
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.patterns.backup import of_type_change
from alembic_roundtrip.schema import Key

rule = Rule(__name__, severity="warning", upgrade=(c.AlterColumn,))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Type changes that narrow; SQLite keeps values as they are."""
    kept = kept_aside(context)
    changes = tuple(type_changes(context, "upgrade"))
    lost = {change.column for change in changes} | {
        loss.subject for loss in predicted_losses(context)
    }
    told = told_losses(documentation(context.migration), lost)
    for change in changes:
        if change.column in told:
            continue
        why = narrowing(change.before, change.after, change.dialect)
        column = Key("column", change.change.table, change.change.column)
        if why and change.dialect != "sqlite" and change.older and column not in kept:
            yield Finding(
                change.operation.range,
                f"{change.before.text} to {change.after.text} {why.value} in `{change.column}`",
                partial(_fixes, context, change),
                severity=None if context.recent else "hint",
            )


def _fixes(context: Context, change: TypeChange) -> tuple[Fix, ...]:
    """The old values in a column of their own."""
    fix = of_type_change(context, change)
    return () if fix is None else (fix,)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Shorter",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.String(10), comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ sa.String(30) to sa.String(10) cuts or refuses longer values in `users.nick`


    def downgrade():
        op.alter_column("users", "nick", type_=sa.String(30), comment=None)
    """,
    history=(_USERS,),
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nick_backup", sa.String(30)))
        op.add_column(
            "users",
            sa.Column("nick_backed_up", sa.Boolean(), server_default=sa.false(), nullable=False),
        )
        op.execute("UPDATE users SET nick_backup = nick, nick_backed_up = true")
        op.alter_column("users", "nick", type_=sa.String(10), comment="😋")


    def downgrade():
        op.alter_column("users", "nick", type_=sa.String(30), comment=None)
        op.execute("UPDATE users SET nick = nick_backup WHERE nick_backed_up")
        op.drop_column("users", "nick_backed_up")
        op.drop_column("users", "nick_backup")
    """,
)
rule.example(
    "Wider",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.Text())


    def downgrade():
        op.alter_column("users", "nick", type_=sa.String(30))
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A double of MySQL keeps every integer",
    """
    def upgrade():
        op.alter_column("users", "id", type_=sa.Float(53), existing_nullable=False)
        op.alter_column("users", "age", type_=sa.Float(24), existing_nullable=True, comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ sa.Integer() to sa.Float(24) rounds values in `users.age`


    def downgrade():
        op.alter_column("users", "id", type_=sa.Integer(), existing_nullable=False)
        op.alter_column("users", "age", type_=sa.Integer(), existing_nullable=True, comment=None)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), nullable=False), "
        "sa.Column('age', sa.Integer()))\n",
    ),
    dialects=("mysql",),
)
rule.example(
    "SQLite takes any value",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.alter_column("nick", type_=sa.String(10))


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.alter_column("nick", type_=sa.String(30))
    """,
    history=(_USERS,),
    dialects=("sqlite",),
)
rule.example(
    "The docstring says it of another column",
    '''
    """Drop the age. The values of users.age are lost."""

    def upgrade():
        op.drop_column("users", "age")
        op.alter_column("users", "nick", type_=sa.String(10))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ sa.String(30) to sa.String(10) cuts or refuses longer values in `users.nick`


    def downgrade():
        op.alter_column("users", "nick", type_=sa.String(30))
        op.add_column("users", sa.Column("age", sa.Text(), server_default="1"))
    ''',
    history=(_USERS,),
    dialects=("postgresql",),
)
