"""An agent that has loaded all but the project, and waits for the next rehearsal to be asked for.

Loading Alembic takes longer than rehearsing a revision. The guard is put on when there is a plan,
as in any agent; until then nothing of the project runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.rehearsal.process import AGENT, Agent, spawn

_IDLE_SECONDS = 600.0


@dataclass(frozen=True)
class Purpose:
    """What an agent is started for; it is of no use for anything else."""

    python: Path
    folder: Path
    variables: Mapping[str, str]
    kind: str
    installed: tuple[int, ...]
    """When something was last installed into its Python."""

    @classmethod
    def of(cls, python: Path, folder: Path, variables: Mapping[str, str], kind: str) -> Purpose:
        """The purpose, as things are now."""
        places = sorted(python.parent.parent.glob("[lL]ib/**/site-packages"))
        return cls(python, folder, variables, kind, tuple(p.stat().st_mtime_ns for p in places))


class Spare:
    """At most one waiting agent."""

    def __init__(self) -> None:
        self._purpose: Purpose | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    async def take(self, purpose: Purpose, plan: Path) -> Agent | None:
        """The agent that waits for this purpose, set to work; None where there is none."""
        process, self._process = self._process, None
        same, self._purpose = self._purpose == purpose, purpose
        if process is None:
            return None
        if not same or process.returncode is not None or process.stdin is None:
            _end(process)
            return None
        try:
            process.stdin.write(f"{plan}\n".encode())
            await process.stdin.drain()
        except OSError:
            _end(process)
            return None
        process.stdin.close()
        return Agent(process)

    def renew(self) -> None:
        """Have, in a while, an agent wait for what the last one was asked for."""
        self.end()
        if self._purpose is not None:
            self._task = asyncio.create_task(self._start(self._purpose))

    async def _start(self, last: Purpose) -> None:
        purpose = Purpose.of(last.python, last.folder, last.variables, last.kind)
        command = [str(purpose.python), str(AGENT), "wait", str(os.getpid()), purpose.kind]
        with suppress(OSError):  # then the next one starts as the first did
            self._process = await spawn(
                command, purpose.folder, purpose.variables, asyncio.subprocess.PIPE
            )
            self._purpose = purpose
            self._idle = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.end)

    def end(self) -> None:
        """End the agent that waits."""
        process, self._process = self._process, None
        if self._idle is not None:
            self._idle.cancel()
        if process is not None:
            _end(process)


def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
