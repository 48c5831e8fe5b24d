"""A downgrade written from the upgrade and the schema it was made in."""

from __future__ import annotations

from alembic_roundtrip.scaffold.downgrade import Scaffold, fix, scaffold, why_nothing
from alembic_roundtrip.scaffold.step import PLACEHOLDER

__all__ = ["PLACEHOLDER", "Scaffold", "fix", "scaffold", "why_nothing"]
