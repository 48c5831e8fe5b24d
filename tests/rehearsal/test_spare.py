"""An agent that waited is as good, and as closed, as one that was started for the purpose."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.process import AGENT
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.spare import Purpose, Spare, Standby
from rehearsal.conftest import agents_on, timeless


@pytest.fixture
async def spare() -> AsyncIterator[Spare]:
    found = Spare()
    yield found
    await found.close()
    assert agents() == []


def agents() -> list[str]:
    """The waiting agents of this process."""
    return agents_on(f"wait\0{os.getpid()}\0")


async def waiting(spare: Spare) -> asyncio.subprocess.Process:
    """Have an agent wait."""
    spare.renew()
    assert spare._start is not None
    return await spare._start


async def rehearsed(
    project: AlembicProject, spare: Spare | None, **settings: object
) -> tuple[list[RevisionEvidence], str]:
    plan = Plan(project.environment, Settings(**{"rows": 5, **settings}))
    found, guard = [], ""
    standby = None if spare is None else Standby(spare)
    async with aclosing(rehearse(plan, standby)) as events:
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
    assert first.returncode is not None
    assert (await waiting(spare)).pid != first.pid
    assert await rehearsed(users, None) == new


async def test_an_agent_that_waits_for_something_else_is_ended(users, spare):
    await rehearsed(users, spare)
    process = await waiting(spare)
    users.add("variable", 'import os; assert os.environ["WANTED"] == "yes"')
    found, _ = await rehearsed(users, spare, env={"WANTED": "yes"})
    assert [each.verdict.value for each in found] == ["lossless"] * 3
    assert await asyncio.wait_for(process.wait(), 5) != 0


async def test_a_waiting_agent_that_died_is_replaced(users, spare):
    new = await rehearsed(users, spare)
    process = await waiting(spare)
    process.kill()
    await process.wait()
    assert await rehearsed(users, spare) == new


async def test_a_waiting_agent_ends_with_its_server(users, spare):
    await rehearsed(users, spare)
    process = await waiting(spare)
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_an_agent_whose_start_is_under_way_is_ended(users, spare):
    await rehearsed(users, spare)
    spare.renew()
    await asyncio.sleep(0)
    start = spare.end()
    assert start is not None
    await asyncio.wait([start])
    assert start.cancelled()
    assert agents() == []


async def test_an_agent_that_nobody_asks_for_goes_away(users, spare, monkeypatch):
    new = await rehearsed(users, spare)
    with monkeypatch.context() as patch:
        patch.setattr("alembic_roundtrip.rehearsal.spare.IDLE_SECONDS", 0.5)
        process = await waiting(spare)
    assert await asyncio.wait_for(process.wait(), 10) != 0
    assert (await waiting(spare)).pid != process.pid
    assert await rehearsed(users, spare) == new


async def test_asking_again_starts_no_second_agent(users, spare):
    await rehearsed(users, spare)
    process = await waiting(spare)
    assert await waiting(spare) is process
    assert len(agents()) == 1


async def test_nothing_waits_where_nothing_was_rehearsed(spare):
    spare.renew()
    assert spare.end() is None


@pytest.mark.skipif(sys.platform == "win32", reason="needs the resource module")
def test_a_waiting_agent_needs_little_memory():
    # From a small process: what starts a program counts as its memory until it has started.
    program = (
        "import os, resource, subprocess, sys\n"
        "command = [sys.executable, sys.argv[1], 'wait', str(os.getpid()), 'sqlite']\n"
        "subprocess.run(command, stdin=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    told = subprocess.check_output([sys.executable, "-I", "-c", program, str(AGENT)])
    in_bytes = int(told) * (1 if sys.platform == "darwin" else 1024)
    assert 0 < in_bytes < 128 * 1024 * 1024


def test_what_is_installed_makes_another_purpose(tmp_path):
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    (packages / "alembic").mkdir(parents=True)

    def now() -> Purpose:
        return Purpose.of(tmp_path / "bin" / "python", tmp_path, {}, "sqlite")

    before = now()
    os.utime(packages / "alembic", ns=(1, 1))
    assert now() == before
    os.utime(packages, ns=(1, 1))
    assert now() != before


async def test_the_guard_of_a_waiting_agent_refuses_what_any_refuses(users, spare):
    await rehearsed(users, spare)
    env = users.folder / "migrations" / "env.py"
    env.write_text(f"import sqlite3\nsqlite3.connect('app.db')\n{ENV}")
    with pytest.raises(CannotRun) as alone:
        await rehearsed(users, None)
    process = await waiting(spare)
    with pytest.raises(CannotRun) as spared:
        await rehearsed(users, spare)
    assert process.returncode is not None
    assert str(spared.value) == str(alone.value)
    assert "by hand" in str(alone.value)
    assert not (users.folder / "app.db").exists()
