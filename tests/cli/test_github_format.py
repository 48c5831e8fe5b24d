from __future__ import annotations

import pytest

from alembic_roundtrip.cli.reports._github import annotation
from alembic_roundtrip.text import Position, Range


@pytest.mark.usefixtures("project")
def test_annotations_name_the_place_and_escape_what_has_a_meaning(printed):
    *lines, summary = printed("lint", "--format", "github").splitlines()
    assert summary.startswith("3 migrations read: ")
    assert lines[0].startswith(
        "::error file=migrations/versions/bbbb_second.py,line=12,endLine=12,col=5,endColumn=9,"
        "title=empty-downgrade::migrations/versions/bbbb_second.py:12:5: downgrade() does nothing"
    )
    assert lines[2].startswith("::error file=migrations/versions/c%2Cc%25%3Ac third.py,line=9,")
    assert "::migrations/versions/c,c%25:c third.py:9:10: " in lines[2]


def test_a_message_of_several_lines_stays_one_command():
    place = Range(Position(1, 2), Position(3, 4))
    assert annotation("hint", "50 %\r\nof: a, b", title="a: b, c", place=place) == (
        "::notice line=1,endLine=3,title=a%3A b%2C c::50 %25%0D%0Aof: a, b"
    )


def test_annotations_are_found_from_the_root_of_the_checkout(project, printed, monkeypatch):
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    file = f"{project.name}/migrations/versions/bbbb_second.py"
    assert f"::error file={file},line=12," in printed("lint", "--format", "github")


@pytest.mark.usefixtures("every_verdict")
def test_annotations_of_a_rehearsal(printed):
    *lines, summary = printed("test", "--rows", "2", "--format", "github").splitlines()
    assert summary.startswith("7 verdicts: ")
    versions = "migrations/versions"
    begins = [
        f"::notice file={versions}/2b7d91e06fa3_drop_email.py,line=24,",
        f"::error file={versions}/3c58e2b7a914_add_default.py,line=21,",
        f"::error file={versions}/4d09f6c2b8e7_index_names.py,line=17,",
        f"::error file={versions}/6f72b9e4d0a1_broken.py,line=17,",
        f"::warning file={versions}/70b3caf5e1b2_after_broken.py,line=20,",
    ]
    assert len(lines) == len(begins)
    assert all(line.startswith(begin) for line, begin in zip(lines, begins, strict=True))
    assert "title=round trip%3A failed::failed 4d09f6c2b8e7:%0A`upgrade()` fails" in lines[2]


def test_what_ended_a_rehearsal_is_an_annotation(stopped):
    *lines, last = stopped("github").splitlines()
    assert lines
    assert last.startswith("::error title=round trip%3A stopped::no rehearsal: ")
    assert "ENOUGH" in last
