from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from alembic_roundtrip.migration.operations import SIGNATURES
from alembic_roundtrip.rule import Example, Rule, rules
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

Spelling = Callable[[ast.Module], None]
NAMED = set(SIGNATURES) - {"create_table", "create_exclude_constraint", "bulk_insert", "execute"}
READ = [
    pytest.param(rule, example, id=f"{rule.name}: {example.title}")
    for rule in rules().values()
    for example in rule.examples
    if not (example.file or example.evidence or example.deployed or example.deleted)
    and rule.name != "unreadable-migration"  # what does not parse has no other spelling
]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def operations(tree: ast.AST, names: set[str]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "op"
        and node.func.attr in names
    ]


def directions(tree: ast.Module) -> list[ast.FunctionDef]:
    """The two functions, where they have code that could stand elsewhere as well."""
    quiet = (ast.Pass, ast.Raise, ast.Return)
    return [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and node.name in {"upgrade", "downgrade"}
        and ast.get_docstring(node) is None
        and not all(isinstance(part, quiet) or _is_text(part) for part in node.body)
    ]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def with_keywords(tree: ast.Module) -> None:
    for call in operations(tree, NAMED):
        assert isinstance(call.func, ast.Attribute)
        names = SIGNATURES[call.func.attr]
        if not any(isinstance(part, ast.Starred) for part in call.args):
            given = zip(names, call.args, strict=False)
            call.keywords = [*(ast.keyword(*pair) for pair in given), *call.keywords]
            call.args = []


def with_constants(tree: ast.Module) -> None:
    """Strings become names; `with_keywords` then has names to give by keyword."""
    names: dict[str, str] = {}
    for call in operations(tree, set(SIGNATURES)):
        for number, argument in enumerate(call.args):
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                name = names.setdefault(argument.value, f"NAME_{len(names)}")
                call.args[number] = ast.Name(name, ast.Load())
    first = next(n for n, node in enumerate(tree.body) if isinstance(node, ast.FunctionDef))
    tree.body[first:first] = [
        ast.Assign([ast.Name(name, ast.Store())], ast.Constant(text))
        for text, name in names.items()
    ]


def with_helpers(tree: ast.Module) -> None:
    for function in directions(tree):
        helper = copy.deepcopy(function)
        helper.name = f"_{function.name}_all"
        tree.body.insert(tree.body.index(function), helper)
        given = [ast.Name(argument.arg, ast.Load()) for argument in function.args.args]
        call = ast.Call(ast.Name(helper.name, ast.Load()), given, [])
        function.body = [ast.Expr(call)]


def with_loops(tree: ast.Module) -> None:
    for function in directions(tree):
        if function.args.args:
            continue  # one that calls each engine's own function does so once
        turns = ast.List([ast.Constant(1)], ast.Load())
        function.body = [ast.For(ast.Name("_", ast.Store()), turns, function.body, [])]


def with_types(tree: ast.Module) -> None:
    for number, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef):
            node.returns = ast.Constant(None)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            kind = ast.parse("str | None", mode="eval").body
            tree.body[number] = ast.AnnAssign(node.targets[0], kind, node.value, simple=1)


def with_other_words(tree: ast.Module) -> None:
    for spell in (with_constants, with_keywords, with_helpers, with_types):
        spell(tree)


def said(rule: Rule, example: Example, folder: Path, spell: Spelling | None) -> set[str]:
    """What the rule says of an example as Python writes it: comments and layout are gone."""
    project = write_project(example, folder)
    tree = ast.parse(project.file.read_text(encoding="utf-8"))
    if spell is not None:
        spell(tree)
    project.file.write_text(ast.unparse(ast.fix_missing_locations(tree)), encoding="utf-8")
    selected = {} if rule.stage else {"select": [rule.name]}
    settings = {"dialects": list(example.dialects), **selected}
    found = Workspace([folder], settings).diagnostics(project.file)
    return {item.message for item in found if item.rule == rule.name}


@pytest.mark.parametrize(("rule", "example"), READ)
def test_an_example_means_the_same_in_other_words(
    rule: Rule, example: Example, tmp_path: Path
) -> None:
    plain = said(rule, example, tmp_path / "plain", None)
    for spell in (with_other_words, with_loops):
        assert said(rule, example, tmp_path / spell.__name__, spell) == plain, spell.__name__
