"""Which kind of scratch database a project gets."""

from __future__ import annotations

import importlib.util
import venv
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


def connects_to_sqlite(project: AlembicProject) -> None:
    env = project.folder / "migrations" / "env.py"
    url = "\ncontext.config.set_main_option('sqlalchemy.url', 'sqlite:///app.db')\nengine ="
    env.write_text(env.read_text().replace("\nengine =", url))
    project.add("a", "op.execute('PRAGMA user_version')", "pass")


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_where_env_py_connects_counts_more_than_what_reading_says(project, rehearsed):
    connects_to_sqlite(project)
    found = await rehearsed()
    assert (found["a"].database, found["a"].verdict) == ("sqlite", Verdict.LOSSLESS)
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
