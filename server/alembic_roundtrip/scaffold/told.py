"""What a placeholder says that is left to do."""

from __future__ import annotations

from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.scaffold.step import PLACEHOLDER

DESTRUCTIVE = "# DESTRUCTIVE: "
_SHOWN = 50


def values_lost(column: str) -> str:
    """What is lost where a column is dropped, which is named with its table."""
    return f"The values of {column} cannot be restored."


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
