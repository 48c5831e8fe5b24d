"""What a migration does without a service says nothing of it: it is not rehearsed."""

from __future__ import annotations

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import Verdict
from rehearsal.conftest import Rehearse
from rehearsal.guarded import Decoy

CLIENT = """
import asyncio, socket, threading
from concurrent.futures import ThreadPoolExecutor

pool = ThreadPoolExecutor(1)
pool.submit(int).result()
seen = False

def ask(port, host="127.0.0.1"):
    socket.create_connection((host, port))

def is_on(port):
    try:
        ask(port)
    except OSError:
        return False
    return True

async def ask_soon(port):
    await asyncio.open_connection("cache.invalid", port)

def ask_again_and_again(port):
    def run():
        pause = threading.Event()
        while not pause.wait(0.001):
            is_on(port)
    threading.Thread(target=run, daemon=True).start()
"""
HEAD = "import asyncio, os, socket, threading\nimport cache_client"
TABLE = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))\n'
DROP = 'op.drop_table("t")\n'
ASK = "cache_client.ask(@PORT@)\n"
IS_ON = "cache_client.is_on(@PORT@)\n"
LET_PASS = f"try:\n    {ASK}except BaseException:\n    "
IN_A_LOOP = "asyncio.run(cache_client.ask_soon(@PORT@))\n"
THREAD = "t = threading.Thread(target=cache_client.is_on, args=[@PORT@])\nt.start(); t.join()\n"
POOL = "assert cache_client.pool.submit(cache_client.is_on, @PORT@).result() is False\n"
FORK = f"child = os.fork()\nif not child:\n    {IS_ON}    os._exit(0)\nos.waitpid(child, 0)\n"
ATTACH = "try:\n    op.execute(\"ATTACH 'other.db' AS other\")\nexcept Exception:\n    pass\n"
NAMED = "try:\n    socket.gethostbyname('flags.invalid')\nexcept OSError:\n    pass\n"
FILLED = 'if op.get_bind().execute(sa.text("SELECT count(*) FROM t")).scalar():\n    '
ONCE_MORE = f"if cache_client.seen:\n    {ASK}cache_client.seen = True\n"
CONNECTION = "opens a network connection to 127.0.0.1:@PORT@"
# Name → upgrade, downgrade, and what is said of them.
MIGRATIONS = {
    "a client's failure": (TABLE + ASK, DROP, CONNECTION),
    "a failure that is let pass": (f"{TABLE}{LET_PASS}pass", DROP, CONNECTION),
    "another failure instead": (f"{TABLE}{LET_PASS}raise RuntimeError", DROP, CONNECTION),
    "a feature that is off": (f"if not {IS_ON.strip()}:\n    {TABLE}", DROP, CONNECTION),
    "a thread": (TABLE + THREAD, DROP, CONNECTION),
    "a thread that was there": (TABLE + POOL, DROP, CONNECTION),
    "a forked child": (TABLE + FORK, DROP, CONNECTION),
    "an event loop": (TABLE + IN_A_LOOP, DROP, "looks up cache.invalid"),
    "a database attached": (TABLE + ATTACH, DROP, "attaches"),
    "the downgrade": (TABLE, ASK + DROP, CONNECTION),
    "the downgrade lets it pass": (TABLE, IS_ON + DROP, CONNECTION),
    "only with rows": (TABLE, FILLED + ASK + DROP, CONNECTION),
    "the second upgrade": (ONCE_MORE + TABLE, DROP, CONNECTION),
    "a folder elsewhere": (TABLE + "os.makedirs('data/a')\n", DROP, "it writes to "),
    "a file, on the way back": (TABLE, "open('data', 'w')\n" + DROP, "data; a rehearsal writes"),
    "a host by its name": (TABLE + NAMED, DROP, "looks up flags.invalid"),
}


@pytest.fixture
def decoy(tmp_path):
    decoy = Decoy(tmp_path)
    yield decoy
    decoy.close()
    assert decoy.reached == []


def with_client(project: AlembicProject, code: str = "") -> None:
    package = project.folder / "site-packages" / "cache_client"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(CLIENT)
    env = project.folder / "migrations" / "env.py"
    env.write_text(
        f"import sys; sys.path.append('site-packages')\nimport cache_client\n{code}\n{ENV}"
    )


@pytest.mark.parametrize("migration", MIGRATIONS)
async def test_a_migration_that_asks_a_service_is_not_rehearsed(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy, migration: str
) -> None:
    with_client(project)
    upgrade, downgrade, said = (
        text.replace("@PORT@", str(decoy.port)) for text in MIGRATIONS[migration]
    )
    project.add("a", upgrade, downgrade, head=HEAD)

    found = (await rehearsed())["a"]

    assert found.verdict is Verdict.SKIPPED
    assert found.reason is not None
    assert found.reason.startswith("not rehearsed: ")
    assert said in found.reason


async def test_threads_of_the_application_that_try_again_are_none_of_a_migrations(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project, f"cache_client.ask_again_and_again({decoy.port})")
    project.add("a", f"import time\ntime.sleep(0.1)\n{TABLE}", DROP)

    assert (await rehearsed())["a"].verdict is Verdict.LOSSLESS


async def test_what_a_log_lacks_changes_no_migration(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project)
    handler = f"logging.handlers.SocketHandler('127.0.0.1', {decoy.port})"
    said = f"log = logging.getLogger('app')\nlog.addHandler({handler})\nlog.error('t')\n"
    project.add("a", said + TABLE, DROP, head="import logging.handlers")

    assert (await rehearsed())["a"].verdict is Verdict.LOSSLESS


async def test_what_was_proved_before_a_service_was_asked_stays(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project)
    two = TABLE.replace('"t"', '"left"') + TABLE
    ask = (FILLED + ASK).replace("@PORT@", str(decoy.port))
    project.add("a", two, ask + DROP, head=HEAD)

    found = (await rehearsed())["a"]

    assert found.verdict is Verdict.FAILED
    assert found.reason is not None
    assert "left" in found.reason
