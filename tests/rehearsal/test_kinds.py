"""Which kind of scratch database a project gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.databases import kind_for
from alembic_roundtrip.rehearsal.plan import CannotRun


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


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_where_env_py_connects_counts_more_than_what_reading_says(project, rehearsed):
    env = project.folder / "migrations" / "env.py"
    url = "\ncontext.config.set_main_option('sqlalchemy.url', 'sqlite:///app.db')\nengine ="
    env.write_text(env.read_text().replace("\nengine =", url))
    project.add("a", "op.execute('PRAGMA user_version')", "pass")
    found = await rehearsed()
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)
    with pytest.raises(CannotRun, match="or name another kind in the setting `database`"):
        await rehearsed(database="postgresql")


def test_another_kind_is_one_sentence(tmp_path: Path) -> None:
    environment = AlembicProject(tmp_path / "p", dialect="oracle").environment
    with pytest.raises(CannotRun, match="rehearsing on Oracle is not available"):
        kind_for(environment, Settings())
