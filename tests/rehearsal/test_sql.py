from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic_project import INI, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.plan import CannotRun
from alembic_roundtrip.rehearsal.sql import DowngradeSql, rollback_sql
from rehearsal.guarded import Decoy

ENV = """
from alembic import context
from sqlalchemy import create_engine
url = context.config.get_main_option("sqlalchemy.url")
if context.is_offline_mode():
    context.configure(url=url, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_engine(url).connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
"""
SERVER = "postgresql+psycopg://app:secret@127.0.0.1:{port}/app"


@pytest.fixture
def decoy(tmp_path: Path) -> Iterator[Decoy]:
    """A server that nothing may reach."""
    folder = tmp_path / "sockets"
    folder.mkdir()
    decoy = Decoy(folder)
    yield decoy
    decoy.close()
    assert decoy.reached == []


def made(folder: Path, env: str = ENV, url: str = "sqlite:///%(here)s/app.db") -> AlembicProject:
    (folder / "project").mkdir()
    ini = INI.replace("sqlite:///%(here)s/app.db", url)
    return AlembicProject(folder / "project", ini=ini, env=env)


async def written(
    project: AlembicProject, current: tuple[str, ...], target: str
) -> tuple[DowngradeSql, ...]:
    before = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    downgrades = rollback_sql(project.environment, Settings(timeout=30.0), current, target)
    async with aclosing(downgrades) as written:
        found = tuple([each async for each in written])
    after = {path: path.read_bytes() for path in project.folder.rglob("*") if path.is_file()}
    assert after == before
    return found


async def refused(project: AlembicProject, current: tuple[str, ...], target: str) -> str:
    with pytest.raises(CannotRun) as error:
        await written(project, current, target)
    sentence = str(error.value)
    assert "\n" not in sentence
    return sentence


async def test_each_downgrade_is_written_for_the_projects_dialect(
    tmp_path: Path, decoy: Decoy
) -> None:
    project = made(tmp_path, url=SERVER.format(port=decoy.port))
    project.add("aaaa", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    project.add(
        "bbbb",
        'op.add_column("t", sa.Column("x", sa.Integer))',
        'op.execute(sa.text("DELETE FROM t WHERE x > :x").bindparams(x=3))\n'
        'op.alter_column("t", "x", type_=sa.BigInteger())\nop.drop_column("t", "x")',
    )
    second, first = await written(project, ("bbbb",), "base")
    assert (second.revision, second.problem, second.path) == (
        "bbbb",
        None,
        str(project.versions / "bbbb_.py"),
    )
    assert "DELETE FROM t WHERE x > 3;" in second.sql
    assert "ALTER TABLE t ALTER COLUMN x TYPE BIGINT;" in second.sql
    assert "SET version_num='aaaa'" in second.sql
    assert "DROP TABLE" not in second.sql
    assert first.revision == "aaaa"
    assert "DROP TABLE t;" in first.sql


async def test_where_rehearsals_run_changes_nothing_of_the_sql(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.add("a", "pass", 'op.execute("SELECT 1")')
    named = Settings(timeout=30.0, database="postgresql")
    async with aclosing(rollback_sql(project.environment, named, ("a",), "base")) as downgrades:
        found = [each async for each in downgrades]
    assert [each.problem for each in found] == [None]


async def test_one_that_needs_a_database_does_not_hide_the_others(tmp_path: Path) -> None:
    project = made(tmp_path)
    project.add("aaaa", downgrade='op.drop_table("t")')
    project.add(
        "bbbb",
        downgrade='op.execute("DELETE FROM t")\n'
        'op.get_bind().execute(sa.text("SELECT 1")).scalar_one()',
    )
    project.add("cccc", downgrade=None)
    project.add("dddd", downgrade='raise NotImplementedError("never")')
    project.add(
        "eeee", downgrade='with op.batch_alter_table("t") as batch:\n    batch.drop_column("x")'
    )
    found = {each.revision: each for each in await written(project, ("eeee",), "base")}
    assert list(found) == ["eeee", "dddd", "cccc", "bbbb", "aaaa"]
    assert "requires a live database connection" in str(found["eeee"].problem)
    assert found["dddd"].problem == "NotImplementedError: never (line 12)"
    assert found["cccc"].problem == "the migration has no `downgrade()`"
    assert "(line 13)" in str(found["bbbb"].problem)
    assert "DELETE FROM t;" in found["bbbb"].sql
    assert found["aaaa"].problem is None
    assert "DROP TABLE t;" in found["aaaa"].sql


@pytest.mark.parametrize(
    ("downgrade", "problem"),
    [
        (
            'from sqlalchemy import create_engine\ncreate_engine("sqlite:///app.db").connect()',
            "connects to a database, which nothing may while SQL is only written",
        ),
        ('import psycopg\npsycopg.connect("host=127.0.0.1 port=@PORT@")', "by hand with psycopg"),
        (
            'import socket\nsocket.create_connection(("127.0.0.1", @PORT@))',
            "opens a network connection",
        ),
        (
            (
                "import socket\ntry:\n    socket.create_connection(('127.0.0.1', @PORT@))\n"
                "except BaseException:\n    pass"
            ),
            "opens a network connection",
        ),
        ('import sqlite3\nsqlite3.connect("app.db")', "by hand with sqlite3"),
        ('import subprocess\nsubprocess.run(["psql"])', "starts the program psql"),
    ],
)
async def test_nothing_connects(tmp_path: Path, decoy: Decoy, downgrade: str, problem: str) -> None:
    project = made(tmp_path, url=SERVER.format(port=decoy.port))
    project.add("aaaa", downgrade=downgrade.replace("@PORT@", str(decoy.port)))
    (only,) = await written(project, ("aaaa",), "base")
    assert problem in str(only.problem)


async def test_an_env_py_that_always_connects_is_refused_with_its_line(
    tmp_path: Path, decoy: Decoy
) -> None:
    online = ENV.replace("context.is_offline_mode()", "False")
    project = made(tmp_path, online, SERVER.format(port=decoy.port))
    project.add("aaaa")
    assert await refused(project, ("aaaa",), "base") == (
        "no SQL: migrations/env.py line 10 connects to a database, which nothing may while SQL is "
        "only written"
    )


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ("raise KeyError('URL')", "no SQL: migrations/env.py line 1 failed: KeyError: 'URL'"),
        ("x = (", "no SQL: migrations/env.py line 1 does not parse"),
        ("pass", "no SQL: migrations/env.py ended without calling `context.run_migrations()`"),
        ("import os; os._exit(3)", "no SQL: the process that writes it ended by itself"),
    ],
)
async def test_why_there_is_no_sql_is_one_sentence(tmp_path: Path, env: str, sentence: str) -> None:
    project = made(tmp_path, env)
    project.add("aaaa")
    assert (await refused(project, ("aaaa",), "base")).startswith(sentence)


async def test_a_file_for_each_of_several_databases_is_not_written(tmp_path: Path) -> None:
    env = """
    from alembic import context
    for name in ("one", "two"):
        with open(f"{name}.sql", "w") as buffer:
            context.configure(url="postgresql://", output_buffer=buffer)
            with context.begin_transaction():
                context.run_migrations(engine_name=name)
    """
    project = made(tmp_path, env)
    file = project.add("aaaa")
    file.write_text(
        file.read_text()
        .replace(
            "def downgrade():\n    pass",
            "def downgrade(engine_name):\n    op.drop_table(engine_name)",
        )
        .replace("def upgrade()", "def upgrade(engine_name)")
    )
    found = await written(project, ("aaaa",), "base")
    assert [(each.revision, each.database) for each in found] == [("aaaa", "one"), ("aaaa", "two")]
    assert ["DROP TABLE one;" in each.sql for each in found] == [True, False]


async def test_the_line_of_a_problem_is_known_from_another_folder(tmp_path: Path) -> None:
    env = """
    import helpers
    from alembic import context
    with open("all.sql", "w") as buffer:
        context.configure(url="postgresql://", output_buffer=buffer)
        with context.begin_transaction():
            context.run_migrations()
    """
    project = made(tmp_path, env)
    (project.folder / "helpers.py").write_text("def stop():\n    raise ValueError('no')\n")
    project.add("aaaa", downgrade="stop()", head="from helpers import stop")
    (only,) = await written(project, ("aaaa",), "base")
    assert only.problem == "ValueError: no (line 12)"


HISTORIES = {
    "merge": ((("a", ()), ("b", ("a",)), ("c", ("a",)), ("d", ("b", "c"))), ("d",)),
    "two heads": ((("a", ()), ("b", ("a",)), ("c", ("a",)), ("d", ("c",))), ("b", "d")),
    "two bases": ((("a", ()), ("b", ()), ("c", ("a", "b"))), ("c",)),
}


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_order_is_that_of_alembic(tmp_path: Path, name: str) -> None:
    revisions, current = HISTORIES[name]
    project = made(tmp_path)
    for revision, after in revisions:
        project.add(revision, after=after or None)
    script = ScriptDirectory.from_config(Config(str(project.folder / "alembic.ini")))
    for target in ("base", "a"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            steps = script._downgrade_revs(target, current)
        wanted = [step.revision.revision for step in steps]
        assert [each.revision for each in await written(project, current, target)] == wanted
