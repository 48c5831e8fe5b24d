"""Where MariaDB's scratch databases are made: servers that are named."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.databases import daemon, mariadb, mariadb_relay
from alembic_roundtrip.rehearsal.databases.keeper import mariadb as keeper
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import PLACE, collect, skip_unless
from rehearsal.test_verdicts import users

pytestmark = pytest.mark.parametrize("kind", ["mariadb"], indirect=True)

ACCOUNTS = (
    "CREATE USER boss IDENTIFIED BY 'b%s'",
    "GRANT ALL ON *.* TO boss WITH GRANT OPTION",
    "CREATE USER maker IDENTIFIED BY 'm'",
    "GRANT CREATE USER ON *.* TO maker",
    r"GRANT ALL ON `alembic\_roundtrip\_%`.* TO maker WITH GRANT OPTION",
    "CREATE USER visitor IDENTIFIED BY 'v'",
)


class Administrator:
    """The session's server as if it were the user's own, with a database that matters."""

    def __init__(self, connection: pymysql.Connection, port: int) -> None:
        self._connection = connection
        self.port = port

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def ours(self) -> list[str]:
        found = self.rows(
            "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE "
            "'alembic!_roundtrip!_%' ESCAPE '!' UNION ALL SELECT user FROM mysql.user WHERE "
            "user LIKE 'alembic!_roundtrip!_%' ESCAPE '!' ORDER BY 1"
        )
        return [str(row[0]) for row in found]

    def url(self, login: str) -> str:
        return f"mysql+asyncmy://{login}@127.0.0.1:{self.port}/precious"


@pytest.fixture
def administrator(mariadb: None) -> Iterator[Administrator]:
    del mariadb
    with (
        daemon.running() as found,
        pymysql.connect(unix_socket=found.socket, user="root", autocommit=True) as connection,
    ):
        made = Administrator(connection, found.port)
        made.rows("CREATE DATABASE precious")
        made.rows("CREATE TABLE precious.data (id int)")
        for statement in ACCOUNTS:
            made.rows(statement)
        try:
            yield made
        finally:
            made.rows("DROP DATABASE precious")
            made.rows("DROP USER boss, maker, visitor")


@pytest.mark.parametrize("login", ["boss:b%25s", "maker:m"])
async def test_a_named_server_gets_databases_of_ours_and_loses_them_again(
    project: AlembicProject, administrator: Administrator, login: str
) -> None:
    users(project)
    project.add("reaches", 'op.execute("DROP TABLE precious.data")', "pass")
    events = await collect(project, database=administrator.url(login))
    found = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert {r: e.verdict for r, e in found.items()} == {
        "users": Verdict.LOSSLESS,
        "reaches": Verdict.FAILED,
    }
    assert "DROP command denied" in (found["reaches"].reason or "")
    assert next(e for e in events if isinstance(e, Started)).database == "mariadb"
    assert administrator.ours() == []
    assert administrator.rows("SELECT count(*) FROM precious.data") == [(0,)]


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        ("boss:wrong", r"mysql://boss@127\.0\.0\.1:\d+/precious cannot be used .*Access denied"),
        ("visitor:v", r"the account 'visitor'@'%' of .* may not make .*GRANT CREATE USER"),
    ],
)
async def test_a_server_that_cannot_be_used_is_one_sentence(
    project: AlembicProject,
    administrator: Administrator,
    login: str,
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    users(project)
    with pytest.raises(CannotRun, match=reason) as raised:
        await collect(project, database=administrator.url(login))
    assert login not in str(raised.value)
    assert administrator.ours() == []
    assert caplog.messages == []


async def test_a_server_that_lets_everybody_write_somewhere_is_not_used(
    project: AlembicProject, administrator: Administrator
) -> None:
    users(project)
    administrator.rows("CREATE USER ''@'%'")
    administrator.rows("GRANT ALL ON precious.* TO ''@'%'")
    administrator.rows("GRANT ALL ON precious.* TO PUBLIC")
    try:
        with pytest.raises(CannotRun, match=r"every account of this server may use `precious`"):
            await collect(project, database=administrator.url("boss:b%25s"))
    finally:
        administrator.rows("REVOKE ALL ON precious.* FROM PUBLIC")
        administrator.rows("DROP USER ''@'%'")
    assert administrator.ours() == []


async def test_a_server_that_is_not_there_is_one_sentence(project: AlembicProject) -> None:
    users(project)
    with pytest.raises(CannotRun, match=r"mysql://app@127.0.0.1:1/x cannot be used"):
        await collect(project, database="mysql://app:hidden@127.0.0.1:1/x")


async def test_a_server_that_does_not_greet_is_not_waited_for(
    project: AlembicProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server of PostgreSQL does not, where the URL says that it is one of MySQL."""
    users(project)
    monkeypatch.setattr(mariadb, "_GREETING", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CannotRun, match=r"cannot be used .*timed out"):
            await collect(project, database=f"mysql://app:hidden@127.0.0.1:{port}/x")


async def test_leftovers_of_killed_runs_are_removed_and_nothing_else(
    project: AlembicProject, administrator: Administrator
) -> None:
    users(project)
    killed, alive = "alembic_roundtrip_00112233aabb", "alembic_roundtrip_99112233aabb"
    named_alike = "alembic_roundtrip_accounts"
    for name in (killed, f"{killed}_1_1", f"{killed}_1_1_kept", alive, named_alike):
        administrator.rows(f"CREATE DATABASE {name}")
    administrator.rows(f"CREATE USER {killed}")
    assert administrator.rows(f"SELECT GET_LOCK('{alive}', 0)") == [(1,)]
    await collect(project)
    assert administrator.ours() == [alive, named_alike]
    for name in (alive, named_alike):
        administrator.rows(f"DROP DATABASE {name}")


async def test_the_way_to_a_named_server_is_open_to_one_account_only(
    project: AlembicProject, administrator: Administrator
) -> None:
    import asyncio

    del project
    where = {"host": "127.0.0.1", "port": administrator.port}

    def go(port: int, user: str, password: str, then: str | None = None) -> object:
        with pymysql.connect(host="127.0.0.1", port=port, user=user, password=password) as found:
            if then is not None:
                found._execute_command(0x11, f"{then}\0\0".encode())
                found._read_packet()
            with found.cursor() as cursor:
                cursor.execute("SELECT CURRENT_USER()")
                return cursor.fetchone()

    async with mariadb_relay.relay(where, "maker") as port:
        assert await asyncio.to_thread(go, port, "maker", "m") == ("maker@%",)
        with pytest.raises(pymysql.err.OperationalError, match="boss is not this rehearsal"):
            await asyncio.to_thread(go, port, "boss", "b%s")
        with pytest.raises(pymysql.err.OperationalError, match="Lost connection"):
            await asyncio.to_thread(go, port, "maker", "m", "visitor")


@pytest.fixture
def encrypting(mariadb: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Path]]:
    """A server that takes nobody without encryption; its port, and its certificate."""
    del mariadb
    skip_unless(shutil.which("openssl"), "no openssl is installed")
    program = daemon.program()
    assert program is not None
    home = Path(tempfile.mkdtemp(prefix="alembic_roundtrip.tls-", dir=PLACE))
    home.chmod(0o755)
    key, certificate = home / "key.pem", home / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o644)
    encryption = (f"--ssl-cert={certificate}", f"--ssl-key={key}", "--require-secure-transport=ON")
    monkeypatch.setattr(keeper, "_SETTINGS", (*keeper._SETTINGS, *encryption))
    server, state = keeper.start(home, program)
    try:
        with (
            pymysql.connect(unix_socket=state["socket"], user="root") as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("CREATE USER boss IDENTIFIED BY 'b'")
            cursor.execute("GRANT ALL ON *.* TO boss WITH GRANT OPTION")
        yield state["port"], certificate
    finally:
        keeper.stop(server)
        shutil.rmtree(home)


async def test_a_server_that_wants_encryption_gets_it(
    project: AlembicProject, encrypting: tuple[int, Path]
) -> None:
    users(project)
    port, certificate = encrypting
    url = f"mysql://boss:b@127.0.0.1:{port}/"
    for query in (f"ssl_ca={certificate}", "ssl=true", ""):
        events = await collect(project, database=f"{url}?{query}")
        found = [e.evidence.verdict for e in events if isinstance(e, RevisionFinished)]
        assert found == [Verdict.LOSSLESS]
    with pytest.raises(CannotRun, match="certificate verify failed"):
        await collect(project, database=f"{url}?ssl_ca={certificate}&ssl_verify_identity=true")
    with pytest.raises(CannotRun, match="are of no use"):
        await collect(project, database=f"{url}?ssl_ca=/nowhere.pem")
