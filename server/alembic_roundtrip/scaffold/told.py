"""What a placeholder says that is left to do."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.scaffold.step import PLACEHOLDER

DESTRUCTIVE = "# DESTRUCTIVE: "
_SHOWN = 50
_VALUES = "The values of "
_OVERWRITTEN = " that the upgrade overwrote cannot be restored."


def values_lost(column: str) -> str:
    """What is lost where a column is dropped, which is named with its table."""
    return f"{_VALUES}{column} cannot be restored."


def to_fill(column: str) -> str:
    """The placeholder for the values that a column which comes back has to have."""
    return f"{PLACEHOLDER} undo the loss of {column} by hand: fill it here"


def values_overwritten(subjects: Sequence[str]) -> str:
    """What is lost where rows are set to other values: columns with their tables, or a table."""
    return f"{_VALUES}{' and '.join(subjects)}{_OVERWRITTEN}"


def given_back(sentence: str, columns: AbstractSet[str]) -> bool:
    """Whether a sentence says of nothing but these columns that an upgrade overwrote them."""
    if not sentence.startswith(_VALUES) or not sentence.endswith(_OVERWRITTEN):
        return False
    subjects = sentence.removeprefix(_VALUES).removesuffix(_OVERWRITTEN).split(" and ")
    return set(subjects) <= columns


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
