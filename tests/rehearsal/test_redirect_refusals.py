"""What cannot be redirected is refused, with a sentence, and reaches nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.guarded import (
    ENGINE,
    LEVELS,
    MIGRATION,
    RUN,
    Decoy,
    Project,
    make_project,
    sqlalchemy_version,
)

IN_C = "from ctypes import CDLL, util\n"

# Name → (code of env.py before the engine is made, words of the sentence).
FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "sqlite3.connect": ("sqlite3.connect('@REAL@')", ("@REAL@", "by hand", "env.py line 6")),
    "a name bound by import": (
        "from sqlite3 import connect\nconnect('@REAL@')",
        ("@REAL@", "by hand"),
    ),
    "sqlite3.dbapi2": ("import sqlite3.dbapi2 as d\nd.connect('@REAL@')", ("@REAL@",)),
    "_sqlite3": ("import _sqlite3\n_sqlite3.connect('@REAL@')", ("@REAL@",)),
    "the connection class": ("sqlite3.Connection('@REAL@')", ("@REAL@",)),
    "a path object": (
        "import pathlib\nsqlite3.connect(pathlib.Path('real.db'))",
        ("@REAL@",),
    ),
    "a file: address": (
        "sqlite3.connect('file:@REAL@?mode=ro', uri=True)",
        ("@REAL@",),
    ),
    "a link": (
        "sqlite3.connect('link.db')",
        ("@REAL@",),
    ),
    "the wrapped function": ("sqlite3.connect.__wrapped__('@REAL@')", ("@REAL@",)),
    "a thread": (
        "t = threading.Thread(target=sqlite3.connect, args=['@REAL@'])\nt.start(); t.join()",
        ("@REAL@",),
    ),
    "swallowed errors": (
        "try:\n    sqlite3.connect('@REAL@')\nexcept BaseException:\n    pass",
        ("@REAL@", "env.py line 7"),
    ),
    "a forked child": (
        (
            "child = os.fork()\n"
            "if not child:\n"
            "    try:\n        sqlite3.connect('@REAL@')\n    finally:\n        os._exit(0)\n"
            "os.waitpid(child, 0)"
        ),
        ("@REAL@",),
    ),
    "aiosqlite by hand": (
        (
            "import aiosqlite\nasync def go():\n    await aiosqlite.connect('@REAL@')\n"
            "asyncio.run(go())"
        ),
        ("@REAL@",),
    ),
    "a pool of its own": (
        "pool.QueuePool(lambda: sqlite3.connect(':memory:')).connect()",
        ("does not lead to the scratch database",),
    ),
    "ATTACH": (
        ENGINE + "connectable.connect().exec_driver_sql(\"ATTACH '@REAL@' AS real\")",
        ("attaches", "@REAL@"),
    ),
    "ATTACH of a parameter": (
        ENGINE + "connectable.connect().exec_driver_sql('ATTACH ? AS real', ('@REAL@',))",
        ("attaches", "a file named by an expression"),
    ),
    "ATTACH in an async engine": (
        (
            "from sqlalchemy.ext.asyncio import create_async_engine\n"
            "async def go():\n"
            "    engine = create_async_engine('sqlite+aiosqlite:///@REAL@')\n"
            "    async with engine.connect() as connection:\n"
            "        await connection.exec_driver_sql(\"ATTACH '@REAL@' AS real\")\n"
            "asyncio.run(go())"
        ),
        ("attaches", "@REAL@"),
    ),
    "VACUUM INTO": (
        ENGINE + "raw = connectable.raw_connection()\n"
        "raw.dbapi_connection.isolation_level = None\n"
        "raw.cursor().execute(\"VACUUM INTO '@HERE@/copy.db'\")",
        ("copy", "@HERE@/copy.db"),
    ),
    "the program sqlite3": (
        "import subprocess\nsubprocess.run(['sqlite3', '@REAL@', 'DELETE FROM precious'])",
        ("starts the program sqlite3", "env.py line 7"),
    ),
    "another Python": (
        (
            "import subprocess, sys\n"
            "subprocess.check_output([sys.executable, '-c', 'open(\"@REAL@\", \"w\")'])"
        ),
        ("starts the program",),
    ),
    "os.system": ("os.system('sqlite3 @REAL@ \"DELETE FROM precious\"')", ("program sqlite3",)),
    "os.popen": ("os.popen('sqlite3 @REAL@ \"DELETE FROM precious\"').read()", ("program",)),
    "os.execv": ("os.execv('/bin/sh', ['sh', '-c', 'rm @REAL@'])", ("program /bin/sh",)),
    "os.posix_spawn": (
        "os.posix_spawn('/bin/rm', ['rm', '@REAL@'], os.environ)",
        ("program /bin/rm",),
    ),
    "an asyncio child": (
        (
            "async def go():\n    await asyncio.create_subprocess_shell('rm @REAL@')\n"
            "asyncio.run(go())"
        ),
        ("starts the program",),
    ),
    "multiprocessing": (
        (
            "import multiprocessing\n"
            "c = multiprocessing.get_context('spawn')\n"
            "c.Process(target=os.remove, args=['@REAL@']).start()"
        ),
        ("starts the program",),
    ),
    "SQLite's library": (
        IN_C + "CDLL(util.find_library('sqlite3'))",
        ("loads libsqlite3",),
    ),
}

WRITES = {
    "removed": "os.remove('@REAL@')",
    "renamed": "os.rename('@REAL@', '@REAL@.old')",
    "replaced": "open('x', 'w'); os.replace('x', '@REAL@')",
    "opened for writing": "open('@REAL@', 'r+b')",
    "opened by number": "os.open('@REAL@', os.O_RDWR)",
    "cut": "os.truncate('@REAL@', 0)",
    "cut through a link": (
        "link = os.environ['TMPDIR'] + '/link'\nos.symlink('@REAL@', link)\nos.truncate(link, 0)"
    ),
    "made read-only": "os.chmod('@REAL@', 0o400)",
    "copied over": "import shutil\nshutil.copyfile(config.config_file_name, '@REAL@')",
    "linked": "os.link('@REAL@', '@HERE@/other.db')",
    "put beside it": "os.mkdir('@HERE@/made')",
    "removed in a folder": "import shutil\nshutil.rmtree('@HERE@')",
}

POSTGRESQL = "host=127.0.0.1 port=@PORT@ dbname=app user=u password=hidden connect_timeout=3"
ADDRESS = "127.0.0.1:@PORT@/app"
NETWORK: dict[str, tuple[str, tuple[str, ...]]] = {
    **{
        f"an engine with {driver}": (
            f"sa.create_engine('{driver}://u:hidden@127.0.0.1:@PORT@/app').connect()",
            (name, ADDRESS, "the scratch database is SQLite", "env.py line 6"),
        )
        for driver, name in (
            ("postgresql+psycopg", "PostgreSQL"),
            ("postgresql+psycopg2", "PostgreSQL"),
            ("mysql+pymysql", "MySQL"),
            ("mariadb+pymysql", "MariaDB"),
        )
    },
    "an async engine with asyncpg": (
        (
            "from sqlalchemy.ext.asyncio import create_async_engine\n"
            "async def go():\n"
            "    engine = create_async_engine('postgresql+asyncpg://u:hidden@127.0.0.1:@PORT@/app')\n"
            "    async with engine.connect() as connection:\n"
            "        pass\n"
            "asyncio.run(go())"
        ),
        ("PostgreSQL", ADDRESS, "the scratch database is SQLite", "env.py line 9"),
    ),
    "an engine with creator=": (
        (
            "import psycopg2\nsa.create_engine('postgresql+psycopg2://', "
            f"creator=lambda: psycopg2.connect('{POSTGRESQL}')).connect()"
        ),
        ("PostgreSQL", "SQLite"),
    ),
    "an engine for a socket folder": (
        "sa.create_engine('postgresql+psycopg2://u@/app?host=@SOCKETS@&port=@PORT@').connect()",
        ("PostgreSQL", "@SOCKETS@"),
    ),
    "psycopg.connect": (
        f"import psycopg\npsycopg.connect('{POSTGRESQL}')",
        ("by hand with psycopg", ADDRESS, "env.py line 7"),
    ),
    "a bound psycopg connect": (
        f"from psycopg import connect\nconnect('{POSTGRESQL}')",
        ("by hand with psycopg", ADDRESS),
    ),
    "psycopg's class": (
        f"from psycopg import Connection\nConnection.connect('{POSTGRESQL}')",
        ("by hand with psycopg", ADDRESS),
    ),
    "psycopg with hostaddr": (
        "import psycopg\npsycopg.connect(hostaddr='127.0.0.1', port=@PORT@, dbname='app')",
        ("by hand with psycopg", ADDRESS),
    ),
    "psycopg's async class": (
        (
            "import psycopg\nasync def go():\n"
            f"    await psycopg.AsyncConnection.connect('{POSTGRESQL}')\nasyncio.run(go())"
        ),
        ("by hand with psycopg", ADDRESS),
    ),
    "psycopg2.connect": (
        f"import psycopg2\npsycopg2.connect('{POSTGRESQL}')",
        ("by hand with psycopg2", ADDRESS),
    ),
    "psycopg2's C function": (
        f"from psycopg2._psycopg import _connect\n_connect('{POSTGRESQL}')",
        ("by hand with psycopg2", ADDRESS),
    ),
    "psycopg2's pool": (
        (
            "from psycopg2.pool import SimpleConnectionPool\n"
            f"SimpleConnectionPool(1, 1, '{POSTGRESQL}')"
        ),
        ("by hand with psycopg2", ADDRESS),
    ),
    "asyncpg.connect": (
        (
            "import asyncpg\nasync def go():\n"
            "    await asyncpg.connect('postgresql://u:hidden@127.0.0.1:@PORT@/app')\nasyncio.run(go())"
        ),
        ("by hand with asyncpg", ADDRESS),
    ),
    "asyncpg's pool": (
        (
            "import asyncpg\nasync def go():\n"
            "    async with asyncpg.create_pool(host='127.0.0.1', port=@PORT@) as p:\n"
            "        pass\nasyncio.run(go())"
        ),
        ("by hand with asyncpg", "127.0.0.1:@PORT@"),
    ),
    "pymysql.connect": (
        (
            "import pymysql\n"
            "pymysql.connect(host='127.0.0.1', port=@PORT@, db='app', password='hidden')"
        ),
        ("by hand with pymysql", ADDRESS),
    ),
    "pymysql's class": (
        "from pymysql.connections import Connection\nConnection(host='127.0.0.1', port=@PORT@)",
        ("with pymysql",),
    ),
    "a plain socket": (
        "import socket\nsocket.create_connection(('127.0.0.1', @PORT@))",
        ("opens a network connection to 127.0.0.1:@PORT@; ", "env.py line 7", "setting `env`"),
    ),
    "a Unix socket": (
        "import socket\nsocket.socket(socket.AF_UNIX).connect('@SOCKETS@/.s.PGSQL.@PORT@')",
        ("opens a network connection to @SOCKETS@/.s.PGSQL.@PORT@",),
    ),
    "urllib": (
        "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:@PORT@/secret')",
        ("opens a network connection to 127.0.0.1:@PORT@", "env.py line 7"),
    ),
    "a name to look up": (
        "import urllib.request\nurllib.request.urlopen('http://vault.example/secret')",
        ("looks up vault.example:80", "env.py line 7", "setting `env`"),
    ),
    "asyncio": (
        (
            "async def go():\n    await asyncio.open_connection('127.0.0.1', @PORT@)\n"
            "asyncio.run(go())"
        ),
        ("opens a network connection to 127.0.0.1:@PORT@",),
    ),
    "a thread": (
        (
            "import socket\n"
            "def go():\n"
            "    try:\n        socket.create_connection(('127.0.0.1', @PORT@))\n"
            "    except BaseException:\n        pass\n"
            "t = threading.Thread(target=go); t.start(); t.join()"
        ),
        ("opens a network connection to 127.0.0.1:@PORT@", "env.py line 9"),
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    project.decoy = Decoy(tmp_path)
    (project.folder / "link.db").symlink_to(project.real)
    yield project
    if not project.decoy.closed:
        project.decoy.close()


def refused(project: Project, outcome_words: tuple[str, ...], refusals: list[str]) -> None:
    assert len(refusals) == 1
    for word in outcome_words:
        assert project.filled(word) in refusals[0]
    assert "hidden" not in refusals[0]


@LEVELS
@pytest.mark.parametrize("route", FILES)
def test_files_reached_past_sqlalchemy_are_refused(
    project: Project, route: str, level: str
) -> None:
    code, words = FILES[route]

    outcome = project.run(code + "\n" + ENGINE + RUN, level=level)

    refused(project, words, outcome.refusals)
    assert outcome.untouched


@LEVELS
@pytest.mark.parametrize("route", NETWORK)
def test_servers_are_refused_and_not_one_connection_is_made(
    project: Project, route: str, level: str
) -> None:
    if route == "an engine with postgresql+psycopg" and sqlalchemy_version() < "2":
        pytest.skip(f"SQLAlchemy {sqlalchemy_version()} does not know psycopg 3")
    code, words = NETWORK[route]
    assert project.decoy is not None

    outcome = project.run(code + "\n" + ENGINE + RUN, level=level)

    refused(project, words, outcome.refusals)
    project.decoy.close()
    assert project.decoy.reached == []
    assert outcome.untouched


@LEVELS
@pytest.mark.parametrize("write", WRITES)
def test_files_of_the_project_cannot_be_written(project: Project, write: str, level: str) -> None:
    outcome = project.run(WRITES[write] + "\n" + ENGINE + RUN, level=level)

    assert outcome.error is not None
    assert outcome.error[0] in {"PermissionError", "OSError"}
    assert outcome.untouched


@LEVELS
def test_what_a_migration_opens_by_hand_is_refused_with_the_migrations_line(
    project: Project, level: str
) -> None:
    migration = MIGRATION + "    import sqlite3\n    sqlite3.connect('@REAL@')\n"

    outcome = project.run(ENGINE + RUN, level=level, migration=migration)

    line = len(migration.splitlines())
    expected = (
        f"migrations/versions/0001.py line {line} opens the project's own database file "
        f"{project.real} by hand with sqlite3; "
        "only connections made through SQLAlchemy can be redirected"
    )
    assert outcome.refusals == [expected]
    assert outcome.error == ["Refused", expected]
    assert outcome.untouched


@LEVELS
def test_datagrams_go_nowhere_and_who_can_live_with_that_goes_on(
    project: Project, level: str
) -> None:
    code = (
        "import socket\nplace = '127.0.0.1', @PORT@\n"
        "def tried(way, *what):\n"
        "    with socket.socket(type=socket.SOCK_DGRAM) as datagrams:\n"
        "        try:\n            getattr(datagrams, way)(*what)\n"
        "        except OSError:\n            return\n"
        "    raise AssertionError(way)\n"
        "tried('connect', place)\ntried('sendto', b'x', place)\n"
        "tried('sendmsg', [b'x'], [], 0, place)\n"
    )
    assert project.decoy is not None

    outcome = project.run(code + ENGINE + RUN, level=level)

    assert outcome.error is None
    assert outcome.refusals == []
    project.decoy.close()
    assert project.decoy.reached == []


def test_a_refusal_is_not_taken_for_a_failed_connection(project: Project) -> None:
    code = "try:\n    sqlite3.connect('@REAL@')\nexcept Exception:\n    pass\n"

    outcome = project.run(code + ENGINE + RUN)

    assert outcome.error is not None
    assert outcome.error[0] == "Refused"


def test_memory_opened_by_hand_is_left_alone_but_cannot_attach_the_file(project: Project) -> None:
    code = "c = sqlite3.connect(':memory:')\nc.execute('CREATE TABLE t (x)')\n"
    assert project.run(code + ENGINE + RUN).refusals == []

    attaching = code + "c.execute(\"ATTACH '@REAL@' AS real\")\n"
    assert len(project.run(attaching + ENGINE + RUN).refusals) == 1


@LEVELS
def test_git_may_be_asked_for_a_version_where_the_kernel_binds_it(
    project: Project, level: str
) -> None:
    code = "import subprocess\nsubprocess.run(['git', '-c', 'alias.x=!rm @REAL@', 'x'])\n"

    outcome = project.run(code + ENGINE + RUN, level=level)

    assert len(outcome.refusals) == (level == "process")
    assert outcome.untouched
