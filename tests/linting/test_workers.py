from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip import linting
from alembic_roundtrip.linting import Detail, checking, diagnostics
from alembic_roundtrip.linting.checking import Job, check
from alembic_roundtrip.linting.workers import shared_out
from alembic_roundtrip.workspace import Workspace


@pytest.fixture
def project(tmp_path: Path) -> AlembicProject:
    """Tables that come and go, on lines that part and meet."""
    project = AlembicProject(tmp_path / "project")
    project.add("r0", 'op.create_table("t", sa.Column("id", sa.Integer))')
    for number in range(1, 60):
        name = f"c{number}"
        project.add(
            f"r{number}",
            f'op.add_column("t", sa.Column("{name}", sa.Integer))',
            f'op.drop_column("t", "{name}")' if number % 4 else "pass",
        )
        if number % 9 == 0:
            project.add(
                f"side{number}", f'op.drop_column("t", "c{number - 5}")', after=f"r{number - 4}"
            )
            project.add(f"both{number}", after=(f"r{number}", f"side{number}"))
    return project


def workspace(project: AlembicProject) -> Workspace:
    return Workspace([project.folder])


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("size", [1, 7, 40])
def test_several_processes_find_what_one_does(
    project: AlembicProject, detail: Detail, size: int
) -> None:
    one = workspace(project)
    (environment,) = one.environments
    files = one.scripts(environment).paths
    expected = list(check(Job(one, environment, detail), files))
    chunks = [files[at : at + size] for at in range(0, len(files), size)]
    done = shared_out(Job(workspace(project), environment, detail), chunks, 3)
    assert [each for number in range(len(chunks)) for each in done[number]] == expected
    assert any(found for _, _, found in expected)


def test_what_a_killed_process_has_not_done_is_done_all_the_same(
    project: AlembicProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = workspace(project)
    files = one.scripts(one.environments[0]).paths
    expected = diagnostics(one, files, Detail.NOTHING, 1)
    parent = os.getpid()
    original = checking.check

    def dies(job: Job, files: object) -> object:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(job, files)  # type: ignore[arg-type]

    monkeypatch.setattr("alembic_roundtrip.linting.workers.check", dies)
    monkeypatch.setattr(linting, "_MANY", 10)
    assert diagnostics(workspace(project), files, Detail.NOTHING, 2) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_stays_behind_a_run_that_is_ended(
    project: AlembicProject, how: signal.Signals
) -> None:
    for number in range(60, 600):
        project.add(f"r{number}", f'op.add_column("t", sa.Column("c{number}", sa.Integer))')
    mark = f"MARK={os.getpid()}-{how}"
    command = [sys.executable, "-m", "alembic_roundtrip", "lint", "--no-cache", "--jobs", "2"]
    environment = {**os.environ, "MARK": mark.partition("=")[2]}
    with subprocess.Popen(
        command,
        cwd=project.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        deadline = time.monotonic() + 60
        while len(marked(mark)) < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(how)
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marked(mark) == []


def marked(mark: str) -> list[str]:
    """Processes with a mark in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(folder.name)
        except OSError:
            continue
    return found
