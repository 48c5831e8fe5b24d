"""The downgrade's batch copies a table with a generated column, which SQLite refuses.

## Why it matters
For what SQLite cannot alter, a batch makes the table anew and copies every column into it, generated
ones too: `cannot INSERT into generated column`. The rollback stops there.

## What to do
Drop the generated column in the same batch and add it again in another. Dropping a plain column
needs no batch since SQLite 3.35: use `op.drop_column()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Batch
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.schema import Schema

rule = Rule(__name__, severity="error")

_IN_PLACE = (c.AddColumn, c.CreateIndex, c.DropIndex, c.SetComment, c.WriteRows)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Batches of the downgrade that make a table with generated columns anew; each once."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    for trip in context.round_trips:
        if trip.dialect != "sqlite" or trip.down.unread:
            continue
        seen: set[Batch] = set()
        for operation, change, schema in trip.down.steps:
            batch = operation.batch
            if batch is None or batch in seen or operation.doubtful or not _copies(batch, change):
                continue
            seen.add(batch)
            for name in _generated(batch, schema, trip):
                message = f"the batch copies `{batch.table}` with its generated column `{name}`"
                yield Finding(operation.range, message)


def _copies(batch: Batch, change: c.Change) -> bool:
    """Whether the table is made anew for a change."""
    given = option(batch.options, "recreate")
    recreate = "auto" if given is None else given.value
    return recreate == "always" or (recreate == "auto" and not isinstance(change, _IN_PLACE))


def _generated(batch: Batch, schema: Schema, trip: RoundTrip) -> Iterator[str]:
    """The generated columns of a table that the batch does not drop itself."""
    table = schema.table(batch.table)
    dropped = {
        change.column
        for operation, change, _ in trip.down.steps
        if operation.batch == batch and isinstance(change, c.DropColumn)
    }
    for column in table.columns if table is not None and schema.knows(batch.table) else ():
        if column.computed and column.name not in dropped:
            yield column.name


_SPANS = (
    "def upgrade():\n"
    "    op.create_table('spans', sa.Column('start', sa.Integer()), sa.Column('end', sa.Integer()),\n"
    "        sa.Column('length', sa.Integer(), sa.Computed('\"end\" - start')))\n"
)

rule.example(
    "A column is dropped from a table with a generated one",
    """
    def upgrade():
        op.add_column("spans", sa.Column("😋", sa.Text()))


    def downgrade():
        with op.batch_alter_table("spans") as batch_op:
            batch_op.drop_column("😋")
            ^^^^^^^^^^^^^^^^^^^^^^^^^ the batch copies `spans` with its generated column `length`
    """,
    history=(_SPANS,),
    dialects=("sqlite",),
)
rule.example(
    "In place",
    """
    def upgrade():
        op.add_column("spans", sa.Column("kind", sa.Text()))
        op.create_index("ix_kind", "spans", ["kind"])


    def downgrade():
        with op.batch_alter_table("spans") as batch_op:
            batch_op.drop_index("ix_kind")
        op.drop_column("spans", "kind")
    """,
    history=(_SPANS,),
    dialects=("sqlite",),
)
rule.example(
    "The generated column goes in the same batch",
    """
    def upgrade():
        op.add_column("spans", sa.Column("kind", sa.Text()))


    def downgrade():
        with op.batch_alter_table("spans") as batch_op:
            batch_op.drop_column("kind")
            batch_op.drop_column("length")
    """,
    history=(_SPANS,),
    dialects=("sqlite",),
)
rule.example(
    "Another database",
    """
    def upgrade():
        op.add_column("spans", sa.Column("kind", sa.Text()))


    def downgrade():
        with op.batch_alter_table("spans") as batch_op:
            batch_op.drop_column("kind")
    """,
    history=(_SPANS,),
    dialects=("postgresql",),
)
