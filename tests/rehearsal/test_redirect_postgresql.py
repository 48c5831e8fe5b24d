"""Whatever way env.py connects to PostgreSQL: to the scratch database, or not at all.

A decoy stands for the real server; nothing may reach it, on TCP, UDP or its Unix socket.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from alembic_roundtrip.rehearsal.databases import cluster
from rehearsal.guarded import LEVELS, RUN, Outcome, Project, needs_kernel_layer
from rehearsal.server_styles import SOCKETS, is_refused, project_on, styles_of
from rehearsal.test_redirect import ASYNC_RUN

URL = "postgresql+{}://app:secret@127.0.0.1:@PORT@/real"
ENGINE = f"connectable = sa.create_engine('{URL.format('psycopg')}')\n"
ASYNC = """
from sqlalchemy.ext.asyncio import create_async_engine
connectable = create_async_engine("postgresql+{}://app:secret@127.0.0.1:@PORT@/real"{})
"""
ARGUMENTS = "connectable = sa.create_engine('postgresql+{}://app@/real', connect_args={})\n"
ASYNC_CREATOR = """
import asyncpg
async def creator():
    return await asyncpg.connect(host="127.0.0.1", port=@PORT@)
"""

STYLES: dict[str, str] = {
    **styles_of(ENGINE, "psycopg"),
    **{
        f"an address in the code, {driver}": ENGINE.replace("psycopg", driver) + RUN
        for driver in ("psycopg", "psycopg2", "pg8000")
    },
    **{
        f"async, {driver}": ASYNC.format(driver, "") + ASYNC_RUN
        for driver in ("psycopg", "asyncpg")
    },
    "a changed main option": "config.set_main_option('sqlalchemy.url', "
    f"'{URL.format('psycopg2')}')\n"
    "connectable = sa.create_engine(config.get_main_option('sqlalchemy.url'))" + RUN,
    "URL.create": "from sqlalchemy.engine import URL\n"
    "connectable = sa.create_engine(URL.create('postgresql+psycopg', 'app', 'secret', "
    "'127.0.0.1', @PORT@, 'real'))" + RUN,
    "postgres's own name of the URL": "connectable = sa.create_engine("
    "'postgres://app@127.0.0.1:@PORT@/real'.replace('postgres:', 'postgresql+psycopg2:'))" + RUN,
    "a socket folder in the query": "connectable = sa.create_engine("
    "'postgresql+psycopg://app@/real?host=@SOCKETS@&port=@PORT@')" + RUN,
    "several hosts": "connectable = sa.create_engine('postgresql+psycopg://app@/real"
    "?host=127.0.0.1:@PORT@&host=db.invalid:5432')" + RUN,
    "encryption required": "connectable = sa.create_engine("
    f"'{URL.format('psycopg2')}?sslmode=require')" + RUN,
    "a host in connect_args": ARGUMENTS.format("psycopg", "{'host': '127.0.0.1', 'port': @PORT@}")
    + RUN,
    "a host address in connect_args": ARGUMENTS.format(
        "psycopg", "{'host': 'db', 'hostaddr': '127.0.0.1', 'port': @PORT@}"
    )
    + RUN,
    "a service in connect_args": ARGUMENTS.format("psycopg", "{'service': 'prod'}") + RUN,
    "a DSN in connect_args": ARGUMENTS.format(
        "psycopg2", "{'dsn': 'host=127.0.0.1 port=@PORT@ dbname=real'}"
    )
    + RUN,
    "options in connect_args": ENGINE.replace("')", "', connect_args={'options': '-c jit=off'})")
    + RUN,
    "server settings, asyncpg": ASYNC.format(
        "asyncpg", ", connect_args={'server_settings': {'jit': 'off'}, 'ssl': 'require'}"
    )
    + ASYNC_RUN,
    "a creator": "import psycopg2\nconnectable = sa.create_engine('postgresql+psycopg2://', "
    "creator=lambda: psycopg2.connect(host='127.0.0.1', port=@PORT@))" + RUN,
    "a creator, psycopg": "import psycopg\nconnectable = sa.create_engine('postgresql+psycopg://', "
    "creator=lambda: psycopg.connect('host=127.0.0.1 port=@PORT@'))" + RUN,
    "an async creator": ASYNC_CREATOR
    + ASYNC.format("asyncpg", ", async_creator=creator")
    + ASYNC_RUN,
    "a pool of its own": "import psycopg2\n"
    "own = pool.QueuePool(lambda: psycopg2.connect(host='127.0.0.1', port=@PORT@))\n"
    "connectable = sa.create_engine('postgresql+psycopg2://', pool=own)" + RUN,
    "a search path": ENGINE
    + "@event.listens_for(connectable, 'connect')\n"
    + "def path(dbapi, record):\n"
    + "    dbapi.cursor().execute('SET search_path TO public')\n"
    + RUN,
    "a variable of libpq's": "os.environ['PGHOST'] = '127.0.0.1'\n"
    "os.environ['PGPORT'] = '@PORT@'\n"
    "connectable = sa.create_engine('postgresql+psycopg2://')" + RUN,
    "a URL without a host": "connectable = sa.create_engine('postgresql+psycopg:///real')" + RUN,
}

BY_HAND: dict[str, str] = {
    "psycopg": "import psycopg\npsycopg.connect(host='127.0.0.1', port=@PORT@)",
    "psycopg, conninfo": "import psycopg\npsycopg.connect('host=127.0.0.1 port=@PORT@')",
    "psycopg, class": "import psycopg\npsycopg.Connection.connect('port=@PORT@ host=@SOCKETS@')",
    "psycopg, async": "import psycopg\n"
    "asyncio.run(psycopg.AsyncConnection.connect('host=127.0.0.1 port=@PORT@'))",
    "psycopg2": "import psycopg2\npsycopg2.connect('postgresql://app@127.0.0.1:@PORT@/real')",
    "psycopg2, pool": "from psycopg2.pool import SimpleConnectionPool\n"
    "SimpleConnectionPool(1, 2, host='127.0.0.1', port=@PORT@)",
    "asyncpg": "import asyncpg\nasyncio.run(asyncpg.connect(host='127.0.0.1', port=@PORT@))",
    "asyncpg, socket": "import asyncpg\n"
    "asyncio.run(asyncpg.connect(host='@SOCKETS@', port=@PORT@))",
    "pg8000": "import pg8000.dbapi\npg8000.dbapi.connect('app', host='127.0.0.1', port=@PORT@)",
    "pg8000, native": "import pg8000.native\n"
    "pg8000.native.Connection('app', host='127.0.0.1', port=@PORT@)",
    **SOCKETS,
    "psql": "import subprocess\nsubprocess.run(['psql', '-h', '127.0.0.1', '-p', '@PORT@'])",
}

LIBC = "import ctypes\nlibc = ctypes.CDLL(None)\n"
# What no layer in Python sees: only the system stops these.
IN_C: dict[str, str] = {
    "libpq past psycopg": "from psycopg import pq\n"
    "c = pq.PGconn.connect(b'hostaddr=127.0.0.1 port=@PORT@')\n"
    "assert c.status != pq.ConnStatus.OK",
    "libpq on a socket": "from psycopg import pq\n"
    "c = pq.PGconn.connect(b'host=@SOCKETS@ port=@PORT@ hostaddr=')\n"
    "assert c.status != pq.ConnStatus.OK",
    "psycopg2's class": "import psycopg2.extensions as e\n"
    "try:\n    e.connection('hostaddr=127.0.0.1 port=@PORT@')\n"
    "except Exception as x:\n    print(x)",
    "ctypes": "import ctypes, socket, struct\nlibc = ctypes.CDLL(None)\n"
    "fd = libc.socket(2, 1, 0)\n"
    "address = struct.pack('=H', 2) + struct.pack('!H4B', @PORT@, 127, 0, 0, 1) + bytes(8)\n"
    "assert libc.connect(fd, address, 16) < 0",
    "ctypes, Unix socket": LIBC + "assert libc.socket(1, 1, 0) < 0",
    "ctypes, UDP": LIBC + "assert libc.socket(2, 2, 0) < 0",
    "ctypes, MPTCP": LIBC + "assert libc.socket(2, 1, 262) < 0",
    "a forked child": "child = os.fork()\nif not child:\n"
    "    import ctypes\n    os._exit(ctypes.CDLL(None).socket(1, 1, 0) >= 0)\n"
    "assert os.waitpid(child, 0)[1] == 0",
}

# What the scratch server could be asked to do in our place.
THROUGH_THE_SERVER: dict[str, str] = {
    "COPY TO PROGRAM": "COPY (SELECT 1) TO PROGRAM 'cat'",
    "COPY FROM a file": "CREATE TABLE x (a text); COPY x FROM '/etc/passwd'",
    "dblink": "CREATE EXTENSION dblink",
    "a foreign server": "CREATE EXTENSION postgres_fdw",
    "a file": "CREATE EXTENSION file_fdw",
    "a function in C": "CREATE FUNCTION s(int) RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "a role of its own": "CREATE ROLE more SUPERUSER",
}


@pytest.fixture
def project(tmp_path: Path, server: None) -> Iterator[Project]:
    del server
    with project_on("postgresql", URL.format("psycopg"), tmp_path, {}) as found:
        yield found


def tables(outcome: Outcome) -> list[list[str]]:
    """The tables in each scratch database, as the server itself says."""
    found = []
    with cluster.running() as server:
        place = f"host={server.socket} port={server.port} user=postgres"
        for (name,) in outcome.databases.values():
            with psycopg.connect(f"{place} dbname={name}") as connection:
                rows = connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
                )
                found.append([row[0] for row in rows])
    return found


@LEVELS
@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_redirected(project: Project, style: str, level: str) -> None:
    outcome = project.run(STYLES[style], level=level)
    assert outcome.error is None
    assert outcome.refusals == []
    assert outcome.level == level
    assert ["alembic_version", "users"] in tables(outcome)


def test_there_are_enough_styles() -> None:
    assert len(STYLES) >= 40


@LEVELS
@pytest.mark.parametrize("way", BY_HAND)
def test_a_connection_by_hand_is_refused_and_named(project: Project, way: str, level: str) -> None:
    outcome = project.run(BY_HAND[way] + "\n" + ENGINE + RUN, level=level)
    assert is_refused(outcome)


@needs_kernel_layer
@pytest.mark.parametrize("way", IN_C)
def test_a_connection_in_c_is_stopped_by_the_system(project: Project, way: str) -> None:
    outcome = project.run(IN_C[way] + "\n" + ENGINE + RUN, level="kernel")
    assert outcome.error is None or "AssertionError" not in outcome.error[0], outcome.error


@pytest.mark.parametrize("way", THROUGH_THE_SERVER)
def test_the_server_does_nothing_for_a_plain_owner(project: Project, way: str) -> None:
    statement = json.dumps(THROUGH_THE_SERVER[way])
    ask = f"with connectable.connect() as c:\n    c.execute(sa.text({statement}))\n"
    outcome = project.run(ENGINE + ask + RUN)
    assert outcome.error is not None
    assert any(word in outcome.error[1] for word in ("permission denied", "must be superuser"))
