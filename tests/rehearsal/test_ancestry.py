"""What is before a plan's revisions, read once by a process that stays."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal import ancestry
from alembic_roundtrip.rehearsal.ancestry import Ancestry, Histories
from alembic_roundtrip.rehearsal.plan import Plan


@pytest.fixture
def history(tmp_path) -> AlembicProject:
    project = AlembicProject(tmp_path)
    for number in range(5):
        project.add(f"step{number}", f'op.create_table("t{number}", sa.Column("id", sa.Integer))')
    for script in project.versions.glob("*.py"):
        os.utime(script, ns=(1, 1))
    return project


def before(histories: Histories, project: AlembicProject, *names: str) -> Ancestry | None:
    return histories.ancestry(Plan(project.environment, Settings(), names))


def test_the_parents_of_a_revision_decide_what_is_before_it(history):
    found = before(Histories(), history, "step3")
    assert found is not None
    assert [(each.revision, each.parents) for each in found.revisions] == [("step3", ("step2",))]
    assert list(found.keys) == ["step2"]
    assert {path.name for path in found.scripts} == {"step0_.py", "step1_.py", "step2_.py"}


@pytest.mark.parametrize(
    "names", [(), ("step0",), ("step0:",), ("nothing",), ("-1",), ("step1", "step3"), ("a:b",)]
)
def test_where_the_place_is_not_plain_there_is_nothing_before(history, names):
    assert before(Histories(), history, *names) is None


@pytest.mark.parametrize("names", [("step2:step4",), ("step2:",), ("step4", "step3", "step2")])
def test_a_row_of_revisions_follows_the_parents_of_its_first(history, names):
    found = before(Histories(), history, *names)
    assert found is not None
    assert [each.revision for each in found.revisions] == ["step2", "step3", "step4"]
    assert list(found.keys) == ["step1"]


def test_what_follows_a_branch_point_on_both_sides_is_before_the_merge(history):
    history.add("left", after="step4")
    history.add("right", after="step4")
    history.add("merge", after=("left", "right"))
    found = before(Histories(), history, "merge")
    assert found is not None
    assert sorted(found.keys) == ["left", "right"]
    assert before(Histories(), history, "left", "merge") is None


def edited(project: AlembicProject, name: str) -> None:
    project.rewrite(name, 'op.execute("SELECT 1")', after=f"step{int(name[-1]) - 1}")


@pytest.mark.parametrize("seconds", [0, 60])
def test_an_edit_on_disk_is_seen_by_whoever_read_before(history, seconds):
    histories = Histories()
    first = before(histories, history, "step3")
    assert before(histories, history, "step3") == first
    edited(history, "step1")
    script = history.versions / "step1_.py"
    when = time.time_ns() - seconds * 1_000_000_000
    os.utime(script, ns=(when, when))
    second = before(histories, history, "step3")
    assert second == before(Histories(), history, "step3") != first


def test_an_edit_that_keeps_time_and_size_is_seen(history):
    script = history.versions / "step1_.py"
    histories = Histories()
    first = before(histories, history, "step3")
    script.write_text(script.read_text().replace("t1", "t9"))
    os.utime(script, ns=(1, 1))
    assert before(histories, history, "step3") != first


def test_only_what_was_edited_is_read_again(history, monkeypatch):
    monkeypatch.setattr(ancestry, "_UNSURE", -1)
    histories = Histories()
    first = before(histories, history, "step4")
    edited(history, "step4")
    read: list[str] = []

    def noting(event: str, args: tuple[object, ...]) -> None:
        if event == "open" and listening:
            read.append(Path(str(args[0])).name)

    listening = True
    sys.addaudithook(noting)
    assert before(histories, history, "step4") == first
    listening = False
    assert {name for name in read if name.startswith("step")} == {"step4_.py"}


def test_files_that_come_and_go_change_what_is_before(history):
    histories = Histories()
    first = before(histories, history, "step3")
    history.add("other", after="step0")
    history.rewrite("step1", after="other")
    second = before(histories, history, "step3")
    assert second is not None
    assert first is not None
    assert len(second.scripts) == len(first.scripts) + 1
    (history.versions / "other_.py").unlink()
    assert before(histories, history, "step3") is None
