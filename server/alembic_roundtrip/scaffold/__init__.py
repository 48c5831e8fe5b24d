"""A downgrade written from the upgrade and the schema it was made in."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from alembic_roundtrip.scaffold.step import PLACEHOLDER

if TYPE_CHECKING:
    from alembic_roundtrip.scaffold.downgrade import (
        Scaffold,
        can_be_written,
        fix,
        scaffold,
        why_nothing,
    )
    from alembic_roundtrip.scaffold.restoring import fix_from_database, statements_of

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

_RESTORING = frozenset({"fix_from_database", "statements_of"})


def __getattr__(name: str) -> object:
    """What writes downgrades is loaded when one is written: most rules need small parts only."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "restoring" if name in _RESTORING else "downgrade"
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
