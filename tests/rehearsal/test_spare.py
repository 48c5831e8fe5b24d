"""An agent that waited is as good, and as closed, as one that was started for the purpose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.spare import Spare
from rehearsal.conftest import timeless


@pytest.fixture
async def spare() -> AsyncIterator[Spare]:
    found = Spare()
    yield found
    await ended(found)


async def ended(spare: Spare) -> None:
    process = spare._process
    spare.end()
    if process is not None:
        await process.wait()


async def waiting(spare: Spare) -> int:
    """Have an agent wait; gives its process number."""
    spare.renew()
    assert spare._task is not None
    await spare._task
    assert spare._process is not None
    return spare._process.pid


async def rehearsed(
    project: AlembicProject, spare: Spare | None, **settings: object
) -> tuple[list[RevisionEvidence], str]:
    plan = Plan(project.environment, Settings(**{"rows": 5, **settings}))
    found, guard = [], ""
    async with aclosing(rehearse(plan, spare)) as events:
        async for event in events:
            if isinstance(event, Started):
                guard = event.guard
            elif isinstance(event, RevisionFinished):
                found.append(timeless(event.evidence))
    return found, guard


@pytest.fixture
def users(project: AlembicProject) -> AlembicProject:
    column = 'sa.Column("id", sa.Integer, primary_key=True)'
    project.add("users", f'op.create_table("users", {column})', 'op.drop_table("users")')
    project.add("input", "import sys; assert sys.stdin.read() == ''")
    return project


async def test_a_waiting_agent_is_used_once_and_finds_the_same(users, spare):
    new = await rehearsed(users, spare)
    first = await waiting(spare)
    assert await rehearsed(users, spare) == new
    assert spare._process is None
    assert await waiting(spare) != first
    assert await rehearsed(users, None) == new


async def test_an_agent_that_waits_for_something_else_is_ended(users, spare):
    await rehearsed(users, spare)
    await waiting(spare)
    process = spare._process
    assert process is not None
    users.add("variable", 'import os; assert os.environ["WANTED"] == "yes"')
    found, _ = await rehearsed(users, spare, env={"WANTED": "yes"})
    assert [each.verdict.value for each in found] == ["lossless"] * 3
    assert await asyncio.wait_for(process.wait(), 5) != 0


async def test_a_waiting_agent_that_died_is_replaced(users, spare):
    new = await rehearsed(users, spare)
    await waiting(spare)
    process = spare._process
    assert process is not None
    process.kill()
    await process.wait()
    assert await rehearsed(users, spare) == new


async def test_a_waiting_agent_ends_with_its_server(users, spare):
    await rehearsed(users, spare)
    await waiting(spare)
    process = spare._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_the_guard_of_a_waiting_agent_refuses_what_any_refuses(users, spare):
    await rehearsed(users, spare)
    env = users.folder / "migrations" / "env.py"
    env.write_text(f"import sqlite3\nsqlite3.connect('app.db')\n{ENV}")
    with pytest.raises(CannotRun) as alone:
        await rehearsed(users, None)
    await waiting(spare)
    with pytest.raises(CannotRun) as spared:
        await rehearsed(users, spare)
    assert spare._process is None
    assert str(spared.value) == str(alone.value)
    assert "by hand" in str(alone.value)
    assert not (users.folder / "app.db").exists()
