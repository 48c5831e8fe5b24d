"""A downgrade written from the upgrade and the schema it was made in."""

from __future__ import annotations

from alembic_roundtrip.scaffold.downgrade import (
    Scaffold,
    can_be_written,
    fix,
    scaffold,
    why_nothing,
)
from alembic_roundtrip.scaffold.restoring import fix_from_database, statements_of
from alembic_roundtrip.scaffold.step import PLACEHOLDER

__all__ = [
    "PLACEHOLDER",
    "Scaffold",
    "can_be_written",
    "fix",
    "fix_from_database",
    "scaffold",
    "statements_of",
    "why_nothing",
]
