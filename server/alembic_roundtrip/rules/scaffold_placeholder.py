"""A line that the scaffold left for a human to finish is still there.

## Why it matters
The downgrade is incomplete exactly where the tool could not know better.

## What to do
Write what the line asks for and remove it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold import PLACEHOLDER
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="warning")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Placeholder comments of the scaffold."""
    migration = context.migration
    if PLACEHOLDER not in migration.text:
        return
    for number in range(1, migration.source.line_count + 1):
        line = migration.source.line(number)
        before, mark, task = line.partition(PLACEHOLDER)
        if mark and not before.strip():
            start = Position(number, len(before) + 1)
            end = Position(number, len(line.rstrip()) + 1)
            yield Finding(Range(start, end), f"unfinished: {task.strip()}")


rule.example(
    "Never finished",
    """
    def upgrade():
        op.execute("CREATE TABLE 😋 AS SELECT 1")


    def downgrade():
        # TODO(alembic-roundtrip): undo `execute` by hand
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ unfinished: undo `execute` by hand
        op.execute("SELECT 1")
    """,
)
rule.example(
    "Another task",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        # TODO: ask for a review
        op.drop_column("users", "nick")
    """,
)
