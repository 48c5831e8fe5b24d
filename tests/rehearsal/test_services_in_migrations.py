"""What a migration does without a service says nothing of it: it is not rehearsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import Verdict
from rehearsal.conftest import Rehearse
from rehearsal.guarded import Decoy

CLIENT = """
import asyncio, queue, socket, threading
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

def count(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sent:
        try:
            sent.sendto(b"c", ("127.0.0.1", port))
        except OSError:
            pass

asked, told = queue.SimpleQueue(), queue.SimpleQueue()

def answer():
    while True:
        told.put(is_on(asked.get()))

threading.Thread(target=answer, daemon=True).start()

def ask_by_a_queue(port):
    asked.put(port)
    return told.get()

async def ask_soon(port):
    await asyncio.open_connection("cache.invalid", port)

def ask_elsewhere(port):
    found = []
    asking = threading.Thread(target=lambda: found.append(is_on(port)))
    asking.start()
    return asking, found

def name(host):
    try:
        return socket.gethostbyname(host)
    except OSError:
        return None

def ask_again_and_again(port):
    def run():
        pause = threading.Event()
        while not pause.wait(0.001):
            is_on(port)
    threading.Thread(target=run, daemon=True).start()
"""
HEAD = "import asyncio, os, queue, socket, threading, time\nimport cache_client\n"
TABLE = 'op.create_table("@NAME@", sa.Column("id", sa.Integer, primary_key=True))\n'
DROP = 'op.drop_table("@NAME@")\n'
ASK = "cache_client.ask(@PORT@)\n"
IS_ON = "cache_client.is_on(@PORT@)\n"
LET_PASS = f"try:\n    {ASK}except BaseException:\n    "
IN_A_LOOP = "asyncio.run(cache_client.ask_soon(@PORT@))\n"
IN_A_THREAD = "t = threading.Thread(target=cache_client.is_on, args=[@PORT@])\nt.start()\n"
THREAD = f"{IN_A_THREAD}t.join()\n"
POOL = "assert cache_client.pool.submit(cache_client.is_on, @PORT@).result() is False\n"
POLLED = (
    "found = cache_client.pool.submit(cache_client.is_on, @PORT@)\n"
    "while not found.done():\n    time.sleep(0.01)\n"
)
LOOP_OF_A_POOL = """
async def ask():
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(cache_client.pool, cache_client.is_on, @PORT@)
assert asyncio.run(ask()) is False
"""
WORKER = """
asked, told = queue.SimpleQueue(), queue.SimpleQueue()
def work():
    while True:
        asked.get()
        told.put(cache_client.is_on(@PORT@))
"""
ANSWER = "asked.put(1)\nassert told.get() is False\n"
WORKS = "threading.Thread(target=work, daemon=True).start()\n"
DATAGRAM = """
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sent:
    try:
        sent.sendto(b"?", ("127.0.0.1", @PORT@))
    except OSError:
        pass
"""
COUNT = "cache_client.count(@PORT@)\n"
NAME = "cache_client.name('flags.invalid')\n"
HELPER = """
import threading, time
import cache_client

def is_on(port):
    found = []
    asking = threading.Thread(target=lambda: found.append(cache_client.is_on(port)))
    asking.start()
    while asking.is_alive():
        time.sleep(0.01)
    return found == [True]

def is_on_by_a_pool(port):
    found = cache_client.pool.submit(cache_client.is_on, port)
    while not found.done():
        time.sleep(0.01)
    return found.result()
"""
USED = "import helper"
ELSEWHERE = "cache_client.ask_elsewhere(@PORT@)[0].join()\n"
FORK = f"child = os.fork()\nif not child:\n    {IS_ON}    os._exit(0)\nos.waitpid(child, 0)\n"
ATTACH = "try:\n    op.execute(\"ATTACH 'other.db' AS other\")\nexcept Exception:\n    pass\n"
NAMED = "try:\n    socket.gethostbyname('flags.invalid')\nexcept OSError:\n    pass\n"
FILLED = 'if op.get_bind().execute(sa.text("SELECT count(*) FROM @NAME@")).scalar():\n    '
ONCE_MORE = f"if cache_client.seen:\n    {ASK}cache_client.seen = True\n"
CONNECTION = "opens a network connection to 127.0.0.1:@PORT@"
# Name → what is said of it, upgrade, downgrade, and what stands above them.
MIGRATIONS = {
    "a client's failure": (CONNECTION, TABLE + ASK, DROP),
    "a failure that is let pass": (CONNECTION, f"{TABLE}{LET_PASS}pass", DROP),
    "another failure instead": (CONNECTION, f"{TABLE}{LET_PASS}raise RuntimeError", DROP),
    "a feature that is off": (CONNECTION, f"if not {IS_ON.strip()}:\n    {TABLE}", DROP),
    "a thread": (CONNECTION, TABLE + THREAD, DROP),
    "a thread that nobody joins": (CONNECTION, f"{TABLE}{IN_A_THREAD}time.sleep(0.1)", DROP),
    "a thread that was there": (CONNECTION, TABLE + POOL, DROP),
    "a thread that is asked again and again": (CONNECTION, TABLE + POLLED, DROP),
    "a thread that a loop waits for": (CONNECTION, TABLE + LOOP_OF_A_POOL, DROP),
    "a thread that a helper starts": (CONNECTION, f"helper.is_on(@PORT@)\n{TABLE}", DROP, USED),
    "a pool that a helper asks": (
        CONNECTION,
        f"helper.is_on_by_a_pool(@PORT@)\n{TABLE}",
        DROP,
        USED,
    ),
    "a thread of a package, awaited": (CONNECTION, f"{TABLE}{ELSEWHERE}", DROP),
    "a thread of an earlier step": (CONNECTION, TABLE + WORKS, ANSWER + DROP, WORKER),
    "a thread of a package, by a queue": (
        CONNECTION,
        f"{TABLE}cache_client.ask_by_a_queue(@PORT@)\n",
        DROP,
    ),
    "a forked child": (CONNECTION, TABLE + FORK, DROP),
    "an event loop": ("looks up cache.invalid", TABLE + IN_A_LOOP, DROP),
    "a datagram": ("sends a datagram to 127.0.0.1:@PORT@", TABLE + DATAGRAM, DROP),
    "a database attached": ("attaches", TABLE + ATTACH, DROP),
    "the downgrade": (CONNECTION, TABLE, ASK + DROP),
    "the downgrade lets it pass": (CONNECTION, TABLE, IS_ON + DROP),
    "only with rows": (CONNECTION, TABLE, FILLED + ASK + DROP),
    "the second upgrade": (CONNECTION, ONCE_MORE + TABLE, DROP),
    "a folder elsewhere": ("it writes to ", TABLE + "os.makedirs('data/a')\n", DROP),
    "a file, on the way back": (
        "data; a rehearsal writes",
        TABLE,
        "open('data', 'w')\n" + DROP,
    ),
    "a host by its name": ("looks up flags.invalid", TABLE + NAMED, DROP),
    "while it is loaded": (CONNECTION, TABLE, DROP, IS_ON),
    "while it is loaded, by a pool": (CONNECTION, TABLE, DROP, POOL),
    "a name while it is loaded": ("looks up flags.invalid", TABLE, DROP, NAME),
    "a datagram while it is loaded": ("sends a datagram", TABLE, DROP, COUNT),
    "a datagram while it is loaded, by a pool": (
        "sends a datagram",
        TABLE,
        DROP,
        "cache_client.pool.submit(cache_client.count, @PORT@).result()",
    ),
    "a child while it is loaded": (CONNECTION, TABLE, DROP, FORK),
}
APPLICATION = """
import logging, socket, threading, time
import cache_client
from sqlalchemy import event
from sqlalchemy.engine import Engine

started = []

def address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("127.0.0.1", @PORT@))
            return asked.getsockname()[0]
        except OSError:
            return "127.0.0.1"

def tick():
    cache_client.is_on(@PORT@)
    again = threading.Timer(0.001, tick)
    again.daemon = True
    again.start()

def ask():
    while True:
        cache_client.is_on(@PORT@)
        time.sleep(0.001)

@event.listens_for(Engine, "before_cursor_execute")
def begin(*_):
    address()
    if not started and threading.current_thread().name == "lazy":
        started.append(threading.Thread(target=ask, daemon=True))
        started[0].start()

class Handler(logging.Handler):
    def emit(self, record):
        try:
            cache_client.ask(@PORT@)
        except OSError:
            self.handleError(record)

tick()
"""
RENAMED = "threading.current_thread().name = 'lazy'\n"
WAIT = "time.sleep(0.05)\n"
BEGIN = "cache_client.ask_again_and_again(@PORT@)\n"
LOG = """
log = logging.getLogger('app')
log.handlers = [{}]
log.error('told')
"""
# Name → upgrade, downgrade, and what stands above them.
LEFT_ALONE = {
    "tries again and again": (WAIT + TABLE, DROP),
    "begins when it is used": (f"{RENAMED}{TABLE}{WAIT}", DROP),
    "logs": (
        TABLE + LOG.format("logging.handlers.SocketHandler('127.0.0.1', @PORT@)"),
        DROP,
        "import logging.handlers",
    ),
    "logs with a handler of its own": (
        TABLE + LOG.format("app.Handler()"),
        DROP,
        "import app, logging",
    ),
    "counts": (f"{TABLE}{COUNT}", DROP),
    "asks for its address": (f"app.address()\n{TABLE}", DROP, "import app"),
    "is loaded": (TABLE, DROP, "import flags"),
    "logs while it is loaded": (TABLE, DROP, f"import app, logging\n{LOG.format('app.Handler()')}"),
    "begins while it is loaded": (TABLE, DROP, f"cache_client.ask_again_and_again(@PORT@)\n{WAIT}"),
    "begins and goes on": (f"{BEGIN}{TABLE}{WAIT}", DROP),
    "waits in a loop of its own": (f"{TABLE}asyncio.run(asyncio.sleep(0.05))\n", DROP),
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


def add_all(
    project: AlembicProject, decoy: Decoy, migrations: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    """Add migrations that have nothing to do with one another; gives what revisions they are."""
    revisions = {}
    for number, (name, texts) in enumerate(migrations.items()):
        revisions[name] = revision = f"r{number}"
        upgrade, downgrade, *above = (filled(text, decoy, revision) for text in texts)
        project.add(revision, upgrade, downgrade, head="\n".join((HEAD, *above)), after=None)
    return revisions


def filled(text: str, decoy: Decoy, name: str) -> str:
    return text.replace("@PORT@", str(decoy.port)).replace("@NAME@", name)


async def test_a_migration_that_asks_a_service_is_not_rehearsed(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project)
    (project.folder / "helper.py").write_text(HELPER)
    revisions = add_all(project, decoy, {name: texts for name, (_, *texts) in MIGRATIONS.items()})

    found = await rehearsed()

    reasons = {
        name: (found[revision].verdict, found[revision].reason or "")
        for name, revision in revisions.items()
    }
    wrong = {
        name: (verdict, reason)
        for name, (verdict, reason) in reasons.items()
        if verdict is not Verdict.SKIPPED
        or not reason.startswith("not rehearsed: ")
        or filled(MIGRATIONS[name][0], decoy, "") not in reason
    }
    assert wrong == {}


async def test_what_an_application_asks_is_no_migrations(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project, f"cache_client.ask_again_and_again({decoy.port})\nimport app")
    (project.folder / "app.py").write_text(filled(APPLICATION, decoy, ""))
    (project.folder / "flags.py").write_text(
        filled(f"import cache_client\nON = {IS_ON}", decoy, "")
    )
    add_all(project, decoy, LEFT_ALONE)

    found = await rehearsed()

    verdicts = {name: (each.verdict, each.reason, each.notes) for name, each in found.items()}
    assert {verdict for verdict, _, _ in verdicts.values()} == {Verdict.LOSSLESS}, verdicts
    assert sorted(note.text for each in found.values() for note in each.notes) == [
        filled(
            f"{where} sends a datagram to 127.0.0.1:@PORT@, which a "
            "rehearsal does not; it may matter where it waits for an answer",
            decoy,
            "",
        )
        for where in ("app.py line 12", "migrations/versions/r4_.py line 12")
    ]


async def test_what_was_proved_before_a_service_was_asked_stays(
    project: AlembicProject, rehearsed: Rehearse, decoy: Decoy
) -> None:
    with_client(project, f"cache_client.ask_again_and_again({decoy.port})")
    two = TABLE.replace("@NAME@", "left") + TABLE
    pool = "from concurrent.futures import ThreadPoolExecutor"
    waits = f"ThreadPoolExecutor(1).submit({WAIT.strip().replace('(', ', ')}.result()\n"
    add_all(project, decoy, {"a": (two, FILLED + ASK + DROP), "waits": (TABLE + waits, DROP, pool)})

    evidence = await rehearsed()

    found = evidence["r0"]
    assert evidence["r1"].verdict is Verdict.LOSSLESS
    assert found.verdict is Verdict.FAILED
    assert found.reason is not None
    assert "left" in found.reason
