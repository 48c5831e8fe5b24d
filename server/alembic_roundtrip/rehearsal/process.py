"""One agent process: its messages, its end, and what can be said about it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from alembic_roundtrip.rehearsal.agent import events

AGENT = Path(__file__).with_name("agent") / "__main__.py"
_TAIL = 64 * 1024
_LINE_LIMIT = 64 * 1024 * 1024
_READ = 32 * 1024
_LOOK_SECONDS = 0.2


class TimeIsUp(Exception):
    """The deadline passed without the message that would have moved it."""


class Agent:
    """A running agent, in a session and process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._tail = bytearray()
        self._drain = asyncio.create_task(self._keep_tail())
        self._watch = asyncio.create_task(self._end_orphans())
        self._lines: deque[bytes] = deque()
        self._begun = bytearray()
        self.last_beat: float | None = None
        self.where: tuple[str, int] | None = None

    @classmethod
    async def start(
        cls, python: Path, plan: Path, folder: Path, variables: Mapping[str, str]
    ) -> Agent:
        """Start an agent on a plan; raises `OSError` where there is nothing to start."""
        return cls(await spawn([str(python), str(AGENT), str(plan)], folder, variables))

    async def message(self, deadline: float) -> events.Message | None:
        """The next message; None at the end of the stream. Raises `TimeIsUp` at the deadline."""
        clock = asyncio.get_running_loop().time
        while True:
            line = await self._line(max(0.0, deadline - clock()))
            if line is None:
                return None
            message = events.decode(line)
            if message is None:
                self._remember(line)
            elif message["event"] == events.BEAT:
                self.last_beat = clock()
                if message["path"]:
                    self.where = message["path"], message["line"]
            else:
                if message["event"] == events.STEP_STARTED:
                    self.where = None
                return message

    async def _line(self, seconds: float) -> bytes | None:
        """The next line; None at the end of the stream."""
        assert self._process.stdout is not None
        # Waiting with a deadline costs more than a line, and lines come several at a time.
        while not self._lines:
            try:
                chunk = await asyncio.wait_for(self._process.stdout.read(_READ), seconds)
            except asyncio.TimeoutError:
                raise TimeIsUp from None
            if not chunk:
                self._remember(bytes(self._begun))
                self._begun.clear()
                return None
            first, *rest = chunk.split(b"\n")
            if len(self._begun) < _LINE_LIMIT:  # beyond it nothing is a message
                self._begun += first
            if rest:
                self._lines.extend((bytes(self._begun), *rest[:-1]))
                self._begun = bytearray(rest[-1])
        return self._lines.popleft() + b"\n"

    async def _keep_tail(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(_READ):
            self._remember(chunk)

    async def _end_orphans(self) -> None:
        """Once the agent is gone, end what it forked: it would hold our pipes open."""
        # `wait()` would wait for the pipes as well, which are what an orphan holds.
        while self._process.returncode is None:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(_LOOK_SECONDS)
        self.kill()

    def _remember(self, chunk: bytes) -> None:
        self._tail += chunk
        del self._tail[:-_TAIL]

    @property
    def output(self) -> str:
        """The end of what the project printed in the last step."""
        return self._tail.rpartition(events.MARK)[2].decode("utf-8", "replace")

    async def abort(self) -> None:
        """Have Python print where it is, which it does as it ends, also where nothing else runs."""
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGABRT)
            await self._wait_briefly()

    def kill(self) -> None:
        """End the agent and everything it started, at once."""
        if sys.platform == "win32":
            if self._process.returncode is None:
                subprocess.run(
                    ["taskkill", "/F", "/T", "/PID", str(self._process.pid)],  # noqa: S607 - Windows has one
                    capture_output=True,
                    check=False,
                )
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def ended(self) -> int:
        """The exit status, once the process is gone, its children with it."""
        status = await self._wait_briefly()
        self.kill()
        status = await self._process.wait() if status is None else status
        for task in (self._drain, self._watch):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        return status

    async def _wait_briefly(self) -> int | None:
        """Give a process whose stream has ended the time to end by itself."""
        try:
            return await asyncio.wait_for(self._process.wait(), 1.0)
        except asyncio.TimeoutError:
            return None


async def spawn(
    command: Sequence[str],
    folder: Path,
    variables: Mapping[str, str],
    stdin: int = asyncio.subprocess.DEVNULL,
) -> asyncio.subprocess.Process:
    """Start a process in a session and process group of its own; raises `OSError`."""
    options: dict[str, Any] = (
        {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=dict(variables),
        limit=_LINE_LIMIT,
        **options,
    )


def spoken(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"ended by itself with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was ended by {name}"
