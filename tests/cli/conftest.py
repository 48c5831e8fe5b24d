from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alembic_roundtrip.cli import main

PROJECTS = Path(__file__).parent.parent / "projects"
FIRST = '''"""first"""
import sqlalchemy as sa
from alembic import op
revision = "aaaa"
down_revision = None


def upgrade():
    op.create_table("t", sa.Column("id", sa.Integer()), sa.Column("😋", sa.Text()))


def downgrade():
    op.drop_table("t")
'''
SECOND = '''"""Drop 😋"""
from alembic import op
revision = "bbbb"
down_revision = "aaaa"


def upgrade():
    op.drop_column("t", "😋")


def downgrade():
    pass
'''
THIRD = '''"""Half 100%, of it"""
import sqlalchemy as sa
from alembic import op
revision = "cccc"
down_revision = "bbbb"


def upgrade():
    "😋"; op.add_column("t", sa.Column("x", sa.Text()))
    op.drop_column("t", "id")


def downgrade():
    op.add_column("t", sa.Column("id", sa.Integer()))
'''
# It looks once, then steps through the migrations until one fails, then goes on behind that.
ENDS_IT = """import os
os.environ["RUNS"] = os.environ.get("RUNS", "") + "x"
if len(os.environ["RUNS"]) > 2:
    raise ValueError("ENOUGH")
"""
NAMES = {"aaaa_first.py": FIRST, "bbbb_second.py": SECOND, "c,c%:c third.py": THIRD}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three migrations of which two have findings; the working directory."""
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    for name, text in NAMES.items():
        (versions / name).write_text(text, encoding="utf-8")
    _plain(monkeypatch)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def every_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project that has every verdict; the working directory."""
    folder = tmp_path / "every_verdict"
    shutil.copytree(PROJECTS / "every_verdict", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _plain(monkeypatch)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def stopped(every_verdict: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """What a rehearsal prints that had verdicts before env.py ended it."""
    env = every_verdict / "migrations" / "env.py"
    env.write_text(f"{ENDS_IT}{env.read_text(encoding='utf-8')}", encoding="utf-8")

    def run(format: str) -> str:
        assert main(["test", "--rows", "2", "--format", format]) == 2
        told = capsys.readouterr()
        assert told.err.startswith("no rehearsal: migrations/env.py line 4 failed: ")
        assert "ENOUGH" in told.err
        assert told.err.count("\n") == 1
        return told.out

    return run


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]):
    """What a command prints that can run."""

    def run(*arguments: str) -> str:
        assert main(arguments) in {0, 1}
        told = capsys.readouterr()
        assert told.err == ""
        return told.out

    return run


def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable that changes how reports look."""
    for name in ("GITHUB_WORKSPACE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
