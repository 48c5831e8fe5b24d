from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alembic_roundtrip.cli import main
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.workspace import Workspace
from rehearsal.conftest import agents_on

PROJECTS = Path(__file__).parent.parent / "projects"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project that has every verdict; the working directory."""
    folder = tmp_path / "every_verdict"
    shutil.copytree(PROJECTS / "every_verdict", folder)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("alembic_roundtrip.rehearsal.folder._MEMORY", scratch)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.usefixtures("folder")
def test_every_verdict_is_told_with_what_led_to_it(capsys):
    assert main(["test", "--rows", "5"]) == 1
    told = capsys.readouterr()
    assert told.err == ""
    lines = told.out.splitlines()
    assert lines[0].startswith("7 revisions on a scratch SQLite 3.")
    verdicts = [line.split()[:2] for line in lines[1:-1] if not line.startswith(" ")]
    assert verdicts == [
        ["lossless", "1a2f0c3d4e5b"],
        ["lossy", "2b7d91e06fa3"],
        ["residue", "3c58e2b7a914"],
        ["failed", "4d09f6c2b8e7"],
        ["irreversible", "5e61a8d3c9f0"],
        ["failed", "6f72b9e4d0a1"],
        ["skipped", "70b3caf5e1b2"],
    ]
    assert "    what was forgotten cannot be remembered" in lines
    assert "      at migrations/versions/4d09f6c2b8e7_index_names.py:17" in lines
    assert "    the upgrade of 6f72b9e4d0a1, which it depends on, fails" in lines
    assert lines[-1].startswith(
        "7 verdicts: 1 lossless, 1 lossy, 1 residue, 2 failed, 1 irreversible, 1 skipped in "
    )
    (loss,) = [line for line in lines if "rolling back loses" in line]
    assert loss.startswith("    rolling back loses `users.email`: ")
    assert "does not say so" not in loss


@pytest.mark.usefixtures("folder")
def test_json_has_the_promised_shape(capsys):
    assert main(["test", "--rows", "5", "--format", "json", "2b7d"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"version", "database", "rows", "revisions", "summary"}
    assert document["version"] == 1
    assert document["database"]["kind"] == "sqlite"
    assert document["rows"] == 5
    (revision,) = document["revisions"]
    assert revision["revision"] == "2b7d91e06fa3"
    assert revision["path"] == "migrations/versions/2b7d91e06fa3_drop_email.py"
    assert revision["verdict"] == "lossy"
    assert revision["documented"] is True
    assert revision["reason"] is None
    assert [step["name"] for step in revision["steps"]][:3] == [
        "upgrade",
        "downgrade",
        "upgrade again",
    ]
    assert all(set(step) == {"name", "seconds", "error"} for step in revision["steps"])
    (loss,) = [loss for loss in revision["losses"] if loss["step"] == "round trip"]
    assert (loss["table"], loss["column"], loss["rows"]) == ("users", "email", 5)
    assert document["summary"]["lossy"] == 1


@pytest.mark.parametrize(
    ("revision", "fail_on", "status"),
    [
        ("1a2f", "lossy", 0),
        ("2b7d", "residue", 0),
        ("2b7d", "undocumented", 0),
        ("2b7d", "lossy", 1),
        ("3c58", "failed", 0),
        ("3c58", "residue", 1),
        ("4d09", "failed", 1),
        ("5e61", "lossy", 0),
        ("70b3", "failed", 1),
    ],
)
@pytest.mark.usefixtures("folder")
def test_the_threshold_decides_the_exit_status(revision, fail_on, status):
    assert main(["test", "--rows", "2", "--fail-on", fail_on, revision]) == status


def test_an_undocumented_loss_is_a_finding_where_asked(folder):
    file = folder / "migrations/versions/2b7d91e06fa3_drop_email.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("WARNING: data loss: rolling back does not restore", "on"))
    assert "on the addresses." in file.read_text()
    assert main(["test", "--rows", "2", "--fail-on", "undocumented", "2b7d"]) == 1


def test_a_warning_that_names_one_loss_documents_no_other(folder, capsys):
    first = folder / "migrations/versions/1a2f0c3d4e5b_create_users.py"
    first.write_text(first.read_text("utf-8").replace(", nullable=False", ""), "utf-8")
    file = folder / "migrations/versions/2b7d91e06fa3_drop_email.py"
    text = file.read_text(encoding="utf-8")
    text = text.replace("does not restore the addresses", "does not restore the values of email")
    text = text.replace('drop_column("email")', 'drop_column("email"); batch.drop_column("name")')
    text += '    op.add_column("users", sa.Column("name", sa.String(30)))\n'
    file.write_text(text, encoding="utf-8")
    assert main(["test", "--rows", "2", "--fail-on", "undocumented", "2b7d"]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "loses `" in line]
    assert {("`users.name`" in line, "does not say so" in line) for line in lines} == {
        (True, True),
        (False, False),
    }
    file.write_text(text.replace("values of email", "values of email and name"), encoding="utf-8")
    assert main(["test", "--rows", "2", "--fail-on", "undocumented", "2b7d"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing"], "no rehearsal: Can't locate revision identified by 'nothing'"),
        (["--python", "nowhere"], "which does not exist"),
        (["--database", "oracle"], "Oracle is not available in this version"),
        (["--config", "nowhere.ini"], "nowhere.ini"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_run_is_one_sentence_and_status_2(capsys, arguments, sentence):
    assert main(["test", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_what_ended_it_is_in_the_document(stopped):
    document = json.loads(stopped("json"))
    assert "ENOUGH" in document["error"]
    assert len(document["revisions"]) > 1
    counts = [document["summary"][verdict.value] for verdict in Verdict]
    assert sum(counts) == len(document["revisions"])


@pytest.mark.usefixtures("folder")
def test_what_cannot_begin_is_a_document_too(capsys):
    assert main(["test", "nothing", "--format", "json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert document["revisions"] == []
    assert document["error"].startswith("no rehearsal: Can't locate revision")


@pytest.mark.parametrize("format", ["text", "json", "sarif", "junit", "github"])
def test_that_models_make_the_schema_is_said(folder, capsys, format):
    env = folder / "migrations" / "env.py"
    models = (
        "import sqlalchemy as sa\n"
        "metadata = sa.MetaData()\n"
        "sa.Table('t', metadata, sa.Column('id', sa.Integer, primary_key=True))\n"
    )
    text = env.read_text(encoding="utf-8")
    assert "target_metadata=None" in text
    env.write_text(f"{models}{text.replace('target_metadata=None', 'target_metadata=metadata')}")
    for file in (folder / "migrations" / "versions").glob("*.py"):
        file.unlink()
    (folder / "migrations" / "versions" / "aaaa_.py").write_text(
        "from alembic import op\nrevision, down_revision = 'aaaa', None\n"
        "def upgrade(): op.create_index('i', 't', ['id'])\ndef downgrade(): op.drop_index('i')\n"
    )
    assert main(["test", "--rows", "2", "--format", format]) == 1
    told = capsys.readouterr().out
    if format == "json":
        assert json.loads(told)["baseline"] == "target_metadata"
    assert ("back from what the models" in told) == (format != "json")


def test_a_folder_without_migrations_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["test"]) == 2
    assert "there is no Alembic environment in" in capsys.readouterr().err


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_nothing(folder, tmp_path, ended_by):
    (folder / "migrations/versions/6f72b9e4d0a1_broken.py").write_text(
        "import time\nrevision = '6f72b9e4d0a1'\ndown_revision = None\n"
        "def upgrade(): time.sleep(60)\ndef downgrade(): pass\n"
    )
    program = (
        "import signal\n"
        "from pathlib import Path\n"
        # Tests that run in the background of a shell inherit from it that this is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "from alembic_roundtrip.rehearsal import folder\n"
        f"folder._MEMORY = Path({str(tmp_path / 'scratch')!r})\n"
        "from alembic_roundtrip.cli import main\n"
        "raise SystemExit(main(['test', '6f72']))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.3)
    process.send_signal(ended_by)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert err == "stopped before the end; nothing of the rehearsal is left\n"
    assert list((tmp_path / "scratch").iterdir()) == []
    assert agents_on(str(tmp_path / "scratch")) == []


def test_evidence_is_kept_until_a_file_of_the_history_changes(folder):
    from alembic_roundtrip.evidence import evidence_keys, evidence_store

    assert main(["test", "--rows", "2", "1a2f:2b7d"]) == 0
    store = evidence_store(Workspace([folder]).environments[0])
    versions = folder / "migrations" / "versions"
    first = versions / "1a2f0c3d4e5b_create_users.py"
    second = versions / "2b7d91e06fa3_drop_email.py"

    def key() -> str:
        return evidence_keys(
            {
                "1a2f0c3d4e5b": (first.read_bytes(), ()),
                "2b7d91e06fa3": (second.read_bytes(), ("1a2f0c3d4e5b",)),
            }
        )["2b7d91e06fa3"]

    kept = store.load("2b7d91e06fa3")
    assert kept is not None
    assert kept[0] == key()
    assert kept[1].verdict.value == "lossy"
    first.write_text(first.read_text() + "\n# edited\n")
    assert kept[0] != key()


def test_a_second_configuration_of_the_same_migrations_asks_nothing(folder, capsys):
    shutil.copy(folder / "alembic.ini", folder / "other.ini")
    assert main(["test", "--rows", "2", "1a2f"]) == 0
    assert main(["lint", "--select", "duplicate-revision"]) == 0
    assert "\n7 migrations read: " in f"\n{capsys.readouterr().out.splitlines()[-1]}"
    (folder / "more").mkdir()
    (folder / "more" / "env.py").touch()
    text = (folder / "alembic.ini").read_text(encoding="utf-8")
    (folder / "other.ini").write_text(text.replace("migrations", "more"), encoding="utf-8")
    assert main(["test", "--rows", "2", "1a2f"]) == 2
    assert "there are 2 Alembic environments: " in capsys.readouterr().err


def test_a_history_whose_files_are_missing_is_no_green_result(folder, capsys):
    for file in (folder / "migrations" / "versions").glob("*.py"):
        file.unlink()
    assert main(["test"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "there are no migrations in" in told.err
