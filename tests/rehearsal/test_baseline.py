"""Where env.py itself needs what the baseline makes."""

from __future__ import annotations

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
