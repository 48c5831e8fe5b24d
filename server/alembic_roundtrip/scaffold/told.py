"""What a downgrade says in comments: what is lost, and what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import Constraint, Name
from alembic_roundtrip.scaffold.step import PLACEHOLDER
from alembic_roundtrip.schema.names import known_as

DESTRUCTIVE = "# DESTRUCTIVE: "
PUT_BACK = f"{PLACEHOLDER} put back by hand what the downgrade before this one did:"
"""The placeholder above the code, as a comment, of a downgrade that was written over."""
QUOTED = "#     "
"""Begins the lines of that code."""
_SHOWN = 50
_VALUES = "The values of "
_OVERWRITTEN = " that the upgrade overwrote cannot be restored."


def values_lost(column: str) -> str:
    """What is lost where a column is dropped, which is named with its table."""
    return f"{_VALUES}{column} cannot be restored."


def to_fill(column: str) -> str:
    """The placeholder for the values that a column which comes back has to have."""
    return f"{PLACEHOLDER} undo the loss of {column} by hand: fill it here"


def dropped_along(view: Name, table: Name) -> str:
    """The placeholder for a view that may be of a table which is dropped with all that needs it."""
    return f"{PLACEHOLDER} make {view} again by hand, if it went with {table}"


def rewritten(part: Constraint) -> str:
    """The placeholder for a CHECK whose condition is not what the migration says any more."""
    name = known_as(part) or "a CHECK"
    return f"{PLACEHOLDER} see by hand what {name} was: its column has had another type since"


def values_overwritten(subjects: Sequence[str]) -> str:
    """What is lost where rows are set to other values: columns with their tables, or a table."""
    return f"{_VALUES}{' and '.join(subjects)}{_OVERWRITTEN}"


def is_quoted(line: str) -> bool:
    """Whether a comment is a line of the code under `PUT_BACK`."""
    return line.startswith(QUOTED) or line == QUOTED.rstrip()


def by_hand(operation: Operation, migration: Migration) -> str:
    """The placeholder for an operation of the upgrade that is not undone."""
    text = migration.source.slice(operation.range)
    if operation.sql:
        text = f"op.execute({' '.join(operation.sql.split())!r})"
    return f"{PLACEHOLDER} undo {shown(text)} by hand"


def shown(code: str) -> str:
    """Code in a few words: its beginning."""
    text = " ".join(line for line in code.splitlines() if not line.lstrip().startswith("#"))
    text = " ".join(text.split())
    return f"`{text if len(text) <= _SHOWN else text[: _SHOWN - 1] + '…'}`"
