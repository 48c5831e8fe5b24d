"""Which functions of a migration are for which of several databases.

A migration of Alembic's template for several databases, or of Flask-Migrate's, has
`upgrade(engine_name)`, which calls `upgrade_engine1()` for that engine and so on.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from alembic_roundtrip.migration.evaluation import unparsed
from alembic_roundtrip.migration.literals import dotted
from alembic_roundtrip.migration.model import DIRECTIONS

Functions = Mapping[str, ast.FunctionDef]
"""The functions of a module, by their names."""

_LOOKS_UP = frozenset({"eval", "globals().get", "getattr"})
_PREFIXES = tuple(f"{direction}_" for direction in DIRECTIONS)


def dispatched(node: ast.expr) -> str | None:
    """The prefix of `globals()["upgrade_%s" % engine_name]()`, or of what comes to the same."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Subscript) and "globals()" in unparsed(function.value):
        text = unparsed(function.slice)
    elif isinstance(function, ast.Call) and unparsed(function.func) in _LOOKS_UP:
        text = unparsed(function)
    else:
        return None
    return next((prefix for prefix in _PREFIXES if prefix in text), None)


def takes_engine(function: ast.FunctionDef) -> bool:
    """Whether a direction can be called with the name of an engine."""
    arguments = function.args
    return bool(arguments.args or arguments.kwonlyargs or arguments.kwarg)


def dispatches(direction: str, functions: Functions) -> bool:
    """Whether a direction calls its engine's own function, whatever else it does."""
    todo, seen = [direction], set[str]()
    while todo:
        name = todo.pop()
        if name in functions and name not in seen:
            seen.add(name)
            calls = [node for node in ast.walk(functions[name]) if isinstance(node, ast.Call)]
            if any(dispatched(call) == f"{direction}_" for call in calls):
                return True
            todo += [dotted(call.func) for call in calls]
    return False


def only_dispatches(direction: str, functions: Functions) -> bool:
    """Whether all that a direction does is to call its engine's own function."""
    name, seen = direction, set[str]()
    while name in functions and name not in seen:
        seen.add(name)
        call = _only_call(functions[name])
        if call is None or dispatched(call) == f"{direction}_":
            return call is not None
        name = dotted(call.func)
    return False


def _only_call(function: ast.FunctionDef) -> ast.Call | None:
    """The call that is all of a function, but for its docstring."""
    documented = ast.get_docstring(function, clean=False) is not None
    body = function.body[1:] if documented else function.body
    only = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return only if isinstance(only, ast.Call) else None


def engines_of(tree: ast.Module, functions: Functions, known: AbstractSet[str]) -> tuple[str, ...]:
    """The engines that a module has directions for.

    Where the configuration tells none of them, they are those with both functions; one alone that
    the module itself calls by its name may be anything. Beside those that it tells, others have
    both functions and are not called by name.
    """
    named = _named(functions)
    told = not known.isdisjoint(named)
    written = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    def is_engine(names: list[str]) -> bool:
        both, called = len(names) > 1, not written.isdisjoint(names)
        return both and not called if told else both or not called

    return tuple(engine for engine, names in named.items() if engine in known or is_engine(names))


def _named(functions: Functions) -> dict[str, list[str]]:
    """What may be engines' names, with their functions, in the order of the text."""
    found: dict[str, list[str]] = {}
    for name, function in functions.items():
        prefix = next((prefix for prefix in _PREFIXES if name.startswith(prefix)), None)
        if prefix is not None and not _needs_arguments(function.args):
            found.setdefault(name.removeprefix(prefix), []).append(name)
    return found


def _needs_arguments(arguments: ast.arguments) -> bool:
    keywords: Iterable[ast.expr | None] = arguments.kw_defaults
    return len(arguments.args) > len(arguments.defaults) or None in keywords
