from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.cli import main

PARKED = """\
-    op.drop_column("t", "😋")
+    op.alter_column("t", "😋", new_column_name="😋_parked", existing_type=sa.Text())
"""


def test_what_there_is_for_a_revision_is_listed(project: Path, printed) -> None:
    told = printed("scaffold", "bbbb", "--pattern")
    assert told == (
        "migrations/versions/bbbb_second.py:8: park: Rename `t.😋` aside instead of dropping it "
        "(keeps the data until a later revision drops it)\n"
    )
    assert (project / "migrations/versions/bbbb_second.py").read_text().count("op.") == 1


def test_a_pattern_is_shown_and_written_when_asked(project: Path, printed) -> None:
    file = project / "migrations/versions/bbbb_second.py"
    before = file.read_text()
    shown = printed("scaffold", "bbbb", "--pattern", "park")
    assert PARKED in shown
    assert '+    op.alter_column("t", "😋_parked", new_column_name="😋"' in shown
    assert "+import sqlalchemy as sa" in shown
    assert file.read_text() == before
    assert printed("scaffold", "bbbb", "--pattern", "park", "--write") == (
        "migrations/versions/bbbb_second.py: made the changes of `park`\n"
    )
    assert "drop_column" not in file.read_text()
    compile(file.read_text(), "migration", "exec")


@pytest.mark.usefixtures("project")
def test_nothing_to_change_is_said(capsys) -> None:
    assert main(["scaffold", "aaaa", "--pattern"]) == 0
    assert main(["scaffold", "bbbb", "--pattern", "guard"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines() == [
        "migrations/versions/aaaa_first.py: no pattern has anything to change",
        "migrations/versions/bbbb_second.py: `guard` has nothing to change",
    ]


@pytest.mark.usefixtures("project")
def test_a_pattern_that_is_none_is_one_sentence(capsys) -> None:
    assert main(["scaffold", "bbbb", "--pattern", "parc"]) == 2
    assert capsys.readouterr().err == "there is no pattern `parc`; did you mean `park`?\n"
