from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlembicProject:
    """An empty project; the working directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return AlembicProject(folder)
