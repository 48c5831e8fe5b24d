"""What applications do while env.py loads them: caches, databases, what Flask wants to know."""

from __future__ import annotations

import os

import pytest

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import collect

TABLE = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'


def writes(project, *files: str) -> None:
    """Have env.py write these files of the project before anything else."""
    code = "".join(f"open({str(project.folder / file)!r}, 'w').write('x')\n" for file in files)
    env = project.folder / "migrations" / "env.py"
    env.write_text(code + env.read_text())
    project.add("a", TABLE, 'op.drop_table("t")')


async def test_a_folder_that_may_be_written_to_is_named_in_the_settings(project, rehearsed):
    (project.folder / ".data" / "cache").mkdir(parents=True)
    writes(project, ".data/cache/x")
    with pytest.raises(CannotRun, match="and where `writable` allows it"):
        await rehearsed()
    assert not (project.folder / ".data" / "cache" / "x").exists()
    assert (await rehearsed(writable=(".data",)))["a"].verdict is Verdict.LOSSLESS
    assert (project.folder / ".data" / "cache" / "x").exists()


async def test_what_is_there_may_be_asked_for(project, rehearsed):
    (project.folder / "cache").mkdir()
    mark = project.folder / "mark"
    mark.touch()
    os.utime(mark, ns=(1, 1))
    env = project.folder / "migrations" / "env.py"
    made = (
        "import os, pathlib\ntry:\n    os.mkdir('cache')\nexcept FileExistsError:\n    pass\n"
        "pathlib.Path('mark').touch()\n"
    )
    env.write_text(made + env.read_text())
    project.add("a", TABLE, 'op.drop_table("t")')
    assert (await rehearsed())["a"].verdict is Verdict.LOSSLESS
    assert mark.stat().st_mtime_ns == 1


async def test_what_is_written_can_be_led_into_a_scratch_folder(project, rehearsed, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    env = project.folder / "migrations" / "env.py"
    cache = "import os\nos.makedirs(os.path.expanduser('~/.app/cache'), exist_ok=True)\n"
    env.write_text(cache + env.read_text())
    project.add("a", TABLE, 'op.drop_table("t")')
    with pytest.raises(CannotRun, match=r"`\{scratch\}` in a variable"):
        await rehearsed(env={"HOME": str(home)})
    assert (await rehearsed(env={"HOME": "{scratch}"}))["a"].verdict is Verdict.LOSSLESS
    assert list(home.iterdir()) == []


async def test_what_is_written_below_home_is_led_there_by_itself(
    project, rehearsed, tmp_path, monkeypatch
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    env = project.folder / "migrations" / "env.py"
    stock = env.read_text()
    cache = "import os\nos.makedirs(os.path.expanduser('~/.app/cache'), exist_ok=True)\n"
    env.write_text(cache + stock)
    project.add("a", TABLE, 'op.drop_table("t")')
    assert (await rehearsed())["a"].verdict is Verdict.LOSSLESS
    # What it reads there is missed then: the first thing that was wrong is what there is to say.
    env.write_text(f"{cache}open(os.path.expanduser('~/.app/settings')).read()\n{stock}")
    with pytest.raises(CannotRun, match=r"line 2 failed: PermissionError.*`\{scratch\}`"):
        await rehearsed()
    assert list(home.iterdir()) == []


async def test_what_fails_behind_what_is_led_there_is_told_too(
    project, rehearsed, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    env = project.folder / "migrations" / "env.py"
    cache = "import os\nos.makedirs(os.path.expanduser('~/.app/cache'), exist_ok=True)\n"
    env.write_text(f"{cache}import not_there\n{env.read_text()}")
    project.add("a")
    with pytest.raises(CannotRun, match=r"no `not_there`.*before that.* line 2 failed: Permission"):
        await rehearsed()
    # Where it does not help it is not told either.
    env.write_text(f"open({str(tmp_path / '.app')!r}, 'w')\n")
    with pytest.raises(CannotRun, match=r"line 1 failed: PermissionError") as told:
        await rehearsed()
    assert "before that" not in str(told.value)


async def test_an_application_may_write_below_home_too(project, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    env = project.folder / "migrations" / "env.py"
    env.write_text(f"from flask import current_app\n{env.read_text()}")
    (project.folder / "app.py").write_text(
        "import os\nfrom flask import Flask\n"
        "os.makedirs(os.path.expanduser('~/.app/cache'))\napp = Flask('app')\n"
    )
    project.add("a", TABLE, 'op.drop_table("t")')
    verdicts = [getattr(event, "evidence", None) for event in await collect(project)]
    assert [each.verdict for each in verdicts if each] == [Verdict.LOSSLESS]
    assert not (tmp_path / ".app").exists()


@pytest.mark.parametrize("file", ["x", "data/x", ".data/../x", ".data/link/x"])
async def test_nothing_else_may_be_written_to(file, project, rehearsed):
    for name in (".data", "data", "other"):
        (project.folder / name).mkdir()
    (project.folder / ".data" / "link").symlink_to(project.folder / "other")
    writes(project, file)
    with pytest.raises(CannotRun, match="writes only to its scratch folder"):
        await rehearsed(writable=(".data",))
    assert not list(project.folder.rglob("x"))


@pytest.mark.parametrize("name", [".", "..", "/tmp", "~", "link"])  # noqa: S108 - never written to
async def test_what_lies_outside_the_project_cannot_be_named(name, project, rehearsed, tmp_path):
    (project.folder / "link").symlink_to(tmp_path)
    project.add("a")
    with pytest.raises(CannotRun, match="`writable`"):
        await rehearsed(writable=(name,))


async def test_a_database_in_such_a_folder_stays_closed(project, rehearsed):
    (project.folder / ".data").mkdir()
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("/app.db", "/.data/app.db"))
    project.add("a", TABLE, 'op.drop_table("t")')
    assert (await rehearsed(writable=(".data",)))["a"].verdict is Verdict.LOSSLESS
    assert list((project.folder / ".data").iterdir()) == []


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"], indirect=True)
async def test_a_database_that_is_made_while_starting_is_there_already(project, rehearsed):
    made = (
        "with engine.connect() as connection:\n"
        "    connection.execution_options(isolation_level='AUTOCOMMIT')\n"
        "    connection.exec_driver_sql('CREATE DATABASE app')\n"
    )
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("with engine.connect()", f"{made}with engine.connect()"))
    project.add("a", TABLE, 'op.drop_table("t")')
    assert (await rehearsed())["a"].verdict is Verdict.LOSSLESS


async def test_flask_is_set_up_as_its_command_does(tmp_path):
    folder = tmp_path / "flask"
    folder.mkdir()
    wanted = "from flask import current_app\nassert current_app.name == 'chosen'\n"
    project = AlembicProject(folder, env=wanted + ENV)
    (folder / ".flaskenv").write_text("FLASK_APP=chosen\n")
    (folder / "wsgi.py").write_text("raise RuntimeError('not this one')\n")
    (folder / "chosen.py").write_text(
        "import os\nfrom flask import Flask\n"
        "assert os.environ['FLASK_RUN_FROM_CLI'] == 'true'\n"
        "app = Flask('chosen')\n"
    )
    project.add("a", TABLE, 'op.drop_table("t")')
    verdicts = [getattr(event, "evidence", None) for event in await collect(project)]
    assert [each.verdict for each in verdicts if each] == [Verdict.LOSSLESS]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            """
try:
    open(__file__, "a")
except OSError as error:
    raise ValueError("no file") from error
""",
            r"no file \(PermissionError: .*`writable`.*app.py.*lead it",
        ),
        ("import sys\nprint('no settings')\nsys.exit()\n", "loaded: it exits .*, with 0; name it"),
    ],
)
async def test_why_an_application_does_not_start_is_said(tmp_path, code, said):
    folder = tmp_path / "flask"
    folder.mkdir()
    project = AlembicProject(folder, env="from flask import current_app\n" + ENV)
    (folder / "app.py").write_text(code)
    project.add("a", TABLE, 'op.drop_table("t")')
    with pytest.raises(CannotRun, match=said):
        await collect(project)


async def test_an_application_that_cannot_do_without_a_service_is_told_why(project):
    package = project.folder / "site-packages" / "cache_client"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import socket\n"
        "try:\n    socket.create_connection(('127.0.0.1', 6379))\n"
        "except OSError:\n    raise RuntimeError('no cache') from None\n"
    )
    env = project.folder / "migrations" / "env.py"
    env.write_text(f"import sys; sys.path.append('site-packages')\nimport cache_client\n{ENV}")
    project.add("a")
    with pytest.raises(CannotRun, match=r"no cache.*; before that .*127.0.0.1:6379; .*`env`"):
        await collect(project)


@pytest.mark.parametrize(
    "code",
    ["x = (", "import not_there", "import sqlite3; sqlite3.connect('other.db')", "pass"],
)
async def test_a_service_is_not_blamed_for_what_has_nothing_to_do_with_it(project, code):
    package = project.folder / "site-packages" / "cache_client"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import socket\n"
        "try:\n    socket.create_connection(('127.0.0.1', 6379))\nexcept OSError:\n    pass\n"
    )
    (project.folder / "then.py").write_text(code)
    env = project.folder / "migrations" / "env.py"
    env.write_text("import sys; sys.path.append('site-packages')\nimport cache_client, then\n")
    project.add("a")
    with pytest.raises(CannotRun) as told:
        await collect(project)
    assert "6379" not in str(told.value)


@pytest.mark.usefixtures("server")
async def test_an_application_that_wants_another_kind_of_database_gets_it(project):
    env = project.folder / "migrations" / "env.py"
    env.write_text(f"from flask import current_app\n{ENV}")
    (project.folder / "app.py").write_text(
        "import sqlalchemy\nfrom flask import Flask\n"
        "sqlalchemy.create_engine('sqlite:///app.db').connect()\napp = Flask('app')\n"
    )
    project.dialect = "postgresql"
    project.add("a", TABLE, 'op.drop_table("t")')
    started = [getattr(event, "database", None) for event in await collect(project)]
    assert started[0] == "sqlite"


async def test_a_database_that_an_application_keeps_locked_is_told(project):
    env = project.folder / "migrations" / "env.py"
    env.write_text(f"{ENV}\nimport held\nheld.hold(engine)\n")
    (project.folder / "held.py").write_text(
        "connections = []\n"
        "def hold(engine):\n"
        "    connections.append(engine.connect())\n"
        "    connections[-1].exec_driver_sql('CREATE TABLE held (x INTEGER)')\n"
        "    connections[-1].exec_driver_sql('INSERT INTO held VALUES (1)')\n"
    )
    project.add("a", TABLE, 'op.drop_table("t")')
    with pytest.raises(CannotRun, match=r"no rehearsal: a connection .* locked; env.py, or what"):
        await collect(project)
