from __future__ import annotations

import random
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip import scripts
from alembic_roundtrip.scripts import Scripts

DIALECTS = ("sqlite", "postgresql")


def history(folder: Path, length: int = 40) -> AlembicProject:
    """A chain with a branch that is merged, each revision adding a column or a table."""
    project = AlembicProject(folder)
    project.add("r0", 'op.create_table("t", sa.Column("id", sa.Integer))')
    for number in range(1, length):
        if number % 7 == 0:
            upgrade = f'op.create_table("t{number}", sa.Column("id", sa.Integer))'
        else:
            upgrade = f'op.add_column("t", sa.Column("c{number}", sa.Integer))'
        project.add(f"r{number}", upgrade)
    project.add("side", 'op.add_column("t", sa.Column("side", sa.Integer))', after="r10")
    project.add("both", after=(f"r{length - 1}", "side"))
    project.add("last", 'op.drop_column("t", "c3")')
    return project


def schemas(found: Scripts, order: list[str]) -> dict[tuple[str, str], object]:
    return {
        (revision, dialect): found.schema_before(revision, dialect)
        for revision in order
        for dialect in DIALECTS
    }


@pytest.mark.parametrize("kept", [4, 8, 512])
def test_a_schema_does_not_depend_on_what_was_asked_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    project = history(tmp_path)
    names = sorted(Scripts(project.environment).history.by_id)
    expected = {
        key: value
        for name in names
        for key, value in schemas(Scripts(project.environment), [name]).items()
    }
    monkeypatch.setattr(scripts, "_KEPT_SCHEMAS", kept)
    monkeypatch.setattr(scripts, "_STRIDE", 4)
    chance = random.Random(7)
    found = Scripts(project.environment)
    for _ in range(3):
        chance.shuffle(names)
        assert schemas(found, names) == expected
        assert len(found._schemas) <= kept


def test_an_edit_changes_the_schemas_behind_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "_STRIDE", 4)
    project = history(tmp_path)
    found = Scripts(project.environment)
    names = sorted(found.history.by_id)
    before = schemas(found, names)
    file = project.versions / "r5_.py"
    text = file.read_text(encoding="utf-8")
    found.set_text(file, text.replace('"c5"', '"renamed"'))
    after = schemas(found, names)
    later = {"r5", *found.history.descendants("r5")} - {"r5"}
    assert {key[0] for key in names_of(before) if before[key] != after[key]} == later
    found.set_text(file, None)
    assert schemas(found, names) == before


def names_of(found: dict[tuple[str, str], object]) -> list[tuple[str, str]]:
    return list(found)


def test_after_preparing_nothing_is_left_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = history(tmp_path)
    found = Scripts(project.environment)
    file = project.versions / "last_.py"
    steps = sum(1 for _ in found.prepare(file))
    assert steps >= 40
    monkeypatch.setattr(found, "_read", None)
    assert found.schema_before("last", None) == Scripts(project.environment).schema_before(
        "last", None
    )


def test_preparing_stands_an_edit_in_between(tmp_path: Path) -> None:
    project = history(tmp_path)
    found = Scripts(project.environment)
    steps = found.prepare(project.versions / "last_.py")
    for _ in range(5):
        next(steps)
    (project.versions / "r20_.py").unlink()
    found.reread(project.versions / "r20_.py")
    assert sum(1 for _ in steps) > 5
    assert found.schema_before("last", "sqlite") is not None
