from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.fixing import fix_file
from alembic_roundtrip.migration.editing import edits
from alembic_roundtrip.rule import Example, Rule, rules
from alembic_roundtrip.text import apply_edits
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

CASES = [
    pytest.param(rule, example, id=f"{rule.name}: {example.title}")
    for rule in rules().values()
    for example in rule.examples
]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def found_in(rule: Rule, example: Example, file: Path, folder: Path) -> list[Diagnostic]:
    # A rule of a later stage judges what the others find.
    selected = {} if rule.stage else {"select": [rule.name]}
    settings = {"dialects": list(example.dialects), **selected}
    found = Workspace([folder], settings).diagnostics(file)
    return [diagnostic for diagnostic in found if diagnostic.rule == rule.name]


@pytest.mark.parametrize(("rule", "example"), CASES)
def test_an_example_shows_exactly_what_its_carets_mark(
    rule: Rule, example: Example, tmp_path: Path
) -> None:
    project = write_project(example, tmp_path)
    found = found_in(rule, example, project.file, tmp_path)
    assert [(d.range, d.message) for d in found] == [
        (expected.range, expected.message) for expected in project.expected
    ]


@pytest.mark.parametrize(("rule", "example"), [c for c in CASES if c.values[1].fixed])
def test_the_first_fix_gives_what_the_page_shows_and_then_rests(
    rule: Rule, example: Example, tmp_path: Path
) -> None:
    project = write_project(example, tmp_path)
    workspace = Workspace([tmp_path], {"dialects": list(example.dialects)})
    found = found_in(rule, example, project.file, tmp_path)
    document = workspace.document(project.file)
    assert document is not None
    fixed = apply_edits(document.text, edits(document, found[0].fixes[0].rewrites))
    assert fixed == project.header + dedent(example.fixed or "").lstrip("\n")
    if project.file.suffix == ".py":
        compile(fixed, str(project.file), "exec")
    project.file.write_text(fixed, encoding="utf-8")
    left = {d.message for d in found_in(rule, example, project.file, tmp_path)}
    assert left <= {d.message for d in found if not d.fixes}


@pytest.mark.parametrize(("rule", "example"), [c for c in CASES if c.values[1].created])
def test_the_first_fix_makes_the_file_that_the_page_shows_and_then_rests(
    rule: Rule, example: Example, tmp_path: Path
) -> None:
    project = write_project(example, tmp_path)
    workspace = Workspace([tmp_path], {"select": [rule.name]})
    before = set(tmp_path.rglob("*.py"))
    assert fix_file(workspace, project.file, unsafe=True)
    (made,) = set(tmp_path.rglob("*.py")) - before
    assert made.read_text(encoding="utf-8").strip() == dedent(example.created or "").strip()
    assert found_in(rule, example, project.file, tmp_path) == []
    assert not fix_file(workspace, project.file, unsafe=True)


@pytest.mark.parametrize("rule", rules().values(), ids=lambda rule: rule.name)
def test_a_rule_is_documented_and_shown_from_both_sides(rule: Rule) -> None:
    assert rule.summary.endswith("."), "the first line is a sentence"
    assert rule.page.index("## Why it matters") < rule.page.index("## What to do")
    marked = [example for example in rule.examples if "^^ " in example.source]
    assert marked, "an example that the rule finds"
    assert len(marked) < len(rule.examples), "an example that it leaves alone"
    assert any("😋" in example.source for example in rule.examples)


def test_a_rule_is_added_by_adding_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import alembic_roundtrip.rules as package

    (tmp_path / "long_message.py").write_text(
        dedent(
            '''
            """The message is long."""

            from alembic_roundtrip.diagnostic import Finding
            from alembic_roundtrip.rule import Rule

            rule = Rule(__name__, severity="hint")


            @rule.check
            def check(context):
                yield Finding(context.migration.revision.range, "found by a new file")
            '''
        ),
        encoding="utf-8",
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    rules.cache_clear()
    try:
        project = write_project(Example("", "def upgrade():\n    pass\n"), tmp_path / "project")
        found = Workspace([project.folder], {"select": ["long-message"]}).diagnostics(project.file)
        assert [(d.rule, d.severity, d.message) for d in found] == [
            ("long-message", "hint", "found by a new file")
        ]
    finally:
        rules.cache_clear()
