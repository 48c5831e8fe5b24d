"""A rollback's plan as JSON."""

from __future__ import annotations

import json

from alembic_roundtrip.planning.document import document
from alembic_roundtrip.planning.plan import RollbackPlan


def report(plan: RollbackPlan) -> None:
    """Print the document."""
    print(json.dumps(document(plan), indent=2, ensure_ascii=False))
