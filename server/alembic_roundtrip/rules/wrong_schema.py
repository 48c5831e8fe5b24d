"""The downgrade works on a table in another schema than the upgrade.

## Why it matters
Without `schema=` a name means the first schema of the search path. The downgrade fails because
nothing is there, or makes the table anew where nobody looks for it.

## What to do
Name the same schema in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.schemas import Misplaced, misplaced
from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Finding, Fix, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Operations of the downgrade that name the upgrade's tables in another schema."""
    for found in misplaced(context):
        yield Finding(
            found.operation.range,
            f"names `{found.named}`, but in upgrade() the table is `{found.meant}`",
            _fixes(context, found),
        )


def _fixes(context: Context, found: Misplaced) -> tuple[Fix, ...]:
    """`schema=` where the call has none; SQL and batches are left to people."""
    operation, schema = found.operation, found.meant.schema
    call = context.migration.source.slice(operation.range)
    plain = operation.batch is None and operation.name.endswith(("_table", "_column", "_index"))
    if found.named.schema or not schema or not plain or not call.endswith(")"):
        return ()
    arguments = call[:-1].rstrip().removesuffix(",")
    rewrite = Replace(operation.range, f'{arguments}, schema="{schema}")')
    return (Fix(f'Add `schema="{schema}"`', (rewrite,), "unsafe"),)


_JOBS = (
    "def upgrade():\n"
    "    op.create_table('jobs', sa.Column('id', sa.Integer(), primary_key=True), schema='api')\n"
)

rule.example(
    "Dropped where it is not",
    """
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer(), primary_key=True), schema="api")


    def downgrade():
        op.drop_table("😋")
        ^^^^^^^^^^^^^^^^^^ names `😋`, but in upgrade() the table is `api.😋`
    """,
    fixed="""
    def upgrade():
        op.create_table("😋", sa.Column("id", sa.Integer(), primary_key=True), schema="api")


    def downgrade():
        op.drop_table("😋", schema="api")
    """,
)
rule.example(
    "Made again where it was not",
    """
    def upgrade():
        op.drop_table("jobs", schema="api")


    def downgrade():
        op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ names `jobs`, but in upgrade() the table is `api.jobs`
    """,
    history=(_JOBS,),
)
rule.example(
    "A table of the same name in each schema",
    """
    def upgrade():
        op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True))
        op.drop_table("jobs", schema="api")


    def downgrade():
        op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True), schema="api")
        op.drop_table("jobs")
    """,
    history=(_JOBS,),
)
