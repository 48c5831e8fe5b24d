"""A NOT NULL column without a default is added: it fails as soon as the table has a row.

## Why it matters
On the empty table of a test database the migration passes. On a table with rows the database
refuses: there is nothing to put into the new column.

## What to do
Give the column a `server_default`, or add it nullable, fill it, and set NOT NULL afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from alembic_roundtrip.comparison.tightening import Way
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.changes import AddColumn, AddConstraint, CreateTable, WriteRows
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Column, Name, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.rewrite import ChangeCall
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import column_call
from alembic_roundtrip.scaffold.patterns import required
from alembic_roundtrip.scaffold.patterns._pattern import At
from alembic_roundtrip.severity import Severity

rule = Rule(__name__, severity="error", upgrade=(AddColumn,), downgrade=(AddColumn,))

# They put the type's own zero or empty text into the rows that are there.


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Required columns added to tables that may hold rows at that moment."""
    if context.dialects and set(context.dialects) <= MYSQL:
        return
    yield from _added("downgrade", context, "error")
    # What was deployed has found no row in its way.
    severity: Severity = "error" if context.recent else "information"
    yield from _added("upgrade", context, severity)


def _added(way: Way, context: Context, severity: Severity) -> Iterator[Finding]:
    empty: set[Name] = set()
    downgrades = way == "downgrade"
    operations = context.downgrade_operations if downgrades else context.upgrade_operations
    filled = context.dialects == ("sqlite",)
    for operation in operations:
        for change in operation.changes:
            if isinstance(change, CreateTable):
                empty.add(change.table.name)
            elif isinstance(change, WriteRows) and change.table is not None:
                emptied = change.verb in {"delete", "truncate"} and not change.bounded
                (empty.add if emptied else empty.discard)(change.table)
            elif (
                isinstance(change, AddColumn)
                and change.table not in empty
                and _is_required(change.column)
                and not (filled and _is_row_number(change.column, change, operations))
            ):
                yield Finding(
                    operation.range,
                    f"{way}() adds `{change.table}.{change.column.name}` NOT NULL without a "
                    "default: it fails as soon as the table has a row",
                    partial(_fixes, context, operation, change),
                    severity=severity,
                )


def _is_row_number(column: Column, change: AddColumn, operations: Iterable[Operation]) -> bool:
    """Whether it becomes the only primary key, which SQLite fills where it is an integer."""
    return "INT" in (column.type.text.upper() if column.type else "") and any(
        isinstance(other, AddConstraint)
        and (other.table, other.constraint.kind) == (change.table, "primary")
        and other.constraint.columns == (column.name,)
        for operation in operations
        for other in operation.changes
    )


def _is_required(column: Column) -> bool:
    """Whether rows that are there would have nothing in it, and must."""
    generated = column.fills_itself or option(column.options, "primary_key")
    return column.nullable is False and not column.server_default and not generated


def _fixes(context: Context, operation: Operation, change: AddColumn) -> tuple[Fix, ...]:
    """The server default that the column has at the parent revision, else one for the rows here."""
    table = context.before.table(change.table)
    column = table.column(change.column.name) if table else None
    default = column.server_default if column else None
    place = column_call(context.migration, operation, change.column.name)
    if default is None or place is None:
        return tuple(p.fix for p in required.patterns(context, At(operation.range)))
    render = Renderer(context.migration)
    try:
        text = render.expression(default)
    except NotKnownError:
        return ()
    given = (("server_default", text),)
    rewrite = ChangeCall(place.range, arguments=given, imports=tuple(render.imports))
    return (Fix("Give it the server default that it had", (rewrite,), "unsafe"),)


rule.example(
    "A dropped column comes back required",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() adds `users.😋` NOT NULL without a default: it fails as soon as the table has a row
    """,
)
rule.example(
    "Its default was forgotten",
    """
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ downgrade() adds `users.😋` NOT NULL without a default: it fails as soon as the table has a row
    """,
    fixed="""
    def upgrade():
        op.drop_column("users", "😋")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False, server_default='new'))
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('😋', sa.Text(), nullable=False, server_default='new'))\n",
    ),
)
rule.example(
    "MySQL and MariaDB fill the rows by themselves",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.Text(), nullable=False))
    """,
    dialects=("mysql",),
)
rule.example(
    "With a server default",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.Text(), nullable=False, server_default=""))
    """,
)
rule.example(
    "On a table made in the same function",
    """
    def upgrade():
        op.drop_table("users")


    def downgrade():
        op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("users", sa.Column("nick", sa.Text(), nullable=False))
    """,
)
rule.example(
    "Nullable, filled, then required",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.Text(), nullable=True))
        op.execute("UPDATE users SET nick = ''")
        op.alter_column("users", "nick", nullable=False)
    """,
)
rule.example(
    "A new column that is required at once",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() adds `users.😋` NOT NULL without a default: it fails as soon as the table has a row


    def downgrade():
        op.drop_column("users", "😋")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False, server_default=""))
        op.alter_column("users", "😋", existing_type=sa.Text(), server_default=None)


    def downgrade():
        op.drop_column("users", "😋")
    """,
)
rule.example(
    "SQLite numbers the rows",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("id")
            batch_op.create_primary_key("pk_users", ["nick"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("pk_users", "primary")
            batch_op.add_column(sa.Column("id", sa.Integer(), nullable=False))
            batch_op.create_primary_key("pk_users", ["id"])
    """,
    dialects=("sqlite",),
)
