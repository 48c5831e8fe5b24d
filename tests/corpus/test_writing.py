from __future__ import annotations

from pathlib import Path

import pytest

from corpus.conftest import Place
from corpus.install import install
from corpus.projects import MLFLOW, PROJECTS, Project
from corpus.runs import Run, command_line
from corpus.writing import generated, measured, own_copy

# What reading cannot know stays to be done by hand, and a line in the file says so.
BY_HAND = {
    "451aebb31d03": "failed",  # the first primary key is made by the baseline
    "181f10493468": "failed",  # as above
    "90e64c465722": "residue",  # rows that a session merges
    "cfd24bdc0731": "failed",  # rows with the new status are refused by the old CHECK
    "a8c4a736bde6": "residue",  # the column's NOT NULL comes from a class
    "39d1c3be5f05": "residue",  # an unnamed CHECK
    "5b0e9adcef9c": "residue",  # names of foreign keys are computed
    "0584bdc529eb": "residue",  # as above
}

RESTORED = {"optuna": 0.75, "mlflow-skinny": 0.84}
"""The share that reading alone restores; of other projects all."""


def verdicts(run: Run) -> dict[str, str]:
    return {found["revision"]: found["verdict"] for found in run.document["revisions"]}


def test_downgrades_written_for_empty_ones_restore_what_was_lost(tmp_path: Path):
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    workspace.mkdir()
    own_copy(install(MLFLOW), workspace)
    arguments = ("lint", "--unsafe-fixes", "--select", "empty-downgrade", "--format", "json")
    assert command_line(*arguments, cwd=workspace, home=home).errors == ""
    after = verdicts(command_line("test", "--format", "json", cwd=workspace, home=home))
    before = dict.fromkeys(after, "lossless") | dict(MLFLOW.verdicts)
    touched = {revision for revision in after if after[revision] != before[revision]}
    repaired = {revision for revision in touched if after[revision] == "lossless"}
    assert len(repaired) == 19
    assert {r: after[r] for r in BY_HAND} == BY_HAND
    assert touched - repaired == {"cfd24bdc0731"}


def test_deleted_downgrades_are_written_and_claim_no_more_than_they_do(
    place: Place, tmp_path: Path
):
    measure, _ = measured(place.installed, tmp_path)
    assert measure.revisions == place.project.revisions
    assert measure.unparsable == []
    assert measure.overclaiming == []
    assert measure.share >= RESTORED.get(place.project.name, 1.0)


@pytest.mark.parametrize("database", [False, True], ids=["code", "database"])
def test_a_generated_history_is_restored(database: bool, tmp_path: Path):
    measure = generated("sqlite", 15, tmp_path, database=database)
    assert (measure.revisions, measure.unparsable, measure.overclaiming) == (15, [], [])
    assert measure.restored == measure.measured == 15


@pytest.mark.parametrize("project", PROJECTS, ids=lambda each: each.name)
def test_a_database_restores_what_reading_leaves_to_do_by_hand(project: Project, tmp_path: Path):
    measure, _ = measured(install(project), tmp_path, database=True)
    assert measure.revisions == project.revisions
    assert measure.unparsable == []
    assert measure.overclaiming == []
    # What `pass` leaves of this one are rows, for which the database shows nothing to write.
    assert set(measure.by_hand) <= {"90e64c465722"}
    assert measure.share_but_for_new_rows >= 0.95
