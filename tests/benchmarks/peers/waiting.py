"""What a language server waits for: `waiting.py KIND REVISION SCRIPT`, in the project's folder.

Rehearses the revision, edits its script and rehearses it again with the agent that waited
meanwhile; tells the median of the seconds that each of the later ones took.
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
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.spare import Standby

_ROUNDS = 5
_PAUSE = 3.0


async def main() -> None:
    """Rehearse and tell."""
    kind, revision, name = sys.argv[1:]
    settings = Settings(database=kind)
    (environment,) = find_environments(Path.cwd(), settings)
    standby = Standby()
    seconds = []
    for number in range(_ROUNDS + 1):
        _edit(Path(name), number)
        started = time.perf_counter()
        async with aclosing(rehearse(Plan(environment, settings, (revision,)), standby)) as events:
            async for _ in events:
                pass
        seconds.append(time.perf_counter() - started)
        standby.agent.renew()
        await asyncio.sleep(_PAUSE)  # nobody edits faster, and the agent has loaded by then
    standby.agent.end()
    sys.stdout.write(f"\n{json.dumps(statistics.median(seconds[1:]))}\n")


def _edit(script: Path, number: int) -> None:
    with script.open("a", encoding="utf-8") as file:
        file.write(f"\nONCE_MORE = {number}\n")


asyncio.run(main())
