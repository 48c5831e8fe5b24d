"""Where PostgreSQL's scratch databases are made: servers that are named."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.databases import cluster
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import collect
from rehearsal.test_verdicts import users

KIND = pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
# What is kept between rehearsals has names of its own, and stays.
OURS = (
    "SELECT datname FROM pg_database WHERE datname ~ '^alembic_roundtrip_(?!kept)' UNION ALL "
    "SELECT rolname FROM pg_roles WHERE rolname ~ '^alembic_roundtrip_(?!keeping)' ORDER BY 1"
)


@pytest.fixture
def administrator(server: None) -> Iterator[psycopg.Connection]:
    """The session's server as if it were the user's own, with a database that matters."""
    del server
    with cluster.running() as found:
        place = f"host={found.socket} port={found.port} user=postgres"
        with psycopg.connect(f"{place} dbname=postgres", autocommit=True) as connection:
            with psycopg.connect(f"{place} dbname=template1") as template:
                template.execute("CREATE EXTENSION tcn")
            connection.execute("CREATE DATABASE precious")
            connection.execute("CREATE ROLE boss LOGIN SUPERUSER PASSWORD 'b%s'")
            connection.execute("CREATE ROLE maker LOGIN CREATEDB PASSWORD 'm'")
            connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'v'")
            try:
                yield connection
            finally:
                with psycopg.connect(f"{place} dbname=template1") as template:
                    template.execute("DROP EXTENSION tcn")
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
        head='"""CREATE EXTENSION theirs"""\nWANTED = "CREATE EXTENSION IF NOT EXISTS nowhere"\n'
        "def asked(): op.execute('create extension \"citext\" CASCADE')",
    )
    project.add(
        "ours",
        'op.execute("CREATE EXTENSION IF NOT EXISTS tcn")',
        'op.execute("DROP EXTENSION tcn")',
    )
    before = sessions(administrator)
    events = await collect(project, database=url(administrator, login))
    found = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert {r: e.verdict for r, e in found.items()} == {
        "users": Verdict.LOSSLESS,
        "committing": Verdict.LOSSLESS,
        "ours": Verdict.SKIPPED,
    }
    assert "`template1` of the server has the extension `tcn`" in (found["ours"].reason or "")
    started = next(e for e in events if isinstance(e, Started))
    assert started.database == "postgresql"
    assert started.extensions is not None
    assert started.extensions.created == ("citext", "nowhere", "tcn")
    assert started.extensions.missing == ("nowhere",)
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
    for url, said in (
        ("postgresql://app:hidden@127.0.0.1:1/x", "app@127.0.0.1:1/x .*: Connection refused;"),
        ("postgresql:///x?host=/nowhere", "/x .* No such file"),
        ("postgresql://app:hidden@host/x?colour=red", 'app@host/x .* "colour"'),
    ):
        with pytest.raises(CannotRun, match=f"postgresql://{said}.* see that it runs there"):
            await collect(project, database=url)


@KIND
async def test_leftovers_of_killed_runs_are_removed_and_nothing_else(project, administrator):
    users(project)
    killed, alive, somebodys, named_alike = (
        "alembic_roundtrip_00112233aabb",
        "alembic_roundtrip_99112233aabb",
        "alembic_roundtrip_aa112233aabb",
        "alembic_roundtrip_accounts",
    )
    for name in (killed, f"{killed}_1_1", alive, somebodys, named_alike):
        administrator.execute(f"CREATE DATABASE {name}".encode())
    for name in (killed, alive):
        mark = f"COMMENT ON DATABASE {name} IS 'scratch database of Alembic Roundtrip'"
        administrator.execute(mark.encode())
    administrator.execute(f"CREATE ROLE {killed}_owner".encode())
    place = f"host={administrator.info.host} port={administrator.info.port} user=postgres"
    with psycopg.connect(f"{place} dbname=postgres application_name={alive}"):
        await collect(project)
        assert administrator.execute(OURS).fetchall() == [(alive,), (somebodys,), (named_alike,)]
    for name in (alive, somebodys, named_alike):
        administrator.execute(f"DROP DATABASE {name}".encode())
