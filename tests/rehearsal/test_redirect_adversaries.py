"""Code that works at getting past the guard: what stops it, and where nothing does.

| route                                              | kernel level | process level |
|----------------------------------------------------|--------------|---------------|
| SQLite's C library under another name              | stopped (4)  | stopped (4)   |
| C library: open and write the file                 | stopped      | **open**      |
| C library: start a program                         | stopped (4)  | stopped (4)   |
| another authorizer, then ATTACH                    | stopped      | **open**      |
| a connection made by its class, then ATTACH        | stopped      | **open**      |
| C library: connect over TCP, or to a Unix socket   | stopped (4)  | stopped (4)   |
| C library: send a datagram                         | stopped (4)  | stopped (4)   |
| the same, by the numbers of system calls           | stopped (1)  | **open**      |
| psycopg's C connection with an explicit `hostaddr` | stopped      | **open**      |
| psycopg2's C connection with an explicit `hostaddr`| stopped      | **open**      |
| psycopg's C connection, PGHOSTADDR removed         | stopped      | **open**      |
| the same over a Unix socket                        | stopped (2)  | **open**      |
| psycopg's C connection with a host                 | stopped      | stopped (3)   |
| psycopg2's C connection with a host                | stopped      | stopped (3)   |
| psycopg2's C connection with a socket folder       | stopped      | stopped (3)   |
| SQLite's C library under its own name              | stopped      | stopped (4)   |

Where only the kernel stops it, there is no sentence either: Python and SQLAlchemy do not see it.
1. Not a datagram: no database speaks UDP. A program runs, confined like its parent.
2. By the filter on `connect()`; on other processors than x86-64 and ARM64 this is open.
3. libpq goes to PGHOSTADDR, where nothing can listen.
4. By the audit hook, with a sentence: such functions are asked for by name.
The other thing nothing stops is *reading* the project's files.
"""

from __future__ import annotations

import ctypes.util
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.guarded import (
    ENGINE,
    LEVELS,
    RUN,
    Decoy,
    Project,
    make_project,
    needs_kernel_layer,
)

C = "import ctypes\nlibc = ctypes.CDLL(None)\n"
SQLITE = """
db = ctypes.c_void_p()
print("opened", library.sqlite3_open(b"@REAL@", ctypes.byref(db)))
print("wrote", library.sqlite3_exec(db, b"DELETE FROM precious", None, None, None))
"""
TCP_ADDRESS = """
import socket, struct
s = socket.socket()
address = struct.pack("=HH4s8x", 2, socket.htons(@PORT@), socket.inet_aton("127.0.0.1"))
"""
UNIX_ADDRESS = """
import socket, struct
s = socket.socket(socket.AF_UNIX)
address = struct.pack("=H108s", 1, b"@SOCKETS@/.s.PGSQL.@PORT@")
"""
CONNECT = "libc.connect(s.fileno(), address, len(address))\n"
PG = "port=@PORT@ dbname=app connect_timeout=3"
PQ = f"from psycopg import pq\npq.PGconn.connect(b'HOST {PG}')\n"
PSYCOPG2 = (
    "import psycopg2\nfrom psycopg2 import extensions\n"
    f"try:\n    extensions.connection('HOST {PG}')\nexcept psycopg2.Error:\n    pass\n"
)
NO_HOSTADDR = "del os.environ['PGHOSTADDR']\n"

NO_AUTHORIZER = """
raw = connectable.raw_connection()
raw.dbapi_connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
try:
    raw.cursor().execute("ATTACH '@REAL@' AS real")
    raw.cursor().execute("DELETE FROM real.precious")
    raw.commit()
except sqlite3.OperationalError:
    pass
raw.dbapi_connection.close()
"""

BY_CLASS = """
try:
    sqlite3.Connection(":memory:").executescript(
        "ATTACH '@REAL@' AS real; DELETE FROM real.precious"
    )
except sqlite3.OperationalError:
    pass
"""

# Name → (code, what it reaches where nothing in the kernel stops it).
ROUTES: dict[str, tuple[str, str | None]] = {
    "SQLite's C library under another name": (
        C + "import tempfile\nalias = tempfile.gettempdir() + '/alias.so'\n"
        "os.symlink('@SQLITE@', alias)\nlibrary = ctypes.CDLL(alias)\n" + SQLITE,
        None,
    ),
    "a write by the C library": (
        C + "libc.write(libc.open(b'@REAL@', os.O_RDWR), b'x' * 64, 64)\n",
        "file",
    ),
    "a program started by the C library": (C + "libc.system(b'echo x > @REAL@')\n", None),
    "another authorizer": (
        ENGINE + NO_AUTHORIZER,
        "file",
    ),
    "a connection made by its class": (BY_CLASS, "file"),
    "TCP by the C library": (C + TCP_ADDRESS + CONNECT, None),
    "a Unix socket by the C library": (C + UNIX_ADDRESS + CONNECT, None),
    "TCP by the number of a system call": (
        C + TCP_ADDRESS + "libc.syscall(@CONNECT@, s.fileno(), address, len(address))\n",
        "tcp",
    ),
    "a datagram by the C library": (
        C + TCP_ADDRESS.replace("socket.socket()", "socket.socket(type=socket.SOCK_DGRAM)") + "\n"
        "libc.sendto(s.fileno(), b'x', 1, 0, address, len(address))\n",
        None,
    ),
    "psycopg's C class with hostaddr": (PQ.replace("HOST", "hostaddr=127.0.0.1"), "tcp"),
    "psycopg2's C class with hostaddr": (PSYCOPG2.replace("HOST", "hostaddr=127.0.0.1"), "tcp"),
    "psycopg's C class, no PGHOSTADDR": (
        NO_HOSTADDR + PQ.replace("HOST", "host=127.0.0.1"),
        "tcp",
    ),
    "psycopg's C class on a Unix socket, no PGHOSTADDR": (
        NO_HOSTADDR + PQ.replace("HOST", "host=@SOCKETS@"),
        "unix",
    ),
    "psycopg's C class": (PQ.replace("HOST", "host=127.0.0.1"), None),
    "psycopg2's C class": (PSYCOPG2.replace("HOST", "host=127.0.0.1"), None),
    "psycopg2's C class on a Unix socket": (PSYCOPG2.replace("HOST", "host=@SOCKETS@"), None),
    "SQLite's C library": (C + "library = ctypes.CDLL('@SQLITE@')\n" + SQLITE, None),
}
HERE = "socket.create_connection(('127.0.0.1', @PORT@))"
# What runs at another time, or by another name, than whatever env.py does in the open.
MOMENTS = {
    "at the end": f"import atexit, socket\natexit.register(lambda: {HERE})\n",
    "when a thread outlives the main one": (
        "import socket\n"
        f"late = lambda: (threading.main_thread().join(), {HERE})\n"
        "threading.Thread(target=late).start()\n"
    ),
    "when the parent of a child is gone": (
        "import socket, time\nparent = os.getpid()\n"
        "if os.fork() == 0:\n"
        "    while os.getppid() == parent:\n        time.sleep(0.01)\n"
        f"    try:\n        {HERE}\n    finally:\n        os._exit(0)\n"
    ),
    "when something is thrown away": (
        "import socket, weakref\nclass Thing:\n    pass\n"
        f"thing = Thing()\nend = weakref.finalize(thing, lambda: {HERE})\ndel thing\n"
    ),
    "in a handler of signals": (
        f"import signal, socket\nsignal.signal(signal.SIGUSR1, lambda *_: {HERE})\n"
        "os.kill(os.getpid(), signal.SIGUSR1)\n"
    ),
    "in a listener of the pool": (
        f"import socket\n@event.listens_for(pool.Pool, 'checkout')\ndef out(*_):\n    {HERE}\n"
    ),
    "by the class below the class": (
        "import _socket\n_socket.socket().connect(('127.0.0.1', @PORT@))\n"
    ),
    "by a class put in the place of ours": (
        "import _socket, socket\nsocket.socket = _socket.SocketType\n"
        "socket.socket().connect_ex(('127.0.0.1', @PORT@))\n"
    ),
    "from a service file of PostgreSQL": (
        "import psycopg2\nopen(os.environ['TMPDIR'] + '/pg', 'w').write("
        "'[prod]\\nhostaddr=127.0.0.1\\nport=@PORT@\\n')\n"
        "os.environ['PGSERVICEFILE'] = os.environ['TMPDIR'] + '/pg'\n"
        "psycopg2.connect(service='prod')\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    project.decoy = Decoy(tmp_path)
    yield project
    if not project.decoy.closed:
        project.decoy.close()


def reached(project: Project, code: str, level: str) -> list[str]:
    assert project.decoy is not None
    library = ctypes.util.find_library("sqlite3")
    assert library is not None
    code = code.replace("@SQLITE@", project.shared_library(library))
    code = code.replace("@CONNECT@", {"x86_64": "42", "aarch64": "203"}[platform.machine()])
    outcome = project.run(code + ENGINE + RUN, level=level)
    if outcome.error is not None:
        assert outcome.error[0] == "Refused"
    project.decoy.close()
    return sorted({*project.decoy.reached, *(() if outcome.untouched else ("file",))})


@needs_kernel_layer
@pytest.mark.parametrize("route", ROUTES)
def test_the_kernel_stops_every_route_to_a_database(project: Project, route: str) -> None:
    assert reached(project, ROUTES[route][0], "kernel") == []


@pytest.mark.parametrize("route", ROUTES)
def test_without_the_kernel_the_table_says_what_stays_open(project: Project, route: str) -> None:
    code, expected = ROUTES[route]

    assert reached(project, code, "process") == ([expected] if expected else [])


@LEVELS
@pytest.mark.parametrize("moment", MOMENTS)
def test_nothing_is_reached_early_late_or_under_another_name(
    project: Project, moment: str, level: str
) -> None:
    assert project.decoy is not None
    outcome = project.run(MOMENTS[moment] + ENGINE + RUN, level=level)
    project.decoy.close()
    assert project.decoy.reached == []
    assert outcome.untouched
