"""Whether two conditions certainly mean something else, however they are written."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable

from sqlglot import exp
from sqlglot.optimizer.normalize import normalize

from alembic_roundtrip.migration.sql.syntax import parse

_Kind = type[exp.Expr]
_SIDES = (exp.EQ, exp.NEQ, exp.Add, exp.Mul)
"""What means the same with its sides exchanged."""
_TURNED: dict[_Kind, _Kind] = {exp.GT: exp.LT, exp.GTE: exp.LTE}
_OPPOSITE: dict[_Kind, _Kind] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.GTE,
    exp.LTE: exp.GT,
    exp.GT: exp.LTE,
    exp.GTE: exp.LT,
}


def differ(one: str, other: str, dialects: Iterable[str]) -> bool | None:
    """Whether two conditions certainly differ in each dialect; None where none reads both."""
    found: list[bool] = []
    for dialect in dialects:
        first, second = (_condition(text, dialect) for text in (one, other))
        if first is not None and second is not None:
            found.append(_differ(first, second))
    return all(found) if found else None


def _condition(text: str, dialect: str) -> exp.Expr | None:
    tree = parse(f"SELECT 1 WHERE ({text})", dialect)
    where = tree.args.get("where") if isinstance(tree, exp.Select) else None
    return where.this if where is not None else None


def _differ(one: exp.Expr, other: exp.Expr) -> bool:
    if _meaning(one) == _meaning(other):
        return False
    # What is factored out in one of them need not be in the other.
    return _meaning(normalize(one)) != _meaning(normalize(other))


def _meaning(node: object) -> Hashable:
    """A value that is the same for what is the same but for its spelling; casts are left out."""
    if isinstance(node, list):
        return tuple(map(_meaning, node))
    if not isinstance(node, exp.Expr):
        return str(node).lower()
    reader = _READERS.get(type(node))
    return _whole(node) if reader is None else reader(node)


def _whole(node: exp.Expr) -> Hashable:
    kind = _TURNED.get(type(node))
    if kind is not None:
        return (kind, _meaning(node.expression), _meaning(node.this))
    if isinstance(node, _SIDES):
        return (type(node), frozenset(map(_meaning, (node.this, node.expression))))
    given = ((key, value) for key, value in node.args.items() if value not in (None, False, []))
    return (type(node), *((key, _meaning(value)) for key, value in given))


def _connected(node: exp.Expr) -> Hashable:
    """All that AND or OR connects, whatever its order and its parentheses."""
    return _joined(type(node), map(_meaning, (node.this, node.expression)))


def _joined(kind: _Kind, parts: Iterable[Hashable]) -> Hashable:
    found: set[Hashable] = set()
    for part in parts:
        found |= _parts(part, kind)
    if len(found) > 1:
        found.discard("1" if kind is exp.And else "0")  # true, or false
    # `a AND (a OR b)` is `a`, and the other way round.
    whole = {part: _parts(part, exp.Or if kind is exp.And else exp.And) for part in found}
    found -= {part for part in found if any(whole[part] > other for other in whole.values())}
    return (kind, frozenset(found)) if len(found) > 1 else found.pop()


def _parts(meaning: Hashable, kind: _Kind) -> frozenset[Hashable]:
    """What AND, or OR, connects in a meaning; the meaning itself where it is no such thing."""
    if isinstance(meaning, tuple) and meaning[0] is kind:
        return frozenset(meaning[1])
    return frozenset((meaning,))


def _negated(node: exp.Expr) -> Hashable:
    inner = node.this.unnest()
    if isinstance(inner, exp.Not):
        return _meaning(inner.this)
    if isinstance(inner, exp.Connector):
        parts = (exp.Not(this=part.copy()) for part in (inner.this, inner.expression))
        return _joined(exp.Or if isinstance(inner, exp.And) else exp.And, map(_meaning, parts))
    if isinstance(inner, exp.Is):
        turned = inner.copy()
        turned.set("negate", not inner.args.get("negate"))
        return _meaning(turned)
    if isinstance(inner, exp.In) and inner.expressions:
        return _one_of(inner, exp.And, exp.NEQ)
    opposite = _OPPOSITE.get(type(inner))
    if opposite is not None:
        return _meaning(opposite(this=inner.this.copy(), expression=inner.expression.copy()))
    return (exp.Not, _meaning(inner))


def _one_of(node: exp.Expr, kind: _Kind = exp.Or, compared: _Kind = exp.EQ) -> Hashable:
    """IN a list as the comparisons that it stands for."""
    if not node.expressions:
        return _whole(node)
    value = _meaning(node.this)
    pairs = (frozenset((value, _meaning(other))) for other in node.expressions)
    return _joined(kind, ((compared, pair) for pair in pairs))


def _equal(node: exp.Expr) -> Hashable:
    """A comparison; PostgreSQL keeps IN as one with ANY of an array."""
    array = node.expression.find(exp.Array) if isinstance(node.expression, exp.Any) else None
    if array is None:
        return _whole(node)
    return _one_of(exp.In(this=node.this.copy(), expressions=array.copy().expressions))


def _between(node: exp.Expr) -> Hashable:
    low, value, high = map(_meaning, (node.args["low"], node.this, node.args["high"]))
    return _joined(exp.And, ((exp.LTE, low, value), (exp.LTE, value, high)))


def _constant(node: exp.Expr) -> Hashable:
    """A value by what it says: databases take `'0'` for a number, and some 1 for true."""
    return str(int(node.this)) if isinstance(node, exp.Boolean) else str(node.this)


_READERS: dict[_Kind, Callable[[exp.Expr], Hashable]] = {
    exp.Paren: lambda node: _meaning(node.this),
    exp.Cast: lambda node: _meaning(node.this),
    exp.Column: lambda node: node.name.lower(),
    exp.Identifier: lambda node: node.name.lower(),
    exp.Literal: _constant,
    exp.Boolean: _constant,
    exp.And: _connected,
    exp.Or: _connected,
    exp.Not: _negated,
    exp.In: _one_of,
    exp.EQ: _equal,
    exp.Between: _between,
}
