"""Starts agents, relays what they measure, and says what became of those that stopped."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic_roundtrip.evidence import (
    RevisionEvidence,
    Step,
    Verdict,
    evidence_keys,
    evidence_store,
)
from alembic_roundtrip.history.scan import load_history
from alembic_roundtrip.rehearsal import databases, interpreter, kept, surroundings
from alembic_roundtrip.rehearsal.agent import events as wire
from alembic_roundtrip.rehearsal.ancestry import Histories
from alembic_roundtrip.rehearsal.beginnings import Missing, advice, begins_with
from alembic_roundtrip.rehearsal.ending import (
    Flight,
    Stopped,
    crashed_at,
    nothing_begun,
    overdue,
    unfinished,
)
from alembic_roundtrip.rehearsal.events import (
    Event,
    Finished,
    FromModels,
    NoWayBack,
    RevisionFinished,
    Started,
    StepFinished,
    StepStarted,
    WayBackFound,
)
from alembic_roundtrip.rehearsal.extensions import Extensions, created_by
from alembic_roundtrip.rehearsal.folder import collect_leftovers, scratch_folder
from alembic_roundtrip.rehearsal.jobs import side_by_side
from alembic_roundtrip.rehearsal.plan import FULL_CYCLE, TARGET_METADATA, CannotRun, Plan
from alembic_roundtrip.rehearsal.process import Agent, TimeIsUp
from alembic_roundtrip.rehearsal.spare import Purpose, Spare, Standby, loading
from alembic_roundtrip.restoration import Restoration

__all__ = ["CannotRun", "Plan", "rehearse"]

logger = logging.getLogger(__name__)

_LOADING = "loading"
_LOADING_SECONDS = 60.0
"""For starting Python and importing Alembic, which no revision is to blame for."""
_ENV_PY = "env.py"
_AGAIN = 5
"""How many times as long what has loaded before may take."""


async def rehearse(plan: Plan, standby: Standby | None = None) -> AsyncGenerator[Event, None]:
    """Rehearse a plan; raises `CannotRun`. Closing or cancelling ends everything at once.

    Evidence is kept in the project's store as it comes. What stands by is used if it is for this.
    """
    found = _one(plan, standby) if plan.jobs == 1 else side_by_side(plan, _one)
    async with aclosing(found) as events:
        async for event in events:
            yield event


async def _one(plan: Plan, standby: Standby | None = None) -> AsyncGenerator[Event, None]:
    """With one agent at a time."""
    kind = expected = databases.kind_for(plan.environment, plan.settings)
    problems: dict[str, CannotRun] = {}
    while kind not in problems:
        try:
            async with aclosing(_on(kind, plan, standby)) as events:
                async for event in events:
                    if isinstance(event, Started) and kind != expected:
                        event = replace(event, expected=expected)  # noqa: PLW2901 - the same one
                    yield event
        except CannotRun as error:
            # Reading can be mistaken about the project; where env.py connects to is what counts.
            problems[kind] = error
            kind = databases.kind_wanted(error.wants, plan.settings) or kind
        else:
            return
    raise problems[kind]


async def _on(kind: str, plan: Plan, standby: Standby | None) -> AsyncGenerator[Event, None]:
    """On a kind of database."""
    python = await asyncio.to_thread(interpreter.find, plan.environment, plan.settings)
    variables = surroundings.for_agent(os.environ, plan.settings.env)
    purpose = Purpose.of(python, plan.environment.folder, variables, kind)
    spare = None if standby is None else standby.agent
    histories = Histories() if standby is None else standby.histories
    with scratch_folder() as folder:
        async with loading(purpose, spare) as agents, databases.KINDS[kind](plan.settings) as place:
            await asyncio.to_thread(collect_leftovers)
            beginning = await asyncio.to_thread(
                kept.beginning, plan, kind, place, python, variables, histories
            )
            rehearsal = _Rehearsal(plan, kind, place, python, folder, variables, beginning, agents)
            try:
                async for event in rehearsal.run():
                    yield event
            finally:
                await rehearsal.stop()
                if beginning is not None:
                    await asyncio.to_thread(beginning.keep)


@dataclass
class _Progress:
    """What is known so far, over all agents of one rehearsal."""

    database: str = ""
    version: str = ""
    selected: frozenset[str] = frozenset()
    keys: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    verdicts: Counter[Verdict] = field(default_factory=Counter)


class _Rehearsal:
    """One call of `rehearse`: an agent, and another one after each that stopped."""

    def __init__(
        self,
        plan: Plan,
        kind: str,
        place: Mapping[str, Any],
        python: Path,
        folder: Path,
        variables: Mapping[str, str],
        beginning: kept.Beginning | None,
        agents: Spare,
    ) -> None:
        self._plan = plan
        self._kind = kind
        self._place = place
        self._python = python
        self._folder = folder
        self._variables = variables
        self._beginning = beginning
        self._agents = agents
        self._store = evidence_store(plan.environment)
        self._known = _Progress()
        self._agent: Agent | None = None
        self._homeless: CannotRun | None = None
        """What was said before env.py got a home folder of its own."""
        self._own: tuple[Plan, kept.Beginning | None] | None = None
        """The plan as it was and its beginning, where the models make a baseline for it now."""
        self._alone = 0
        """How many revisions were through without that."""
        self._unmade = ""
        """Why the models made none, where they were tried."""
        self._modelled = False
        """Whether it has been told that they do."""
        self._runs = 0

    async def run(self) -> AsyncIterator[Event]:
        """Everything from the start to the last revision."""
        started = time.monotonic()
        while True:
            flight = Flight()
            before = len(self._known.done), len(self._known.blocked)
            agent = self._agent = await self._start()
            try:
                async for event in self._follow(agent, flight):
                    yield event
                break
            except _Unusable:
                continue
            except _Misses as missing:
                if await asyncio.to_thread(self._begins_nowhere, missing):
                    self._go_on_from_models()
                else:
                    self._plan = replace(self._plan, models=False)
            except _Unheld:
                self._plan = replace(self._plan, commits=True)
            except CannotRun as error:
                self._plan = await self._otherwise(error)
            except Stopped as stopped:
                if (failure := self._blame(flight, stopped)) is not None:
                    yield failure
                elif before == (len(self._known.done), len(self._known.blocked)):
                    raise CannotRun(nothing_begun(flight, stopped)) from None
            finally:
                await self.stop()
        yield Finished(dict(self._known.verdicts), time.monotonic() - started)

    def _begins_nowhere(self, missing: _Misses) -> bool:
        """Whether it is the history that lacks its beginning, not one of its revisions."""
        return begins_with(self._plan.environment, missing.missing, missing.models)

    def _advise(self, message: wire.Message) -> None:
        """Add to a failure for the want of a table what may be done about it."""
        missing, evidence = message["missing"], message["evidence"]
        if missing is not None and evidence["verdict"] == Verdict.FAILED:
            found = Missing.from_json(missing)
            evidence["reason"] += advice(self._plan.environment, found, sure=missing["sure"])
            evidence["reason"] += self._unmade

    def _go_on_from_models(self) -> None:
        """Have today's models make the schema; a kept state is of the history, which it is not."""
        self._own, self._plan = (self._plan, self._beginning), self._plan.from_models()
        self._beginning = None
        self._alone = len(self._known.done)

    async def _otherwise(self, error: CannotRun) -> Plan:
        """The plan to go on with, where there is another way; raises what cannot be helped."""
        if error.history:
            raise await asyncio.to_thread(_as_read, error, self._plan) from error
        if error.homeless and not self._plan.home and "HOME" not in self._plan.settings.env:
            self._homeless = error
            return replace(self._plan, home=True)
        own, self._own = self._own, None
        if own is None or self._alone < len(self._known.done):
            raise _after_home(error, self._homeless)
        # The models do not make it either: what the history itself says is worth more.
        logger.info("models make no baseline: %s", error)
        self._unmade = f"; {str(error).splitlines()[0]}"
        plan, self._beginning = own
        return replace(plan, models=False)

    async def stop(self) -> None:
        """End the agent that runs, and what it started."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.kill()
            await agent.ended()

    async def _start(self) -> Agent:
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        plan = self._folder / f"plan-{self._runs}.json"
        progress = {"done": self._known.done, "blocked": self._known.blocked}
        told = self._plan.to_json(self._kind, folder, self._place) | progress
        if self._beginning is not None:
            told |= await asyncio.to_thread(self._beginning.told, folder)
        plan.write_text(json.dumps(told), encoding="utf-8")
        home = self._plan.environment.folder
        try:
            return await self._agents.take(plan) or await Agent.start(
                self._python, plan, home, self._variables
            )
        except OSError as error:
            raise CannotRun(f"{self._python} could not be started: {error}") from error

    async def _follow(self, agent: Agent, flight: Flight) -> AsyncIterator[Event]:
        """Relay one agent's messages; raises `Stopped` when it ends before it is done."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._patience(_LOADING)
        while True:
            try:
                message = await agent.message(deadline)
            except TimeIsUp:
                raise await self._overdue(agent, flight) from None
            if message is None:
                status = await agent.ended()
                where = crashed_at(agent, self._known.files.values())
                raise Stopped("AgentStopped", unfinished(status, agent), where)
            if message["event"] == wire.FINISHED:
                await asyncio.to_thread(self._advise, message)
            event, renew = self._read(message, flight)
            if renew:
                deadline = clock() + self._patience(renew)
            if isinstance(event, RevisionFinished) and self._own and not self._modelled:
                self._modelled = True
                yield FromModels()
            if event is not None:
                yield event
            if message["event"] == wire.KEPT and self._beginning is not None:
                self._beginning.handed_on(message)
            if message["event"] == wire.DONE:
                return

    def _patience(self, what: str) -> float:
        """Seconds until the next step must have begun."""
        seconds = _LOADING_SECONDS if what == _LOADING else self._plan.settings.timeout
        # What could be loaded before can be again: the machine has become busy since.
        again = what in {_LOADING, _ENV_PY} and self._known.keys
        return seconds * _AGAIN if again else seconds

    def _read(self, message: wire.Message, flight: Flight) -> tuple[Event | None, str | None]:
        """The event a message stands for, and whether the clock starts anew."""
        kind = message["event"]
        if kind == wire.CANNOT:
            known = {name: message.get(name, False) for name in ("homeless", "history")}
            raise CannotRun(message["message"], message.get("wants", ""), **known)
        if kind == wire.UNUSABLE and self._beginning is not None:
            logger.info("a kept state could not be used: %s", message["message"])
            self._beginning.unusable()
            raise _Unusable
        if kind == wire.UNHELD:
            raise _Unheld
        if kind == wire.NOWHERE:
            raise _Misses(Missing.from_json(message["missing"]), message["models"])
        if kind == wire.STARTING:
            flight.step = message["phase"]
            return None, _LOADING if message["phase"] == _LOADING else _ENV_PY
        if kind == wire.STARTED:
            flight.step = None
            return self._started(message), "first"
        if kind == wire.STEP_STARTED:
            first = flight.enter(message["revision"], message["step"], message["excuse"])
            event = StepStarted(message["revision"], message["step"])
            return event, "next" if first or message["revision"] == FULL_CYCLE else None
        if kind == wire.STEP_FINISHED:
            step = Step.from_json(message["step"])
            flight.steps.append(step)
            flight.step = None
            return StepFinished(message["revision"], step), None
        if kind == wire.WAY_BACK:
            revision = message["revision"]
            return WayBackFound(revision, Restoration.from_json(message)), None
        if kind == wire.FINISHED:
            flight.leave()
            evidence = RevisionEvidence.from_json(message["evidence"])
            if self._beginning is not None and self._beginning.casts_doubt_on(evidence):
                self._beginning.unusable()
                raise _Unusable
            return self._told(evidence, lacking=message["lacking"]), "next"
        return None, None

    def _started(self, message: wire.Message) -> Started | None:
        again = bool(self._known.keys)
        self._known.database, self._known.version = message["database"], message["version"]
        self._known.files = {name: path for name, (path, _) in message["files"].items()}
        before = {} if self._beginning is None else self._beginning.keys
        contents = _contents(message["files"])
        self._known.keys = evidence_keys(contents, before)
        revisions = tuple(message["revisions"])
        self._known.selected = frozenset((*revisions, FULL_CYCLE))
        if again:
            return None
        extensions = self._extensions(content for content, _ in contents.values())
        database, version = self._known.database, self._known.version
        return Started(database, version, message["guard"], revisions, extensions)

    def _extensions(self, scripts: Iterable[bytes]) -> Extensions | None:
        available = self._place.get("extensions")
        if available is None:
            return None
        created = created_by(scripts)
        is_named = "://" in self._plan.settings.database
        return Extensions(available, created) if created or is_named else None

    def _told(self, evidence: RevisionEvidence, *, lacking: bool = False) -> Event | None:
        """What is known of a revision in the end; a way back was told before."""
        if not self._plan.written:
            return self._finished(evidence, lacking=lacking)
        self._known.done.append(evidence.revision)
        reason = evidence.reason
        return None if reason is None else NoWayBack(evidence.revision, reason)

    def _finished(self, evidence: RevisionEvidence, *, lacking: bool) -> RevisionFinished:
        evidence = replace(
            evidence,
            database=self._known.database,
            database_version=self._known.version,
            baseline=None if self._own is None else TARGET_METADATA,
        )
        self._known.done.append(evidence.revision)
        self._known.verdicts[evidence.verdict] += 1
        key = self._known.keys.get(evidence.revision, "")
        # What is known only on a condition is for this run's report, and replaces no evidence.
        if key and not lacking and evidence.verdict is not Verdict.SKIPPED:
            self._store.save(key, evidence)
        return RevisionFinished(evidence, key)

    def _blame(self, flight: Flight, stopped: Stopped) -> Event | None:
        """The evidence of the revision an agent stopped in; None where it was in none."""
        revision = flight.revision
        if revision is None:
            return None
        applies = flight.last_step == "upgrade" or bool(self._plan.settings.baseline_revision)
        if applies and revision != FULL_CYCLE:
            self._known.blocked[revision] = f"it {stopped}"
        if revision in self._known.done or revision not in self._known.selected:
            return None
        rows = self._plan.settings.rows
        return self._told(flight.ended(stopped, self._known.files.get(revision), rows))

    async def _overdue(self, agent: Agent, flight: Flight) -> Stopped:
        seconds = self._patience(flight.step or "" if flight.revision is None else "")
        return await overdue(agent, seconds, self._known.files.values())


def _as_read(error: CannotRun, plan: Plan) -> CannotRun:
    """What Alembic refuses, with the file that reading knows; in Alembic's words without one."""
    history = load_history(plan.environment)
    problem = history.refusal or next(iter(history.problems), None)
    return error if problem is None else CannotRun(f"no rehearsal: {problem.sentence}")


def _after_home(error: CannotRun, before: CannotRun | None) -> CannotRun:
    """What is said where a home folder of its own had let env.py go on, or had not."""
    if before is None or error.wants:
        return error
    if error.homeless or str(error) == str(before):
        return before
    # What fails then may be all that is wrong, or miss what the user's home has.
    first = str(before).removeprefix("no rehearsal: ")
    return CannotRun(f"{error}; before that, with the user's own home folder, {first}")


class _Unusable(Exception):
    """An agent could not begin with the state that it was given: it begins at the base instead."""


class _Unheld(Exception):
    """An agent's steps cannot be held by a transaction: they are to commit instead."""


class _Misses(Exception):
    """An empty database lacks a table or schema, and env.py knows models, which have these."""

    def __init__(self, missing: Missing, models: Sequence[str]) -> None:
        super().__init__(missing.name)
        self.missing = missing
        self.models = models


def _contents(files: Mapping[str, Any]) -> dict[str, tuple[bytes, tuple[str, ...]]]:
    found = {}
    for revision, (path, ancestors) in files.items():
        try:
            content = Path(path).read_bytes()
        except OSError:
            content = b""
        found[revision] = content, tuple(ancestors)
    return found
