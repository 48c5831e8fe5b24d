from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.checker import check
from alembic_roundtrip.config import Settings
from alembic_roundtrip.history import History
from alembic_roundtrip.linting.index import HISTORY_FACTS
from alembic_roundtrip.rule import rules
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

HEAVY = {"alembic", "asyncio", "libcst", "lsprotocol", "pygls", "sqlalchemy"}
_RUN = """
import sys
from alembic_roundtrip.cli import main
main(["lint", *sys.argv[1:]])
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


@pytest.mark.parametrize("name", sorted(rules()))
def test_rules_ask_of_the_history_what_the_index_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked: set[str] = set()

    class Watched(History):
        def __getattribute__(self, name: str) -> object:
            caller = sys._getframe(1).f_globals["__name__"]
            if ".rules." in caller or ".comparison." in caller or caller.endswith(".context"):
                asked.add(name)
            return super().__getattribute__(name)

    monkeypatch.setattr("alembic_roundtrip.listing.History", Watched)
    for number, example in enumerate(rules()[name].examples):
        project = write_project(example, tmp_path / str(number))
        context = Workspace([project.folder]).context(project.file)
        if context is not None:
            check(context, Settings())
    assert asked <= HISTORY_FACTS | {"__class__"}


@pytest.mark.parametrize("form", ["text", "concise", "github", "junit"])
def test_linting_loads_nothing_that_it_does_not_need(tmp_path: Path, form: str) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", "utf-8")
    text = "revision = 'a'\ndown_revision = None\ndef upgrade():\n    op.drop_table('t')\n"
    (versions / "a.py").write_text(text, "utf-8")
    command = [sys.executable, "-c", _RUN, "--format", form, "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "missing-downgrade" in done.stdout
    assert HEAVY.isdisjoint(done.stderr.split())


_READERS = ("alembic_roundtrip.migration.model", "alembic_roundtrip.schema", "sqlglot", "rich")
_RUN_ALL = _RUN.replace('.partition(".")[0]', "")


def test_what_reads_migrations_is_not_loaded_where_there_are_none(tmp_path: Path) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n", "utf-8")
    command = [sys.executable, "-c", _RUN_ALL, "--format", "concise", "--no-cache"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "0 migrations read" in done.stdout
    loaded = done.stderr.split()
    assert "alembic_roundtrip.checker" in loaded
    assert set(_READERS).isdisjoint(loaded)


def test_a_graph_needs_no_look_at_the_files_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = AlembicProject(tmp_path)
    project.add("a")
    (tmp_path / "deploy.sh").write_text("alembic stamp head\n", "utf-8")
    looked: list[Path] = []

    def files_with(folder: Path, *_: object, **__: object) -> list[Path]:
        looked.append(folder)
        return [folder / "deploy.sh"]

    monkeypatch.setattr("alembic_roundtrip.workspace.files_with", files_with)
    workspace = Workspace([tmp_path])
    (environment,) = workspace.environments
    assert (workspace.scripts(environment).history.heads, looked) == (("a",), [])
    assert tmp_path / "deploy.sh" in workspace.files
    assert tmp_path / "deploy.sh" in workspace.files
    assert looked == [tmp_path]
