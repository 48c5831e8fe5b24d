"""A published history on the other database that it is made for."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.install import install
from corpus.projects import OPTUNA
from corpus.runs import command_line

URL = "postgresql+psycopg2://optuna:secret@db.invalid/optuna"
AFTER = ("v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d", "v3.2.0.a")
APART = ("v2.6.0.a", "v3.0.0.a", "v3.2.0.a")
"""Those of them that need nothing of what failed."""


def test_optuna_has_the_known_answers(tmp_path: Path):
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    OPTUNA.write(workspace, install(OPTUNA).python, URL)

    run = command_line("test", "--format", "json", cwd=workspace, home=tmp_path / "home")

    assert run.errors == ""
    document = json.loads(run.output)
    assert document["database"]["kind"] == "postgresql"
    found = {each["revision"]: each for each in document["revisions"]}
    assert {name: each["verdict"] for name, each in found.items()} == {
        "v0.9.0.a": "failed",  # leaves two enum types, which are in the way of the next upgrade
        "v1.2.0.a": "lossless",
        "v1.3.0.a": "lossless",
        "v2.4.0.a": "failed",  # makes a type again that v0.9.0.a made, seen when deployed by itself
        **dict.fromkeys(AFTER, "skipped"),
        **dict.fromkeys(APART, "lossless"),
    }
    left = {each["object"] for each in found["v0.9.0.a"]["residue"] if each["change"] == "left"}
    assert left == {"studydirection", "trialstate"}
