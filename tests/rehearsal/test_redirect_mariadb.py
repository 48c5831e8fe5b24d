"""Whatever way env.py connects to MariaDB or MySQL: to the scratch database, or not at all.

A decoy stands for the real server; nothing may reach it, on TCP, UDP or its Unix socket.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest

from alembic_roundtrip.rehearsal.databases import daemon
from rehearsal.conftest import skip_unless
from rehearsal.guarded import LEVELS, RUN, Outcome, Project, needs_kernel_layer
from rehearsal.server_styles import SOCKETS, is_refused, project_on, styles_of
from rehearsal.test_redirect import ASYNC_RUN

DRIVERS = {
    "pymysql": "pymysql",
    "mysqldb": "MySQLdb",
    "mysqlconnector": "mysql.connector",
    "mariadbconnector": "mariadb",
}
ASYNC_DRIVERS = ("aiomysql", "asyncmy")
URL = "mysql+{}://app:secret@127.0.0.1:@PORT@/real"
ENGINE = f"connectable = sa.create_engine('{URL.format('pymysql')}')\n"
ASYNC = """
from sqlalchemy.ext.asyncio import create_async_engine
connectable = create_async_engine("mysql+{}://app:secret@127.0.0.1:@PORT@/real"{})
"""
ARGUMENTS = "connectable = sa.create_engine('mysql+{}://app@/real', connect_args={})\n"
HOST = "{'host': '127.0.0.1', 'port': @PORT@}"
ASYNC_CREATOR = """
import aiomysql
async def creator():
    return await aiomysql.connect(host="127.0.0.1", port=@PORT@)
"""
SOCKET = "unix_socket=@SOCKETS@/.s.PGSQL.@PORT@"

STYLES: dict[str, str] = {
    **styles_of(ENGINE, "pymysql"),
    **{
        f"an address in the code, {driver}": ENGINE.replace("pymysql", driver) + RUN
        for driver in DRIVERS
    },
    **{
        f"a host in connect_args, {driver}": ARGUMENTS.format(driver, HOST) + RUN
        for driver in DRIVERS
    },
    **{f"async, {driver}": ASYNC.format(driver, "") + ASYNC_RUN for driver in ASYNC_DRIVERS},
    "the name of MariaDB": ENGINE.replace("mysql+", "mariadb+") + RUN,
    "no name of a driver": ENGINE.replace("+pymysql", "") + RUN,
    "a changed main option": "config.set_main_option('sqlalchemy.url', "
    f"'{URL.format('pymysql')}')\n"
    "connectable = sa.create_engine(config.get_main_option('sqlalchemy.url'))" + RUN,
    "URL.create": "from sqlalchemy.engine import URL\n"
    "connectable = sa.create_engine(URL.create('mysql+pymysql', 'app', 'secret', "
    "'127.0.0.1', @PORT@, 'real'))" + RUN,
    "a Unix socket in the query": "connectable = sa.create_engine("
    f"'mysql+pymysql://app@localhost/real?{SOCKET}')" + RUN,
    "a Unix socket in the query, mysqldb": "connectable = sa.create_engine("
    f"'mysql+mysqldb://app@localhost/real?{SOCKET}')" + RUN,
    "a Unix socket in connect_args": ARGUMENTS.format(
        "mariadbconnector", "{'unix_socket': '@SOCKETS@/.s.PGSQL.@PORT@'}"
    )
    + RUN,
    "an options file": ARGUMENTS.format("pymysql", "{'read_default_file': '@HERE@/my.cnf'}") + RUN,
    "an options file, mysqldb": ARGUMENTS.format(
        "mysqldb", "{'read_default_file': '@HERE@/my.cnf', 'read_default_group': 'client'}"
    )
    + RUN,
    "an options file, mysqlconnector": ARGUMENTS.format(
        "mysqlconnector", "{'option_files': '@HERE@/my.cnf'}"
    )
    + RUN,
    "encryption required": "connectable = sa.create_engine("
    f"'{URL.format('pymysql')}?ssl_ca=/nowhere.pem&ssl_verify_cert=true')" + RUN,
    "encryption in connect_args": ENGINE.replace("')", "', connect_args={'ssl': {'ca': '/x'}})")
    + RUN,
    "a character set": ENGINE.replace("/real", "/real?charset=utf8mb4") + RUN,
    "a command to begin with": ENGINE.replace(
        "')", "', connect_args={'init_command': 'SET sql_mode = TRADITIONAL'})"
    )
    + RUN,
    "a pool of the driver's own": ENGINE.replace("pymysql", "mysqlconnector").replace(
        "')", "', connect_args={'pool_name': 'p', 'pool_size': 2})"
    )
    + RUN,
    "several hosts of the driver's own": ENGINE.replace("pymysql", "mysqlconnector").replace(
        "')", "', connect_args={'failover': [{'host': '127.0.0.1', 'port': @PORT@}]})"
    )
    + RUN,
    "a creator": "import pymysql\nconnectable = sa.create_engine('mysql+pymysql://', "
    "creator=lambda: pymysql.connect(host='127.0.0.1', port=@PORT@))" + RUN,
    "a creator, mysqldb": "import MySQLdb\nconnectable = sa.create_engine('mysql+mysqldb://', "
    "creator=lambda: MySQLdb.connect(host='127.0.0.1', port=@PORT@))" + RUN,
    "an async creator": ASYNC_CREATOR
    + ASYNC.format("aiomysql", ", async_creator=creator")
    + ASYNC_RUN,
    "a pool of its own": "import pymysql\n"
    "own = pool.QueuePool(lambda: pymysql.connect(host='127.0.0.1', port=@PORT@))\n"
    "connectable = sa.create_engine('mysql+pymysql://', pool=own)" + RUN,
    "a mode set for each connection": ENGINE
    + "@event.listens_for(connectable, 'connect')\n"
    + "def mode(dbapi, record):\n"
    + "    dbapi.cursor().execute('SET SESSION sql_mode = \"ANSI_QUOTES\"')\n"
    + RUN,
    "a variable of the library's": "os.environ['MYSQL_HOST'] = '127.0.0.1'\n"
    "os.environ['MYSQL_TCP_PORT'] = '@PORT@'\n"
    "connectable = sa.create_engine('mysql+mysqldb://')" + RUN,
    "a URL without a host": "connectable = sa.create_engine('mysql+pymysql:///real')" + RUN,
    "a URL without a database": "connectable = sa.create_engine('mysql+pymysql://app@db')" + RUN,
}

BY_HAND: dict[str, str] = {
    "pymysql": "import pymysql\npymysql.connect(host='127.0.0.1', port=@PORT@)",
    "pymysql, class": "from pymysql.connections import Connection\n"
    "Connection(unix_socket='@SOCKETS@/.s.PGSQL.@PORT@')",
    "pymysql, later": "import pymysql\n"
    "pymysql.connect(host='127.0.0.1', port=@PORT@, defer_connect=True).connect()",
    "mysqldb": "import MySQLdb\nMySQLdb.connect(host='127.0.0.1', port=@PORT@)",
    "mysqldb, class": "from MySQLdb.connections import Connection\n"
    "Connection('localhost', unix_socket='@SOCKETS@/.s.PGSQL.@PORT@')",
    "mysqldb, options file": "import MySQLdb\nMySQLdb.connect(read_default_file='@HERE@/my.cnf')",
    "mysqlconnector": "import mysql.connector\n"
    "mysql.connector.connect(host='127.0.0.1', port=@PORT@)",
    "mysqlconnector, pure": "import mysql.connector\n"
    "mysql.connector.connect(host='127.0.0.1', port=@PORT@, use_pure=True)",
    "mysqlconnector, later": "from mysql.connector import MySQLConnection\n"
    "c = MySQLConnection()\nc.config(host='127.0.0.1', port=@PORT@)\nc.reconnect()",
    "mysqlconnector, pool": "from mysql.connector.pooling import MySQLConnectionPool\n"
    "MySQLConnectionPool(pool_size=1, host='127.0.0.1', port=@PORT@)",
    "mysqlconnector, async": "import mysql.connector.aio\n"
    "asyncio.run(mysql.connector.aio.connect(host='127.0.0.1', port=@PORT@))",
    "mariadb": "import mariadb\nmariadb.connect(host='127.0.0.1', port=@PORT@)",
    "mariadb, class": "from mariadb.connections import Connection\n"
    "Connection(host='127.0.0.1', port=@PORT@)",
    "mariadb, pool": "import mariadb\n"
    "mariadb.ConnectionPool(pool_name='p', pool_size=1, host='127.0.0.1', port=@PORT@)",
    "aiomysql": "import aiomysql\nasyncio.run(aiomysql.connect(host='127.0.0.1', port=@PORT@))",
    "aiomysql, pool": "import aiomysql\n"
    "async def pooled():\n    await aiomysql.create_pool(host='127.0.0.1', port=@PORT@)\n"
    "asyncio.run(pooled())",
    "asyncmy": "import asyncmy\n"
    "async def connect():\n    await asyncmy.connect(host='127.0.0.1', port=@PORT@)\n"
    "asyncio.run(connect())",
    **SOCKETS,
    "the client": "import subprocess\n"
    "subprocess.run(['mariadb', '-h', '127.0.0.1', '-P', '@PORT@'])",
}

# What no layer in Python sees: only the system stops these.
IN_C: dict[str, str] = {
    "mysqldb's own class": "from MySQLdb import _mysql\n"
    "try:\n    _mysql.connection(host='127.0.0.1', port=@PORT@)\n"
    "except _mysql.MySQLError as x:\n    assert x.args[0] in {2002, 2003}",
    "mysqldb's own class on a socket": "from MySQLdb import _mysql\n"
    "try:\n    _mysql.connection('localhost', unix_socket='@SOCKETS@/.s.PGSQL.@PORT@')\n"
    "except _mysql.MySQLError as x:\n    assert x.args[0] in {2001, 2002}",
}

BY_CTYPES = (
    "import ctypes\n"
    "lib = ctypes.CDLL('libmariadb.so.3')\n"
    "lib.mysql_init.restype = ctypes.c_void_p\n"
    "handle = ctypes.c_void_p(lib.mysql_init(None))\n"
    "assert not lib.mysql_real_connect(handle, b'127.0.0.1', b'a', b'b', b'c', @PORT@, None, 0)"
)

# What the scratch server could be asked to do in our place.
THROUGH_THE_SERVER: dict[str, str] = {
    "a file to write": "SELECT 1 INTO OUTFILE '/tmp/stolen'",
    "a file to read": "CREATE TABLE x (a text); LOAD DATA INFILE '/etc/passwd' INTO TABLE x",
    "a function in C": "CREATE FUNCTION s RETURNS INTEGER SONAME 'libc.so.6'",
    "a plugin": "INSTALL SONAME 'ha_connect'",
    "a server elsewhere": "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST '127.0.0.1')",
    "a primary to follow": "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = @PORT@",
    "an account of its own": "CREATE USER more",
    "another database": "CREATE SCHEMA precious",
    "the accounts": "UPDATE mysql.global_priv SET priv = '{}'",
    "a global setting": "SET GLOBAL general_log = 1",
    "the end": "SHUTDOWN",
}


@pytest.fixture
def project(tmp_path: Path, mariadb: None) -> Iterator[Project]:
    del mariadb
    options = "[client]\nhost = 127.0.0.1\nport = @PORT@\nuser = app\npassword = secret\n"
    with project_on("mariadb", URL.format("pymysql"), tmp_path, {"my.cnf": options}) as found:
        yield found


def need(text: str) -> None:
    """Skip where a driver that the text uses is not installed."""
    text = text.replace("mysql://", "mysql+mysqldb://")  # SQLAlchemy's own choice
    for driver, module in DRIVERS.items():
        if driver in text or module in text:
            package = module.partition(".")[0]
            skip_unless(importlib.util.find_spec(package), f"no {package} is installed")


def tables(outcome: Outcome) -> list[list[str]]:
    """The tables in each scratch database, as the server itself says."""
    found = []
    with (
        daemon.running() as server,
        pymysql.connect(unix_socket=server.socket, user="root") as connection,
        connection.cursor() as cursor,
    ):
        for (name,) in outcome.databases.values():
            cursor.execute(f"SHOW TABLES FROM {name}")
            found.append([row[0] for row in cursor.fetchall()])
    return found


@LEVELS
@pytest.mark.parametrize("style", STYLES)
def test_a_style_is_redirected(project: Project, style: str, level: str) -> None:
    need(STYLES[style])
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
    need(BY_HAND[way])
    outcome = project.run(BY_HAND[way] + "\n" + ENGINE + RUN, level=level)
    assert is_refused(outcome)


@needs_kernel_layer
@pytest.mark.parametrize("way", IN_C)
def test_a_connection_in_c_is_stopped_by_the_system(project: Project, way: str) -> None:
    need(IN_C[way])
    outcome = project.run(IN_C[way] + "\n" + ENGINE + RUN, level="kernel")
    assert outcome.error is None, outcome.error


def test_a_function_of_its_library_in_c_is_refused_by_name(project: Project) -> None:
    need(BY_CTYPES)
    outcome = project.run(BY_CTYPES + "\n" + ENGINE + RUN, level="kernel")
    assert outcome.error is not None
    assert "takes `mysql_real_connect` of a library of C" in outcome.error[1]


@pytest.mark.parametrize("way", THROUGH_THE_SERVER)
def test_the_server_does_nothing_for_a_plain_owner(project: Project, way: str) -> None:
    asked = THROUGH_THE_SERVER[way].split("; ")
    lines = "\n".join(f"    c.execute(sa.text({json.dumps(each)}))" for each in asked)
    ask = f"with connectable.connect() as c:\n{lines}\n"
    outcome = project.run(ENGINE + ask + RUN)
    assert outcome.error is not None
    assert any(word in outcome.error[1] for word in ("Access denied", "denied to user"))
