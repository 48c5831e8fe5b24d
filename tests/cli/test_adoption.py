from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.cli import main
from example_histories import commit_all, git

USERS = 'op.create_table("users", sa.Column("id", sa.Integer), sa.Column("nick", sa.Text))'
DROP = 'op.drop_column("users", "nick")'
ADD = 'op.add_column("users", sa.Column("nick", sa.Text))'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlembicProject:
    """Three migrations, of which the second loses data; the working directory."""
    folder = tmp_path / "my 😋 app"
    folder.mkdir()
    made = AlembicProject(folder)
    made.add("aaaa", USERS, 'op.drop_table("users")')
    made.add("bbbb", DROP, ADD)
    made.add("cccc", 'op.create_table("other", sa.Column("id", sa.Integer))', "pass")
    monkeypatch.chdir(folder)
    return made


@pytest.fixture
def lint(capsys: pytest.CaptureFixture[str]):
    """Findings by file, each as its rule and severity."""

    def run(*arguments: str) -> dict[str, list[tuple[str, str]]]:
        status = main(["lint", "--format", "json", *arguments])
        told = capsys.readouterr()
        assert status in {0, 1}, told.err
        found: dict[str, list[tuple[str, str]]] = {}
        for item in json.loads(told.out)["diagnostics"]:
            name = Path(item["path"]).name
            found.setdefault(name, []).append((item["rule"], item["severity"]))
        return found

    return run


def severity_of(rule: str, found: list[tuple[str, str]]) -> str:
    return dict(found)[rule]


def test_a_revision_can_be_named_since_which_is_judged(project: AlembicProject, lint: Any) -> None:
    assert set(lint()) == {"bbbb_.py", "cccc_.py"}
    assert set(lint("--since", "bbbb")) == {"cccc_.py"}
    assert lint("--since", "cccc") == {}
    (project.folder / "pyproject.toml").write_text('[tool.alembic-roundtrip]\nsince = "bbbb"\n')
    assert set(lint()) == {"cccc_.py"}


@pytest.mark.usefixtures("project")
def test_since_takes_partial_identifiers_and_answers_misspelt_ones(
    lint: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(lint("--since", "bbb")) == {"cccc_.py"}
    assert main(["lint", "--since", "bbcb"]) == 2
    told = capsys.readouterr().err
    assert told == "since: there is no one revision `bbcb`; did you mean `bbbb`?\n"


def test_only_what_changed_since_a_commit_is_judged(project: AlembicProject, lint: Any) -> None:
    commit_all(project.folder)
    git(project.folder, "checkout", "--quiet", "-b", "feature")
    assert lint("--changed-since", "main") == {}
    project.add("dddd", 'op.create_table("more", sa.Column("id", sa.Integer))', "pass")
    assert set(lint("--changed-since", "main")) == {"dddd_.py"}, "untracked"
    commit_all(project.folder)
    assert set(lint("--changed-since", "main")) == {"dddd_.py"}, "committed"
    changed = project.versions / "bbbb_.py"
    changed.write_text(changed.read_text().replace(ADD, "pass"))
    assert set(lint("--changed-since", "main")) == {"bbbb_.py", "dddd_.py"}, "not committed"
    assert set(lint("--changed-since", "feature")) == {"bbbb_.py"}


def test_a_project_below_the_top_of_its_repository_is_one_too(
    project: AlembicProject, lint: Any
) -> None:
    commit_all(project.folder.parent)
    git(project.folder.parent, "checkout", "--quiet", "-b", "feature")
    project.add("dddd", 'op.create_table("more", sa.Column("id", sa.Integer))', "pass")
    assert set(lint("--changed-since", "main")) == {"dddd_.py"}


def test_a_commit_that_git_does_not_know_is_one_sentence(
    project: AlembicProject, capsys: pytest.CaptureFixture[str]
) -> None:
    commit_all(project.folder)
    assert main(["lint", "--changed-since", "nowhere"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("--changed-since nowhere: git says: Not a valid object name nowhere; ")
    assert told.count("\n") == 1


def test_what_is_deployed_is_hinted_at_and_what_is_new_is_judged(
    project: AlembicProject, lint: Any
) -> None:
    loss = "undocumented-data-loss"
    assert severity_of(loss, lint()["bbbb_.py"]) == "hint", "without git: not the newest"
    git(project.folder, "init", "--quiet", "--initial-branch=main")
    git(project.folder, "add", "migrations/versions/aaaa_.py")
    git(project.folder, "commit", "--quiet", "--message=deployed")
    assert severity_of(loss, lint()["bbbb_.py"]) == "warning", "not deployed, though not the newest"
    commit_all(project.folder)
    git(project.folder, "checkout", "--quiet", "-b", "feature")
    assert severity_of(loss, lint()["bbbb_.py"]) == "hint"
    (project.folder / "pyproject.toml").write_text(
        '[tool.alembic-roundtrip]\ndeployed-ref = "main~1"\n'
    )
    assert severity_of(loss, lint()["bbbb_.py"]) == "warning"


def test_the_newest_migration_is_judged_where_git_cannot_tell_old_from_new(
    project: AlembicProject, lint: Any
) -> None:
    project.add("dddd", 'op.drop_column("other", "id")', 'op.add_column("other", sa.Column("id"))')
    commit_all(project.folder)
    assert severity_of("undocumented-data-loss", lint()["dddd_.py"]) == "warning", "HEAD is main"
    git(project.folder, "checkout", "--quiet", "-b", "feature")
    git(project.folder, "commit", "--quiet", "--allow-empty", "--message=something")
    assert severity_of("undocumented-data-loss", lint()["dddd_.py"]) == "hint"


def test_an_edit_of_a_deployed_migration_is_found_by_its_meaning(
    project: AlembicProject, lint: Any
) -> None:
    rule = "edited-deployed-migration"
    commit_all(project.folder)
    file = project.versions / "aaaa_.py"
    deployed = file.read_text()
    file.write_bytes(deployed.replace("\n", "\r\n").encode())
    assert "aaaa_.py" not in lint("--select", rule)
    file.write_text(f"# a comment\n{deployed.replace('sa.Text', ' sa.Text ')}")
    assert "aaaa_.py" not in lint("--select", rule)
    file.write_text(deployed.replace("sa.Text", "sa.String"))
    assert lint("--select", rule)["aaaa_.py"] == [(rule, "warning")]
    moved = file.rename(file.with_name("moved.py"))
    assert lint("--select", rule) == {"moved.py": [(rule, "warning")]}
    moved.write_text(deployed)
    assert lint("--select", rule) == {}
    assert lint("--select", f"{rule}, deleted-migration") == {}


def test_migrations_in_a_folder_that_was_moved_are_still_deployed(
    project: AlembicProject, lint: Any
) -> None:
    rules = "edited-deployed-migration, deleted-migration"
    commit_all(project.folder)
    moved = project.folder / "app" / "db"
    moved.parent.mkdir()
    project.versions.parent.rename(moved)
    (project.versions / "__pycache__").mkdir(parents=True)
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("/migrations", "/app/db"))
    assert lint("--select", rules) == {}
    assert severity_of("undocumented-data-loss", lint()["bbbb_.py"]) == "hint"
    file = moved / "versions" / "aaaa_.py"
    file.write_text(file.read_text().replace("sa.Text", "sa.String"))
    assert lint("--select", rules) == {"aaaa_.py": [("edited-deployed-migration", "warning")]}
    file.unlink()
    assert set(lint("--select", rules)) == {"bbbb_.py"}


def test_migrations_beside_which_there_are_others_were_not_moved(
    project: AlembicProject, lint: Any
) -> None:
    commit_all(project.folder)
    copy = project.folder / "copy"
    shutil.copytree(project.versions.parent, copy)
    (copy / "versions" / "aaaa_.py").write_text("revision = 'aaaa'\ndown_revision = None\n")
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("/migrations", "/copy"))
    assert lint("--select", "edited-deployed-migration", "copy") == {}


@pytest.mark.parametrize(
    "there",
    [
        "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    pass\n",
        "revision = 'ffff'\ndown_revision = None\n\n\ndef upgrade():\n    pass\n",
    ],
    ids=["django", "another service"],
)
def test_what_only_shares_a_name_with_files_that_are_gone_was_not_moved(
    there: str, project: AlembicProject, lint: Any
) -> None:
    file = project.versions / "aaaa_.py"
    first = file.rename(project.folder / "kept.txt").read_text()
    shutil.rmtree(project.versions)
    old = project.folder / "blog" / "migrations" / "0001_initial.py"
    old.parent.mkdir(parents=True)
    old.write_text(there)
    commit_all(project.folder)
    shutil.rmtree(old.parent)
    project.versions.mkdir()
    (project.versions / "0001_initial.py").write_text(first)
    rules = "edited-deployed-migration, deleted-migration"
    assert lint("--select", rules) == {}


def test_a_folder_that_was_moved_is_told_from_one_with_the_same_names(
    project: AlembicProject, lint: Any
) -> None:
    other = project.folder / "a" / "versions"
    other.mkdir(parents=True)
    for file in project.versions.glob("*.py"):
        (other / file.name).write_text(
            f"revision = 'of_another_{file.stem}'\ndown_revision = None\n"
        )
    commit_all(project.folder)
    shutil.rmtree(other)
    project.versions.parent.rename(project.folder / "moved")
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("/migrations", "/moved"))
    rule = "edited-deployed-migration"
    assert lint("--select", rule) == {}
    file = project.folder / "moved" / "versions" / "aaaa_.py"
    file.write_text(file.read_text().replace("sa.Text", "sa.String"))
    assert lint("--select", rule) == {"aaaa_.py": [(rule, "warning")]}


NOT_LOOKED_FOR = "edited and deleted migrations are not looked for: "
NAME_IT = "; fetch it with its history, or name what is deployed in the setting `deployed-ref`\n"


def test_what_git_does_not_tell_is_said(
    project: AlembicProject,
    tmp_path: Path,
    printed: Any,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert NOT_LOOKED_FOR not in printed("lint"), "there is no repository"
    commit_all(project.folder)
    assert NOT_LOOKED_FOR not in printed("lint")
    git(project.folder, "checkout", "--quiet", "-b", "feature")
    git(project.folder, "commit", "--quiet", "--allow-empty", "--message=something")
    git(project.folder, "checkout", "--quiet", "main")
    clone = tmp_path / "clone"
    address = f"file://{project.folder}"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=feature", address, str(clone))
    monkeypatch.chdir(clone)
    why = "no default branch is known here"
    assert printed("lint").endswith(f"\n{NOT_LOOKED_FOR}{why}{NAME_IT}")
    for form in ("concise", "json", "github", "sarif", "junit"):
        main(["lint", "--format", form])
        told = capsys.readouterr()
        assert told.err == f"{NOT_LOOKED_FOR}{why}{NAME_IT}"
        assert NOT_LOOKED_FOR not in told.out
    git(clone, "fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main")
    why = "HEAD has no commit in common with `origin/main` here"
    assert printed("lint").endswith(f"\n{NOT_LOOKED_FOR}{why}{NAME_IT}")
    git(clone, "fetch", "--quiet", "--unshallow")
    assert NOT_LOOKED_FOR not in printed("lint")


def test_an_old_project_is_told_how_to_start_clean(project: AlembicProject, printed: Any) -> None:
    told = 'to start clean, set `since = "{}"` in `[tool.alembic-roundtrip]` of `pyproject.toml`'
    assert "to start clean" not in printed("lint"), "there is little to mend"
    for number in range(10):
        table = f't{number}", sa.Column("id", sa.Integer)'
        project.add(f"dd{number}", f'op.create_table("{table})', 'op.drop_table("other")')
    assert f"\n{told.format('dd9')}: only later revisions are reported on\n" in printed("lint")
    assert "to start clean" not in printed("lint", "migrations")
    (project.folder / "pyproject.toml").write_text('[tool.alembic-roundtrip]\nsince = "dd9"\n')
    assert printed("lint").endswith("13 migrations read: nothing to report\n")


def test_a_severity_can_be_set_and_a_rule_switched_off(project: AlembicProject, lint: Any) -> None:
    assert severity_of("empty-downgrade", lint()["cccc_.py"]) == "error"
    toml = project.folder / "pyproject.toml"
    toml.write_text('[tool.alembic-roundtrip.severity]\nempty-downgrade = "hint"\n')
    assert severity_of("empty-downgrade", lint()["cccc_.py"]) == "hint"
    toml.write_text('[tool.alembic-roundtrip.severity]\nempty-downgrade = "off"\n')
    assert "cccc_.py" not in lint()


def test_what_stamps_in_the_workspace_is_found_where_git_does_not_ignore_it(
    project: AlembicProject, lint: Any
) -> None:
    rule = "history-stamped-over"
    for name in ("deploy.sh", "ignored/deploy.sh", "node_modules/x/deploy.sh", "tests/fresh.sh"):
        file = project.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("alembic stamp head\n")
    (project.folder / "big.sh").write_text("# big\n" * 100_000 + "alembic stamp head\n")
    (project.folder / "binary.sh").write_bytes(b"\0alembic stamp head\n")
    (project.folder / ".gitignore").write_text("ignored\n")
    assert len(lint("--select", rule)["deploy.sh"]) == 2, "nothing says what git would ignore"
    commit_all(project.folder)
    assert lint("--select", rule) == {
        "deploy.sh": [(rule, "warning")],
        "fresh.sh": [(rule, "information")],
    }
    assert lint("--select", rule, "migrations") == {}
    assert set(lint("--select", rule, "tests")) == {"fresh.sh"}
    assert lint("--select", rule, "--changed-since", "HEAD") == {}
    (project.folder / "new.sh").write_text("alembic stamp head\n")
    assert set(lint("--select", rule, "--changed-since", "HEAD")) == {"new.sh"}


def test_a_comment_ignores_in_a_script_too(project: AlembicProject, lint: Any) -> None:
    script = project.folder / "deploy.sh"
    comment = "# roundtrip: ignore[history-stamped-over] a database of our own"
    script.write_text(f"alembic stamp head  {comment}\n")
    assert "deploy.sh" not in lint()
    script.write_text(f"echo\n{comment}\nalembic stamp head\nalembic stamp head\n")
    assert lint()["deploy.sh"] == [("history-stamped-over", "warning")]
    script.write_text(f"#!/bin/sh\n{comment}\n\nalembic stamp head\nalembic stamp head\n")
    assert "deploy.sh" not in lint()
    script.write_text(f"alembic upgrade head  {comment} stamp\n")
    assert lint()["deploy.sh"] == [("unused-ignore", "warning")]


def test_a_history_that_is_gone_is_missed_at_its_configuration(
    project: AlembicProject, lint: Any
) -> None:
    rule = "deleted-migration"
    commit_all(project.folder)
    for file in project.versions.iterdir():
        file.unlink()
    assert lint("--select", rule) == {"alembic.ini": [(rule, "warning")]}
    squashed = project.add("dddd", USERS, 'op.drop_table("users")', after=None)
    assert lint("--select", rule) == {"alembic.ini": [(rule, "warning")]}
    (project.folder / "alembic.ini").unlink()
    (project.versions.parent / "env.py").unlink()
    assert lint("--select", rule) == {squashed.name: [(rule, "warning")]}
    squashed.write_text(f"# Squashed; replaces everything up to cccc\n{squashed.read_text()}")
    assert lint("--select", rule) == {}


def test_a_mistake_in_the_settings_is_found_there_and_the_rest_is_used(
    project: AlembicProject, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text(
        '[tool.alembic-roundtrip]\nignore = ["empty-downgrade", "emty-downgrade"]\nsinze = "x"\n'
    )
    found = lint()
    assert found["pyproject.toml"] == [("unusable-setting", "error")] * 2
    assert "cccc_.py" not in found, "what can be used is used"
    assert "bbbb_.py" in found
    assert set(lint("--select", "multiple-heads")) == {"pyproject.toml"}, "always said"
    assert "pyproject.toml" not in lint("--ignore", "unusable-setting")
    toml.write_text(
        "# roundtrip: ignore[unusable-setting] newer than this version\n\n" + toml.read_text()
    )
    assert "pyproject.toml" not in lint()


def test_settings_that_name_no_environment_are_found_there_and_the_rest_is_used(
    project: AlembicProject, capsys: Any, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text(
        '[tool.alembic-roundtrip]\nconfig = "alembc.ini"\nname = "alembik"\nselct = ["x"]\n'
    )
    main(["lint", "--format", "concise", "--select", "unusable-setting"])
    said = capsys.readouterr().out
    assert "did you mean `alembic.ini`?" in said
    assert "did you mean `alembic`?" in said
    assert "did you mean `select`?" in said
    assert "bbbb_.py" in lint()
    assert main(["test"]) == 2, "nothing runs by another configuration than was meant"
    toml.write_text('[tool.alembic-roundtrip]\nname = "alembic"\n')
    assert main(["lint", "--config", "alembc.ini"]) == 2


def test_settings_that_are_no_toml_leave_the_migrations_alone(
    project: AlembicProject, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text('[tool.alembic-roundtrip]\nignore = ["empty-downgrade"\n')
    assert lint() == {"pyproject.toml": [("unusable-setting", "error")]}


@pytest.mark.parametrize("name", ["alembic_roundtrip", "alembic-rountrip", '"Alembic-Roundtrip"'])
def test_a_table_that_was_meant_to_be_ours_leaves_the_migrations_alone(
    project: AlembicProject, lint: Any, name: str
) -> None:
    (project.folder / "pyproject.toml").write_text(f'[tool.{name}]\nignore = ["empty-downgrade"]\n')
    assert lint() == {"pyproject.toml": [("unusable-setting", "error")]}
    assert main(["test"]) == 2


def test_zero_rows_are_rows_enough(project: AlembicProject, capsys: Any) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text("[tool.alembic-roundtrip]\nrows = 0\n")
    main(["lint", "--select", "unusable-setting"])
    assert "`rows`" not in capsys.readouterr().out
    toml.write_text("[tool.alembic-roundtrip]\nrows = -1\n")
    main(["lint", "--select", "unusable-setting"])
    assert "`rows` must be 0 or more" in capsys.readouterr().out


def test_a_since_that_no_history_has_is_found_in_the_settings(
    project: AlembicProject, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text('[tool.alembic-roundtrip]\nsince = "bbbbb"\n')
    found = lint()
    assert found["pyproject.toml"] == [("unusable-setting", "error")]
    assert {"bbbb_.py", "cccc_.py"} < set(found)


def test_a_deployed_ref_that_git_does_not_know_is_a_note(
    project: AlembicProject, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text('[tool.alembic-roundtrip]\ndeployed-ref = "origin/live"\n')
    commit_all(project.folder)
    assert lint()["pyproject.toml"] == [("unusable-setting", "information")]
    git(project.folder, "branch", "live")
    toml.write_text('[tool.alembic-roundtrip]\ndeployed-ref = "live"\n')
    assert "pyproject.toml" not in lint()


def test_the_fix_of_a_misspelt_setting_writes_the_right_one(
    project: AlembicProject, lint: Any
) -> None:
    toml = project.folder / "pyproject.toml"
    toml.write_text('[tool.alembic-roundtrip]\nseverty.empty-downgrad = "of"\n')
    lint("--fix", "pyproject.toml")
    lint("--fix", "pyproject.toml")
    assert toml.read_text() == '[tool.alembic-roundtrip]\nseverity.empty-downgrade = "off"\n'


def test_wrong_rules_on_the_command_line_are_one_sentence(
    project: AlembicProject, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.folder.is_dir()
    assert main(["lint", "--ignore", "emty-downgrade"]) == 2
    told = capsys.readouterr().err
    assert told == "there is no rule `emty-downgrade`; did you mean `empty-downgrade`?\n"


def test_what_fails_again_is_judged_however_old_it_is(project: AlembicProject, lint: Any) -> None:
    for name, value in (("dddd", "'a'"), ("eeee", "IF NOT EXISTS 'b'")):
        project.add(name, f'op.execute("ALTER TYPE t ADD VALUE {value}")', 'op.execute("SELECT 1")')
    project.add("ffff", 'op.create_table("new", sa.Column("id"))', 'op.drop_table("new")')
    (project.folder / "pyproject.toml").write_text(
        '[tool.alembic-roundtrip]\ndialects = ["postgresql"]\n'
    )
    found = lint("--hints")
    assert severity_of("enum-value-not-removable", found["dddd_.py"]) == "warning"
    assert severity_of("enum-value-not-removable", found["eeee_.py"]) == "hint"


def test_what_a_compiled_migration_is_nobody_knows(project: AlembicProject, lint: Any) -> None:
    (project.versions / "bbbb_.py").rename(project.versions / "bbbb_.pyc")
    assert ("unknown-down-revision", "error") in lint()["cccc_.py"]
    ini = project.folder / "alembic.ini"
    ini.write_text(ini.read_text().replace("[alembic]", "[alembic]\nsourceless = true"))
    assert "unknown-down-revision" not in dict(lint()["cccc_.py"])
