"""A rollback's plan as Markdown."""

from __future__ import annotations

from alembic_roundtrip.planning.markdown import markdown
from alembic_roundtrip.planning.plan import RollbackPlan


def report(plan: RollbackPlan) -> None:
    """Print the document."""
    print(markdown(plan), end="")
