"""Where env.py itself needs what the baseline makes."""

from __future__ import annotations

import textwrap

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.plan import CannotRun
from rehearsal.conftest import KINDS, Rehearse

CONFIGURE = "    context.configure("
ADDED = 'op.add_column("users", sa.Column("name", sa.String(60)))'
DROPPED = 'with op.batch_alter_table("users") as batch:\n    batch.drop_column("name")'
MODELS = """
import sqlalchemy as sa
metadata = sa.MetaData()
sa.Table("users", metadata, sa.Column("id", sa.Integer, primary_key=True))
sa.Table("tenants", metadata, sa.Column("id", sa.Integer, primary_key=True))
"""
READS_A_TABLE = """
    from sqlalchemy import text
    connection.execute(text("SELECT id FROM tenants")).fetchall()
    connection.rollback()
"""
GOES_OVER_TABLES = """
    from sqlalchemy import inspect
    tenants = [name for name in inspect(connection).get_table_names() if name == "tenants"]
    connection.rollback()
"""
SCHEMA = "CREATE SCHEMA core; CREATE TABLE core.users (id INTEGER PRIMARY KEY);"
SEARCHES_A_SCHEMA = """
    from sqlalchemy import text
    connection.execute(text("SET search_path TO core"))
    connection.commit()
"""


def before_configuring(project: AlembicProject, text: str) -> None:
    """Have env.py do something with its connection first."""
    env = project.folder / "migrations" / "env.py"
    env.write_text(env.read_text().replace(CONFIGURE, f"{text}{CONFIGURE}"))


@pytest.fixture
def models(project: AlembicProject) -> AlembicProject:
    (project.folder / "models.py").write_text(MODELS)
    project.add("name", ADDED, DROPPED)
    return project


@KINDS
async def test_env_py_may_read_what_the_baseline_makes(models: AlembicProject, rehearsed: Rehearse):
    before_configuring(models, READS_A_TABLE)
    evidence = await rehearsed(baseline="models:metadata.create_all", full_cycle=True)
    assert {revision: each.verdict for revision, each in evidence.items()} == {
        "name": Verdict.LOSSLESS,
        "full cycle": Verdict.LOSSLESS,
    }
    assert evidence["name"].rows == 5


@KINDS
async def test_env_py_may_migrate_nothing_without_the_baseline(
    models: AlembicProject, rehearsed: Rehearse
):
    before_configuring(models, GOES_OVER_TABLES)
    env = models.folder / "migrations" / "env.py"
    env.write_text(
        env.read_text().replace(
            "        context.run", "        for _ in tenants:\n            context.run"
        )
    )
    evidence = await rehearsed(baseline="models:metadata.create_all")
    assert evidence["name"].verdict is Verdict.LOSSLESS


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_a_version_table_may_want_a_schema_of_the_baseline(
    project: AlembicProject, rehearsed: Rehearse
):
    project.add("name", ADDED, 'op.drop_column("users", "name")')
    (project.folder / "base.sql").write_text(SCHEMA)
    before_configuring(project, SEARCHES_A_SCHEMA)
    found = await rehearsed(baseline="base.sql")
    assert found["name"].verdict is Verdict.LOSSLESS
    env = project.folder / "migrations" / "env.py"
    env.write_text(
        env.read_text()
        .replace("target_metadata=None", 'version_table_schema="core"')
        .replace("SET search_path TO core", "SET search_path TO core, public")
    )
    found = await rehearsed(baseline="base.sql")
    assert found["name"].verdict is Verdict.LOSSLESS


@KINDS
async def test_what_the_baseline_does_not_help_is_said_as_it_was(
    models: AlembicProject, rehearsed: Rehearse
):
    before_configuring(models, READS_A_TABLE.replace("tenants", "strangers"))
    with pytest.raises(CannotRun, match="strangers"):
        await rehearsed(baseline="models:metadata.create_all")


SECOND = """
[second]
sqlalchemy.url = {url}
"""
READS_IN_THE_FIRST = """
    if section == "alembic":
        connection.exec_driver_sql("SELECT id FROM tenants").fetchall()
        connection.rollback()
"""


@KINDS
@pytest.mark.parametrize("read", [READS_IN_THE_FIRST, READS_A_TABLE], ids=["first", "both"])
async def test_every_database_gets_the_baseline(
    models: AlembicProject, rehearsed: Rehearse, read: str
):
    ini = models.folder / "alembic.ini"
    url = ini.read_text().partition("sqlalchemy.url = ")[2].partition("\n")[0]
    second = url.replace("app.db", "more.db") if "app.db" in url else f"{url}2"
    ini.write_text(ini.read_text() + SECOND.format(url=second))
    before_configuring(models, read)
    env = models.folder / "migrations" / "env.py"
    start, end = env.read_text().split("engine = ", 1)
    each = f"engine = {end}".replace("context.config.config_ini_section", "section")
    env.write_text(f"{start}for section in ('alembic', 'second'):\n{textwrap.indent(each, '    ')}")
    evidence = await rehearsed(baseline="models:metadata.create_all")
    assert (evidence["name"].verdict, evidence["name"].rows) == (Verdict.LOSSLESS, 5)


LEFT_OPEN = """
connection = engine.connect()
connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY)")
connection.commit()
connection.exec_driver_sql("INSERT INTO users VALUES (1)")
connection.exec_driver_sql("SELECT id FROM tenants").fetchall()
connection.rollback()
context.configure(connection=connection, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
"""


@KINDS
async def test_the_baseline_finds_nothing_of_env_py(models: AlembicProject, rehearsed: Rehearse):
    env = models.folder / "migrations" / "env.py"
    env.write_text(env.read_text().partition("with engine.connect()")[0] + LEFT_OPEN)
    (models.folder / "base.sql").write_text(
        "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE tenants (id INTEGER PRIMARY KEY)"
    )
    evidence = await rehearsed(baseline="base.sql")
    assert evidence["name"].verdict is Verdict.LOSSLESS


async def test_a_baseline_that_fails_hides_nothing_of_env_py(
    models: AlembicProject, rehearsed: Rehearse
):
    before_configuring(models, READS_A_TABLE)
    with pytest.raises(CannotRun, match="no such table: tenants") as told:
        await rehearsed(baseline="target_metadata", baseline_revision="heads")
    assert "gives Alembic no tables" not in str(told.value)
    (models.folder / "base.sql").write_text("CREATE TABLE tenants")
    with pytest.raises(CannotRun, match=r"no such table: tenants.*`base\.sql` failed"):
        await rehearsed(baseline="base.sql")
