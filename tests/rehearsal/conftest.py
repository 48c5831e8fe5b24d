from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alembic_project import INI, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import RevisionEvidence, Step
from alembic_roundtrip.rehearsal.databases import cluster, daemon, shared
from alembic_roundtrip.rehearsal.events import Event, RevisionFinished
from alembic_roundtrip.rehearsal.folder import PREFIX, place
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse

KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"], indirect=True)
"""For what must be the same on every kind of database."""
URLS = {
    "postgresql": "postgresql+psycopg://app:secret@db.invalid/app",
    "mariadb": "mysql+pymysql://app:secret@db.invalid/app",
}

KEPT = pytest.mark.parametrize("kind", ["sqlite", "postgresql"], indirect=True)
"""For the kinds whose states are kept from one rehearsal to the next."""


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def project(tmp_path: Path, kind: str, request: pytest.FixtureRequest) -> AlembicProject:
    """A project; of another kind than SQLite, its URL leads to a server that is nowhere."""
    folder = tmp_path / "project"
    folder.mkdir()
    if kind == "sqlite":
        return AlembicProject(folder)
    request.getfixturevalue({"postgresql": "server", "mariadb": "mariadb"}[kind])
    ini = INI.replace("sqlite:///%(here)s/app.db", URLS[kind])
    return AlembicProject(folder, ini=ini, dialect=kind)


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


def timeless(evidence: RevisionEvidence) -> RevisionEvidence:
    """Without times, and without where an agent was when it ended: it only says so by the way."""
    return replace(evidence, seconds=0.0, steps=tuple(map(_timeless, evidence.steps)))


def _timeless(step: Step) -> Step:
    error = step.error
    if error is not None and error.type == "AgentStopped":
        error = replace(error, path=None, line=None, source=None)
    return replace(step, seconds=0.0, statements=(), error=error)


async def collect(
    project: AlembicProject,
    *revisions: str,
    full_cycle: bool = False,
    parts: tuple[tuple[int, int], ...] = (),
    jobs: int = 1,
    **settings: Any,
) -> list[Event]:
    """Every event of a rehearsal of 5 rows a table."""
    named = Settings(**{"rows": 5, "timeout": 20.0, **settings})
    plan = Plan(project.environment, named, revisions, full_cycle, parts, jobs)
    async with aclosing(rehearse(plan)) as events:
        return [event async for event in events]


def skip_unless(there: object, missing: str) -> None:
    """Skip where something is not installed, unless all is known to be: then it is a failure."""
    if not there:
        if os.environ.get("ROUNDTRIP_NOTHING_MISSING"):
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where this session's own servers are, and how soon they go."""
    locks = tmp_path_factory.mktemp("locks")

    def of_this_session(recipe: shared.Recipe) -> tuple[Path, Path]:
        (locks / recipe.kind).mkdir(exist_ok=True)
        # Beside the other scratch folders, not in pytest's: a socket's path must be short.
        home = PLACE / f"alembic_roundtrip.{recipe.kind}-test-{os.getpid()}"
        return home, locks / recipe.kind

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "places", of_this_session)
        patch.setattr(shared, "IDLE_SECONDS", 0.5)
        yield


@pytest.fixture(scope="session")
def server(places: None) -> Iterator[None]:
    """An embedded PostgreSQL of this session's own."""
    del places
    skip_unless(cluster.binaries(), "the extra `postgresql` is not installed")
    with cluster.running():
        yield


@pytest.fixture(scope="session")
def mariadb(places: None) -> Iterator[None]:
    """A MariaDB of this session's own."""
    del places
    skip_unless(daemon.program(), f"no server of MariaDB is installed: {daemon.INSTALL}")
    with daemon.running():
        yield


PLACE = place()  # before tests replace it
