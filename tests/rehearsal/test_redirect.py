"""Whatever way env.py makes its engine, the migrations run on a scratch database."""

from __future__ import annotations

from pathlib import Path

import pytest

from rehearsal.guarded import (
    ENGINE,
    LEVELS,
    MIGRATION,
    RUN,
    Project,
    make_project,
    sqlalchemy_version,
)

ASYNC_RUN = """
def migrate(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    async with connectable.connect() as connection:
        await connection.run_sync(migrate)
    await connectable.dispose()

asyncio.run(main())
"""
FROM_CONFIG = """
connectable = sa.engine_from_config(
    config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool)
"""
PRAGMAS = """
@event.listens_for(sa.engine.Engine, "connect")
def set_pragmas(connection, record):
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA journal_mode=WAL")
"""
OWN_DO_CONNECT = """
@event.listens_for(connectable, "do_connect")
def token(dialect, record, cargs, cparams):
    cargs[:] = ["@REAL@"]
    return sqlite3.connect("@REAL@")
"""
OWN_CLASS_DO_CONNECT = """
@event.listens_for(sa.engine.Engine, "do_connect")
def token(dialect, record, cargs, cparams):
    cargs[:] = ["@REAL@"]
"""
CREATE_ASYNC = """
from sqlalchemy.ext.asyncio import create_async_engine
connectable = create_async_engine("sqlite+aiosqlite:///@REAL@", poolclass=pool.NullPool)
"""
ASYNC_CREATOR = """
import aiosqlite
from sqlalchemy.ext.asyncio import create_async_engine
async def creator():
    return await aiosqlite.connect("@REAL@")
connectable = create_async_engine("sqlite+aiosqlite://", async_creator=creator)
"""
ASYNC_FROM_CONFIG = """
from sqlalchemy.ext.asyncio import async_engine_from_config
config.set_main_option("sqlalchemy.url", "sqlite+aiosqlite:///@REAL@")
connectable = async_engine_from_config(
    config.get_section(config.config_ini_section), prefix="sqlalchemy.", poolclass=pool.NullPool)
"""
ATTRIBUTES = """
connectable = config.attributes.get("connection", None)
if connectable is None:
    connectable = sa.engine_from_config({"sqlalchemy.url": "sqlite:///@REAL@"})
"""
FLASK = """
import app
connectable = app.current_app.extensions["migrate"].db.get_engine()
"""
RAW = """
raw = connectable.raw_connection()
raw.cursor().execute("CREATE TABLE made_raw (x)")
raw.close()
"""
IN_THREAD = """
def migrate():
    with connectable.connect() as connection:
        context.configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()
thread = threading.Thread(target=migrate)
thread.start(); thread.join()
"""
SESSION = """
from sqlalchemy.orm import sessionmaker
with sessionmaker(bind=connectable)() as session:
    context.configure(connection=session.connection())
    with context.begin_transaction():
        context.run_migrations()
    session.commit()
"""
BEGIN = """
with connectable.begin() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    context.run_migrations()
"""
TEMPORARY = """
import tempfile
with tempfile.TemporaryDirectory() as folder:
    with open(os.path.join(folder, "notes"), "w") as file:
        file.write("x")
    os.makedirs(os.path.join(folder, "a", "b"))
"""

# Name → (env.py, what the real database is called, further files).
STYLES: dict[str, tuple[str, dict[str, str]]] = {
    "the stock template": (FROM_CONFIG + RUN, {}),
    "an address in the code": (ENGINE + RUN, {}),
    "an address in a variable": (
        'connectable = sa.create_engine(os.environ["DATABASE_URL"])' + RUN,
        {},
    ),
    "a settings object": (
        "from settings import Settings\nconnectable = sa.create_engine(Settings().url)" + RUN,
        {"settings.py": "class Settings:\n    url = 'sqlite:///@REAL@'\n"},
    ),
    "URL.create": (
        "from sqlalchemy.engine import URL\n"
        "connectable = sa.create_engine(URL.create('sqlite', database='@REAL@'))" + RUN,
        {},
    ),
    "a changed main option": (
        "config.set_main_option('sqlalchemy.url', 'sqlite:///@REAL@')" + FROM_CONFIG + RUN,
        {},
    ),
    "a path object": (
        "import pathlib\n"
        "connectable = sa.create_engine(f'sqlite:///{pathlib.Path(\"@REAL@\")}')" + RUN,
        {},
    ),
    "creator=": (
        "connectable = sa.create_engine('sqlite:///@REAL@', "
        "creator=lambda: sqlite3.connect('@REAL@'))" + RUN,
        {},
    ),
    "pool=": (
        "connectable = sa.create_engine('sqlite:///@REAL@', "
        "pool=pool.QueuePool(lambda: sqlite3.connect('@REAL@')))" + RUN,
        {},
    ),
    "poolclass=": (
        "connectable = sa.create_engine('sqlite:///@REAL@', poolclass=pool.StaticPool)" + RUN,
        {},
    ),
    "connect arguments": (
        "connectable = sa.create_engine('sqlite:///@REAL@?timeout=20', connect_args="
        "{'check_same_thread': False, 'detect_types': 1}, isolation_level='AUTOCOMMIT')" + RUN,
        {},
    ),
    "future=True and a pre-ping": (
        "connectable = sa.create_engine('sqlite:///@REAL@', future=True, pool_pre_ping=True)" + RUN,
        {},
    ),
    "execution options": (
        ENGINE + "connectable = connectable.execution_options(isolation_level='AUTOCOMMIT')" + RUN,
        {},
    ),
    "a session": (ENGINE + SESSION, {}),
    "begin()": (ENGINE + BEGIN, {}),
    "an engine in the models": (
        "from models import engine as connectable" + RUN,
        {
            "models/__init__.py": "from .database import engine\n",
            "models/database.py": "from sqlalchemy import create_engine\n"
            "engine = create_engine('sqlite:///@REAL@')\n",
        },
    ),
    "an app in the manner of Flask-Migrate": (
        FLASK + RUN,
        {
            "app.py": "import types, sqlalchemy\n"
            "engine = sqlalchemy.create_engine('sqlite:///@REAL@')\n"
            "db = types.SimpleNamespace(get_engine=lambda: engine)\n"
            "migrate = types.SimpleNamespace(db=db)\n"
            "current_app = types.SimpleNamespace(extensions={'migrate': migrate})\n",
        },
    ),
    "a connection among the attributes": (ATTRIBUTES + RUN, {}),
    "a do_connect listener of its own": (ENGINE + OWN_DO_CONNECT + RUN, {}),
    "a do_connect listener on all engines": (ENGINE + OWN_CLASS_DO_CONNECT + RUN, {}),
    "listeners that set PRAGMAs": (PRAGMAS + ENGINE + RUN, {}),
    "async, from the configuration": (ASYNC_FROM_CONFIG + ASYNC_RUN, {}),
    "async, from code": (CREATE_ASYNC + ASYNC_RUN, {}),
    "async_creator=": (ASYNC_CREATOR + ASYNC_RUN, {}),
    "a raw connection": (ENGINE + RAW + RUN, {}),
    "a thread": (ENGINE + IN_THREAD, {}),
    "a relative path and another folder": (
        "connectable = sa.create_engine('sqlite:///real.db')\nos.chdir('migrations')" + RUN,
        {},
    ),
    "a file: address": (
        "connectable = sa.create_engine('sqlite:///file:@REAL@?mode=ro&uri=true')" + RUN,
        {},
    ),
    "a link to the file": (
        "os.chdir('@HERE@')\nconnectable = sa.create_engine('sqlite:///link.db')" + RUN,
        {},
    ),
    "temporary files": (TEMPORARY + ENGINE + RUN, {}),
    "a password that has to be there": ("os.environ['PGPASSWORD']\n" + ENGINE + RUN, {}),
}
NEEDS = {"async_creator=": "2"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


@LEVELS
@pytest.mark.parametrize("style", STYLES)
def test_every_style_of_env_py_runs_on_the_scratch_database(
    project: Project, style: str, level: str
) -> None:
    if sqlalchemy_version() < NEEDS.get(style, ""):
        pytest.skip(f"SQLAlchemy {sqlalchemy_version()} has no such function")
    env, files = STYLES[style]
    project.write(files)
    (project.folder / "link.db").symlink_to(project.real)

    outcome = project.run(env, level=level)

    assert outcome.error is None
    assert outcome.refusals == []
    assert outcome.untouched
    assert outcome.level == level
    name = ":memory:" if style == "async_creator=" else str(project.real)
    assert set(outcome.databases) == {name}
    assert {"alembic_version", "users"} <= set(outcome.databases[name])


def test_every_database_of_a_project_has_a_scratch_database_of_its_own(project: Project) -> None:
    env = """
for name in ("one", "two"):
    connectable = sa.create_engine(f"sqlite:///@HERE@/{name}.db")
    with connectable.connect() as connection:
        context.configure(connection=connection, upgrade_token=f"{name}_up")
        with context.begin_transaction():
            context.run_migrations(engine_name=name)
"""
    migration = MIGRATION.replace("upgrade()", "upgrade(engine_name)").replace(
        '"users"', '"users_" + engine_name'
    )

    outcome = project.run(env, migration=migration)

    assert outcome.error is None
    assert outcome.untouched
    assert outcome.databases == {
        str(project.folder / "one.db"): ["alembic_version", "users_one"],
        str(project.folder / "two.db"): ["alembic_version", "users_two"],
    }


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"]
)
def test_a_second_connection_to_memory_sees_the_same_database(
    project: Project, address: str
) -> None:
    env = (
        f"connectable = sa.create_engine('{address}', poolclass=pool.NullPool)"
        + RUN
        + f"second = sa.create_engine('{address}')\n"
        "assert 'users' in sa.inspect(second).get_table_names()\n"
    )

    outcome = project.run(env)

    assert outcome.error is None
    assert outcome.databases == {":memory:": ["alembic_version", "users"]}


def test_memory_shared_under_a_name_is_a_database_of_its_own(project: Project) -> None:
    shared = "sqlite:///file:cards?mode=memory&cache=shared&uri=true"
    env = f"connectable = sa.create_engine('{shared}')" + RUN

    assert list(project.run(env).databases) == [":memory:cards"]


def test_a_second_engine_inside_a_migration_leads_to_the_same_scratch_database(
    project: Project,
) -> None:
    migration = MIGRATION + (
        "    engine = sa.create_engine('sqlite:///@REAL@')\n"
        "    assert 'users' in sa.inspect(engine).get_table_names()\n"
        "    assert 'precious' not in sa.inspect(engine).get_table_names()\n"
    )

    outcome = project.run(ENGINE + RUN, migration=migration)

    assert outcome.error is None
    assert len(outcome.databases) == 1


def test_pragmas_of_the_project_apply_and_ours_are_the_default(project: Project) -> None:
    migration = MIGRATION + (
        "    ask = lambda name: op.get_bind().exec_driver_sql('PRAGMA ' + name).scalar()\n"
        "    assert ask('foreign_keys') == 1\n"
        "    assert ask('journal_mode') == 'wal'\n"
        "    assert ask('synchronous') == 0\n"
        "    assert ask('busy_timeout') == 1000\n"
    )

    outcome = project.run(PRAGMAS + ENGINE + RUN, migration=migration)

    assert outcome.error is None
    assert outcome.untouched


def test_vacuum_and_attached_memory_still_work(project: Project) -> None:
    migration = MIGRATION + (
        "    with op.get_context().autocommit_block():\n"
        "        op.execute('VACUUM')\n"
        "        op.execute(\"ATTACH ':memory:' AS side\")\n"
    )

    assert project.run(ENGINE + RUN, migration=migration).error is None


def test_connections_without_autocommit_are_redirected(project: Project) -> None:
    env = (
        "import sys\narguments = {'autocommit': False} if sys.version_info >= (3, 12) else {}\n"
        "connectable = sa.create_engine('sqlite:///@REAL@', connect_args=arguments)" + RUN
    )

    outcome = project.run(env)

    assert outcome.error is None
    assert "users" in outcome.databases[str(project.real)]
