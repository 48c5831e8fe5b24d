"""What loops and unpacking give their names, as far as it is written out."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from alembic_roundtrip.migration.conditions import outcome
from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.sql.words import statements
from alembic_roundtrip.text import Source

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp)
_LONGEST = 64
"""Turns of a loop that are followed one by one."""
_NOWHERE = Source("")


def as_loop(node: ast.expr) -> ast.For | None:
    """A comprehension that stands for itself as the loop that it is; None for anything else."""
    if not isinstance(node, _COMPREHENSIONS):
        return None
    if len(node.generators) > 1:
        return None
    (generator,) = node.generators
    body: ast.stmt = ast.copy_location(ast.Expr(node.elt), node.elt)
    for test in reversed(generator.ifs):
        body = ast.copy_location(ast.If(test, [body], []), node.elt)
    return ast.copy_location(ast.For(generator.target, generator.iter, [body], []), node)


def as_condition(statement: ast.Expr) -> ast.If | None:
    """`a() if test else b()`, `test and a()` or `test or a()`, standing for itself, as an `if`."""
    node, empty = statement.value, ast.copy_location(ast.Constant(None), statement)
    if isinstance(node, ast.IfExp):
        test, yes, no = node.test, node.body, node.orelse
    elif isinstance(node, ast.BoolOp):
        *first, done = node.values
        rest = ast.copy_location(ast.BoolOp(node.op, first), node)
        test = first[0] if len(first) == 1 else rest
        yes, no = (done, empty) if isinstance(node.op, ast.And) else (empty, done)
    else:
        return None
    body, orelse = (ast.copy_location(ast.Expr(part), statement) for part in (yes, no))
    return ast.copy_location(ast.If(test, [body], [orelse]), statement)


def iterations(node: ast.expr, target: ast.expr) -> list[dict[str, ast.expr | None]] | None:
    """Bindings of a loop's target for each turn over a literal; None where it is not one."""
    items = items_of(node)
    if items is None or len(items) > _LONGEST:
        return None
    return [bindings(target, item) for item in items]


def items_of(node: ast.expr) -> list[ast.expr] | None:
    """What a literal, or what puts literals together or in order, is made of."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return _together(
            items_of(item.value) if isinstance(item, ast.Starred) else [item] for item in node.elts
        )
    if isinstance(node, ast.Dict):
        return [key for key in node.keys if key is not None]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return _sliced(node.value, node.slice)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _together([items_of(node.left), items_of(node.right)])
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
        return _comprehended(node)
    if isinstance(node, ast.Call):
        return _counted(node) if dotted(node.func) == "range" else _called_items(node)
    return None


def _sliced(node: ast.expr, places: ast.Slice) -> list[ast.expr] | None:
    items = items_of(node)
    bounds: list[int | None] = []
    for bound in (places.lower, places.upper, places.step):
        value = None if bound is None else value_of(bound)
        if not isinstance(value, int | None):
            return None
        bounds.append(value)
    return None if items is None or bounds[2] == 0 else items[slice(*bounds)]


def _comprehended(node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> list[ast.expr] | None:
    """What a comprehension over a literal makes of each of its items."""
    generator = node.generators[0]
    items = items_of(generator.iter)
    if items is None or len(items) > _LONGEST or len(node.generators) > 1:
        return None
    made: list[ast.expr] = []
    for item in items:
        scope = Scope(_NOWHERE, bindings(generator.target, item))
        chosen = [outcome(scope.resolve(test)) for test in generator.ifs]
        if None in chosen:
            return None
        if all(chosen):
            made.append(scope.resolve(node.elt))
    return made


def spread(node: ast.Call, scope: Scope) -> ast.Call:
    """A call with what stands behind its stars put in, as far as that is written out."""
    starred = any(isinstance(argument, ast.Starred) for argument in node.args)
    if not starred and all(keyword.arg is not None for keyword in node.keywords):
        return node
    arguments = [part for argument in node.args for part in _behind_star(argument, scope)]
    keywords = [part for keyword in node.keywords for part in _behind_stars(keyword, scope)]
    return ast.copy_location(ast.Call(node.func, arguments, keywords), node)


def _behind_star(node: ast.expr, scope: Scope) -> list[ast.expr]:
    items = items_of(scope.resolve(node.value)) if isinstance(node, ast.Starred) else None
    return [node] if items is None else items


def _behind_stars(node: ast.keyword, scope: Scope) -> list[ast.keyword]:
    value = scope.resolve(node.value) if node.arg is None else node.value
    if node.arg is not None or not isinstance(value, ast.Dict):
        return [node]
    keys = [None if key is None else value_of(key) for key in value.keys]
    if not all(isinstance(key, str) for key in keys):
        return [node]
    pairs = zip(keys, value.values, strict=True)
    return [ast.copy_location(ast.keyword(str(key), part), part) for key, part in pairs]


def _together(parts: Iterable[list[ast.expr] | None]) -> list[ast.expr] | None:
    """All items; None where those of a part are not known."""
    items: list[ast.expr] = []
    for part in parts:
        if part is None:
            return None
        items += part
    return items


def _counted(node: ast.Call) -> list[ast.expr] | None:
    """The numbers of a `range` that is short."""
    bounds = [value for value in map(value_of, node.args) if type(value) is int]
    if not bounds or len(bounds) < len(node.args) or node.keywords:
        return None
    try:
        numbers = range(*bounds)
        return list(map(_constant, numbers)) if len(numbers) <= _LONGEST else None
    except (TypeError, ValueError, OverflowError):  # too many bounds, steps of none, no end
        return None


def _constant(value: object) -> ast.Constant:
    """A value that stands nowhere in the source."""
    return ast.Constant(value, lineno=0, end_lineno=0, col_offset=0, end_col_offset=0)  # type: ignore[arg-type]


def _called_items(node: ast.Call) -> list[ast.expr] | None:
    name = dotted(node.func)
    if name == "sqlparse.split" and len(node.args) == 1:
        sql = value_of(node.args[0])
        texts = [part.text for part in statements(sql)] if isinstance(sql, str) else None
        return None if texts is None else list(map(_constant, texts))
    if isinstance(node.func, ast.Attribute) and node.func.attr in {"split", "splitlines"}:
        parts = value_of(node)
        return list(map(_constant, parts)) if isinstance(parts, tuple) else None
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Dict):
        keys, values = node.func.value.keys, node.func.value.values
        if node.func.attr == "items":
            return [
                ast.Tuple([key, value], ast.Load())
                for key, value in zip(keys, values, strict=True)
                if key is not None
            ]
        return {"keys": [key for key in keys if key], "values": list(values)}.get(node.func.attr)
    inner = [items_of(argument) for argument in node.args]
    if not inner or any(items is None for items in inner):
        return None
    lists = [items for items in inner if items is not None]
    if name in {"list", "tuple", "set", "sorted"}:
        return lists[0]
    if name == "reversed":
        return lists[0][::-1]
    if name == "enumerate":
        return [
            ast.Tuple([_constant(number), item], ast.Load()) for number, item in enumerate(lists[0])
        ]
    if name == "zip":
        return [ast.Tuple(list(row), ast.Load()) for row in zip(*lists, strict=False)]
    return None


def bindings(target: ast.expr, value: ast.expr | None) -> dict[str, ast.expr | None]:
    """What an assignment binds: each name of the target to its part of the value, or to None."""
    if isinstance(target, ast.Name):
        return {target.id: value}
    if isinstance(target, ast.Tuple | ast.List):
        parts: list[ast.expr | None] = [None] * len(target.elts)
        if isinstance(value, ast.Tuple | ast.List):
            parts = _taken_apart(target.elts, value.elts) or parts
        bound: dict[str, ast.expr | None] = {}
        for name, part in zip(target.elts, parts, strict=True):
            bound |= bindings(name, part)
        return bound
    return bindings(target.value, value) if isinstance(target, ast.Starred) else {}


def _taken_apart(names: list[ast.expr], values: list[ast.expr]) -> list[ast.expr | None] | None:
    """The part of each name; a starred one takes a list of what the others leave."""
    starred = [at for at, name in enumerate(names) if isinstance(name, ast.Starred)]
    if any(isinstance(value, ast.Starred) for value in values):
        return None
    if not starred:
        return list(values) if len(values) == len(names) else None
    at, behind = starred[0], len(names) - starred[0] - 1
    if len(values) < len(names) - 1:
        return None
    end = len(values) - behind
    rest = ast.List(values[at:end], lineno=0, end_lineno=0, col_offset=0, end_col_offset=0)
    rest.ctx = ast.Load()
    return [*values[:at], rest, *values[end:]]
