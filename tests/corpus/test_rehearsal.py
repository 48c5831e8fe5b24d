from __future__ import annotations

from corpus.conftest import Place, Rehearsal


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
