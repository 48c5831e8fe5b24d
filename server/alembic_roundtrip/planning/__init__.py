"""What a rollback would do, lose and stop at, known before anybody runs it."""

from __future__ import annotations

from alembic_roundtrip.planning.plan import (
    NoPlanError,
    RollbackPlan,
    plan_rollback,
    planning,
    target_below,
)

__all__ = ["NoPlanError", "RollbackPlan", "plan_rollback", "planning", "target_below"]
