"""An operation of the downgrade is commented out.

## Why it matters
Somebody switched a part of the rollback off, mostly because it failed. What it would have undone
stays.

## What to do
Repair it and put it back, or delete it and say why it is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="hint")

_OPERATION = re.compile(r"[ \t]*(#+[ \t]*(?:op|batch_op)\.\w+\(.*?)[ \t]*$")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Comment lines of the downgrade that begin with a call of an operation."""
    migration = context.migration
    if migration.downgrade is None or context.upgrade_only:
        return
    place = migration.downgrade.range
    for number in range(place.start.line, place.end.line + 1):
        match = _OPERATION.match(migration.source.line(number))
        if match is not None:
            start = Position(number, match.start(1) + 1)
            where = Range(start, Position(number, match.end(1) + 1))
            yield Finding(where, "this part of the downgrade is switched off")


rule.example(
    "Switched off",
    """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        # op.drop_column("users", "nick")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ this part of the downgrade is switched off
        op.drop_column("users", "😋")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "Prose about an operation",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        # Uses op.drop_column() because the column is new.
        op.drop_column("users", "nick")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
