"""The SQL of a plan, which env.py writes: offline, and behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from alembic_roundtrip.config import Settings
from alembic_roundtrip.planning.plan import PlannedRevision, RollbackPlan
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.plan import CannotRun
from alembic_roundtrip.rehearsal.sql import DowngradeSql, rollback_sql

Tell = Callable[[int, str], None]
"""Hears that the SQL of the n-th downgrade was written, and whose it is."""


async def with_sql(
    plan: RollbackPlan, environment: Environment, settings: Settings, tell: Tell = lambda *_: None
) -> RollbackPlan:
    """The plan with the SQL of each revision, or with the reason why there is none.

    Its revisions are then in the order that Alembic gave.
    """
    if not plan.revisions:
        return plan
    written = []
    try:
        async with aclosing(
            rollback_sql(environment, settings, plan.current, plan.target)
        ) as downgrades:
            async for each in downgrades:
                written.append(each)
                tell(len(written), each.revision)
    except CannotRun as error:
        return replace(plan, no_sql=str(error))
    return replace(plan, revisions=tuple(_in_order(plan.revisions, written)))


def _in_order(
    revisions: Sequence[PlannedRevision], written: Sequence[DowngradeSql]
) -> Iterator[PlannedRevision]:
    order = {each.revision: place for place, each in reversed(list(enumerate(written)))}
    for planned in sorted(revisions, key=lambda each: order.get(each.revision, len(order))):
        yield replace(planned, sql=tuple(s for s in written if s.revision == planned.revision))
