from __future__ import annotations

import random
from pathlib import Path

import pytest

import multidb
from alembic_project import AlembicProject
from alembic_roundtrip import scripts
from alembic_roundtrip.scripts import Scripts
from alembic_roundtrip.workspace import Workspace

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


def made(name: str) -> str:
    return f'op.create_table("{name}", sa.Column("id", sa.Integer))'


def one_of(engine: str, name: str) -> dict[str, str]:
    bodies = {"engine1": "pass", "engine2": "pass", engine: made(name)}
    return {f"upgrade_{name}": body for name, body in bodies.items()}


def test_each_engine_has_a_schema_of_its_own(tmp_path: Path) -> None:
    """As long as it is known which database a migration was for."""
    single = {"upgrade": made("c"), "downgrade": "pass"}
    both = f"def upgrade(engine_name):\n    {made('both')}\n\n\ndef downgrade(engine_name): pass\n"
    texts = {
        "a": multidb.script("a", None, one_of("engine1", "a")),
        "b": multidb.script("b", "a", one_of("engine2", "b")),
        "shared": multidb.script("shared", "b", {}, both),
        "c": multidb.script("c", "shared", single, head=""),
        "d": multidb.script("d", "c", one_of("engine1", "d")),
        "e": multidb.script("e", "b", {"upgrade": "pass", "downgrade": "pass"}, head=""),
    }
    versions = multidb.write(tmp_path, texts)
    (environment,) = Workspace([tmp_path]).environments
    found = Scripts(environment)

    def known(revision: str, *engines: str | None) -> list[object]:
        dialects = {"engine1": "postgresql", "engine2": "sqlite"}
        at = [found.schema_at(revision, dialects.get(each or ""), each) for each in engines]
        return [None if each.opaque else sorted(map(str, each.tables)) for each in at]

    assert known("a", "engine2", "engine1") == [[], ["a"]]
    assert known("b", "engine1", "engine2") == [["a"], ["b"]]
    assert known("shared", "engine1", "engine2") == [["a", "both"], ["b", "both"]]
    # One database among several: nobody says which.
    assert known("c", "engine1", "engine2", None) == [None, None, None]
    assert known("d", "engine1", "engine2") == [None, None]
    # What changes nothing leaves no doubt.
    assert known("e", "engine1", "engine2") == [["a"], ["b"]]
    edited = texts["b"].replace('"b", sa', '"renamed", sa')
    found.set_text(versions / "b.py", edited)
    assert known("shared", "engine1", "engine2") == [["a", "both"], ["both", "renamed"]]
