"""An operation lacks an argument that it cannot do without.

## Why it matters
The call raises `TypeError` when the migration gets there: for a downgrade, in the middle of a
rollback that nobody has tried before.

## What to do
Give the argument: outside of a batch block every constraint and column needs the name of its table.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Calls that Python itself refuses."""
    for operation in (*context.upgrade_operations, *context.downgrade_operations):
        if operation.missing and not operation.doubtful:
            names = ", ".join(f"`{name}`" for name in operation.missing)
            yield Finding(operation.range, f"`op.{operation.name}()` lacks {names}")


rule.example(
    "A constraint without its table",
    """
    def upgrade():
        op.create_check_constraint("ck_😋", "users", "age > 0")


    def downgrade():
        op.drop_constraint("ck_😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^ `op.drop_constraint()` lacks `table_name`
    """,
)
rule.example(
    "In a batch block, which has the table",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_check_constraint("ck_age", "age > 0")


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_constraint("ck_age")
    """,
)
rule.example(
    "Handed over in a dictionary",
    """
    ARGUMENTS = read()


    def upgrade():
        op.create_check_constraint("ck_age", "users", "age > 0")


    def downgrade():
        op.drop_constraint("ck_age", **ARGUMENTS)
    """,
)
