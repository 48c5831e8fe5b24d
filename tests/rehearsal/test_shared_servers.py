"""The life of a server of ours: started for whoever comes first, gone with whoever goes last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alembic_roundtrip.rehearsal.databases import cluster, daemon, shared
from alembic_roundtrip.rehearsal.plan import CannotRun

USER = """
import sys, time
from importlib import import_module
from pathlib import Path
from alembic_roundtrip.rehearsal.databases import shared
shared.places = lambda recipe: (Path(sys.argv[2]), Path(sys.argv[3]))
shared.IDLE_SECONDS = 0.5
with import_module("alembic_roundtrip.rehearsal.databases." + sys.argv[1]).running() as found:
    print(found.port, flush=True)
    time.sleep(60)
"""
REAL_PLACES = shared.places
KINDS = {"cluster": "server", "daemon": "mariadb"}


@pytest.fixture(params=KINDS)
def command(request: pytest.FixtureRequest) -> Iterator[list[str]]:
    """What uses a server of one test's own."""
    request.getfixturevalue(KINDS[request.param])
    home, locks = shared.places(shared.Recipe(request.param, "", Path()))
    yield [sys.executable, "-c", USER, request.param, str(home), str(locks)]
    wait_until(lambda: not home.exists())


def use(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def server_of(command: list[str]) -> int:
    return int((Path(command[-2]) / "pid").read_text())


def wait_until(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_two_users_share_a_server_that_goes_with_the_last(command):
    with use(command) as one, use(command) as two:
        assert one.stdout.readline() == two.stdout.readline() != ""
        server = server_of(command)
        one.kill()
        time.sleep(1.5)
        assert is_alive(server)
        two.kill()
        wait_until(lambda: not is_alive(server) and not Path(command[-2]).exists())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_keeper_takes_its_server_along_and_the_next_user_gets_another(command):
    with use(command) as one:
        assert one.stdout.readline()
        server = server_of(command)
        stat = Path(f"/proc/{server}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        wait_until(lambda: not is_alive(server))
        one.kill()
    with use(command) as two:
        assert two.stdout.readline().strip().isdecimal()
        two.kill()


@pytest.mark.parametrize(
    ("kind", "lacks", "next_step"),
    [
        (cluster, "binaries", r"pip install 'alembic-roundtrip\[postgresql\]'"),
        (daemon, "program", r"apt-get install mariadb-server-core mariadb-client-core"),
    ],
)
def test_without_a_server_the_next_step_is_said(monkeypatch, kind, lacks, next_step):
    monkeypatch.setattr(kind, lacks, lambda: None)
    with pytest.raises(CannotRun, match=next_step), kind.running():
        pass


def test_a_server_that_does_not_start_says_why(tmp_path, monkeypatch, places):
    del places
    program = tmp_path / "mariadbd"
    program.write_text("not a program")
    monkeypatch.setattr(daemon, "program", lambda: program)
    where = shared.places(shared.Recipe("broken", "", program))
    monkeypatch.setattr(shared, "places", lambda _recipe: where)
    with pytest.raises(CannotRun, match=r"mariadbd did not start: "), daemon.running():
        pass


def test_a_user_without_a_home_has_locks_beside_temporary_files(tmp_path, monkeypatch):
    (tmp_path / "no folder").touch()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no folder"))
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    recipe = shared.Recipe("postgresql", "", Path())
    _, locks = REAL_PLACES(recipe)
    assert temporary in locks.parents
    (own,) = temporary.iterdir()
    assert own.stat().st_mode & 0o077 == 0
    own.chmod(0o777)
    with pytest.raises(CannotRun, match=r"somebody else's.*XDG_CACHE_HOME"):
        REAL_PLACES(recipe)
