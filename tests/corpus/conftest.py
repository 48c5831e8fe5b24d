from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from corpus import contents
from corpus.install import CannotInstallError, Installed, install
from corpus.projects import DECOY, PROJECTS, Project
from corpus.runs import Run, command_line

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.corpus)
            item.add_marker(pytest.mark.timeout(900))


@dataclass(frozen=True)
class Place:
    """A project, installed and set up as a user would have it."""

    installed: Installed
    workspace: Path
    home: Path

    @property
    def project(self) -> Project:
        return self.installed.project

    def command_line(self, *arguments: str) -> Run:
        return command_line(*arguments, cwd=self.workspace, home=self.home)

    def contents(self) -> dict[str, Any]:
        """Everything of the user's that must stay as it is."""
        return {
            "migrations": contents.hashes(self.installed.migrations),
            "environment": contents.listing(self.installed.environment),
            "workspace": contents.hashes(self.workspace),
        }


@dataclass(frozen=True)
class Rehearsal:
    """A rehearsal of a whole history, and the user's files before and after it."""

    run: Run
    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def revisions(self) -> dict[str, dict[str, Any]]:
        return {found["revision"]: found for found in self.run.document["revisions"]}


@pytest.fixture(scope="session", params=PROJECTS, ids=[project.name for project in PROJECTS])
def project(request: pytest.FixtureRequest) -> Project:
    found: Project = request.param
    return found


@pytest.fixture(scope="session")
def place(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Place:
    if sys.version_info < project.minimum:
        pytest.skip(f"{project.name} needs Python {'.'.join(map(str, project.minimum))}")
    try:
        installed = install(project)
    except CannotInstallError as error:
        pytest.fail(str(error), pytrace=False)
    folder = tmp_path_factory.mktemp(project.name)
    (folder / "workspace").mkdir()
    project.write(folder / "workspace", installed.python)
    assert (folder / "workspace" / DECOY).is_file()
    return Place(installed, folder / "workspace", folder / "home")


@pytest.fixture(scope="session")
def rehearsal(place: Place) -> Rehearsal:
    before = place.contents()
    run = place.command_line("test", "--format", "json")
    return Rehearsal(run, before, place.contents())


@pytest.fixture(scope="session")
def lint(place: Place) -> Run:
    """Lint where nothing was ever rehearsed."""
    home = place.home / "lint"
    return command_line("lint", "--format", "json", cwd=place.workspace, home=home)
