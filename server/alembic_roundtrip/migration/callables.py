"""Functions however they are written: `async def`, a lambda, a partial, a class's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alembic_roundtrip.migration.literals import dotted

_PARTIALS = frozenset({"partial", "functools.partial"})
_ARGUMENTS, _KEYWORDS = "__args__", "__kwargs__"


def synchronous(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.FunctionDef:
    """A function as one that is called without waiting: what it does is the same."""
    if isinstance(node, ast.FunctionDef):
        return node
    parts = {name: getattr(node, name) for name in node._fields}
    return ast.copy_location(ast.FunctionDef(**parts), node)


def as_function(name: str, value: ast.expr) -> ast.FunctionDef | None:
    """The function that a lambda, or `functools.partial(op.add_column, "users")`, is."""
    if isinstance(value, ast.Lambda):
        arguments, returned = value.args, value.body
    elif isinstance(value, ast.Call) and dotted(value.func) in _PARTIALS and value.args:
        function, *given = value.args
        rest = ast.Starred(ast.Name(_ARGUMENTS, ast.Load()), ast.Load())
        named = ast.keyword(None, ast.Name(_KEYWORDS, ast.Load()))
        returned = ast.Call(function, [*given, rest], [*value.keywords, named])
        arguments = ast.arguments([], [], ast.arg(_ARGUMENTS), [], [], ast.arg(_KEYWORDS), [])
    else:
        return None
    made = ast.FunctionDef(name, arguments, [ast.Return(returned)], [])
    return ast.fix_missing_locations(ast.copy_location(made, value))


def called_on(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The functions of a class that are called on it, under such a name: `Ops.add`."""
    for each in node.body:
        if not isinstance(each, ast.FunctionDef):
            continue
        kinds = {dotted(part) for part in each.decorator_list}
        if kinds not in ({"staticmethod"}, {"classmethod"}):
            continue
        if kinds == {"classmethod"} and not (each.args.posonlyargs or each.args.args):
            continue
        parts = {name: getattr(each, name) for name in each._fields}
        if kinds == {"classmethod"}:
            parts["args"] = _but_the_first(each.args)
        made = ast.FunctionDef(**{**parts, "name": f"{node.name}.{each.name}"})
        yield ast.copy_location(made, each)


def _but_the_first(arguments: ast.arguments) -> ast.arguments:
    """Arguments without the class, that nobody gives: a default that it has goes with it."""
    parts = {name: getattr(arguments, name) for name in arguments._fields}
    kind = "posonlyargs" if arguments.posonlyargs else "args"
    parts[kind] = parts[kind][1:]
    taken = len(parts["posonlyargs"]) + len(parts["args"])
    parts["defaults"] = arguments.defaults[-taken:] if taken else []
    return ast.arguments(**parts)
