"""What is said of an agent that ended before it was done, and of the revision it was at."""

from __future__ import annotations

import asyncio
import linecache
import re
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from alembic_roundtrip.evidence import OVERDUE, RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.rehearsal.plan import FULL_CYCLE
from alembic_roundtrip.rehearsal.process import Agent, spoken

_ENV_PY = "env.py"
_STALE_SECONDS = 2.0
_DUMP = re.compile(r"^(Fatal Python error: |Timeout \(\d+:\d\d:\d\d).*", re.MULTILINE | re.DOTALL)
"""What Python prints of itself while it crashes, or when a migration's own time is up."""
_CURRENT = re.compile(r"^Current thread .*\n((?:  File .*\n)+)", re.MULTILINE)
_FRAME = re.compile(r"^  File \"(.+)\", line (\d+) in ", re.MULTILINE)


class Flight:
    """The revision an agent is at: its steps so far, in case it is the agent's last."""

    def __init__(self) -> None:
        self.revision: str | None = None
        self.step: str | None = None
        self.excuse: str | None = None
        """Why it is not the revision's fault where it stops."""
        self.steps: list[Step] = []
        self.started = self.entered = time.monotonic()

    def enter(self, revision: str, step: str, excuse: str | None = None) -> bool:
        """A step begins; gives whether it is the first of its revision."""
        first = revision != self.revision
        if first:
            self.leave()
            self.revision = revision
        self.step, self.excuse = step, excuse
        self.entered = time.monotonic()
        return first

    def leave(self) -> None:
        """The revision is through."""
        self.revision = self.step = self.excuse = None
        self.steps = []
        self.started = time.monotonic()

    @property
    def last_step(self) -> str:
        """The step that runs, or the one before."""
        return self.step or (self.steps[-1].name if self.steps else "upgrade")

    def ended(self, stopped: Stopped, path: str | None, rows: int) -> RevisionEvidence:
        """The evidence of the revision, where the agent stopped in it."""
        assert self.revision is not None
        evidence = RevisionEvidence(
            revision=self.revision,
            path=path,
            verdict=Verdict.FAILED,
            seconds=time.monotonic() - self.started,
            steps=tuple(self.steps),
            rows=rows,
        )
        if self.excuse:
            skipped = replace(evidence, verdict=Verdict.SKIPPED, reason=self.excuse)
            return replace(skipped, steps=(), rows=0)
        if stopped.seconds and not any(step.error for step in self.steps):
            own = self._seconds()
            if self.step is None or 2 * own < stopped.seconds:
                # Between steps it is we who make rows and compare: that says nothing of it.
                reason = _what_took(own, stopped.seconds, 0 if self._is_cycle else rows)
                return replace(evidence, verdict=Verdict.SKIPPED, reason=reason)
        direction = "downgrade" if self.last_step.startswith("downgrade") else "upgrade"
        evidence = replace(evidence, reason=f"`{direction}()` {stopped}")
        if self.step is None:
            return evidence
        where, line = stopped.where or (None, None)
        source = linecache.getline(where, line).strip() if where and line else None
        error = StepError(stopped.type, str(stopped), where, line, source)
        return replace(evidence, steps=(*self.steps, Step(self.step, 0.0, error)))

    @property
    def _is_cycle(self) -> bool:
        return self.revision == FULL_CYCLE

    def _seconds(self) -> float:
        """How long the steps took of the time that is up; in a full cycle each has its own."""
        running = 0.0 if self.step is None else time.monotonic() - self.entered
        done = [step.seconds for step in self.steps]
        if self._is_cycle:
            return running if self.step else sum(done[-1:])
        return sum(done) + running


def _what_took(own: float, limit: float, rows: int) -> str:
    """Why a revision was not through in time, of which its steps had a part."""
    longer = "; the setting `timeout` gives it longer"
    if 2 * own >= limit:
        return f"its steps took {own:.3g} s of the {limit:g} s that it has{longer}"
    if rows:
        ours = "making rows and comparing them"
        return f"{ours} took most of the {limit:g} s that it has{longer}, `rows` makes fewer"
    return f"comparing schemas took most of the {limit:g} s that it has{longer}"


class Stopped(Exception):
    """An agent ended before it was done; reads on after the name of what it was doing."""

    def __init__(
        self, type: str, sentence: str, where: tuple[str, int] | None, seconds: float = 0
    ) -> None:
        super().__init__(sentence)
        self.type = type
        self.where = where
        self.seconds = seconds
        """How long it had, where that was too little."""


def nothing_begun(flight: Flight, stopped: Stopped) -> str:
    """Why there is no rehearsal, where an agent stopped before any revision."""
    subject, advice = "the agent", "; is the machine busy with something else?"
    if flight.step == "env.py":
        subject, advice = "env.py", "; where it only is slow, `timeout` gives it longer"
    return f"no rehearsal: {subject} {stopped}{advice if stopped.type == OVERDUE else ''}"


def unfinished(status: int, agent: Agent) -> str:
    """How an agent ended by itself, with what the project printed last."""
    printed = _DUMP.sub("", agent.output)
    last = [line.strip() for line in printed.splitlines() if line.strip()]
    said = f"; the last it printed was: {last[-1][:200]}" if last else ""
    return f"ended the process: it {spoken(status)}{said}"


def crashed_at(agent: Agent, scripts: Collection[str]) -> tuple[str, int] | None:
    """The line of a migration at which an agent ended, where Python had the time to say it.

    What a beat said may be half a second old: by then it was elsewhere.
    """
    dump = _DUMP.search(agent.output)
    if dump is None:
        return None
    thread = _CURRENT.search(dump.group())
    frames = _FRAME.findall(thread.group(1) if thread else dump.group())
    return next(((path, int(line)) for path, line in frames if path in scripts), None)


def _place(where: tuple[str, int] | None) -> str:
    if where is None:
        return ""
    path, line = where
    return f"; it was at line {line} of {Path(path).name}"


async def overdue(agent: Agent, seconds: float, scripts: Collection[str]) -> Stopped:
    """What an agent is ended for that says nothing new for too long."""
    where, how = agent.where, ""
    now = asyncio.get_running_loop().time()
    if agent.last_beat is not None and now - agent.last_beat > _STALE_SECONDS:
        how = ", inside code that lets nothing else of Python run"
        await agent.abort()
        where = crashed_at(agent, scripts) or where
    sentence = f"did not finish within {seconds:g} s{_place(where)}{how}"
    return Stopped(OVERDUE, sentence, where, seconds)
