"""Objects that keep what they were made with: `view.name` is the argument given for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration.literals import dotted, value_of

_ENTITY = ("schema", "signature", "definition")
_ENTITIES = {
    "PGFunction": _ENTITY,
    "PGMaterializedView": _ENTITY,
    "PGView": _ENTITY,
    "PGExtension": ("schema", "signature"),
    "PGPolicy": ("schema", "signature", "on_entity", "definition"),
    "PGTrigger": ("schema", "signature", "on_entity", "definition"),
}
"""What the objects of alembic-utils are made with, in order."""


@dataclass(frozen=True)
class Record:
    """How a class turns what it is called with into attributes, as far as it only keeps it."""

    function: ast.FunctionDef
    """With the parameters that a call of the class takes."""
    attributes: Mapping[str, ast.expr]
    """What each attribute comes to, said with these parameters."""


def record_of(node: ast.ClassDef, known: Mapping[str, Record]) -> Record | None:
    """What a class keeps of its arguments; None where nothing of it is sure."""
    bases = [dotted(base) for base in node.bases]
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    if "__init__" in methods:
        return _initialised(methods["__init__"])
    is_tuple = [base.rpartition(".")[2] for base in bases] == ["NamedTuple"]
    is_dataclass = any(map(_makes_dataclass, node.decorator_list))
    if is_tuple or (is_dataclass and not bases):
        return _annotated(node)
    return known.get(bases[0]) if len(bases) == 1 and not is_dataclass else None


def named_tuple(node: ast.expr) -> Record | None:
    """That of `namedtuple("View", ["name", "sql"])`."""
    if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "namedtuple":
        return None
    fields = value_of(node.args[1]) if len(node.args) > 1 and not node.keywords else None
    if isinstance(fields, str):
        fields = tuple(fields.replace(",", " ").split())
    return _keeping(fields) if isinstance(fields, tuple) else None


def entity_record(module: str, name: str) -> Record | None:
    """That of an object of alembic-utils which is imported from a module."""
    fields = _ENTITIES.get(name) if module.partition(".")[0] == "alembic_utils" else None
    return _keeping(fields) if fields is not None else None


def _makes_dataclass(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return dotted(called).rpartition(".")[2] == "dataclass"


def _initialised(function: ast.FunctionDef) -> Record | None:
    """Of `self.name = name`; what is assigned more than once, or under a condition, is not sure."""
    if not function.args.args:
        return None
    own = function.args.args[0].arg
    stored = [part for part in ast.walk(function) if _is_changed(part)]
    attributes = {
        target.attr: value
        for statement in function.body
        for target, value in _assigned(statement)
        if isinstance(target, ast.Attribute) and dotted(target) == f"{own}.{target.attr}"
    }
    changed = [each.attr for each in stored if isinstance(each, ast.Attribute)]
    rebound = {each.id for each in stored if isinstance(each, ast.Name)} | {own}
    sure = {
        name: value
        for name, value in attributes.items()
        if changed.count(name) == 1 and not rebound & _names(value)
    }
    return Record(_called(function.args), sure)


def _is_changed(node: ast.AST) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def _assigned(statement: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(statement, ast.Assign):
        yield from ((target, statement.value) for target in statement.targets)
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        yield statement.target, statement.value


def _names(node: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _called(args: ast.arguments) -> ast.FunctionDef:
    """A function with the parameters that remain once the first is the object itself."""
    rest = args.args[1:]
    defaults = args.defaults[-len(rest) :] if rest else []
    kept = ast.arguments(
        [], rest, args.vararg, args.kwonlyargs, args.kw_defaults, args.kwarg, defaults
    )
    return _function(kept)


def _annotated(node: ast.ClassDef) -> Record:
    """Of `name: str = "v"` in the body of a class."""
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    names = [each.target.id for each in fields if isinstance(each.target, ast.Name)]
    return _keeping(names, [each.value for each in fields if each.value is not None])


def _keeping(names: Sequence[object], defaults: Sequence[ast.expr] = ()) -> Record:
    """Of a class whose attributes are its parameters."""
    kept = [str(name) for name in names]
    parameters = ast.arguments([], [ast.arg(name) for name in kept], None, [], [], None, [])
    parameters.defaults += defaults
    return Record(_function(parameters), {name: _name(name) for name in kept})


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load(), lineno=0, end_lineno=0, col_offset=0, end_col_offset=0)


def _function(parameters: ast.arguments) -> ast.FunctionDef:
    return ast.FunctionDef("", parameters, [], [])
