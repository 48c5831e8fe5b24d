from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ENV = "from alembic import context\nraise SystemExit('env.py was run')\n"
HEADER = (
    '"""{doc}"""\nimport sqlalchemy as sa\nfrom alembic import op\n'
    "raise SystemExit('a migration was run')\n"
    'revision = "{rev}"\ndown_revision = {down}\n\n\n'
)
CREATE = (
    "def upgrade():\n"
    '    op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("😋", sa.Text()))\n\n\n'
    'def downgrade():\n    op.drop_table("users")\n'
)
DROP = 'def upgrade():\n    op.drop_column("users", "😋")\n\n\ndef downgrade():\n    pass\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    first = HEADER.format(doc="first", rev="aaaa", down=None) + CREATE
    (versions / "aaaa_first.py").write_text(first, encoding="utf-8")
    second = HEADER.format(doc="Drop 😋", rev="bbbb", down='"aaaa"') + DROP
    (versions / "bbbb_second.py").write_text(second, encoding="utf-8")
    return tmp_path


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic_roundtrip", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def second(project: Path) -> Path:
    return project / "migrations" / "versions" / "bbbb_second.py"


def lint_json(project: Path, *arguments: str) -> Any:
    return json.loads(run("lint", "--format", "json", *arguments, cwd=project).stdout)


def test_text_names_the_place_the_rule_and_the_fix(project: Path) -> None:
    done = run("lint", cwd=project)
    assert done.returncode == 1
    path = "migrations/versions/bbbb_second.py"
    assert "error[empty-downgrade]: downgrade() does nothing" in done.stdout
    assert f"\n  --> {path}:14:5\n" in done.stdout
    assert "  14 |     pass\n     |     ^^^^\n" in done.stdout
    assert "  fix: Write the downgrade from the upgrade (--fix)\n" in done.stdout
    assert re.search(
        r"\n2 migrations read: 1 error, 1 warning, \d hints? \(--hints shows them\)\n"
        r"2 can be fixed with --fix\n\Z",
        done.stdout,
    )
    assert done.stderr == ""


def test_it_is_said_which_migrations_were_read_for_which_dialects(project: Path) -> None:
    (project / "requirements.txt").write_text("psycopg2\n")
    other = project / "other" / "alembic.ini"
    other.parent.mkdir()
    other.write_text("[one]\nscript_location = .\nsqlalchemy.url = mysql://x\n")
    (other.parent / "versions").mkdir()
    (other.parent / "versions" / "x.py").write_text("revision = 'x'\ndown_revision = None\n")
    bare = project / "scripts" / "y.py"
    bare.parent.mkdir()
    bare.write_text("revision = 'y'\ndown_revision = None\n")
    (project / "scripts" / "requirements.txt").write_text("flask\n")
    lines = run("lint", cwd=project).stdout.splitlines()
    driver = "`psycopg2` in requirements.txt"
    assert [line for line in lines if " for " in line] == [
        f"alembic.ini: 2 migrations for postgresql ({driver})",
        "other/alembic.ini [one]: 1 migration for mysql (`sqlalchemy.url`)",
        f"scripts (no configuration): 1 migration for postgresql ({driver})",
    ]
    assert lint_json(project, "other")["summary"]["environments"] == [
        {
            "config": "other/alembic.ini",
            "section": "one",
            "script_location": "other",
            "migrations": 1,
            "dialects": [{"name": "mysql", "source": "`sqlalchemy.url`"}],
        }
    ]


def test_an_unknown_dialect_is_said_with_what_to_do(project: Path) -> None:
    said = "alembic.ini: 2 migrations for any dialect: the setting `dialects` names it\n"
    assert said in run("lint", cwd=project).stdout


def test_json_has_the_documented_shape(project: Path) -> None:
    document = lint_json(project)
    assert document["version"] == 1
    found = {item["rule"]: item for item in document["diagnostics"]}
    item = found["empty-downgrade"]
    assert set(item) == {"rule", "severity", "message", "path", "revision", "range", "fixes"}
    assert item["revision"] == "bbbb"
    assert item["path"] == "migrations/versions/bbbb_second.py"
    assert item["range"] == {
        "start": {"line": 14, "column": 5},
        "end": {"line": 14, "column": 9},
    }
    (fix,) = item["fixes"]
    assert set(fix) == {"title", "safety", "edits", "creates"}
    assert all(set(edit) == {"range", "text"} for edit in fix["edits"])
    assert document["summary"]["error"] == 1
    assert document["summary"]["files"] == 2


def test_migrations_of_two_configurations_are_judged_once(project: Path) -> None:
    (project / "alembic_dev.ini").write_text("[alembic]\nscript_location = migrations\n")
    found = json.loads(run("lint", "--format", "json", cwd=project).stdout)["diagnostics"]
    assert [x["rule"] for x in found].count("empty-downgrade") == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 1),
        (["--fail-on", "error"], 1),
        (["--ignore", "empty-downgrade", "--fail-on", "error"], 0),
        (["--select", "multiple-heads"], 0),
        (["migrations/versions/aaaa_first.py"], 0),
        (["--select", "no-such-rule"], 2),
        (["nowhere.py"], 2),
        (["--config", "nowhere.ini"], 2),
    ],
)
def test_the_exit_status_tells_nothing_findings_or_could_not_run(
    project: Path, arguments: list[str], status: int
) -> None:
    done = run("lint", *arguments, cwd=project)
    assert done.returncode == status
    assert (status == 2) == bool(done.stderr)
    assert done.stderr.count("\n") <= 1, "one sentence"
    assert "Traceback" not in done.stderr


def test_a_misspelt_rule_is_answered_with_the_right_one(project: Path) -> None:
    done = run("lint", "--select", "empty-downgrad", cwd=project)
    assert done.stderr == "there is no rule `empty-downgrad`; did you mean `empty-downgrade`?\n"


def test_a_folder_without_alembic_is_one_sentence_with_the_next_step(tmp_path: Path) -> None:
    done = run("lint", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no Alembic environment" in done.stderr
    assert "--config" in done.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"revision = 'x'\ndef upgrade(:\n", "the file does not parse"),
        (b"revision = '\xff'\n", "the file is not UTF-8"),
        (b"", ""),
    ],
    ids=["syntax error", "not UTF-8", "empty"],
)
def test_a_bad_file_leaves_the_others_as_they_are(
    project: Path, content: bytes, message: str
) -> None:
    rules = ["--select", "empty-downgrade", "--select", "unreadable-migration"]
    before = lint_json(project, *rules)["diagnostics"]
    (project / "migrations" / "versions" / "cccc_bad.py").write_bytes(content)
    after = lint_json(project, *rules)["diagnostics"]
    bad = [item for item in after if item["path"].endswith("cccc_bad.py")]
    assert [item for item in after if item not in bad] == before
    assert any(message in item["message"] for item in bad) or not message


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_fixing_keeps_what_it_does_not_fix(project: Path, newline: str, mark: bytes) -> None:
    file = second(project)
    text = file.read_text(encoding="utf-8").replace("\n", newline)
    file.write_bytes(mark + text.encode())
    assert run("lint", "--fix", cwd=project).returncode == 0
    fixed = file.read_bytes()
    assert fixed.startswith(mark)
    assert fixed.removeprefix(mark).decode().replace(newline, "").count("\r") == 0
    assert b"WARNING" in fixed
    assert "# DESTRUCTIVE" in fixed.decode()
    assert "op.add_column" in fixed.decode()
    again = run("lint", "--fix", cwd=project)
    assert again.stdout.endswith("\n2 migrations read: nothing to report\n")
    assert file.read_bytes() == fixed


def test_scaffold_shows_a_difference_and_writes_only_when_told(project: Path) -> None:
    before = second(project).read_bytes()
    shown = run("scaffold", "bbbb", cwd=project)
    assert shown.returncode == 0
    assert "+    op.add_column(\n" in shown.stdout or "+    op.add_column(" in shown.stdout
    assert second(project).read_bytes() == before
    assert run("scaffold", "head", "--write", cwd=project).returncode == 0
    written = second(project).read_bytes()
    assert written != before
    again = run("scaffold", "head", "--write", cwd=project)
    assert (again.returncode, again.stdout) == (0, "")
    assert "the downgrade is already what would be written" in again.stderr
    assert second(project).read_bytes() == written
    unknown = run("scaffold", "zzzz", cwd=project)
    assert unknown.returncode == 2
    assert "zzzz" in unknown.stderr


def test_a_downgrade_that_does_more_is_not_written_over(project: Path) -> None:
    file = project / "migrations/versions/aaaa_first.py"
    restored = 'op.create_index("ix", "old", ["a"])'
    text = file.read_text().replace(
        CREATE.strip().splitlines()[1], '    op.drop_index("ix", "old")'
    )
    text = text.replace('op.drop_table("users")', restored)
    file.write_text(text)
    told = (
        "migrations/versions/aaaa_first.py: there is a downgrade already, and this one leaves "
        "2 things to be done by hand; "
    )
    shown = run("scaffold", "aaaa", cwd=project)
    assert "-    op.create_index" in shown.stdout
    assert shown.stderr == f"{told}take over what is better\n"
    refused = run("scaffold", "aaaa", "--write", cwd=project)
    assert refused.returncode == 2
    assert refused.stderr == f"{told}empty the old one first where it is to be replaced\n"
    assert file.read_text() == text
    file.write_text(text.replace(restored, "pass"))
    assert run("scaffold", "aaaa", "--write", cwd=project).stderr == ""


def test_explain_prints_a_page_or_the_list(project: Path) -> None:
    page = run("explain", "empty-downgrade", cwd=project)
    assert page.stdout.startswith("# empty-downgrade (error)\n\nThe upgrade changes something")
    assert "empty-downgrade" in run("explain", cwd=project).stdout
    wrong = run("explain", "empty", cwd=project)
    assert wrong.returncode == 2
    assert "there is no rule `empty`" in wrong.stderr


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    command = f"{sys.executable} -m alembic_roundtrip explain | head -1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr


def test_a_file_that_alembic_would_refuse_is_an_error(project: Path) -> None:
    helper = project / "migrations" / "versions" / "helper.py"
    helper.write_text("down_revision = 'nowhere'\n", encoding="utf-8")
    done = run("lint", "--select", "refused-history", cwd=project)
    assert done.returncode == 1
    assert "error[refused-history]: `helper.py` has no `revision`" in done.stdout
    assert "helper.py:1:1\n" in done.stdout
    everything = run("lint", cwd=project)
    assert everything.stderr == ""
    assert "there is no revision `nowhere`" in everything.stdout
