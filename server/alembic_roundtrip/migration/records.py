"""Objects that keep what they were made with: `view.name` is the argument given for it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration.literals import dotted, value_of

_ENTITY = ("schema", "signature", "definition")
_ENTITIES = {
    "PGFunction": _ENTITY,
    "PGMaterializedView": _ENTITY,
    "PGView": _ENTITY,
    "PGExtension": ("schema", "signature"),
    "PGPolicy": (*_ENTITY, "on_entity"),
    "PGTrigger": (*_ENTITY, "on_entity", "is_constraint"),
}
"""What the objects of alembic-utils are made with, in order."""
_AT_MAKING = frozenset({"__init__", "__new__", "__post_init__"})
_AT_SETTING = frozenset({"__setattr__", "__getattribute__", "setattr", "delattr", "__dict__"})
_OTHER_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")
"""Annotations in a dataclass that stand for no parameter, no attribute, or neither."""


@dataclass(frozen=True)
class Record:
    """How a class turns what it is called with into attributes, as far as it only keeps it."""

    function: ast.FunctionDef
    """With the parameters that a call of the class takes."""
    attributes: Mapping[str, ast.expr]
    """What each attribute comes to, said with these parameters."""


def record_of(node: ast.ClassDef, known: Mapping[str, Record]) -> Record | None:
    """What a class keeps of its arguments; None unless keeping them is all that is done with it."""
    bases = [dotted(base) for base in node.bases if dotted(base) != "object"]
    methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
    made_by = _AT_MAKING & methods.keys()
    if node.keywords or made_by - {"__init__"}:
        return None
    is_dataclass = len(node.decorator_list) == 1 and _makes_dataclass(node.decorator_list[0])
    if node.decorator_list and (bases or made_by or not is_dataclass):
        return None
    if made_by:
        record = None if bases else _initialised(methods["__init__"])
    elif is_dataclass or [base.rpartition(".")[2] for base in bases] == ["NamedTuple"]:
        record = _annotated(node)
    else:
        record = known.get(bases[0]) if len(bases) == 1 else None
    described = methods.keys() | set(_computed(node))
    return None if record is None or described & record.attributes.keys() else record


def _computed(node: ast.ClassDef) -> Iterator[str]:
    """What the body of a class gives other values than constants, such as descriptors."""
    for statement in node.body:
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
            yield from (part.id for part in ast.walk(statement) if isinstance(part, ast.Name))


def changed_attributes(tree: ast.Module) -> frozenset[str] | None:
    """Attributes that are set elsewhere than where an object is made; None for any of them."""
    changed: list[str] = []
    at_making: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _is_changed(node):
            changed.append(node.attr)
        elif isinstance(node, ast.FunctionDef) and node.name == "__init__":
            inner = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
            at_making += [part.attr for part in inner if _is_changed(part)]
        if getattr(node, "id", getattr(node, "attr", "")) in _AT_SETTING:
            return None
        if isinstance(node, ast.FunctionDef) and node.name in _AT_SETTING:
            return None
    return frozenset(Counter(changed) - Counter(at_making))


def named_tuple(node: ast.expr) -> Record | None:
    """That of `namedtuple("View", ["name", "sql"])`."""
    if not isinstance(node, ast.Call) or dotted(node.func).rpartition(".")[2] != "namedtuple":
        return None
    fields = value_of(node.args[1]) if len(node.args) > 1 and not node.keywords else None
    if isinstance(fields, str):
        fields = tuple(fields.replace(",", " ").split())
    return _keeping(fields) if isinstance(fields, tuple) else None


def entity_record(module: str, name: str) -> Record | None:
    """That of an object of alembic-utils which is imported from a module.

    What it is on is given a schema, so that is not kept as it is.
    """
    fields = _ENTITIES.get(name) if module.partition(".")[0] == "alembic_utils" else None
    if fields is None:
        return None
    made = _keeping(fields)
    return Record(made.function, {key: made.attributes[key] for key in fields if key in _ENTITY})


def _makes_dataclass(decorator: ast.expr) -> bool:
    called = decorator
    if isinstance(decorator, ast.Call):
        called = decorator.func
        if any(keyword.arg in {None, "init", "kw_only"} for keyword in decorator.keywords):
            return False
    return dotted(called).rpartition(".")[2] == "dataclass"


def _initialised(function: ast.FunctionDef) -> Record | None:
    """Of `self.name = name`; what is assigned more than once, or under a condition, is not sure."""
    if not function.args.args or function.decorator_list:
        return None
    own = function.args.args[0].arg
    if _is_given_away(own, function):
        return None
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


def _is_given_away(own: str, function: ast.FunctionDef) -> bool:
    """Whether something else gets at the object that is being made: `super()` or `self._fix()`."""
    names = [part.id for part in ast.walk(function) if isinstance(part, ast.Name)]
    read = [
        part
        for part in ast.walk(function)
        if isinstance(part, ast.Attribute) and dotted(part.value) == own
    ]
    called = [part.func for part in ast.walk(function) if isinstance(part, ast.Call)]
    return "super" in names or names.count(own) > len(read) or any(part in called for part in read)


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


def _annotated(node: ast.ClassDef) -> Record | None:
    """Of `name: str = "v"` in the body of a class."""
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign)]
    if any(map(_is_special, fields)):
        return None
    names = [each.target.id for each in fields if isinstance(each.target, ast.Name)]
    return _keeping(names, [each.value for each in fields if each.value is not None])


def _is_special(field: ast.AnnAssign) -> bool:
    """Whether a field is no parameter, or not one by its place, or not kept."""
    if any(word in ast.unparse(field.annotation) for word in _OTHER_FIELDS):
        return True
    given = field.value
    return isinstance(given, ast.Call) and any(
        keyword.arg in {None, "init", "kw_only"} for keyword in given.keywords
    )


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
