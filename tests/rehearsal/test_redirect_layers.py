"""Each layer holds or stops the run; what they say is right; what is harmless is left alone."""

from __future__ import annotations

import errno
import importlib
import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from alembic_roundtrip.rehearsal.agent.guard import drivers, kernel
from alembic_roundtrip.rehearsal.agent.guard.kinds.sqlite import MEMORY, file_of, memory_of
from rehearsal.guarded import (
    AGENT,
    ENGINE,
    HERE,
    LEVELS,
    PYTHON,
    RUN,
    Project,
    has_kernel_layer,
    make_project,
    must_have_kernel_layer,
    needs_kernel_layer,
)

INSTALL = f"""
import json, os, socket, sys
sys.path.insert(0, {str(HERE)!r})
from guard_door import load_agent
kernel, redirect = load_agent({str(AGENT)!r})
from agent_under_test.guard import audit, drivers, engines
BREAK
try:
    guard = redirect.install(redirect.Scratch(KIND, sys.argv[1]))
except redirect.Refused as refused:
    print(json.dumps(str(refused)))
    sys.exit()
"""
BROKEN = {
    "a kernel that refuses": (
        "kernel.version = lambda: 99\nkernel._ADD_RULE = 999999\nimport errno",
        "“kernel” could not be installed",
    ),
    "an audit hook that vetoes ours": (
        (
            "def veto(event, args):\n"
            "    if event == 'sys.addaudithook':\n        raise RuntimeError('no more hooks')\n"
            "sys.addaudithook(veto)"
        ),
        "“audit hook” could not be installed, so nothing was run: another audit hook vetoed it",
    ),
    "a driver that cannot be changed": (
        (
            "import types, decimal\n"
            "sys.modules['asyncpg'] = types.SimpleNamespace(C=decimal.Decimal)\n"
            "drivers.CONNECTORS = {'asyncpg': ('C.from_float',)}"
        ),
        "“database drivers” could not be installed",
    ),
    "arguments that stay": (
        "engines._OWN_CONNECTIONS = ()",
        "“proof” could not be installed, so nothing was run: arguments of create_engine",
    ),
    "a SQLAlchemy that does not ask": (
        "engines.connect_instead = lambda kind, refusals: None",
        "“proof” could not be installed",
    ),
    "a SQLAlchemy that does not report": (
        "engines.check_marks = lambda kind, refusals: lambda: 0",
        "“proof” could not be installed, so nothing was run: new connections are not checked",
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def install(folder: Path, *, before: str = "", after: str = "", kind: str = "sqlite") -> Any:
    code = INSTALL.replace("BREAK", before).replace("KIND", repr(kind)) + after
    ran = subprocess.run(
        [PYTHON, "-c", code, folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("broken", BROKEN)
def test_a_layer_that_does_not_hold_stops_the_run(tmp_path: Path, broken: str) -> None:
    before, sentence = BROKEN[broken]

    assert sentence in install(tmp_path, before=before)


def test_a_kind_there_is_no_scratch_database_of_is_refused(tmp_path: Path) -> None:
    assert install(tmp_path, kind="oracle") == (
        "rehearsing on oracle is not available in this version; what there is: mariadb, "
        "postgresql, sqlite"
    )


def test_the_kernel_layer_is_found_where_it_must_be() -> None:
    assert has_kernel_layer() or not must_have_kernel_layer()


@needs_kernel_layer
def test_the_level_is_the_kernels_only_where_files_and_connections_are_closed(
    tmp_path: Path,
) -> None:
    say = "print(json.dumps([guard.level, guard.layers]))"
    layers = [
        "environment",
        "origins",
        "audit hook",
        "logs",
        "touches",
        "database drivers",
        "engine arguments",
        "new connections",
        "names of databases",
        "new databases",
        "marker check",
    ]
    closed = ["kernel: files", "kernel: TCP", "kernel: connections"]

    assert install(tmp_path, after=say) == ["kernel", closed + layers]
    old = "kernel.version = lambda: 2\nkernel.takes_filters = lambda: True"
    assert install(tmp_path, before=old, after=say) == ["process", [closed[2], *layers]]
    none = "kernel.version = lambda: 0\nkernel.takes_filters = lambda: False"
    assert install(tmp_path, before=none, after=say) == ["process", layers]


def test_installing_leaves_no_database_and_no_refusal(tmp_path: Path) -> None:
    say = (
        "print(json.dumps([len(guard.databases), guard.refusals, sorted(os.listdir(sys.argv[1]))]))"
    )

    assert install(tmp_path / "new", after=say) == [0, [], ["tmp"]]


def test_each_version_of_landlock_is_asked_for_what_it_knows_and_no_more() -> None:
    known = {version: kernel._attributes(version) for version in (1, 2, 3, 4, 6)}

    assert known[1].files == (1 << 13) - 1 & ~0b1101  # all but execute and the two reads
    assert known[2].files == known[1].files | 1 << 13
    assert known[3].files == known[2].files | 1 << 14
    assert [known[v].network for v in known] == [0, 0, 0, 3, 3]
    assert [known[v].scoped for v in known] == [0, 0, 0, 0, 3]


def test_drivers_imported_before_the_guard_are_wrapped_too(tmp_path: Path) -> None:
    after = """
try:
    psycopg2.connect(host="db.example", password="hidden")
except redirect.Refused as refused:
    print(json.dumps(str(refused)))
"""
    assert install(tmp_path, before="import psycopg2", after=after) == (
        "<string> line 1 connects to db.example by hand with psycopg2; "
        "only connections made through SQLAlchemy can be redirected"
    ).replace("<string> line 1", "the environment")


def test_a_driver_that_cannot_be_wrapped_when_imported_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fdb.py").write_text("from decimal import Decimal\n")
    before = "drivers.CONNECTORS = {'fdb': ('Decimal.from_float',)}"
    after = """
sys.path.insert(0, sys.argv[1])
try:
    import fdb
except redirect.Refused as refused:
    print(json.dumps(str(refused)))
"""
    assert install(tmp_path, before=before, after=after) == (
        "the environment imports fdb, and this version of it cannot be kept from connecting"
    )


def test_variables_keep_their_names_and_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGPASSWORD", "PGSERVICE", "MYSQL_HOST", "PGUSER"):
        monkeypatch.setenv(name, "production")
    names = ("PGHOST", "PGHOSTADDR", "PGPASSWORD", "PGSERVICE", "MYSQL_HOST", "PGUSER")
    after = f"print(json.dumps([os.environ.get(name) for name in {names}]))"

    assert install(tmp_path, after=after) == [
        "127.255.255.255",
        "127.255.255.255",
        "scratch",
        None,
        "127.255.255.255",
        "production",
    ]


def test_a_server_on_every_address_does_not_listen_where_variables_lead() -> None:
    everywhere = "0.0.0.0"  # noqa: S104 (as many database servers do)
    with socket.create_server((everywhere, 0)) as server, socket.socket() as client:
        address = "127.255.255.255", server.getsockname()[1]

        assert client.connect_ex(address) == errno.ENETUNREACH


@LEVELS
def test_programs_that_the_standard_library_starts_for_itself_may_run(
    project: Project, level: str
) -> None:
    code = (
        "import ctypes.util, platform, uuid\nctypes.util.find_library('c')\nplatform.processor()\n"
    )

    outcome = project.run(code + "uuid.getnode()\n" + ENGINE + RUN, level=level)

    assert outcome.error is None
    assert outcome.refusals == []


def test_a_socketpair_made_of_loopback_connections_may_be_made(project: Project) -> None:
    code = (
        "import socket\nmake = getattr(socket, '_fallback_socketpair', socket.socketpair)\n"
        "for end in make():\n    end.close()\n"
    )

    assert project.run(code + ENGINE + RUN).error is None


@pytest.mark.parametrize(
    ("args", "kwargs", "expected"),
    [
        (["postgresql://u:hidden@db.example:5432/app"], {}, "db.example:5432/app"),
        (["host=db.example port=5432 dbname=app password=hidden"], {}, "db.example:5432/app"),
        (["Driver=x;Server=db.example;Database=app;PWD=hidden"], {}, "db.example/app"),
        ([], {"host": "db.example", "port": 3306, "password": "hidden"}, "db.example:3306"),
        ([], {"dsn": "host=/run/postgresql dbname=app"}, "/run/postgresql/app"),
        (["://u:hidden@db.example"], {}, "a database server"),
        ([object()], {}, "a database server"),
    ],
)
def test_the_place_of_a_connection_is_named_without_its_password(
    args: list[Any], kwargs: dict[str, Any], expected: str
) -> None:
    assert drivers.place(args, kwargs) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("/a/app.db", "/a/app.db"),
        (b"/a/bytes.db", "/a/bytes.db"),
        (Path("/a/b/../app.db"), "/a/app.db"),
        ("file:/a/app%20x.db?mode=ro", "/a/app x.db"),
        ("file:///a/app.db", "/a/app.db"),
        (":memory:", MEMORY),
        ("", MEMORY),
        ("file::memory:?cache=shared", MEMORY),
        ("file:cards?mode=memory&cache=shared", ":memory:cards"),
    ],
)
def test_names_given_to_sqlite_mean_a_file_or_memory(name: Any, expected: str) -> None:
    assert (file_of(name) or memory_of(name)) == expected


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2", "asyncpg", "pymysql", "aiosqlite"])
def test_the_names_wrapped_in_a_driver_exist(driver: str) -> None:
    wrapped = {**drivers.CONNECTORS, **drivers.SQLITE_CONNECTORS}
    for module, names in wrapped.items():
        if module.split(".")[0] == driver:
            for name in names:
                found: Any = importlib.import_module(module)
                for part in name.split("."):
                    found = getattr(found, part)
                assert callable(found)
