"""MySQL and MariaDB do not drop an index that a foreign key needs.

## Why it matters
The downgrade fails: "Cannot drop index …: needed in a foreign key constraint". What ran before stays.

## What to do
Drop the foreign key first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Index, Name, Table
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._order import moved
from alembic_roundtrip.scaffold.edits import removed, stands_alone

rule = Rule(__name__, severity="error", downgrade=(c.DropIndex,))


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Indexes dropped while a foreign key on their first columns has no other."""
    for trip in context.round_trips:
        if trip.dialect not in MYSQL:
            continue
        for operation, change, schema in trip.down.steps:
            if not isinstance(change, c.DropIndex) or change.name is None or operation.doubtful:
                continue
            index = schema.index(change.name, change.table)
            table = schema.table(index.table) if index else None
            if index and table and schema.knows(table.name) and _is_needed(index, table):
                message = f"a foreign key of `{table.name}` needs this index"
                found = Finding(operation.range, message)
                yield replace(found, fixes=partial(_fixes, context, found, operation, table.name))


def _fixes(context: Context, found: Finding, operation: Operation, table: Name) -> tuple[Fix, ...]:
    """The drop left to that of its table, where there is one, or moved behind the foreign key's."""
    downgrade = context.written_downgrade
    gone = c.DropTable(table) in (ch for o in context.downgrade_operations for ch in o.changes)
    if downgrade is None or not gone or not stands_alone(context.migration, operation):
        return moved(context, found, check)
    title = f"Leave it out: it goes with `{table}`"
    return (Fix(title, tuple(removed(downgrade, [operation])), "unsafe"),)


def _is_needed(index: Index, table: Table) -> bool:
    columns = _columns(index)
    others = [_columns(other) for other in table.indexes if other is not index]
    others += [p.columns for p in table.constraints if p.kind in {"primary", "unique"}]
    return any(
        part.kind == "foreignkey"
        and columns[: len(part.columns)] == part.columns
        and not any(other[: len(part.columns)] == part.columns for other in others)
        for part in table.constraints
    )


def _columns(index: Index) -> tuple[str, ...]:
    return tuple(part.string or "" for part in index.columns)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "Before its foreign key",
    """
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_index("😋", "users", ["team"])
        op.create_foreign_key("fk", "users", "teams", ["team"], ["id"])


    def downgrade():
        op.drop_index("😋", table_name="users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a foreign key of `users` needs this index
        op.drop_constraint("fk", "users", type_="foreignkey")
        op.drop_column("users", "team")
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_index("😋", "users", ["team"])
        op.create_foreign_key("fk", "users", "teams", ["team"], ["id"])


    def downgrade():
        op.drop_constraint("fk", "users", type_="foreignkey")
        op.drop_index("😋", table_name="users")
        op.drop_column("users", "team")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "Before its table",
    """
    def upgrade():
        op.create_table("notes", sa.Column("😋", sa.Integer(), sa.ForeignKey("teams.id")))
        op.create_index("ix_notes", "notes", ["😋"])


    def downgrade():
        op.drop_index("ix_notes", table_name="notes")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ a foreign key of `notes` needs this index
        op.drop_table("notes")
    """,
    fixed="""
    def upgrade():
        op.create_table("notes", sa.Column("😋", sa.Integer(), sa.ForeignKey("teams.id")))
        op.create_index("ix_notes", "notes", ["😋"])


    def downgrade():
        op.drop_table("notes")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "After it",
    """
    def upgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_index("ix", "users", ["team"])
        op.create_foreign_key("fk", "users", "teams", ["team"], ["id"])


    def downgrade():
        op.drop_constraint("fk", "users", type_="foreignkey")
        op.drop_index("ix", table_name="users")
        op.drop_column("users", "team")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "Another index serves the foreign key",
    """
    def upgrade():
        op.create_table(
            "notes", sa.Column("😋", sa.Integer(), sa.ForeignKey("teams.id")), sa.Column("at", sa.Date())
        )
        op.create_index("ix_notes", "notes", ["😋"])
        op.create_index("ix_notes_at", "notes", ["😋", "at"])


    def downgrade():
        op.drop_index("ix_notes_at", table_name="notes")
        op.drop_table("notes")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "PostgreSQL needs none",
    """
    def upgrade():
        op.create_table("notes", sa.Column("😋", sa.Integer(), sa.ForeignKey("teams.id")))
        op.create_index("ix_notes", "notes", ["😋"])


    def downgrade():
        op.drop_index("ix_notes", table_name="notes")
        op.drop_table("notes")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
