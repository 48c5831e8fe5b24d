from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.events import Event, RevisionFinished
from alembic_roundtrip.rehearsal.folder import PREFIX, place
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse


@pytest.fixture
def project(tmp_path: Path) -> AlembicProject:
    folder = tmp_path / "project"
    folder.mkdir()
    return AlembicProject(folder)


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After every test: no scratch folder of ours, no process, no change in the project."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("alembic_roundtrip.rehearsal.folder._MEMORY", scratch)
    yield
    assert place() == scratch
    assert list(scratch.glob(f"{PREFIX}*")) == []
    assert agents_on(str(scratch)) == []


def agents_on(folder: str) -> list[str]:
    """The command lines of living processes that name a folder."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc").is_dir() else ():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if folder.encode() in command and state != "Z":
                found.append(command.decode(errors="replace"))
    return found


Rehearse = Callable[..., Any]


@pytest.fixture
def rehearsed(project: AlembicProject) -> Rehearse:
    """Rehearse the project; gives the evidence by revision."""

    async def run(
        *revisions: str, full_cycle: bool = False, **settings: Any
    ) -> dict[str, RevisionEvidence]:
        events = await collect(project, *revisions, full_cycle=full_cycle, **settings)
        return {
            event.evidence.revision: event.evidence
            for event in events
            if isinstance(event, RevisionFinished)
        }

    return run


async def collect(
    project: AlembicProject, *revisions: str, full_cycle: bool = False, **settings: Any
) -> list[Event]:
    """Every event of a rehearsal of 5 rows a table."""
    named = Settings(**{"rows": 5, "timeout": 20.0, **settings})
    plan = Plan(project.environment, named, revisions, full_cycle)
    async with aclosing(rehearse(plan)) as events:
        return [event async for event in events]
