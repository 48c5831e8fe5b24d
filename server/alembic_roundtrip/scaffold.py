"""Interim."""

from __future__ import annotations

from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Fix


def fix(context: Context) -> Fix | None:  # noqa: ARG001
    """Nothing yet."""
    return None
