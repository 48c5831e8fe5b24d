"""The downgrade deletes or overwrites every row of a table that is older than this revision.

## Why it matters
A rollback of one revision empties a table, or one column of it, that the application had all along.

## What to do
Say in WHERE which rows this revision brought; those are the ones to remove.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.writes import settled_columns, writes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", downgrade=(c.WriteRows,))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """DELETE, TRUNCATE and UPDATE to constants, without WHERE, on tables of other revisions."""
    for write in writes(context, "downgrade", "delete", "truncate", "update"):
        if write.bounded:
            continue
        if write.verb != "update":
            yield Finding(write.operation.range, f"every row of `{write.table}` is deleted")
        elif (
            write.columns
            and not write.computed
            and set(write.columns) <= settled_columns(context, write.table)
        ):
            names = ", ".join(f"`{write.table}.{name}`" for name in write.columns)
            yield Finding(write.operation.range, f"every value of {names} is overwritten")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Everything is deleted",
    """
    def upgrade():
        op.execute("INSERT INTO teams (id) VALUES (1)")


    def downgrade():
        op.execute("DELETE FROM teams -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every row of `teams` is deleted
    """,
    history=(_USERS,),
)
rule.example(
    "By key",
    """
    def upgrade():
        op.execute("INSERT INTO teams (id) VALUES (1)")


    def downgrade():
        op.execute("DELETE FROM teams WHERE id = 1")
    """,
    history=(_USERS,),
)
rule.example(
    "A table of this revision",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer()))


    def downgrade():
        op.execute("DELETE FROM tags")
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "Filling a column that comes back",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.execute("UPDATE users SET nick = ''")
    """,
    history=(_USERS,),
)
rule.example(
    "Values made from the old ones, as the upgrade made them",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = replace(nick, ' ', '_')")


    def downgrade():
        op.execute("UPDATE users SET nick = replace(nick, '_', ' ')")
    """,
    history=(_USERS,),
)
rule.example(
    "A constant for all, said once of a loop",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = lower(nick)")


    def downgrade():
        for _ in (1, 2):
            op.execute("UPDATE users SET nick = upper('none')")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ every value of `users.nick` is overwritten
    """,
    history=(_USERS,),
)
