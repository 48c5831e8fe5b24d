"""Whether two texts of a migration do the same: comments, docstrings and layout do not matter."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Migration, Operation

_ROWS_OR_UNKNOWN = (c.WriteRows, c.Unknown)


def same_meaning(one: Migration, other: Migration, direction: str) -> bool:
    """Whether a direction does the same in both; true where neither code nor values can tell."""
    if one.problems or other.problems:
        return True
    if _code(one.text, one.function(direction)) == _code(other.text, other.function(direction)):
        return True
    return _operations(getattr(one, direction)) == _operations(getattr(other, direction))


def _operations(direction: Direction | None) -> list[object] | None:
    return None if direction is None else [_effect(o) for o in direction.operations]


def _effect(operation: Operation) -> object:
    """What an operation does, by value; by its code where the value does not say all."""
    effect: tuple[object, ...] = (operation.changes, operation.guards, operation.autocommit)
    told = operation.changes and not any(isinstance(x, _ROWS_OR_UNKNOWN) for x in operation.changes)
    if told and operation.opaque is None and operation.name != "op.execute":
        return effect
    return (*effect, operation.name, [(name, value.text) for name, value in operation.arguments])


def _code(text: str, function: str) -> list[str]:
    """The code that a function of a module runs: its own, and the module's that it names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the user's `\d`, for example
        tree = ast.parse(text.removeprefix("\ufeff"))
    bound = dict(_bound(tree.body))
    todo, used = [function], set[str]()
    while todo:
        name = todo.pop()
        if name in bound and name not in used:
            used.add(name)
            todo += (n.id for n in ast.walk(bound[name]) if isinstance(n, ast.Name))
    return [f"{name}: {ast.dump(_undocumented(bound[name]))}" for name in sorted(used)]


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """The names that a module binds, each with what it is bound to."""
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name, statement
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            module = getattr(statement, "module", None)
            for alias in statement.names:
                value = ast.Constant(f"{module}:{alias.name}")
                yield alias.asname or alias.name.partition(".")[0], value
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield from ((n.id, statement.value) for n in _names(target))


def _names(target: ast.expr) -> Iterator[ast.Name]:
    return (node for node in ast.walk(target) if isinstance(node, ast.Name))


def _undocumented(node: ast.AST) -> ast.AST:
    """The code without docstrings and annotations, and with arguments by name in one order."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            inner.keywords.sort(key=lambda keyword: keyword.arg or "")
        body = getattr(inner, "body", None)
        if (
            isinstance(body, list)
            and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and ast.get_docstring(inner, clean=False) is not None
        ):
            inner.body = body[1:] or [ast.Pass()]
        if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
            inner.returns = None
    return node
