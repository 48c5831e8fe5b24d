"""CONCURRENTLY cannot run inside a transaction: it needs `autocommit_block()`.

## Why it matters
PostgreSQL refuses the statement: "cannot run inside a transaction block". It also refuses to use a
new enum value in the transaction that adds it: "unsafe use of new value".

## What to do
Put it into `with op.get_context().autocommit_block():`, in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.rewrite import WrapStatements
from alembic_roundtrip.migration.sql.words import spoken
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import op_name, runs, stands_alone

rule = Rule(__name__, severity="error")


_ALONE = (("VACUUM",), ("ALTER", "SYSTEM"), ("CREATE", "DATABASE"), ("DROP", "DATABASE"))
"""What PostgreSQL runs in no transaction at all."""


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Concurrent operations outside an autocommit block, where there is a transaction."""
    if "postgresql" not in context.dialects or not context.in_transaction:
        return
    for operations in (context.upgrade_operations, context.downgrade_operations):
        failing = dict(_failing(operations, context))
        for operation, message in failing.items():
            fixes = partial(_fixes, context.migration, operation, list(failing))
            yield Finding(operation.range, message, fixes)


def _failing(
    operations: tuple[Operation, ...], context: Context
) -> Iterator[tuple[Operation, str]]:
    for number, operation in enumerate(operations):
        said = spoken(operation.sql)
        if any(tokens[0] == "COMMIT" for tokens in said):
            return
        if operation.autocommit or operation.doubtful or not operation.runs_on("postgresql"):
            continue
        if _is_concurrent(operation):
            yield operation, "CONCURRENTLY fails inside a transaction"
        alone = [verb for verb in _ALONE for tokens in said if tokens[: len(verb)] == verb]
        if operation.name == "execute" and alone:
            yield operation, f"{' '.join(alone[0])} fails inside a transaction"
        for change in operation.changes:
            if isinstance(change, c.AddEnumValue):
                later = operations[number + 1 :]
                if any(_uses(other, change, context) for other in later):
                    message = f"`{change.value}` is used in the transaction that adds it"
                    yield operation, message


def _uses(operation: Operation, added: c.AddEnumValue, context: Context) -> bool:
    """Whether rows of a table with that enum type get the new value, or a column has it as default."""
    users = {
        (table, column.name)
        for trip in context.round_trips
        if trip.dialect == "postgresql"
        for table, column in trip.up.schema.users_of(added.name)
    }
    tables = {table for table, _ in users}
    for change in operation.changes:
        if isinstance(change, c.WriteRows) and change.table in tables:
            values = {value for row in change.rows for _, value in row}
            said = {token for tokens in spoken(operation.sql) for token in tokens}
            if added.value in values or f"'{added.value}'" in said:
                return True
        if isinstance(change, c.AlterColumn) and (change.table, change.column) in users:
            default = option(change.options, "server_default")
            if default is not None and (default.string or "").strip("'") == added.value:
                return True
    return False


def _fixes(migration: Migration, operation: Operation, failing: list[Operation]) -> tuple[Fix, ...]:
    """One autocommit block for what follows each other."""
    ready = [each for each in failing if _can_move(migration, each)]
    for run in runs(migration, ready):
        if operation in run:
            header = f"with {op_name(migration)}.get_context().autocommit_block():"
            wrap = WrapStatements(header, tuple(each.statement for each in run))
            return (Fix("Put it into an autocommit block", (wrap,), "unsafe"),)
    return ()


def _can_move(migration: Migration, operation: Operation) -> bool:
    """Whether it is called by a statement of its own, outside of any batch block."""
    return operation.batch is None and stands_alone(migration, operation)


def _is_concurrent(operation: Operation) -> bool:
    given = option(operation.arguments, "postgresql_concurrently")
    for change in operation.changes:
        if given is None and isinstance(change, c.CreateIndex):
            given = option(change.index.options, "postgresql_concurrently")
    # A materialized view can be refreshed concurrently anywhere, and no DO block helps an index.
    said = any(
        "CONCURRENTLY" in tokens and tokens[0] not in {"DO", "REFRESH"}
        for tokens in spoken(operation.sql)
    )
    return said or (given is not None and given.value is True)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "An index",
    """
    def upgrade():
        op.execute("CREATE INDEX CONCURRENTLY 😋 ON users (nick)")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction


    def downgrade():
        op.drop_index("😋", table_name="users")
    """,
    fixed="""
    def upgrade():
        with op.get_context().autocommit_block():
            op.execute("CREATE INDEX CONCURRENTLY 😋 ON users (nick)")


    def downgrade():
        op.drop_index("😋", table_name="users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Tidied up",
    """
    def upgrade():
        op.execute("VACUUM ANALYZE users")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ VACUUM fails inside a transaction
    """,
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        with op.get_context().autocommit_block():
            op.execute("VACUUM ANALYZE users")
    """,
)
rule.example(
    "In its block",
    """
    def upgrade():
        with op.get_context().autocommit_block():
            op.create_index("ix", "users", ["nick"], postgresql_concurrently=True)


    def downgrade():
        with op.get_context().autocommit_block():
            op.drop_index("ix", table_name="users", postgresql_concurrently=True)
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The transaction is ended by hand",
    """
    def upgrade():
        op.execute("COMMIT")
        op.execute("CREATE INDEX CONCURRENTLY ix ON users (nick)")


    def downgrade():
        op.drop_index("ix", table_name="users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "An index that is dropped",
    """
    def upgrade():
        with op.get_context().autocommit_block():
            op.create_index("ix_😋", "users", ["nick"], postgresql_concurrently=True)


    def downgrade():
        op.drop_index("ix_😋", table_name="users", postgresql_concurrently=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "By the connection",
    """
    def upgrade():
        op.get_bind().execute(sa.text("CREATE INDEX CONCURRENTLY 😋 ON users (nick)"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction


    def downgrade():
        op.execute(sa.text("DROP INDEX CONCURRENTLY 😋"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A new value that is used at once",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `😋` is used in the transaction that adds it
        op.execute("UPDATE orders SET state = '😋' WHERE state = 'new'")


    def downgrade():
        op.execute("UPDATE orders SET state = 'new' WHERE state = '😋'")
    """,
    fixed="""
    def upgrade():
        with op.get_context().autocommit_block():
            op.execute("ALTER TYPE state ADD VALUE '😋'")
        op.execute("UPDATE orders SET state = '😋' WHERE state = 'new'")


    def downgrade():
        op.execute("UPDATE orders SET state = 'new' WHERE state = '😋'")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('state', sa.Enum('new', name='state')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A new value, and another type that has it",
    """
    def upgrade():
        op.execute("ALTER TYPE state ADD VALUE 'paid'")
        op.execute("UPDATE notes SET kind = 'paid'")


    def downgrade():
        op.execute("UPDATE notes SET kind = 'new'")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('orders', sa.Column('state', sa.Enum('new', name='state')))\n"
        "    op.create_table('notes', sa.Column('kind', sa.Text()))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A materialized view",
    """
    def upgrade():
        op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")


    def downgrade():
        op.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY totals")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Operations under another name, in two statements",
    """
    import sqlalchemy as sa
    from alembic import op as operations

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        connection = operations.get_bind()
        connection.execute(sa.text("DROP INDEX CONCURRENTLY ix_😋"))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction
        # The new one.
        operations.create_index("ix_nick", "users", ["nick"], postgresql_concurrently=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ CONCURRENTLY fails inside a transaction


    def downgrade():
        operations.drop_index("ix_nick", table_name="users")
    """,
    fixed="""
    import sqlalchemy as sa
    from alembic import op as operations

    revision = "bbbb2222"
    down_revision = "revision0"


    def upgrade():
        connection = operations.get_bind()
        with operations.get_context().autocommit_block():
            connection.execute(sa.text("DROP INDEX CONCURRENTLY ix_😋"))
            # The new one.
            operations.create_index("ix_nick", "users", ["nick"], postgresql_concurrently=True)


    def downgrade():
        operations.drop_index("ix_nick", table_name="users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
