from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.history.scan import load_history
from alembic_roundtrip.project import (
    ProjectError,
)
from project.environment_files import MIGRATION, PLAIN, found, one, write

USELESS = {
    "[alembic]\nscript_location = gone\n": "gone is not a folder",
    "[alembic]\nscript_location = %(missing)s/x\n": "refers to `%(missing)s`, which is not set",
    "[alembic]\nscript_location = 100%\n": "write `%%` for a percent sign",
    "[alembic]\nkey = value\n": "no `script_location` in [alembic]",
    "[alembic]\nscript_location = mig\nversion_locations = a\npath_separator = tab\n": (
        "`path_separator` is `tab`, which Alembic does not know"
    ),
    "[alembic\nscript_location = mig\n": "not readable as an ini file",
    "[alembic]\nscript_location = mig\nscript_location = mig\n": "not readable as an ini file",
    "[alembic]\nscript_location = none:mig\n": "no package `none` was found",
    '[alembic]\nscript_location = "mig"\n': "is not a folder; leave out the quotes",
    "[alembic]\nscript_location = mig # here\n": "move the comment to a line of its own",
    "[alembic]\nscript_location =\n  mig/gone\n": "is `mig/gone`, but",
    "[alembic]\nscript_location = $HOME/mig\n": "only `%(here)s` is filled in",
    "\ufeff[alembic]\nscript_location = mig\n": "begins with a byte order mark",
}


@pytest.mark.parametrize("text", USELESS)
def test_what_cannot_be_used_is_a_problem_or_if_named_an_error(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"alembic.ini": text, "mig/env.py": ""})
    (problem,) = one(tmp_path).problems
    assert USELESS[text] in problem
    assert str(tmp_path / "alembic.ini") in problem
    assert "\n" not in problem
    with pytest.raises(ProjectError) as error:
        found(tmp_path, config="alembic.ini")
    assert USELESS[text] in str(error.value)


TABLES = {
    "script_location = 5": "`script_location` must be a string",
    'script_location = "mig"\nversion_locations = "a"': "must be a list of strings",
    'script_location = "mig"\nrecursive_version_locations = "true"': "must be true or false",
    'script_location = "%(there)s/mig"': "only `%(here)s` does",
}


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_cannot_be_used_is_a_problem(tmp_path: Path, table: str) -> None:
    write(tmp_path, {"pyproject.toml": f"[tool.alembic]\n{table}\n", "mig/env.py": ""})
    (problem,) = one(tmp_path).problems
    assert TABLES[table] in problem
    with pytest.raises(ProjectError):
        found(tmp_path, config="pyproject.toml")


def test_a_version_location_that_does_not_exist_is_a_problem(tmp_path: Path) -> None:
    text = (
        "[alembic]\nscript_location = mig\nversion_locations = mig typo\npath_separator = space\n"
    )
    write(tmp_path, PLAIN | {"alembic.ini": text})
    (problem,) = one(tmp_path).problems
    assert f"{tmp_path / 'typo'} is not a folder" in problem
    assert one(tmp_path, config="alembic.ini").problems == (problem,)


SOURCELESS = "[alembic]\nscript_location = mig\nsourceless = true\n"


@pytest.mark.parametrize(
    ("file", "configuration", "counts"),
    [
        ("versions/b_.pyc", SOURCELESS, True),
        ("versions/__pycache__/b_.cpython-312.pyc", SOURCELESS, True),
        ("versions/b_.pyc", "[alembic]\nscript_location = mig\n", False),
        ("versions/a_.pyc", SOURCELESS, False),
        ("versions/__pycache__/a_.cpython-312.pyc", SOURCELESS, False),
        ("versions/__init__.pyc", SOURCELESS, False),
        ("versions/deeper/b_.pyc", SOURCELESS, False),
        ("versions/deeper/b_.pyc", f"{SOURCELESS}recursive_version_locations = true\n", True),
    ],
)
def test_migrations_that_are_only_compiled_are_told_of(
    tmp_path: Path, file: str, configuration: str, counts: bool
) -> None:
    files = {"mig/env.py": "", "mig/versions/a_.py": "revision = 'a'\ndown_revision = None\n"}
    write(tmp_path, files | {"alembic.ini": configuration, f"mig/{file}": ""})
    environment = one(tmp_path)
    assert environment.compiled == ((tmp_path / "mig" / file,) if counts else ())
    assert len(environment.problems) == counts
    for problem in environment.problems:
        assert f"`sourceless` is on, and a migration such as `{Path(file).name}`" in problem


def test_a_named_file_or_section_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    with pytest.raises(ProjectError, match=r"there is no configuration file .*other\.ini"):
        found(tmp_path, config="other.ini")
    with pytest.raises(ProjectError, match=r"no section \[second\]"):
        found(tmp_path, config="alembic.ini", name="second")
    with pytest.raises(ProjectError, match=r"has a section \[second\]"):
        found(tmp_path, name="second")


@pytest.mark.parametrize(
    "files",
    [
        {"alembic.ini": "", "pyproject.toml": "[tool.alembic"},
        {"alembic.ini": "\0"},
        {"pyproject.toml": "[tool.alembic"},
        {"pyproject.toml": "tool = 5"},
        {"pyproject.toml": "[tool]\nalembic = 5"},
        {"x.ini": "script_location"},
        {"a.py": "\0revision = 1\ndown_revision = 2"},
    ],
)
def test_no_file_content_raises(tmp_path: Path, files: dict[str, str]) -> None:
    write(tmp_path, files)
    for environment in found(tmp_path):
        load_history(environment)


def test_files_that_are_no_revisions_are_problems_of_the_history(tmp_path: Path) -> None:
    write(tmp_path, PLAIN | {"mig/versions/helper.py": "x = 1\n"})
    write(tmp_path, {"mig/versions/abc123.py": "down_revision = None\n"})
    (tmp_path / "mig/versions/latin.py").write_bytes(b"revision = '\xe9'\n")
    (tmp_path / "mig/versions/gone.py").symlink_to("nowhere")
    history = load_history(one(tmp_path))
    assert list(history.by_id) == ["abc123"]
    assert {(p.kind, p.path.name) for p in history.problems if p.path} == {
        ("unidentified-migration", "helper.py"),
        ("unreadable-migration", "latin.py"),
        ("unreadable-migration", "gone.py"),
    }


def test_a_configuration_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").symlink_to("nowhere")
    (problem,) = one(tmp_path).problems
    assert problem == f"{tmp_path / 'alembic.ini'}: not readable: No such file or directory"


def test_migrations_below_a_broken_configuration_are_still_found(tmp_path: Path) -> None:
    migrations = {"mig/versions/a.py": MIGRATION.format("aaaa", None)}
    write(tmp_path, PLAIN | {"alembic.ini": "[alembic"} | migrations)
    broken, bare = found(tmp_path)
    assert broken.problems
    assert bare.version_locations == (tmp_path / "mig/versions",)
