from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import textwrap
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from alembic_project import ENV, INI, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.agent import __file__ as agent
from alembic_roundtrip.rehearsal.agent.project.requirements import too_old
from alembic_roundtrip.rehearsal.events import RevisionFinished, StepStarted
from alembic_roundtrip.rehearsal.folder import PREFIX, collect_leftovers, place
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from rehearsal.conftest import agents_on, collect
from rehearsal.guarded import needs_kernel_layer

LONGEST = 2100
TABLE = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'


def with_env(tmp_path: Path, env: str) -> AlembicProject:
    folder = tmp_path / "other"
    folder.mkdir()
    project = AlembicProject(folder, env=env)
    project.add("a", TABLE, 'op.drop_table("t")')
    return project


CHILD = """import os, socket
if not os.fork():
    try: socket.create_connection(("127.0.0.1", 1))
    finally: os._exit(0)
os.wait()
"""


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("raise ValueError('no key')", "migrations/env.py line 1 failed: ValueError: no key"),
        ("raise ValueError('1 wrong:\\n  KEY\\n    missing')", "ValueError: 1 wrong: KEY missing"),
        ("import sys; sys.exit('bye')", "migrations/env.py line 1 called sys.exit('bye')"),
        ("import psycopg_nowhere", "has no `psycopg_nowhere`, which migrations/env.py line 1"),
        (
            "import of_theirs",
            "; if the one in `server/code` is meant, `env = { PYTHONPATH = 'server/code' }` in the",
        ),
        (f"{CHILD}{ENV}", "migrations/env.py line 3 opens a network connection to 127.0.0.1:1;"),
        ("import os; os._exit(0)", "ended by itself with exit status 0"),
        ("import os; os.abort()", "was ended by SIGABRT"),
        ("import os; os.closerange(0, 256)\nwhile True: pass", "env.py"),
        ("while True: pass", "env.py did not finish within 2 s; it was at line 1 of env.py"),
        ("while True: pass", "; where it only is slow, `timeout` gives it longer"),
        ("input()", "EOFError"),
        ("pass", "ended without calling `context.run_migrations()`"),
        ("this is no Python", "migrations/env.py line 1 does not parse: invalid syntax"),
        (
            "from sqlalchemy import create_engine; create_engine('postgresql+nodriver://h/d')",
            "migrations/env.py line 1 connects by `postgresql+nodriver`, which neither SQLAlchemy",
        ),
    ],
    ids=lambda value: value[:30].replace("/", "-") if isinstance(value, str) else None,
)
async def test_an_env_py_that_cannot_be_run_is_one_sentence(tmp_path, env, expected):
    project = with_env(tmp_path, env)
    code = project.folder / "server" / "code"
    code.mkdir(parents=True)
    (code / "of_theirs.py").touch()
    with pytest.raises(CannotRun) as caught:
        await collect(project, timeout=2.0)
    message = str(caught.value)
    assert expected in message
    assert "Traceback" not in message
    assert "\n" not in message


async def test_a_migration_that_does_not_parse_is_named_and_not_env_py(project):
    project.add("a", TABLE, 'op.drop_table("t")')
    project.add("b").write_text("revision = 'b'\ndef upgrade(:\n", encoding="utf-8")
    with pytest.raises(CannotRun) as caught:
        await collect(project)
    expected = "no rehearsal: migrations/versions/b_.py line 2 does not parse: invalid syntax"
    assert str(caught.value) == expected


async def test_a_circle_of_revisions_is_not_blamed_on_env_py(project):
    project.add("a", TABLE, 'op.drop_table("t")', after="b")
    project.add("b", after="a")
    with pytest.raises(CannotRun) as caught:
        await collect(project)
    circle = "`a_.py`: revisions follow one another in a circle: a → b → a"
    assert str(caught.value) == f"no rehearsal: {circle}"


@pytest.mark.parametrize(
    ("does", "names"), [("revises", {"after": "gone"}), ("depends on", {"depends_on": "gone"})]
)
async def test_a_parent_that_does_not_exist_is_not_blamed_on_env_py(project, does, names):
    project.add("a", TABLE, 'op.drop_table("t")', **names)
    with pytest.raises(CannotRun) as caught:
        await collect(project)
    said = f"no rehearsal: `a_.py`: revision a {does} gone, which does not exist"
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("base", "`x.py` has the revision `base`, which is Alembic's own word for others"),
        ("heads", "`x.py` has the revision `heads`, which is Alembic's own word for others"),
        ("a@b", "`x.py`: revision identifier `a@b` has `@`, not allowed there"),
    ],
)
async def test_an_identifier_that_cannot_be_is_not_blamed_on_env_py(project, revision, said):
    text = project.add("a", TABLE, 'op.drop_table("t")').read_text(encoding="utf-8")
    text = text.replace('"a"', repr(revision)).replace("'a'", repr(revision))
    (project.versions / "a_.py").unlink()
    (project.versions / "x.py").write_text(text, encoding="utf-8")
    with pytest.raises(CannotRun) as caught:
        await collect(project)
    assert str(caught.value).startswith(f"no rehearsal: {said}")


async def test_of_two_files_with_one_revision_none_is_taken_for_rehearsed(project):
    project.add("a", TABLE, 'op.drop_table("t")')
    copy = project.versions / "copy.py"
    copy.write_bytes((project.versions / "a_.py").read_bytes())
    events = await collect(project)
    (found,) = (e.evidence for e in events if isinstance(e, RevisionFinished))
    assert found.verdict is Verdict.SKIPPED
    assert (found.reason or "").startswith("`a_.py` and `copy.py` have the revision `a`")
    project.add("b", after="a")
    with pytest.raises(CannotRun, match=r"present more than once: `a_\.py` and `copy\.py`"):
        await collect(project)


async def test_an_env_py_that_prints_a_lot_changes_nothing(tmp_path):
    noise = 'import os\nfor i in range(3000): print("x" * 1000)\n'
    noise += 'os.write(1, b\'{"event": "done"}\\n\' * 100)\nos.write(2, b"y" * 100_000)\n'
    project = with_env(tmp_path, noise + ENV)
    events = await collect(project)
    verdicts = [e.evidence.verdict for e in events if isinstance(e, RevisionFinished)]
    assert verdicts == [Verdict.LOSSLESS]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import os; os._exit(0)", "ended the process: it ended by itself with exit status 0"),
        ("import os; os._exit(7)", "exit status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
        ("while True: pass", "did not finish within 2 s; it was at line 9 of bad_.py"),
        ("import time; time.sleep(99)", "did not finish within 2 s; it was at line 9"),
        ("import sys; sys.exit(1)", "called sys.exit(1)"),
        ("input()", "EOFError"),
        ("import os; os.closerange(3, 256); open('x', 'w')", ""),
        ("f = lambda: f(); f()", "RecursionError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)",
            "did not finish",
        ),
        ("import os, time; os.fork(); time.sleep(99)", "did not finish"),
        ("import os, time\nif os.fork() == 0: time.sleep(99)\nos._exit(0)", "exit status 0"),
        ("rows = bytearray(5 << 30)", "MemoryError"),
        ("import os; os.fork(); raise ValueError('twice')", "ValueError: twice"),
        ("raise ValueError('\\x1b[1m' + 'y' * 10_000_000)", "ValueError: \\x1b[1myyy"),
        (
            "class E(Exception):\n    def __str__(self): return 1 / 0\nraise E",
            "E: what it says cannot be read: its own code raises ZeroDivisionError",
        ),
        (
            "import faulthandler as f, time; f.dump_traceback_later(0.1, exit=True); time.sleep(9)",
            "exit status 1",
        ),
        (
            "import os, sys; sys.stdout.close(); os.close(2)\n"  # noqa: ISC004 - one body
            "os.environ.clear(); sys.setrecursionlimit(60); print(1)",
            "ValueError: I/O operation on closed file",
        ),
    ],
    ids=lambda value: value[:40].replace("/", "-") if isinstance(value, str) else None,
)
async def test_a_migration_that_ends_or_hangs_the_process_fails_alone(
    project, rehearsed, body, expected
):
    project.add("first", f"{TABLE}\nimport os; os.environ['ADDED'] = '1'", 'op.drop_table("t")')
    project.add("bad", body)
    project.add("child", "import os; print(os.environ['PATH'], os.environ['ADDED'])")
    project.add("other", after="first")
    evidence = await rehearsed(timeout=2.0)
    assert {name: found.verdict for name, found in evidence.items()} == {
        "first": Verdict.LOSSLESS,
        "bad": Verdict.FAILED,
        "child": Verdict.LOSSLESS,
        "other": Verdict.LOSSLESS,
    }
    reason = evidence["bad"].reason or ""
    assert expected in reason
    assert "Extension modules" not in reason
    assert "most recent call" not in reason
    assert len(reason) < LONGEST
    step = evidence["bad"].decisive_step()
    assert step is not None
    if "SIGSEGV" in body or "faulthandler" in body:
        assert step.error is not None
        assert step.error.line == 9  # as Python says while it crashes


async def test_what_lets_nothing_else_run_says_where_it_is_as_it_is_ended(project, rehearsed):
    project.add("bad", "print('soon')\nimport re; re.match('(a+)+$', 'a' * 40 + 'b')")
    found = (await rehearsed(timeout=3.0))["bad"]
    place = "it was at line 10 of bad_.py, inside code that lets nothing else of Python run"
    assert found.reason == f"`upgrade()` did not finish within 3 s; {place}"


@needs_kernel_layer
async def test_a_child_that_leaves_the_process_group_is_ended_too(project, rehearsed):
    leaving = """
        import ctypes, os, time
        if os.fork() == 0:
            ctypes.CDLL(None).setsid()
            if os.fork() == 0:
                ctypes.CDLL(None).setpgid(0, 0)
            time.sleep(99)
    """
    project.add("first", f"{TABLE}\n{textwrap.dedent(leaving)}", 'op.drop_table("t")')
    assert (await rehearsed())["first"].verdict is Verdict.LOSSLESS


async def test_a_downgrade_that_crashes_does_not_stop_what_comes_after(project, rehearsed):
    project.add("first", TABLE, "import os; os._exit(3)")
    project.add("second", 'op.create_index("ix", "t", ["id"])', 'op.drop_index("ix")')
    evidence = await rehearsed()
    assert evidence["first"].verdict is Verdict.FAILED
    assert (evidence["first"].reason or "").startswith("`downgrade()` ended the process")
    assert evidence["second"].verdict is Verdict.LOSSLESS


async def test_a_migration_that_starts_programs_is_skipped_with_the_reason(project, rehearsed):
    project.add("first", "import subprocess; subprocess.run(['sleep', '99'])")
    evidence = (await rehearsed())["first"]
    assert evidence.verdict is Verdict.SKIPPED
    assert "sleep" in (evidence.reason or "")


async def test_the_projects_own_files_are_not_touched(project, rehearsed):
    database = project.folder / "app.db"
    import sqlite3

    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE precious (x)")
    connection.execute("INSERT INTO precious VALUES (42)")
    connection.commit()
    connection.close()
    project.add("a", TABLE, 'op.drop_table("t")')
    project.add("b", "import os; os._exit(0)")
    project.add("c", "while True: pass", after="a")
    before = fingerprint(project.folder)
    await rehearsed(timeout=2.0, full_cycle=True)
    assert fingerprint(project.folder) == before


def fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(file.relative_to(folder)): (
            file.stat().st_mtime_ns,
            hashlib.sha256(file.read_bytes()).hexdigest(),
        )
        for file in folder.rglob("*")
        if file.is_file()
    }


async def test_a_python_without_alembic_is_not_used(project, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    project.add("a")
    with pytest.raises(CannotRun, match="has no Alembic; install it there or name another"):
        await collect(project, python=str(bare))
    (project.folder / ".venv").symlink_to(bare)
    events = await collect(project)
    assert any(isinstance(event, RevisionFinished) for event in events)


async def test_a_python_that_does_not_exist_is_one_sentence(project):
    project.add("a")
    with pytest.raises(CannotRun, match="nowhere/python, which does not exist"):
        await collect(project, python="nowhere/python")


async def test_another_kind_of_database_is_one_sentence(project):
    project.add("a")
    with pytest.raises(CannotRun, match="Oracle is not available in this version"):
        await collect(project, database="oracle")


async def test_an_env_py_that_has_become_slow_does_not_end_what_goes_well(project, rehearsed):
    (project.folder / "seen").mkdir()
    env = project.folder / "migrations" / "env.py"
    slow = (
        "import os, sys, time\n"
        "if os.path.exists('seen/once') and not hasattr(sys, 'loaded'):\n    time.sleep(3)\n"
        "sys.loaded = True\nopen('seen/once', 'w').close()\n"
    )
    env.write_text(slow + env.read_text())
    project.add("a", TABLE, "import os; os._exit(1)")
    project.add("b")
    found = await rehearsed(writable=("seen",), timeout=2.0)
    assert {name: each.verdict for name, each in found.items()} == {
        "a": Verdict.FAILED,
        "b": Verdict.LOSSLESS,
    }


@pytest.mark.parametrize("name", ["nothing", "a:nothing", "nothing:a"])
async def test_an_unknown_revision_is_one_sentence(project, name):
    project.add("a")
    with pytest.raises(CannotRun, match="nothing"):
        await collect(project, name)


async def test_a_migration_that_cannot_be_loaded_is_named(project):
    project.add("a")
    file = project.add("b", head="import nowhere_at_all")
    with pytest.raises(CannotRun, match="has no `nowhere_at_all`") as caught:
        await collect(project)
    assert file.name in str(caught.value)


@pytest.mark.parametrize("baseline", ["nowhere:f", "json:nothing", "json", "absent.sql"])
async def test_a_baseline_that_cannot_be_used_is_one_sentence(project, baseline):
    project.add("a")
    with pytest.raises(CannotRun, match=f"the baseline `{baseline}`"):
        await collect(project, baseline=baseline)


async def test_cancelling_ends_everything_at_once(project):
    project.add("a", TABLE, 'op.drop_table("t")')
    project.add("slow", "import os, time; os.fork(); time.sleep(99)")
    plan = Plan(project.environment, Settings(rows=5))
    entered = asyncio.Event()

    async def consume() -> None:
        async with aclosing(rehearse(plan)) as events:
            async for event in events:
                if event == StepStarted("slow", "upgrade"):
                    entered.set()

    task = asyncio.create_task(consume())
    await asyncio.wait_for(entered.wait(), 20)
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < 1.5
    assert list(place().glob(f"{PREFIX}*")) == []
    assert agents_on(str(place())) == []


async def test_leaving_the_loop_early_ends_everything(project):
    project.add("a", TABLE, 'op.drop_table("t")')
    project.add("slow", "while True: pass")
    async with aclosing(rehearse(Plan(project.environment, Settings(rows=5)))) as events:
        async for event in events:
            if isinstance(event, RevisionFinished):
                break
    assert list(place().glob(f"{PREFIX}*")) == []


def test_folders_of_killed_rehearsals_are_collected(project):
    project.add("slow", "import time; time.sleep(60)")
    program = f"""
import asyncio, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from alembic_roundtrip.rehearsal import folder
folder._MEMORY = Path({str(place())!r})
from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse
root = Path({str(project.folder)!r})
environment = Environment(root, root / "alembic.ini", "alembic", root / "migrations", ())
async def main():
    async for event in rehearse(Plan(environment, Settings())):
        print(event, flush=True)
asyncio.run(main())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    with process.stdout:
        assert "Started(" in process.stdout.readline()
        assert "StepStarted(" in process.stdout.readline()
        (folder,) = place().glob(f"{PREFIX}*")
        assert collect_leftovers() == 0, "a folder in use stays"
        process.kill()
        process.wait()
    deadline = time.monotonic() + 5
    while agents_on(str(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert agents_on(str(folder)) == [], "the agent ends with its parent"
    assert collect_leftovers() == 1
    assert not folder.exists()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise ValueError('no key')", "failed: ValueError: no key"),
        (
            "import psycopg_nowhere",
            "has no `psycopg_nowhere`, which application/__init__.py line 1",
        ),
        ("import os; os.mkdir('data')", "data'; if it only wants that to be there, create it"),
        (
            "try:\n    open('log', 'w')\nexcept OSError as e:\n    raise ValueError('log') from e",
            "log'); if it only wants that to be there, create it",
        ),
    ],
)
async def test_a_package_of_the_migrations_that_cannot_be_imported_is_one_sentence(
    tmp_path, code, expected
):
    ini = INI.replace("%(here)s/migrations", "application:migrations")
    folder = tmp_path / "other"
    (folder / "application").mkdir(parents=True)
    project = AlembicProject(folder, ini=ini)
    project.add("a", TABLE, 'op.drop_table("t")')
    (folder / "migrations").rename(folder / "application" / "migrations")
    (folder / "application" / "__init__.py").write_text(code)
    with pytest.raises(CannotRun) as caught:
        await collect(project)
    assert expected in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("3.9.0", "1.8.0", "1.4.0"), ""),
        (("3.14.0rc1", "1.20.0.dev1", "2.1.0b1"), ""),
        (("3.8.20", "1.14.1", "2.0.36"), "Python 3.8.20, and 3.9"),
        (("3.9.25", "1.7.7", "1.4.54"), "Alembic 1.7.7, and 1.8"),
        (("3.9.25", "1.12.0", "1.3.24"), "SQLAlchemy 1.3.24, and 1.4"),
    ],
)
def test_what_is_too_old_is_named(versions, expected):
    assert too_old(*versions) == expected


def test_what_is_too_old_can_be_told_because_nothing_is_taken_from_it_before():
    door = Path(agent).with_name("__main__.py")
    script = (
        f"import runpy, sys; agent = runpy.run_path({str(door)!r})\n"
        "agent['_become_a_package']()\n"
        "from _alembic_roundtrip_agent import channel, events, limits\n"
        "from _alembic_roundtrip_agent.project import requirements\n"
        "assert not {'alembic', 'sqlalchemy'} & {*sys.modules}\n"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True)


async def test_an_error_that_is_its_own_cause_is_told_once(project):
    project.add("first")
    env = project.folder / "migrations" / "env.py"
    raising = "try:\n    raise ValueError('wrong')\nexcept ValueError as e:\n    raise e from e\n"
    env.write_text(raising + env.read_text())
    with pytest.raises(CannotRun, match="wrong"):
        await collect(project)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_rows_that_take_us_too_long_are_no_fault_of_the_migrations(project, rehearsed):
    slow = "CREATE FUNCTION slow() RETURNS bool AS 'SELECT pg_sleep(1) IS NOT NULL' LANGUAGE sql"
    project.add("slow", f"op.execute({slow!r})", "op.execute('DROP FUNCTION slow()')")
    project.add(
        "checked",
        "op.execute('CREATE TABLE t (id serial PRIMARY KEY, CHECK (slow()))')",
        "op.execute('DROP TABLE t')",
    )
    project.add("later", TABLE.replace('"t"', '"u"'), "op.drop_table('u')")
    found = await rehearsed(timeout=3.0)
    assert found["checked"].verdict is Verdict.SKIPPED
    assert found["checked"].reason == (
        "making rows and comparing them took most of the 3 s that it has; the setting `timeout` "
        "gives it longer, `rows` makes fewer"
    )
    assert found["later"].verdict is Verdict.LOSSLESS
