"""Rows that the upgrade inserts into an older table stay after the downgrade.

## Why it matters
The old version of the application meets rows that it does not know, and the next upgrade inserts
them again: twice, or it fails on their key.

## What to do
Delete them in the downgrade by their key: `op.execute("DELETE FROM … WHERE id IN (…)")`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.writes import answered, writes
from alembic_roundtrip.context import Context
from alembic_roundtrip.losses import documentation, explains
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Inserts into tables of other revisions that no statement of the downgrade answers."""
    if context.written_downgrade is None or explains(documentation(context.migration)):
        return
    for write in writes(context, "upgrade", "insert"):
        if not answered(context, write.table):
            yield Finding(
                write.operation.range,
                f"the rows inserted into `{write.table}` stay after downgrade()",
                severity=None if context.recent else "hint",
            )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Seeds in an older table",
    """
    def upgrade():
        op.execute("INSERT INTO teams (id) VALUES (1) -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the rows inserted into `teams` stay after downgrade()
        op.add_column("users", sa.Column("team", sa.Integer()))


    def downgrade():
        op.drop_column("users", "team")
    """,
    history=(_USERS,),
)
rule.example(
    "Seeds in a table that the downgrade drops",
    """
    def upgrade():
        tags = op.create_table("tags", sa.Column("id", sa.Integer()))
        op.bulk_insert(tags, [{"id": 1}])


    def downgrade():
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "Deleted",
    """
    def upgrade():
        op.execute("INSERT INTO teams (id) VALUES (1)")


    def downgrade():
        op.execute("DELETE FROM teams WHERE id = 1")
    """,
    history=(_USERS,),
)
