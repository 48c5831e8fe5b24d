from __future__ import annotations

import importlib.util

import pytest

import multidb
from alembic_project import ENV, INI, AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.events import Finished, RevisionFinished, Started, StepStarted
from alembic_roundtrip.workspace import Workspace
from rehearsal.conftest import KINDS, collect, skip_unless


def table(name: str) -> tuple[str, str]:
    create = f'op.create_table("{name}", sa.Column("id", sa.Integer, primary_key=True))'
    return create, f'op.drop_table("{name}")'


def linear(project: AlembicProject, count: int) -> None:
    for number in range(count):
        project.add(f"r{number}", *table(f"t{number}"))


async def test_branches_merges_bases_and_dependencies_are_walked_in_order(project, rehearsed):
    project.add("root", *table("root"))
    project.add("left", *table("left_"), after="root")
    project.add("right", *table("right_"), after="root")
    project.add("merge", *table("merge_"), after=("left", "right"))
    project.add("empty_merge", after="merge")
    project.add("other_base", *table("other"), after=None, branch_labels=("other",))
    project.add("dependent", *table("dependent"), after="other_base", depends_on="right")
    project.add("loose", *table("loose"), after="left")
    evidence = await rehearsed(full_cycle=True)
    assert set(evidence) == {
        *("root", "left", "right", "merge", "empty_merge"),
        *("other_base", "dependent", "loose", "full cycle"),
    }
    assert {found.verdict for found in evidence.values()} == {Verdict.LOSSLESS}
    order = list(evidence)
    assert order.index("right") < order.index("dependent")
    assert max(order.index("left"), order.index("right")) < order.index("merge")


async def test_only_the_named_are_rehearsed_their_ancestors_only_applied(project):
    linear(project, 4)
    project.add("elsewhere", "raise ValueError('never run')", after="r0")
    events = await collect(project, "r2")
    started = next(event for event in events if isinstance(event, Started))
    assert started.revisions == ("r2",)
    steps = [(e.revision, e.step) for e in events if isinstance(e, StepStarted)]
    assert [step for step in steps if step[0] != "r2"] == [("r0", "upgrade"), ("r1", "upgrade")]
    assert [e.evidence.revision for e in events if isinstance(e, RevisionFinished)] == ["r2"]
    assert isinstance(events[-1], Finished)
    assert events[-1].verdicts == {Verdict.LOSSLESS: 1}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (("r1:r2",), ("r1", "r2")),
        ((":r1",), ("r0", "r1")),
        (("r3:",), ("r3", "r4")),
        (("base:r0",), ("r0",)),
        (("r2:head",), ("r2", "r3", "r4")),
        (("head",), ("r4",)),
        (("heads", "r0"), ("r0", "r4")),
        (("r2:r2",), ("r2",)),
    ],
)
async def test_ranges_and_symbols_are_alembics(project, wanted, expected):
    linear(project, 5)
    events = await collect(project, *wanted)
    started = next(event for event in events if isinstance(event, Started))
    assert started.revisions == expected


async def test_a_partial_id_is_enough(project):
    project.add("abcdef123456", *table("a"))
    project.add("123456abcdef", *table("b"))
    events = await collect(project, "abcd")
    assert next(e for e in events if isinstance(e, Started)).revisions == ("abcdef123456",)


async def test_an_ancestor_that_fails_skips_the_named_revision(project, rehearsed):
    project.add("broken", "op.drop_table('nowhere')")
    project.add("wanted")
    evidence = await rehearsed("wanted")
    assert list(evidence) == ["wanted"]
    assert evidence["wanted"].verdict is Verdict.SKIPPED
    assert "broken" in (evidence["wanted"].reason or "")


# Runs in the agent: has a room count how often its state was saved.
COUNTS_SAVES = """
import sys
import sqlalchemy

SAVES = sqlalchemy.__dict__.setdefault("saves_of_this_test", [])

def count_saves(room):
    save = room.save
    def counted(self):
        SAVES.append(self)
        return save(self)
    room.save = counted

if not SAVES:
    SAVES.append("counting")
    for name, module in list(sys.modules.items()):
        if name.startswith("_alembic_roundtrip_agent.dialects."):
            for key, room in list(vars(module).items()):
                if key.endswith("Room") and room.__module__ == name:
                    count_saves(room)
"""
SAYS_SAVES = "raise NotImplementedError(f'{len(sa.saves_of_this_test) - 1} states were saved')"


def counted(project: AlembicProject) -> None:
    env = project.folder / "migrations" / "env.py"
    env.write_text(COUNTS_SAVES + env.read_text(encoding="utf-8"), encoding="utf-8")


@KINDS
async def test_no_state_is_saved_before_ancestors_that_all_depend_on(project, rehearsed):
    counted(project)
    linear(project, 6)
    project.add("wanted", "pass", SAYS_SAVES)
    found = (await rehearsed("wanted", rows=0))["wanted"]
    # Its own two: before and after its upgrade.
    assert (found.verdict, found.reason) == (Verdict.IRREVERSIBLE, "2 states were saved")


@KINDS
async def test_a_failing_ancestor_leaves_nothing_for_those_that_do_not_need_it(project, rehearsed):
    project.add("root", *table("root"))
    project.add("half", f"{table('left_over')[0]}; raise ValueError('no further')", after="root")
    project.add("behind_half", after="half")
    project.add("other", *table("left_over"), after="root")
    project.add("behind_other", *table("more"), after="other")
    evidence = await rehearsed("behind_half", "behind_other")
    # What stops half-way leaves nothing behind where DDL is part of a transaction.
    undone = project.dialect == "postgresql"
    assert evidence["behind_half"].verdict is (Verdict.LOSSLESS if undone else Verdict.SKIPPED)
    assert evidence["behind_other"].verdict is Verdict.LOSSLESS


ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config

def work(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = async_engine_from_config(
        {"sqlalchemy.url": "sqlite+aiosqlite:///app.db"}, prefix="sqlalchemy."
    )
    async with engine.connect() as connection:
        await connection.run_sync(work)
    await engine.dispose()

asyncio.run(main())
"""

MULTIDB_ENV = """
from alembic import context
from sqlalchemy import create_engine

# The first database of Flask-Migrate has no name.
engines = {name: create_engine(f"sqlite:///app{name}.db") for name in ("", "two")}
connections = {name: engine.connect() for name, engine in engines.items()}
for name, connection in connections.items():
    context.configure(connection=connection, upgrade_token=f"{name}_upgrades")
    with context.begin_transaction():
        context.run_migrations(engine_name=name)
for connection in connections.values():
    connection.commit()
    connection.close()
"""

ONE_TRANSACTION = ENV.replace("engine.connect()", "engine.begin()")

REAL_TRANSACTIONS = ENV.replace(
    "with engine.connect()",
    """
from sqlalchemy import event
@event.listens_for(engine, "connect")
def no_driver_transactions(connection, record):
    connection.isolation_level = None
@event.listens_for(engine, "begin")
def begin(connection):
    connection.exec_driver_sql("BEGIN")
with engine.connect()""",
)

FOREIGN_KEYS_ON = ENV.replace(
    "with engine.connect()",
    """
from sqlalchemy import event
@event.listens_for(engine, "connect")
def on(connection, record):
    connection.execute("PRAGMA foreign_keys = ON").close()
with engine.connect()""",
)


@pytest.mark.parametrize(
    "env",
    [ENV, ASYNC_ENV, ONE_TRANSACTION, REAL_TRANSACTIONS, FOREIGN_KEYS_ON],
    ids=["stock", "async", "one transaction", "real transactions", "foreign keys"],
)
async def test_styles_of_env_py_give_the_same_verdicts(tmp_path, env):
    if "aiosqlite" in env:
        skip_unless(importlib.util.find_spec("aiosqlite"), "no aiosqlite is installed")
    folder = tmp_path / "styled"
    folder.mkdir()
    project = AlembicProject(folder, env=env)
    project.add("a", *table("t"))
    project.add("b", 'op.add_column("t", sa.Column("x", sa.Integer))', "pass")
    project.add("c", "op.execute('INSERT INTO t DEFAULT VALUES')", "op.execute('DELETE FROM t')")
    project.add("d", "op.drop_table('nowhere')", after="a")
    project.add("e", *table("u"), after="c")
    events = await collect(project)
    verdicts = {
        e.evidence.revision: e.evidence.verdict.value
        for e in events
        if isinstance(e, RevisionFinished)
    }
    assert verdicts == {
        "a": "lossless",
        "b": "failed",
        "c": "lossy",
        "d": "failed",
        "e": "lossless",
    }


async def test_each_run_and_each_migration_begins_in_the_same_folder(tmp_path):
    folder = tmp_path / "moving"
    (folder / "sub").mkdir(parents=True)
    ini = INI.replace("%(here)s/migrations", "migrations")
    project = AlembicProject(folder, ini=ini, env="import os\nos.chdir('sub')\n" + ENV)
    project.add("a", table("t")[0] + "\nimport os; os.chdir('/')", table("t")[1])
    project.add("b", "pass", "op.drop_table('nowhere')")
    project.add("c", "open('../alembic.ini').close()\n" + table("u")[0], table("u")[1])
    events = await collect(project)
    found = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert [each.verdict.value for each in found.values()] == ["lossless", "failed", "lossless"]
    step = found["b"].decisive_step()
    assert step is not None
    assert step.error is not None
    assert step.error.source == "op.drop_table('nowhere')"
    assert (step.error.statement or "").split() == ["DROP", "TABLE", "nowhere"]
    # The upgrade missed nothing: the history lacks no beginning.
    assert "baseline" not in (found["b"].reason or "")


async def test_several_databases_give_one_verdict_a_revision(tmp_path):
    """Where linting names the engine that forgets something, a rehearsal finds it left there."""
    folder = tmp_path / "multi"
    folder.mkdir()
    project = AlembicProject(folder, env=MULTIDB_ENV)
    for name, body in (
        ("a", 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'),
        ("b", 'if engine_name == "two": op.create_table("left_over", sa.Column("x", sa.Integer))'),
    ):
        file = project.add(name, body, "op.drop_table('t')" if name == "a" else "pass")
        file.write_text(file.read_text().replace("grade():", "grade(engine_name):"))
    forgotten = {
        "upgrade_": table("kept")[0],
        "downgrade_": table("kept")[1],
        "upgrade_two": table("kept")[0],
        "downgrade_two": "pass",
    }
    file = project.versions / "c_.py"
    file.write_text(multidb.script("c", "b", forgotten))
    found = Workspace([folder]).diagnostics(file)
    assert [d.message for d in found if d.severity == "error"] == [
        "downgrade_two() does nothing, but upgrade_two() has 1 operation to undo"
    ]
    events = await collect(project, full_cycle=True)
    evidence = {e.evidence.revision: e.evidence for e in events if isinstance(e, RevisionFinished)}
    assert list(evidence) == ["a", "b", "c", "full cycle"]
    assert evidence["a"].verdict is Verdict.LOSSLESS
    assert {(x.table, x.step) for x in evidence["a"].losses} == {
        ("<default>.t", "downgrade"),
        ("two.t", "downgrade"),
    }
    assert evidence["b"].verdict is Verdict.FAILED
    for revision, left in (("b", "two.left_over"), ("c", "two.kept")):
        assert [(r.object, r.change) for r in evidence[revision].residue] == [(left, "left")]


async def test_x_arguments_and_variables_reach_env_py_credentials_do_not(tmp_path, monkeypatch):
    folder = tmp_path / "x"
    folder.mkdir()
    checks = (
        "import os, sys\n"
        "from alembic import context\n"
        "assert context.get_x_argument(as_dictionary=True) == {'tenant': 'blue'}\n"
        "assert os.environ['NEEDED'] == 'yes'\n"
        "assert 'PGPASSWORD' not in os.environ\n"
        "assert 'secret' not in str(os.environ)\n"
        "assert os.environ['DATABASE_URL'].endswith('@localhost/shop')\n"
        "assert os.getcwd() == sys.path[0]\n"
    )
    project = AlembicProject(folder, env=checks + ENV)
    project.add("a", *table("t"))
    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setenv("DB_PASSWORD", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.example:5432/shop?sslmode=on")
    events = await collect(project, x_arguments=("tenant=blue",), env={"NEEDED": "yes"})
    assert isinstance(events[-1], Finished)
    assert events[-1].verdicts == {Verdict.LOSSLESS: 1}


async def test_an_env_py_of_a_flask_application_finds_its_application(tmp_path):
    folder = tmp_path / "flask"
    folder.mkdir()
    own = (
        "from flask import current_app\n"
        "from sqlalchemy import create_engine\n"
        "engine = create_engine(current_app.config['DATABASE'])\n"
        "with engine.connect()"
    )
    project = AlembicProject(folder, env=ENV.replace("with engine.connect()", own))
    # As some applications do, this one migrates when it is made: that must not be in the way.
    (folder / "wsgi.py").write_text(
        "from flask import Flask\n"
        "from sqlalchemy import create_engine\n"
        "application = Flask(__name__)\n"
        "application.config['DATABASE'] = 'sqlite:///app.db'\n"
        "with create_engine('sqlite:///app.db').begin() as connection:\n"
        "    connection.exec_driver_sql('CREATE TABLE t (id INTEGER PRIMARY KEY)')\n"
    )
    project.add("a", *table("t"))
    project.add("b", "pass", "op.drop_table('nowhere')")
    project.add("c", *table("u"))
    events = await collect(project)
    verdicts = [e.evidence.verdict.value for e in events if isinstance(e, RevisionFinished)]
    assert verdicts == ["lossless", "failed", "lossless"]
    assert not (folder / "app.db").exists()
