"""The downgrade works on a table in another schema than the upgrade.

## Why it matters
Without `schema=` a name means the first schema of the search path. The downgrade fails because
nothing is there, or makes the table anew where nobody looks for it.

## What to do
Name the same schema in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.schemas import Misplaced, misplaced
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.operations import SIGNATURES
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.migration.rewrite import ChangeCall
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import changed_call, has_own_call

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Operations of the downgrade that name the upgrade's tables in another schema."""
    for found in misplaced(context):
        yield Finding(
            found.operation.range,
            f"names `{found.named}`, but in upgrade() the table is `{found.meant}`",
            partial(_fixes, context, found),
        )


def _fixes(context: Context, found: Misplaced) -> tuple[Fix, ...]:
    """The schema that is meant, at the call or at its batch block; SQL is left to people."""
    migration, operation, schema = context.migration, found.operation, found.meant.schema
    if operation.name not in SIGNATURES or not has_own_call(migration, operation):
        return ()
    text = Renderer(migration).text(schema) if schema else None
    title = f'Add `schema="{schema}"`' if schema else "Leave out `schema=`"
    if operation.batch is not None:
        place = operation.batch.range
        rewrite = ChangeCall(place, "", (("schema", text),), ("table_name", "schema"))
    else:
        keyword = "source_schema" if operation.name == "create_foreign_key" else "schema"
        rewrite = changed_call(operation, {keyword: text})
    return (Fix(title, (rewrite,), "unsafe"),)


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
    "A batch block that does not say it",
    """
    def upgrade():
        with op.batch_alter_table("jobs", schema="api") as batch_op:
            batch_op.add_column(sa.Column("😋", sa.Text()))


    def downgrade():
        with op.batch_alter_table("jobs") as batch_op:
            batch_op.drop_column("😋")
            ^^^^^^^^^^^^^^^^^^^^^^^^^ names `jobs`, but in upgrade() the table is `api.jobs`
    """,
    fixed="""
    def upgrade():
        with op.batch_alter_table("jobs", schema="api") as batch_op:
            batch_op.add_column(sa.Column("😋", sa.Text()))


    def downgrade():
        with op.batch_alter_table("jobs", schema="api") as batch_op:
            batch_op.drop_column("😋")
    """,
    history=(_JOBS,),
)
rule.example(
    "Moved to another schema and back, under another name",
    """
    def upgrade():
        op.execute("ALTER TABLE api.jobs SET SCHEMA app; ALTER TABLE app.jobs RENAME TO tasks")


    def downgrade():
        op.execute("ALTER TABLE app.tasks SET SCHEMA api; ALTER TABLE api.tasks RENAME TO jobs")
    """,
    history=(_JOBS,),
    dialects=("postgresql",),
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
rule.example(
    "The search path says where it is",
    """
    def upgrade():
        op.execute("SET search_path TO api")
        op.create_table("logs", sa.Column("id", sa.Integer(), primary_key=True))


    def downgrade():
        op.drop_table("logs", schema="api")
    """,
    dialects=("postgresql",),
)
