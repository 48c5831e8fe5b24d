from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.conftest import Place, Rehearsal
from corpus.install import install
from corpus.projects import IHATEMONEY
from corpus.runs import command_line


def test_verdicts_are_the_known_answers(place: Place, rehearsal: Rehearsal):
    assert rehearsal.run.errors == ""
    found = {revision: each["verdict"] for revision, each in rehearsal.revisions.items()}
    assert len(found) == place.project.revisions
    assert {
        revision: verdict for revision, verdict in found.items() if verdict != "lossless"
    } == place.project.verdicts
    assert rehearsal.run.status == 1


def test_no_file_of_theirs_and_no_database_changes(rehearsal: Rehearsal):
    assert rehearsal.before["migrations"] != {}
    assert rehearsal.after == rehearsal.before


def test_no_process_and_no_temporary_file_is_left(place: Place, rehearsal: Rehearsal):
    assert rehearsal.run.processes == ()
    assert list((place.home / "tmp").iterdir()) == []


@pytest.mark.skipif(sys.version_info < IHATEMONEY.minimum, reason="does not install here")
@pytest.mark.parametrize("named", [{}, {"FLASK_APP": "ihatemoney.nothing"}])
def test_an_env_py_without_the_flask_application_it_needs_says_so(
    named: dict[str, str], tmp_path: Path
):
    env = {name: value for name, value in IHATEMONEY.env.items() if name != "FLASK_APP"}
    (tmp_path / "workspace").mkdir()
    project = replace(IHATEMONEY, env={**env, **named})
    project.write(tmp_path / "workspace", install(IHATEMONEY).python)
    run = command_line("test", cwd=tmp_path / "workspace", home=tmp_path / "home")
    assert run.status == 2
    assert run.output == ""
    (sentence,) = run.errors.splitlines()
    assert sentence.startswith("no rehearsal: env.py needs the Flask application, which could not")
    assert sentence.endswith("name it as FLASK_APP in the setting `env`, with what else it needs")
