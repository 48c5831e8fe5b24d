from __future__ import annotations

import sys
from contextlib import aclosing
from pathlib import Path

from alembic_project import ENV, INI, AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import find_environments
from alembic_roundtrip.rehearsal.agent.project.project import find_code
from alembic_roundtrip.rehearsal.events import RevisionFinished
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse


async def rehearsed(folder: Path) -> dict[str, str]:
    (environment,) = find_environments(folder, Settings())
    found = {}
    async with aclosing(rehearse(Plan(environment, Settings(rows=3)))) as events:
        async for event in events:
            if isinstance(event, RevisionFinished):
                found[event.evidence.revision] = event.evidence.verdict.value
    return found


async def test_a_table_in_pyproject_beside_the_ini_file_counts(project: AlembicProject) -> None:
    project.add("a", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    project.versions.rename(project.versions.with_name("elsewhere"))
    (project.folder / "pyproject.toml").write_text(
        '[tool.alembic]\nscript_location = "%(here)s/migrations"\n'
        'version_locations = ["%(here)s/migrations/elsewhere"]\n'
    )
    assert await rehearsed(project.folder) == {"a": "lossless"}


async def test_a_location_where_the_project_is_deployed_is_found_here(tmp_path: Path) -> None:
    ini = INI.replace("%(here)s/migrations", "/nowhere/usr/share/migrations")
    project = AlembicProject(tmp_path / "project", ini=ini)
    project.add("a", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    assert await rehearsed(project.folder) == {"a": "lossless"}


async def test_code_beside_an_init_file_that_means_nothing_is_found(tmp_path: Path) -> None:
    project = AlembicProject(tmp_path / "project", env=f"import beside_it\n{ENV}")
    (project.folder / "__init__.py").touch()
    (project.folder / "beside_it.py").touch()
    project.add("a", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    assert await rehearsed(project.folder) == {"a": "lossless"}


def test_the_root_of_the_file_system_may_have_an_init_file(monkeypatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("os.path.isfile", lambda name: Path(name).name == "__init__.py")
    find_code("/app/src")
    assert sys.path == ["/", "/app/src"]


async def test_a_configuration_inside_a_package_hides_no_other_module(tmp_path: Path) -> None:
    ini = INI.replace("%(here)s/migrations", "{alembic_dir}").replace(
        "sqlite:///%(here)s/app.db", "{db_url}"
    )
    package = tmp_path / "app"
    project = AlembicProject(package, ini=ini, env=f"import app, statistics\n{ENV}")
    (package / "__init__.py").touch()
    (package / "statistics.py").write_text("raise ValueError('not the one that is meant')")
    project.add("a", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    assert await rehearsed(package) == {"a": "lossless"}
