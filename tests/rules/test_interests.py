"""A rule that names the changes it looks at finds nothing where there are none of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from alembic_roundtrip.checker import Choice, check
from alembic_roundtrip.config import Settings
from alembic_roundtrip.rule import rules, rules_of_files
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

_OF_ALL = {"upgrade": None, "downgrade": None, "measured": False, "of_ignores": False}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize("name", sorted(rules()))
def test_asking_every_rule_finds_no_more_in_the_examples_of_any(name: str, tmp_path: Path) -> None:
    every = Choice(replace(rule, **_OF_ALL) for rule in rules().values())
    for number, example in enumerate(rules()[name].examples):
        project = write_project(example, tmp_path / str(number))
        context = Workspace([project.folder]).context(project.file)
        if context is not None:
            expected = check(context, Settings(), every)
            assert check(replace(context, _made={}), Settings()) == expected


def test_a_rule_is_not_asked_about_changes_that_it_does_not_look_at() -> None:
    chosen = Choice(rules().values())
    asked = chosen.concerned(frozenset(), frozenset(), rehearsed=False, ignoring=False)
    names = {rule.name for _, stage in asked for rule in stage}
    assert "unreadable-migration" in names
    assert names.isdisjoint({"column-not-dropped", "schema-residue", "unused-ignore"})


def test_rules_of_files_are_told_by_their_text() -> None:
    judging = {name for name, rule in rules().items() if rule._check_file is not None}
    assert set(rules_of_files()) == judging
    assert "deleted-migration" in judging
