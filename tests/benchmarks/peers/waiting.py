"""What a later rehearsal takes: `waiting.py KIND REVISION SCRIPT`, in the project's folder.

Rehearses the revision, edits its script and rehearses it again with the agent that waited
meanwhile; tells the medians of the seconds that each phase of the later ones took.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from contextlib import aclosing
from pathlib import Path

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import find_environments
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.process import Agent
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.spare import Spare, Standby

_ROUNDS = 5
_PAUSE = 3.0


class _Noting(Spare):
    """Notes when the agent is told its plan."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = 0.0

    async def take(self, plan: Path) -> Agent | None:
        self.taken = time.perf_counter()
        return await super().take(plan)


async def main() -> None:
    """Rehearse and tell."""
    kind, revision, name = sys.argv[1:]
    settings = Settings(database=kind)
    (environment,) = find_environments(Path.cwd(), settings)
    standby = Standby(_Noting())
    rounds = []
    for number in range(_ROUNDS + 1):
        _edit(Path(name), number)
        rounds.append(await _phases(Plan(environment, settings, (revision,)), standby))
        standby.agent.renew()
        await asyncio.sleep(_PAUSE)  # nobody edits faster, and the agent has loaded by then
    await standby.agent.close()
    found = {name: statistics.median(each[name] for each in rounds[1:]) for name in rounds[0]}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


async def _phases(plan: Plan, standby: Standby) -> dict[str, float]:
    """Seconds by phase."""
    spare = standby.agent
    assert isinstance(spare, _Noting)
    begun = time.perf_counter()
    started = finished = steps = 0.0
    async with aclosing(rehearse(plan, standby)) as events:
        async for event in events:
            if isinstance(event, Started):
                started = time.perf_counter()
            elif isinstance(event, RevisionFinished):
                finished = time.perf_counter()
                steps = sum(step.seconds for step in event.evidence.steps)
    ended = time.perf_counter()
    return {
        "plan, database and state": spare.taken - begun,
        "guard, env.py and taking over": started - spare.taken,
        "upgrades and downgrades": steps,
        "rows, snapshots and comparing": finished - started - steps,
        "the end": ended - finished,
        "all": ended - begun,
    }


def _edit(script: Path, number: int) -> None:
    with script.open("a", encoding="utf-8") as file:
        file.write(f"\nONCE_MORE = {number}\n")


asyncio.run(main())
