from __future__ import annotations

import os
from pathlib import Path

import pytest

from corpus import install
from corpus.projects import OPTUNA, Project


def test_a_registry_out_of_reach_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(install, "CACHE", tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(install.CannotInstallError) as caught:
        install.install(OPTUNA)
    sentence = str(caught.value)
    assert sentence.startswith("optuna could not be installed with ")
    assert "is a package registry within reach?" in sentence
    assert "\n" not in sentence


def test_what_is_installed_is_installed_once(project: Project, place: object):
    assert place is not None
    done = install.install(project).environment / "installed"
    before = done.stat().st_mtime_ns
    assert install.install(project).environment == done.parent
    assert done.stat().st_mtime_ns == before


def test_everything_a_project_needs_is_pinned(project: Project):
    file = Path(install.__file__).parent / "constraints" / f"{project.name}.txt"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert all("==" in line and "://" not in line for line in lines)
    names = {line.partition("==")[0].lower() for line in lines}
    assert {pin.partition("==")[0].lower() for pin in project.requires} <= names
