"""What a pattern is, and what the patterns have in common."""

from __future__ import annotations

from dataclasses import dataclass

from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.rule import Fix
from alembic_roundtrip.scaffold.edits import within
from alembic_roundtrip.scaffold.sql import quoted
from alembic_roundtrip.text import Range


@dataclass(frozen=True, slots=True)
class Pattern:
    """A change that keeps data: its module's name, the operation it is offered at, the edits."""

    name: str
    range: Range
    fix: Fix


def place_of(direction: Direction, operation: Operation) -> int:
    """The index of the top-level statement that an operation stands in."""
    for index, statement in enumerate(direction.statements):
        if within(operation.statement, statement):
            return index
    return len(direction.statements)


def sql_table(table: Name, dialects: tuple[str, ...]) -> str:
    """A table as SQL names it; raises `NotKnownError` where the dialects do not agree on it."""
    parts = [table.schema, table.name] if table.schema else [table.name]
    return ".".join(quoted(part, dialects) for part in parts)
