"""The upgrade overwrites values of an older column, and the downgrade does not touch them.

## Why it matters
After the rollback the old version of the application reads values that the new one wrote.

## What to do
Write the values back where there is an inverse. Where there is none, copy the old ones into a column
or table of their own first, or say in the docstring that they are lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.writes import Write, answered, settled_columns, writes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.prose import documentation, explains
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.patterns.backup import of_update

rule = Rule(__name__, severity="warning", upgrade=(c.WriteRows,))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """UPDATEs of columns that this revision neither makes, drops nor alters."""
    if context.written_downgrade is None or explains(documentation(context.migration)):
        return
    for write in writes(context, "upgrade", "update"):
        old = settled_columns(context, write.table)
        names = [name for name in write.columns if name in old]
        if names and not answered(context, write.table):
            shown = ", ".join(f"`{write.table}.{name}`" for name in names)
            yield Finding(
                write.operation.range,
                f"nothing in downgrade() brings the overwritten values of {shown} back",
                partial(_fixes, context, write),
                severity=None if context.recent else "hint",
            )


def _fixes(context: Context, write: Write) -> tuple[Fix, ...]:
    """The old values in a column of their own."""
    fix = of_update(context, write)
    return () if fix is None else (fix,)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Values in lower case",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = lower(nick) -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() brings the overwritten values of `users.nick` back
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nick_backup", sa.String(30)))
        op.add_column(
            "users",
            sa.Column("nick_backed_up", sa.Boolean(), server_default=sa.false(), nullable=False),
        )
        op.execute("UPDATE users SET nick_backup = nick, nick_backed_up = true")
        op.execute("UPDATE users SET nick = lower(nick) -- 😋")
        op.add_column("users", sa.Column("mail", sa.Text()))


    def downgrade():
        op.drop_column("users", "mail")
        op.execute("UPDATE users SET nick = nick_backup WHERE nick_backed_up")
        op.drop_column("users", "nick_backed_up")
        op.drop_column("users", "nick_backup")
    """,
    history=(_USERS,),
)
rule.example(
    "Backfill of a column added here",
    """
    def upgrade():
        op.add_column("users", sa.Column("mail", sa.Text()))
        op.execute("UPDATE users SET mail = ''")


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
)
rule.example(
    "Undone",
    """
    def upgrade():
        op.execute("UPDATE users SET id = id + 1000")


    def downgrade():
        op.execute("UPDATE users SET id = id - 1000")
    """,
    history=(_USERS,),
)
rule.example(
    "Arithmetic, and its inverse",
    """
    def upgrade():
        op.execute("UPDATE users SET age = age * 100")


    def downgrade():
        op.execute("UPDATE users SET age = age / 100")
    """,
    history=(_USERS,),
)
