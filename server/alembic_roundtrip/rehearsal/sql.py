"""The SQL of a rollback: an agent has env.py write it offline, connected to nothing."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal import interpreter, surroundings
from alembic_roundtrip.rehearsal.agent import events as wire
from alembic_roundtrip.rehearsal.folder import scratch_folder
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.process import Agent, TimeIsUp, spoken

_NO_DATABASE = "nowhere"


@dataclass(frozen=True, slots=True)
class DowngradeSql:
    """What one downgrade would send, as far as it got without a database."""

    revision: str
    sql: str
    path: str
    database: str | None = None
    """Its name, where a migration runs on several."""
    problem: str | None = None
    """Why the rest cannot be said without a database."""


async def rollback_sql(
    environment: Environment, settings: Settings, current: Sequence[str], target: str
) -> AsyncGenerator[DowngradeSql, None]:
    """The SQL from `current` to `target`, in Alembic's order; raises `CannotRun`.

    Closing or cancelling ends everything at once.
    """
    python = await asyncio.to_thread(interpreter.find, environment, settings)
    with scratch_folder() as folder:
        agent = await _start(environment, settings, python, folder, (current, target))
        try:
            async with aclosing(_answers(agent, settings.timeout)) as answers:
                async for answer in answers:
                    yield _downgrade(answer)
        finally:
            agent.kill()
            await agent.ended()


async def _start(
    environment: Environment,
    settings: Settings,
    python: Path,
    folder: Path,
    span: tuple[Sequence[str], str],
) -> Agent:
    task = Plan(environment, settings).to_json(_NO_DATABASE, folder, {})
    task["kind_is_named"] = False  # the SQL is for what env.py names, wherever rehearsals run
    file = folder / "plan.json"
    text = json.dumps(task | {"current": list(span[0]), "target": span[1]})
    file.write_text(text, encoding="utf-8")
    variables = surroundings.for_agent(os.environ, settings.env)
    try:
        return await Agent.start(python, file, environment.folder, variables)
    except OSError as error:
        raise CannotRun(f"{python} could not be started: {error}") from error


async def _answers(agent: Agent, timeout: float) -> AsyncGenerator[wire.Message, None]:
    clock = asyncio.get_running_loop().time
    while True:
        try:
            message = await agent.message(clock() + timeout)
        except TimeIsUp:
            raise CannotRun(f"no SQL: it was not written within {timeout:g} s") from None
        if message is None:
            status = await agent.ended()
            raise CannotRun(f"no SQL: the process that writes it {spoken(status)}")
        if message["event"] == wire.CANNOT:
            raise CannotRun(message["message"])
        if message["event"] == wire.DONE:
            return
        if message["event"] == wire.SQL:
            yield message


def _downgrade(message: wire.Message) -> DowngradeSql:
    problem = message["problem"]
    told = None
    if problem is not None:
        place = f" (line {problem['line']})" if problem["line"] else ""
        told = f"{problem['message']}{place}"
    return DowngradeSql(
        message["revision"], message["sql"], message["path"], message["database"], told
    )
