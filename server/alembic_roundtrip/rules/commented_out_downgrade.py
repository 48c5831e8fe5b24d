"""An operation of the downgrade is commented out.

## Why it matters
Somebody switched a part of the rollback off, mostly because it failed. What it would have undone
stays.

## What to do
Repair it and put it back, or delete it and say why it is not needed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import Replace
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.text import Position, Range

rule = Rule(__name__, severity="hint")

_COMMENT = re.compile(r"([ \t]*)#+ ?(.*?)[ \t]*$")
_OPERATION = re.compile(r"[ \t]*(#+[ \t]*(?:op|batch_op)\.\w+\(.*?)[ \t]*$")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Comment lines of the downgrade that begin with a call of an operation."""
    migration = context.migration
    if migration.downgrade is None or context.upgrade_only:
        return
    place = migration.downgrade.range
    for number in range(place.start.line, place.end.line + 1):
        line = migration.source.line(number)
        match = _OPERATION.match(line) if "#" in line else None
        if match is not None:
            start = Position(number, match.start(1) + 1)
            where = Range(start, Position(number, match.end(1) + 1))
            fixes = partial(_fixes, migration, number)
            yield Finding(where, "this part of the downgrade is switched off", fixes)


def _fixes(migration: Migration, number: int) -> tuple[Fix, ...]:
    """The call put back, with the comment lines that it goes on in."""
    code: list[str] = []
    for last in range(number, migration.source.line_count + 1):
        match = _COMMENT.match(migration.source.line(last))
        if match is None:
            return ()
        code.append(match.group(2))
        if _is_statement("\n".join(code)):
            break
    line = migration.source.line(number)
    text = "\n".join(line[: line.index("#")] + part for part in code)
    place = Range(Position(number, 1), migration.source.line_range(last).end)
    return (Fix("Put it back", (Replace(place, text),), "unsafe"),)


def _is_statement(text: str) -> bool:
    try:
        return len(ast.parse(text).body) == 1
    except SyntaxError:
        return False


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
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
        op.drop_column("users", "😋")
    """,
    history=("def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n",),
)
rule.example(
    "On several lines",
    """
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        # op.create_index(
        ^^^^^^^^^^^^^^^^^^ this part of the downgrade is switched off
        #     "ix_😋",
        #     "users",
        #     ["id"],
        # )
        pass
    """,
    fixed="""
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index(
            "ix_😋",
            "users",
            ["id"],
        )
        pass
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
