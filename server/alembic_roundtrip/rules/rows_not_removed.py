"""Rows that the upgrade inserts into an older table stay after the downgrade.

## Why it matters
The old version of the application meets rows that it does not know, and the next upgrade inserts
them again: twice, or it fails on their key.

## What to do
Delete them in the downgrade by their key: `op.execute("DELETE FROM … WHERE id IN (…)")`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.writes import answered, writes
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.prose import documentation, explains
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", upgrade=(c.WriteRows,))


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
                partial(_fixes, context, write.operation),
                severity=None if context.recent else "hint",
            )


def _fixes(context: Context, operation: Operation) -> tuple[Fix, ...]:
    """DELETE by the key of the rows, where all of them are literals."""
    from alembic_roundtrip.scaffold import scaffold

    downgrade = context.written_downgrade
    here = [o for o in context.upgrade_operations if o.range == operation.range]
    changes = [change for each in here for change in each.changes]
    if downgrade is None or not all(_inserts(change) for change in changes):
        return ()
    tables = {change.table for change in changes if isinstance(change, c.WriteRows)}
    if not all(_keeps_columns(context, table) for table in tables):
        return ()
    written = scaffold(context, operation.range)
    if not written.complete or written.lost:
        return ()
    place = int(downgrade.docstring is not None)
    rewrite = InsertStatements("downgrade", place, written.statements, written.imports)
    return (Fix("Delete these rows in the downgrade", (rewrite,), "unsafe"),)


def _keeps_columns(context: Context, table: Name | None) -> bool:
    """Whether the rows have after the upgrade all columns that they are inserted with."""
    changes = [change for o in context.upgrade_operations for change in o.changes]
    about = [ch for ch in changes if isinstance(ch, c.DropColumn | c.AlterColumn)]
    return not any(
        change.table == table
        and (isinstance(change, c.DropColumn) or option(change.options, "new_column_name"))
        for change in about
    )


def _inserts(change: c.Change) -> bool:
    return isinstance(change, c.WriteRows) and change.verb == "insert"


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
    fixed="""
    def upgrade():
        op.execute("INSERT INTO teams (id) VALUES (1) -- 😋")
        op.add_column("users", sa.Column("team", sa.Integer()))


    def downgrade():
        op.execute("DELETE FROM teams WHERE id = 1")
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
rule.example(
    "Rows in bulk",
    """
    def upgrade():
        teams = sa.table("teams", sa.column("id"))
        op.bulk_insert(teams, [{"id": 1}, {"id": 2}])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the rows inserted into `teams` stay after downgrade()
        op.add_column("users", sa.Column("team", sa.Integer()))


    def downgrade():
        op.drop_column("users", "team")
    """,
    fixed="""
    def upgrade():
        teams = sa.table("teams", sa.column("id"))
        op.bulk_insert(teams, [{"id": 1}, {"id": 2}])
        op.add_column("users", sa.Column("team", sa.Integer()))


    def downgrade():
        op.execute("DELETE FROM teams WHERE id IN (1, 2)")
        op.drop_column("users", "team")
    """,
    history=(_USERS,),
)
