"""Which kind of scratch database a project gets."""

from __future__ import annotations

import importlib.util
import sys
import textwrap
import venv
from pathlib import Path

import pytest
from alembic.config import Config

from alembic_project import ENV, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.agent.project import urls
from alembic_roundtrip.rehearsal.databases import kind_for
from alembic_roundtrip.rehearsal.events import RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import KINDS, collect


@pytest.mark.parametrize(
    ("dialect", "setting", "kind"),
    [
        ("sqlite", "auto", "sqlite"),
        ("postgresql", "auto", "postgresql"),
        ("mysql", "auto", "mariadb"),
        ("mariadb", "auto", "mariadb"),
        ("sqlite", "mysql", "mariadb"),
        ("sqlite", "mysql+pymysql://boss@db/app", "mariadb"),
        ("mysql", "postgres", "postgresql"),
        ("mysql", "sqlite", "sqlite"),
    ],
)
def test_the_projects_own_kind_or_the_one_that_is_set(
    tmp_path: Path, dialect: str, setting: str, kind: str
) -> None:
    environment = AlembicProject(tmp_path / "p", dialect=dialect).environment
    assert kind_for(environment, Settings(database=setting)) == kind


def connects_to_sqlite(project: AlembicProject) -> None:
    env = project.folder / "migrations" / "env.py"
    url = "\ncontext.config.set_main_option('sqlalchemy.url', 'sqlite:///app.db')\nengine ="
    env.write_text(env.read_text().replace("\nengine =", url))
    project.add("a", "op.execute('PRAGMA user_version')", "pass")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_where_env_py_connects_counts_more_than_what_reading_says(project, rehearsed):
    connects_to_sqlite(project)
    events = await collect(project)
    told = [(e.database, e.expected) for e in events if isinstance(e, Started)]
    assert told == [("sqlite", "postgresql")]
    verdicts = [e.evidence.verdict for e in events if isinstance(e, RevisionFinished)]
    assert verdicts == [Verdict.LOSSLESS]
    with pytest.raises(CannotRun, match="or name another kind in the setting `database`"):
        await rehearsed(database="postgresql")


@pytest.fixture
def driverless(tmp_path: Path) -> Path:
    """A Python that has Alembic and SQLAlchemy, and no driver but SQLite's."""
    python = tmp_path / "driverless"
    venv.create(python, with_pip=False)
    site = next(python.glob("lib/python*/site-packages"))
    for name in ("alembic", "mako", "markupsafe", "sqlalchemy", "typing_extensions", "tomli"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            file = Path(spec.origin)
            found = file.parent if file.name == "__init__.py" else file
            (site / found.name).symlink_to(found)
    return python


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"], indirect=True)
async def test_a_project_whose_python_has_no_driver_may_be_for_sqlite_too(
    project, rehearsed, driverless, kind
):
    connects_to_sqlite(project)
    found = await rehearsed(python=str(driverless))
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)
    with pytest.raises(CannotRun, match="this project's Python has no driver for"):
        await rehearsed(python=str(driverless), database=kind)


def test_another_kind_is_one_sentence(tmp_path: Path) -> None:
    environment = AlembicProject(tmp_path / "p", dialect="oracle").environment
    with pytest.raises(CannotRun, match="rehearsing on Oracle is not available"):
        kind_for(environment, Settings())
    for setting, sentence in (
        (
            "foo",
            "`foo`; it can be `auto`, `sqlite`, `postgresql`, `mariadb` or the URL of a server",
        ),
        ("sqlite:////tmp/x.db", "names a file, .* `sqlite` is enough"),
        ("oracle://x/y", "rehearsing on Oracle is not available"),
        ("postgresql+nodriver://x/y", "the driver `nodriver`, .* `postgresql://…` is enough"),
        ("mysql:/x", "is not a URL: `//` is missing"),
        ("mysql://a:b@c@d/x", "is not a URL: it has a second `@`"),
    ):
        with pytest.raises(CannotRun, match=sentence):
            kind_for(environment, Settings(database=setting))


SYNC = {
    "sqlite": "sqlite:///%(here)s/app.db",
    "postgresql": "postgresql+psycopg2://app:secret@db.invalid/app?sslmode=require",
    "mariadb": "mysql+pymysql://app:secret@db.invalid/app?charset=utf8mb4",
}
ASYNC = {
    "sqlite": "sqlite+aiosqlite:///%(here)s/app.db",
    "postgresql": "postgresql+asyncpg://app:secret@db.invalid/app",
    "mariadb": "mysql+aiomysql://app:secret@db.invalid/app",
}
ASYNC_ENV = """
import asyncio
from alembic import context
from sqlalchemy.ext.asyncio import async_engine_from_config

def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    engine = async_engine_from_config(
        context.config.get_section(context.config.config_ini_section), prefix="sqlalchemy."
    )
    async with engine.connect() as connection:
        await connection.run_sync(migrate)

asyncio.run(main())
"""
TABLE = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'


def set_url(project: AlembicProject, url: str) -> None:
    ini = project.folder / "alembic.ini"
    lines = ini.read_text().splitlines()
    kept = [line for line in lines if not line.startswith("sqlalchemy.url")]
    ini.write_text("\n".join(kept).replace("[alembic]", f"[alembic]\nsqlalchemy.url = {url}"))


@KINDS
@pytest.mark.parametrize("urls", [SYNC, ASYNC], ids=["sync", "async"])
async def test_the_kind_that_is_named_counts_more_than_the_files_url(
    project, rehearsed, kind, urls
):
    project.add("a", TABLE, 'op.drop_table("t")')
    if urls is ASYNC:
        (project.folder / "migrations" / "env.py").write_text(ASYNC_ENV)
    for url in urls.values():
        set_url(project, url)
        found = await rehearsed(database=kind)
        assert (found["a"].database, found["a"].verdict) == (kind, Verdict.LOSSLESS)


@KINDS
async def test_several_urls_of_another_kind_stay_several_databases(project, rehearsed, kind):
    other = next(url for name, url in SYNC.items() if name != kind)
    set_url(project, other)
    ini = project.folder / "alembic.ini"
    second = other.replace("app.db", "more.db").replace("/app?", "/more?")
    ini.write_text(f"{ini.read_text()}\n[second]\nsqlalchemy.url = {second}\n")
    env = project.folder / "migrations" / "env.py"
    start, end = env.read_text().split("engine = ", 1)
    each = end.replace("context.config.config_ini_section", "section")
    env.write_text(
        f"{start}for section in ('alembic', 'second'):\n"
        + textwrap.indent(f"engine = {each}", "    ")
    )
    project.add("a", TABLE, 'op.drop_table("t")')
    found = await rehearsed(database=kind)
    assert (found["a"].database, found["a"].verdict) == (kind, Verdict.LOSSLESS)
    assert found["a"].rows == 5


@KINDS
async def test_a_url_that_is_not_in_the_file_is_one_sentence(project, rehearsed, kind):
    other = next(name for name in SYNC if name != kind)
    env = project.folder / "migrations" / "env.py"
    url = SYNC[other].replace("%(here)s/", "")
    env.write_text(
        env.read_text().replace(
            "\nengine =", f"\ncontext.config.set_main_option('sqlalchemy.url', {url!r})\nengine ="
        )
    )
    project.add("a")
    with pytest.raises(
        CannotRun, match=r"; have it connect to .*, or name another kind in"
    ) as told:
        await rehearsed(database=kind)
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value)


@KINDS
@pytest.mark.parametrize(
    "line",
    ["", "sqlalchemy.url = driver://user:pass@localhost/dbname", "sqlalchemy.url = {db_url}"],
)
async def test_a_file_without_a_url_is_given_one(project, rehearsed, kind, line):
    ini = project.folder / "alembic.ini"
    kept = [each for each in ini.read_text().splitlines() if not each.startswith("sqlalchemy.url")]
    ini.write_text("\n".join(kept).replace("[alembic]", f"[alembic]\n{line}"))
    project.add("a", TABLE, 'op.drop_table("t")')
    for env in (ENV, ASYNC_ENV):
        (project.folder / "migrations" / "env.py").write_text(env)
        found = await rehearsed()
        assert (found["a"].database, found["a"].verdict) == (kind, Verdict.LOSSLESS)


def without_url(project: AlembicProject, env: str) -> Path:
    """Have no URL in the file; gives the file that has one character for each run of env.py."""
    ini = project.folder / "alembic.ini"
    lines = ini.read_text().splitlines()
    ini.write_text("\n".join(line for line in lines if not line.startswith("sqlalchemy.url")))
    runs = project.folder / ".runs" / "runs"
    runs.parent.mkdir()
    code = f"open({str(runs)!r}, 'a').write('x')\n{env}"
    (project.folder / "migrations" / "env.py").write_text(code)
    project.add("a", TABLE, 'op.drop_table("t")')
    return runs


REGISTERS = """
import sqlalchemy as sa, sys
metadata = sys.modules.setdefault("registry", sa.MetaData())
sa.Table("users", metadata, sa.Column("id", sa.Integer))
"""


@pytest.mark.parametrize(
    ("code", "told", "runs"),
    [
        ("raise RuntimeError('SECRET_KEY is missing')", "SECRET_KEY is missing", 1),
        ("from sqlalchemy import create_engine; create_engine('driver://x')", "driver", 1),
        ("from sqlalchemy import create_engine; create_engine('no URL')", "not parse", 1),
        ("raise KeyError('url')", "KeyError: 'url'", 2),
        (f"{REGISTERS}{ENV}", "KeyError: 'url'", 2),
    ],
)
async def test_what_env_py_said_first_is_told(project, rehearsed, code, told, runs):
    file = without_url(project, code)
    with pytest.raises(CannotRun, match=told):
        await rehearsed(writable=(".runs",))
    assert len(file.read_text()) == runs


@KINDS
@pytest.mark.parametrize("env", [ENV, ASYNC_ENV], ids=["sync", "async"])
async def test_one_more_run_of_env_py_is_enough_to_give_a_url(project, rehearsed, env):
    runs = without_url(project, env)
    assert (await rehearsed(writable=(".runs",)))["a"].verdict is Verdict.LOSSLESS
    # It fails, it tells of its databases, it migrates.
    assert len(runs.read_text()) == 3


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_url_of_env_py_counts_more_than_one_that_would_be_given(project, rehearsed):
    own = "context.config.get_main_option('sqlalchemy.url') or 'sqlite:///app.db'"
    connects = ENV.replace("engine_from_config(", f"create_engine(\n    {own},\n)\n_ = dict(")
    without_url(project, connects.replace("import engine_from_config", "import create_engine"))
    found = await rehearsed(writable=(".runs",))
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)


INTERPOLATED = "sqlite:///%(here)s/%(DB_NAME)s.db"
COMPLETES = "context.config.set_section_option('alembic', 'DB_NAME', 'app')"


@pytest.mark.parametrize("database", ["auto", "sqlite"])
async def test_env_py_may_complete_the_files_url(project, rehearsed, database):
    set_url(project, INTERPOLATED)
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace("\nengine =", f"\n{COMPLETES}\nengine ="))
    project.add("a", TABLE, 'op.drop_table("t")')
    found = await rehearsed(database=database)
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)
    env.write_text("raise RuntimeError('SECRET_KEY is missing')")
    with pytest.raises(CannotRun, match="SECRET_KEY is missing"):
        await rehearsed(database=database)


def test_a_driver_that_does_not_load_is_none(tmp_path, monkeypatch):
    broken = tmp_path / "psycopg"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('no pq wrapper available')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "psycopg"]:
        monkeypatch.delitem(sys.modules, name)
    found = urls.to_try("postgresql", Config(), KeyError("url"))
    assert [url.partition(":")[0] for url in found] == [
        "postgresql+psycopg2",
        "postgresql+asyncpg",
    ]


def test_a_driver_that_is_awaited_or_not_is_tried_once(monkeypatch):
    monkeypatch.setattr(urls, "_can_connect", lambda url: url.startswith("postgresql+psycopg:"))
    found = urls.to_try("postgresql", Config(), KeyError("url"))
    assert found == ["postgresql+psycopg://roundtrip@localhost/roundtrip"]


async def test_a_url_of_a_dialect_that_is_missing_is_no_placeholder(project, rehearsed):
    set_url(project, "snowflake://app@account/db")
    project.add("a")
    with pytest.raises(CannotRun, match="snowflake"):
        await rehearsed()


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_where_it_connects_to_is_found_behind_what_it_writes(
    project, rehearsed, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    connects_to_sqlite(project)
    env = project.folder / "migrations" / "env.py"
    env.write_text(
        f"import os\nos.makedirs(os.path.expanduser('~/.app'), exist_ok=True)\n{env.read_text()}"
    )
    found = await rehearsed()
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)
