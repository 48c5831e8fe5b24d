"""Asks a scratch database for the way back from a revision."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing

from alembic_roundtrip.config import Settings
from alembic_roundtrip.context import Context
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.events import NoWayBack, WayBackFound
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan, WrittenBack
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.restoration import Restoration
from alembic_roundtrip.scaffold import scaffold, statements_of


def plan_of(environment: Environment, settings: Settings, contexts: Iterable[Context]) -> Plan:
    """The rehearsal that looks for the way back from each of these migrations.

    It starts from what reading their code has written.
    """
    written = {}
    for context in contexts:
        made = scaffold(context)
        written[context.migration.id or ""] = WrittenBack(statements_of(made), made.imports)
    return Plan(environment, settings, tuple(written), written=written)


async def way_back(environment: Environment, settings: Settings, context: Context) -> Restoration:
    """What leads from a migration's upgrade back to its parent; raises `CannotRun`."""
    async with aclosing(rehearse(plan_of(environment, settings, [context]))) as events:
        async for event in events:
            if isinstance(event, WayBackFound):
                return event.restoration
            if isinstance(event, NoWayBack):
                raise CannotRun(f"there is no way back to write: {event.reason}")
    raise CannotRun("the rehearsal ended without a result")
