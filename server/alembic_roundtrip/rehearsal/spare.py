"""An agent that has loaded all but the project, before it is known what it is to do.

Loading Alembic takes longer than rehearsing a revision. The guard is put on when there is a plan,
as in any agent; until then nothing of the project runs.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from alembic_roundtrip.rehearsal.ancestry import Histories
from alembic_roundtrip.rehearsal.process import AGENT, Agent, spawn

IDLE_SECONDS = 600.0
_PACKAGES = ("lib/python*/*-packages", "local/lib/python*/*-packages", "Lib/site-packages")

_Start = asyncio.Task[asyncio.subprocess.Process]


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
        home = python.parent.parent
        places = sorted({place for pattern in _PACKAGES for place in home.glob(pattern)})
        return cls(python, folder, variables, kind, tuple(p.stat().st_mtime_ns for p in places))


class Spare:
    """At most one waiting agent, which goes away when nobody asks for it."""

    def __init__(self) -> None:
        self._purpose: Purpose | None = None
        self._start: _Start | None = None
        self._idle: asyncio.TimerHandle | None = None

    def prepare(self, purpose: Purpose) -> None:
        """Have an agent load for this purpose, unless one has or is about to."""
        if self._purpose != purpose or not self._is_there():
            self.end()
            self._purpose = purpose
            self._start = asyncio.create_task(_started(purpose))
        self._wait_longer()

    def renew(self) -> None:
        """Have one for what was asked for last, if anything ever was."""
        if self._is_there():
            self._wait_longer()
        elif self._purpose is not None:
            last = self._purpose
            self.prepare(Purpose.of(last.python, last.folder, last.variables, last.kind))

    async def take(self, plan: Path) -> Agent | None:
        """The agent that was prepared, set to work; None where there is none."""
        start = self._leave()
        if start is None:
            return None
        try:
            process = await start
            if await _told(process, plan):
                return Agent(process)
        except OSError:
            return None  # whoever starts another one is told why it cannot be
        except asyncio.CancelledError:
            _end(start)
            raise
        _end(start)
        return None

    def end(self) -> _Start | None:
        """End the agent that waits or is about to; gives its start."""
        start = self._leave()
        if start is not None:
            _end(start)
        return start

    async def close(self) -> None:
        """End it, and see it gone."""
        start = self.end()
        if start is not None:
            await asyncio.wait([start])
            if (process := _result(start)) is not None:
                await process.wait()

    def _is_there(self) -> bool:
        if self._start is None or not self._start.done():
            return self._start is not None
        process = _result(self._start)
        return process is not None and process.returncode is None

    def _leave(self) -> _Start | None:
        start, self._start = self._start, None
        if self._idle is not None:
            self._idle.cancel()
        return start

    def _wait_longer(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end)


@dataclass(frozen=True)
class Standby:
    """What a process that stays has ready for its next rehearsal."""

    agent: Spare = field(default_factory=Spare)
    histories: Histories = field(default_factory=Histories)


@asynccontextmanager
async def loading(purpose: Purpose, spare: Spare | None) -> AsyncIterator[Spare]:
    """An agent loads meanwhile: the spare one, or one that does not outlast this."""
    if spare is not None:
        spare.prepare(purpose)
        yield spare
        return
    own = Spare()
    own.prepare(purpose)
    try:
        yield own
    finally:
        await own.close()


async def _started(purpose: Purpose) -> asyncio.subprocess.Process:
    command = [str(purpose.python), str(AGENT), "wait", str(os.getpid()), purpose.kind]
    return await spawn(command, purpose.folder, purpose.variables, asyncio.subprocess.PIPE)


async def _told(process: asyncio.subprocess.Process, plan: Path) -> bool:
    """Tell a waiting agent its plan; gives whether it is there to hear it."""
    assert process.stdin is not None
    if process.returncode is not None:
        return False
    try:
        process.stdin.write(os.fsencode(f"{plan}\n"))
        await process.stdin.drain()
    except OSError:
        return False
    process.stdin.close()
    return True


def _result(start: _Start) -> asyncio.subprocess.Process | None:
    """The process that came of a start; None where it is not over or came to nothing."""
    if not start.done() or start.cancelled() or start.exception() is not None:
        return None
    return start.result()


def _end(start: _Start) -> None:
    if start.cancel():
        return  # what it has started by then ends with it
    process = _result(start)
    if process is not None:
        with suppress(ProcessLookupError):
            process.kill()
