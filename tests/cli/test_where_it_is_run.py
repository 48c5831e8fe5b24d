"""Wherever in a project a command is called, it is the project's own environment that is meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alembic_roundtrip.cli import main

Printed = Callable[..., str]


def environments(output: str) -> list[tuple[str, int]]:
    """Configuration and number of migrations of each environment that was linted."""
    found = json.loads(output)["summary"]["environments"]
    return [(os.path.realpath(each["config"]), each["migrations"]) for each in found]


@pytest.fixture
def nested(project: Path) -> Path:
    """The project, with its migrations in a package that has a `pyproject.toml` of its own."""
    package = project / "backend"
    package.mkdir()
    (project / "migrations").rename(package / "migrations")
    (package / "pyproject.toml").write_text('[project]\nname = "backend"\n')
    (project / "alembic.ini").write_text("[alembic]\nscript_location = backend/migrations\n")
    (project / ".git").mkdir()
    return package


@pytest.mark.parametrize("place", [".", "migrations", "migrations/versions"])
def test_a_path_finds_the_configuration_above_other_projects(
    place: str, nested: Path, printed: Printed
) -> None:
    found = environments(printed("lint", "--format", "json", str(nested / place)))
    assert found == [(str(nested.parent / "alembic.ini"), 3)]


@pytest.mark.parametrize("place", [".", "migrations", "migrations/versions"])
def test_lint_looks_upward_from_where_it_is_run(
    place: str, nested: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(nested / place)
    found = environments(printed("lint", "--format", "json"))
    assert found == [(str(nested.parent / "alembic.ini"), 3)]


def test_what_lies_beside_is_not_linted(
    nested: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = nested.parent / "other" / "versions"
    other.mkdir(parents=True)
    (other.parent / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (other / "a.py").write_text('revision = "a"\ndown_revision = None\n')
    monkeypatch.chdir(nested / "migrations")
    assert len(environments(printed("lint", "--format", "json"))) == 1


def test_the_search_ends_where_the_repository_does(
    nested: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = nested.parent / "inner"
    (inner / ".git").mkdir(parents=True)
    monkeypatch.chdir(inner)
    assert main(["lint"]) == 2
    assert "there is no Alembic environment in" in capsys.readouterr().err


def test_a_named_configuration_is_looked_for_where_the_command_is_run(
    nested: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(nested.parent)
    output = printed("lint", "--format", "json", "--config", "alembic.ini", "backend/migrations")
    assert environments(output) == [(str(nested.parent / "alembic.ini"), 3)]


@pytest.mark.parametrize("place", ["migrations", "migrations/versions"])
def test_rehearsals_and_scaffolds_are_started_from_there_too(
    place: str, every_verdict: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(every_verdict / place)
    (rehearsed,) = json.loads(printed("test", "--rows", "1", "--format", "json", "1a2f"))[
        "revisions"
    ]
    assert rehearsed["verdict"] == "lossless"
    assert "+" in printed("scaffold", "4d09")


def test_a_rehearsal_takes_the_settings_of_the_project_below(
    every_verdict: Path, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (every_verdict / "pyproject.toml").write_text("[tool.alembic-roundtrip]\nrows = 7\n")
    monkeypatch.chdir(every_verdict.parent)
    (rehearsed,) = json.loads(printed("test", "--format", "json", "2b7d"))["revisions"]
    assert rehearsed["rows"] == 7


@pytest.mark.parametrize("command", [["test", "--rows", "1", "1a2f"], ["plan", "base"]])
def test_arguments_for_env_py_reach_it(
    command: list[str], every_verdict: Path, printed: Printed
) -> None:
    env = every_verdict / "migrations" / "env.py"
    wanted = "from alembic import context\nassert context.get_x_argument() == ['a=1', 'b=2']\n"
    env.write_text(wanted + env.read_text())
    printed(*command, "-x", "a=1", "-x", "b=2", "--format", "json")


@pytest.mark.parametrize(
    "command", [["test"], ["plan", "base"], ["scaffold", "4d09", "--from-database"]]
)
def test_nothing_is_run_by_settings_that_cannot_be_used(
    command: list[str], every_verdict: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (every_verdict / "pyproject.toml").write_text("[tool.alembic-roundtrip]\ndatabse = 'sqlite'\n")
    assert main(command) == 2
    assert "did you mean `database`?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("section", "ways"),
    [
        ("[other]", "alembic.ini [alembic], {}/alembic.ini [other]; name one with --name"),
        ("", "{}/other; name one with --config, or run this in its folder"),
    ],
)
def test_of_several_environments_one_is_chosen_as_the_sentence_says(
    section: str,
    ways: str,
    every_verdict: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = every_verdict / "other"
    (other / "versions").mkdir(parents=True)
    (other / "env.py").write_text("from alembic import context\n")
    (other / "versions" / "only.py").write_text(
        "from alembic import op\nrevision = 'only'\ndown_revision = None\n"
        "def upgrade():\n    op.execute('CREATE VIEW v AS SELECT 1')\n"
        "def downgrade():\n    pass\n"
    )
    with (every_verdict / "alembic.ini").open("a") as ini:
        ini.write(f"\n{section}\nscript_location = other\n" if section else "")
    command = ["plan", "base", "--no-sql"]
    assert main(command) == 2
    assert ways.format(os.path.realpath(every_verdict)) in capsys.readouterr().err
    if section:
        command += ["--name", "other"]
    else:
        monkeypatch.chdir(other)
    main(command)
    assert "only" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["platformdirs", "tempfile"])
def test_a_module_of_the_projects_is_not_taken_for_one_of_ours(
    name: str, every_verdict: Path
) -> None:
    (every_verdict / f"{name}.py").write_text("raise SystemExit('the code of a project was run')\n")
    run = subprocess.run(
        [sys.executable, "-m", "alembic_roundtrip", "lint"],
        cwd=every_verdict,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (1, "")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are always UTF-8")
def test_names_that_the_locale_cannot_spell_are_taken_as_they_are(every_verdict: Path) -> None:
    folder = every_verdict.rename(every_verdict.with_name("größe 日本"))
    env = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for command in (["lint"], ["test", "1a2f", "--rows", "2", "--format", "json"]):
        run = subprocess.run(
            [sys.executable, "-m", "alembic_roundtrip", *command],
            cwd=folder,
            env=env | {"XDG_CACHE_HOME": str(folder / "cache")},
            capture_output=True,
            check=False,
        )
        assert b"Traceback" not in run.stderr
        assert run.returncode in {0, 1}, run.stderr


def test_a_cache_that_cannot_be_made_is_done_without(every_verdict: Path, monkeypatch) -> None:
    (every_verdict / "no folder").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(every_verdict / "no folder"))
    assert main(["test", "1a2f", "--rows", "2"]) == 0
