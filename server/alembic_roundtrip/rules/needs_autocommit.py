"""CONCURRENTLY cannot run inside a transaction: it needs `autocommit_block()`.

## Why it matters
PostgreSQL refuses the statement: "cannot run inside a transaction block".

## What to do
Put it into `with op.get_context().autocommit_block():`, in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.rewrite import WrapStatements
from alembic_roundtrip.rule import Finding, Fix, Rule
from alembic_roundtrip.scaffold.edits import receiver, runs, stands_alone

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Concurrent operations outside an autocommit block, where nobody has ended the transaction."""
    if "postgresql" not in context.dialects:
        return
    for operations in (context.upgrade_operations, context.downgrade_operations):
        failing = list(_failing(operations))
        for operation in failing:
            fixes = partial(_fixes, context.migration, operation, failing)
            yield Finding(operation.range, "CONCURRENTLY fails inside a transaction", fixes)


def _failing(operations: tuple[Operation, ...]) -> Iterator[Operation]:
    ended = False
    for operation in operations:
        ended = ended or "COMMIT" in _sql(operation).upper().split()
        ready = ended or operation.autocommit or operation.doubtful
        if not ready and operation.runs_on("postgresql") and _is_concurrent(operation):
            yield operation


def _fixes(migration: Migration, operation: Operation, failing: list[Operation]) -> tuple[Fix, ...]:
    """One autocommit block for what follows each other."""
    ready = [each for each in failing if _can_move(migration, each)]
    for run in runs(migration, ready):
        if operation in run:
            header = f"with {receiver(migration, operation)}.get_context().autocommit_block():"
            wrap = WrapStatements(header, tuple(each.statement for each in run))
            return (Fix("Put it into an autocommit block", (wrap,), "unsafe"),)
    return ()


def _can_move(migration: Migration, operation: Operation) -> bool:
    """Whether it is called on `op` by a statement of its own, outside of any other block."""
    called = receiver(migration, operation)
    return operation.batch is None and called is not None and stands_alone(migration, operation)


def _is_concurrent(operation: Operation) -> bool:
    given = option(operation.arguments, "postgresql_concurrently")
    for change in operation.changes:
        index = getattr(change, "index", None)
        given = given or (option(index.options, "postgresql_concurrently") if index else None)
    return (given is not None and given.value is True) or (
        "CONCURRENTLY" in _sql(operation).upper().split()
    )


def _sql(operation: Operation) -> str:
    sql = option(operation.arguments, "sqltext")
    return "" if sql is None else sql.string or ""


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
