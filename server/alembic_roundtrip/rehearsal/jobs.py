"""Several agents at the same time, each with a part of the revisions and a database of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.events import Event, Finished, FromModels, Started
from alembic_roundtrip.rehearsal.plan import Plan

Rehearse = Callable[[Plan], AsyncGenerator[Event, None]]


async def side_by_side(plan: Plan, rehearse: Rehearse) -> AsyncGenerator[Event, None]:
    """The events of a plan as if one agent had done everything, in the order of the revisions."""
    plans = [
        replace(plan, jobs=1, parts=(*plan.parts, (number, plan.jobs)))
        for number in range(1, plan.jobs + 1)
    ]
    parts = [_Part(each, rehearse) for each in plans]
    try:
        async for event in _in_order(parts):
            yield event
    finally:
        for part in parts:
            part.task.cancel()
        await asyncio.gather(*(part.task for part in parts), return_exceptions=True)


async def _in_order(parts: list[_Part]) -> AsyncGenerator[Event, None]:
    started = [await part.started() for part in parts]
    revisions = tuple(revision for each in started for revision in each.revisions)
    yield replace(started[0], revisions=revisions)
    verdicts: Counter[Verdict] = Counter()
    seconds = 0.0
    modelled = False
    for part in parts:
        while not isinstance(event := await part.event(), Finished):
            if isinstance(event, FromModels) and modelled:
                continue  # one says it for all
            modelled = modelled or isinstance(event, FromModels)
            yield event
        verdicts.update(event.verdicts)
        seconds = max(seconds, event.seconds)
    yield Finished(dict(verdicts), seconds)


class _Part:
    """A part that is rehearsed in the background; what it tells waits until it is asked for."""

    def __init__(self, plan: Plan, rehearse: Rehearse) -> None:
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self.task = asyncio.create_task(self._run(plan, rehearse))

    async def _run(self, plan: Plan, rehearse: Rehearse) -> None:
        try:
            async with aclosing(rehearse(plan)) as events:
                async for event in events:
                    self._events.put_nowait(event)
        finally:
            self._events.put_nowait(None)

    async def event(self) -> Event:
        """The next event; raises what ended the part, where that came before its last one."""
        event = await self._events.get()
        if event is None:
            await self.task
            raise RuntimeError("a part of the rehearsal ended without a result")
        return event

    async def started(self) -> Started:
        """The first event."""
        event = await self.event()
        assert isinstance(event, Started)
        return event
