"""The revision graph, with the meaning Alembic gives it."""

from __future__ import annotations

from alembic_roundtrip.history.revisions import History, Problem, Revision

__all__ = ["History", "Problem", "Revision"]
