"""Whether two conditions certainly mean something else, however they are written.

Both are worked out for many outcomes of what they compare at once: an outcome is one bit of an
integer. That needs no normal form, whose size has no bounds.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from functools import reduce
from operator import and_, or_

from sqlglot import exp

from alembic_roundtrip.migration.sql.syntax import parse

_Kind = type[exp.Expr]
_Outcomes = defaultdict[Hashable, int]
"""What each comparison comes to, one bit for each outcome."""
_ALWAYS, _NEVER = -1, 0
_COMPLETE = 12
"""Up to so many comparisons all of their outcomes are tried; of more, those that differ in one."""
_SPELLED_FREELY = (
    exp.AtTimeZone,
    exp.ByteString,
    exp.Dot,
    exp.Escape,
    exp.Extract,
    exp.Interval,
    exp.SimilarTo,
    exp.Tuple,
)
_SPELLED_AS_GIVEN = {
    *exp.DataType.TEXT_TYPES,
    *exp.DataType.NUMERIC_TYPES,
    exp.DataType.Type.BOOLEAN,
    exp.DataType.Type.USERDEFINED,
}
_TRUE, _FALSE = ("value", "1"), ("value", "0")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?", re.IGNORECASE)
_BOOLEANS = {"t": "1", "true": "1", "f": "0", "false": "0"}
_CASTS = re.compile(r"::[a-z]\w*(?: varying)?(?:\(\d+\))?(?:\[\])?")
_STRING_OR_CODE = re.compile(r"('(?:[^']|'')*')|[^']+")
_NEEDLESS = str.maketrans("", "", '()"`')
_ARRAY = re.compile(r'\{([^"\\{}]+)\}')


def differ(one: str, other: str, dialects: Iterable[str]) -> bool | None:
    """Whether two conditions certainly differ in each dialect; None where that is not known."""
    alike = _plain(one) == _plain(other)
    found: list[bool] = []
    for dialect in dialects:
        first, second = (_condition(text, dialect) for text in (one, other))
        if first is None or second is None:
            continue
        try:
            told = _differ(first, second, alike=alike)
        except RecursionError:  # hundreds of operators, each around the last
            told = None
        if told is None:
            return None
        found.append(told)
    return all(found) if found else None


def _plain(condition: str) -> str:
    """A condition without what may be written in it or not: spaces, parentheses, quotes, casts."""
    return _STRING_OR_CODE.sub(lambda part: part[1] or _plain_code(part[0]), condition)


def _plain_code(code: str) -> str:
    plain = _CASTS.sub("", code.lower()).replace("!=", "<>")
    return "".join(plain.translate(_NEEDLESS).split())


def _condition(text: str, dialect: str) -> exp.Expr | None:
    tree = parse(f"SELECT 1 WHERE ({text})", dialect)
    where = tree.args.get("where") if isinstance(tree, exp.Select) else None
    return where.this if where is not None else None


def _differ(one: exp.Expr, other: exp.Expr, *, alike: bool) -> bool | None:
    """Whether they differ; what is said in the same words only does where these are grouped."""
    named = _Outcomes(int), _Outcomes(int)
    _truth(one, named[0])
    _truth(other, named[1])
    outcomes = _outcomes(tuple(named[0] | named[1]))
    if _truth(one, outcomes) == _truth(other, outcomes):
        return False
    if _has_other_spellings(one) or _has_other_spellings(other):
        return None
    return True if not alike or named[0].keys() == named[1].keys() else None


def _has_other_spellings(condition: exp.Expr) -> bool:
    """Whether a part is kept in words that are not known here: `'1 hour'` as `'01:00:00'`."""
    if condition.find(*_SPELLED_FREELY) is not None:
        return True
    if any(part.args.get("symmetric") for part in condition.find_all(exp.Between)):
        return True
    casts = condition.find_all(exp.Cast)
    return any(
        isinstance(_bare(cast), exp.Literal) and not cast.to.is_type(*_SPELLED_AS_GIVEN)
        for cast in casts
    )


def _outcomes(comparisons: Sequence[Hashable]) -> _Outcomes:
    """What comparisons can come to; that none of them is true is the sign of an integer."""
    number = len(comparisons)
    if number <= _COMPLETE:
        every = (1 << (1 << number)) - 1
        bits = [every // ((1 << (1 << place)) + 1) for place in range(number)]
    else:
        every = (1 << number) - 1
        bits = [(every ^ (1 << place)) << number | 1 << place for place in range(number)]
    found = _Outcomes(int, zip(comparisons, bits, strict=True))
    for value in _booleans(comparisons):
        found[_equals(value, _FALSE)] = ~found[_equals(value, _TRUE)]
    return found


def _booleans(comparisons: Iterable[Hashable]) -> Iterator[Hashable]:
    """What is only ever compared with 0 and 1, which are false and true."""
    compared = defaultdict[Hashable, set[Hashable]](set)
    for comparison in comparisons:
        match comparison:
            case (exp.EQ, frozenset() as sides) if len(sides) > 1:
                one, other = sides
                compared[one].add(other)
                compared[other].add(one)
    return (value for value, others in compared.items() if others == {_TRUE, _FALSE})


def _truth(node: exp.Expr, outcomes: _Outcomes) -> int:
    """The outcomes in which a condition is true."""
    node = _bare(node)
    if node.args.get("negate"):
        stated = node.copy()
        stated.set("negate", None)
        return ~_truth(stated, outcomes)
    reader = _CONDITIONS.get(type(node))
    return _stated(node, outcomes) if reader is None else reader(node, outcomes)


def _stated(node: exp.Expr, outcomes: _Outcomes) -> int:
    """A value that is a condition by itself: `active` is `active = true`, and 1 is true."""
    value = _meaning(node)
    if value in {_TRUE, _FALSE}:
        return _ALWAYS if value == _TRUE else _NEVER
    return outcomes[_equals(value, _TRUE)]


def _joined(node: exp.Expr, outcomes: _Outcomes) -> int:
    """AND and OR, whatever the order and the parentheses of what they connect."""
    truths = (_truth(part, outcomes) for part in node.flatten())
    return _every(truths) if isinstance(node, exp.And) else _some(truths)


def _every(truths: Iterable[int]) -> int:
    return reduce(and_, truths, _ALWAYS)


def _some(truths: Iterable[int]) -> int:
    return reduce(or_, truths, _NEVER)


def _compared(node: exp.Expr, outcomes: _Outcomes) -> int:
    """`=` and `<>`; PostgreSQL keeps IN as one with ANY of an array, and NOT IN as one with ALL."""
    equal = isinstance(node, exp.EQ)
    value, other = _bare(node.this), _bare(node.expression)
    quantifier, listed = _quantified(other)
    others = [other] if listed is None else listed
    found = (_equal(value, each, outcomes) for each in others)
    truths = (truth if equal else ~truth for truth in found)
    return _every(truths) if quantifier == "ALL" else _some(truths)


def _quantified(node: exp.Expr) -> tuple[str, list[exp.Expr] | None]:
    """What ANY or ALL compares with, where that is an array whose values are written."""
    if isinstance(node, exp.Any):
        quantifier, given = "ANY", node.this
    elif isinstance(node, exp.Anonymous) and node.name.upper() == "ALL" and node.expressions:
        quantifier, given = "ALL", node.expressions[0]
    else:
        return "", None
    array = _bare(given)
    if isinstance(array, exp.Array):
        return quantifier, [_bare(each) for each in array.expressions]
    match = _ARRAY.fullmatch(array.name) if isinstance(array, exp.Literal) else None
    if match is None:
        return quantifier, None
    return quantifier, [exp.Literal.string(each.strip()) for each in match[1].split(",")]


def _equal(one: exp.Expr, other: exp.Expr, outcomes: _Outcomes) -> int:
    if type(one) in _CONDITIONS or type(other) in _CONDITIONS:  # `a = true`, or `(a > 0) = b`
        return ~(_truth(one, outcomes) ^ _truth(other, outcomes))
    return outcomes[_equals(_meaning(one), _meaning(other))]


def _equals(one: Hashable, other: Hashable) -> Hashable:
    return (exp.EQ, frozenset((one, other)))


def _less(node: exp.Expr, outcomes: _Outcomes) -> int:
    """`<` and its like, all said with `<`: what is not less is greater or equal."""
    one, other = _meaning(node.this), _meaning(node.expression)
    turned = isinstance(node, exp.GT | exp.LTE)
    truth = outcomes[(exp.LT, other, one) if turned else (exp.LT, one, other)]
    return ~truth if isinstance(node, exp.GTE | exp.LTE) else truth


def _between(node: exp.Expr, outcomes: _Outcomes) -> int:
    low, value, high = (_meaning(node.args[part]) for part in ("low", "this", "high"))
    return ~outcomes[exp.LT, value, low] & ~outcomes[exp.LT, high, value]


def _one_of(node: exp.Expr, outcomes: _Outcomes) -> int:
    """IN a list as the comparisons that it stands for."""
    if not node.expressions:
        return _stated(node, outcomes)
    value = _bare(node.this)
    return _some(_equal(value, _bare(each), outcomes) for each in node.expressions)


def _is(node: exp.Expr, outcomes: _Outcomes) -> int:
    if isinstance(node.expression, exp.Boolean):
        return _equal(_bare(node.this), node.expression, outcomes)
    return _stated(node, outcomes)


def _distinct(node: exp.Expr, outcomes: _Outcomes) -> int:
    sides = frozenset((_meaning(node.this), _meaning(node.expression)))
    truth = outcomes[exp.NullSafeEQ, sides]
    return ~truth if isinstance(node, exp.NullSafeNEQ) else truth


_CONDITIONS: dict[_Kind, Callable[[exp.Expr, _Outcomes], int]] = {
    exp.And: _joined,
    exp.Or: _joined,
    exp.Not: lambda node, outcomes: ~_truth(node.this, outcomes),
    exp.Boolean: lambda node, _: _ALWAYS if node.this else _NEVER,
    exp.EQ: _compared,
    exp.NEQ: _compared,
    exp.LT: _less,
    exp.GT: _less,
    exp.LTE: _less,
    exp.GTE: _less,
    exp.Between: _between,
    exp.In: _one_of,
    exp.Is: _is,
    exp.NullSafeEQ: _distinct,
    exp.NullSafeNEQ: _distinct,
}


def _bare(node: exp.Expr) -> exp.Expr:
    """Without parentheses and casts."""
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    return node


def _meaning(node: object) -> Hashable:
    """A value that is the same for what is the same but for its spelling; casts are left out."""
    if isinstance(node, list):
        return tuple(map(_meaning, node))
    if not isinstance(node, exp.Expr):
        return str(node).lower()
    node = _bare(node)
    for kinds, reader in _VALUES:
        if isinstance(node, kinds):
            return reader(node)
    return (type(node), *((key, _meaning(value)) for key, value in _given(node)))


def _given(node: exp.Expr) -> Iterator[tuple[str, object]]:
    for key, value in node.args.items():
        # CASE that has no ELSE has ELSE NULL.
        is_null = isinstance(value, exp.Expr) and isinstance(_bare(value), exp.Null)
        if value not in (None, False, []) and not (key == "default" and is_null):
            yield key, value


def _unordered(node: exp.Expr) -> Hashable:
    """What means the same in any order: a sum, or conditions within a value."""
    parts = Counter(map(_meaning, _parts(node)))
    return (type(node), frozenset(parts.items()))


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """What one operator connects, those in parentheses too."""
    for part in node.flatten():
        inner = _bare(part)
        if type(inner) is type(node):
            yield from _parts(inner)
        else:
            yield inner


def _named(node: exp.Expr) -> Hashable:
    return ("name", node.name.lower())


def _constant(node: exp.Expr) -> Hashable:
    """A value by what it says: databases take `'0'` for a number, and some 1 for true."""
    text = str(node.this)
    text = _BOOLEANS.get(text.lower(), text)
    return ("value", _number(text) if _NUMBER.fullmatch(text) else text)


def _number(text: str) -> str:
    number = Decimal(text)
    return str(number.normalize()) if number else "0"


def _negative(node: exp.Expr) -> Hashable:
    number = _bare(node.this)
    if isinstance(number, exp.Literal) and _NUMBER.fullmatch(number.name):
        return ("value", _number(f"-{number.name}"))
    return (exp.Neg, _meaning(number))


def _trimmed(node: exp.Expr) -> Hashable:
    """`trim(a)` is `trim(BOTH FROM a)`."""
    position = str(node.args.get("position") or "BOTH").upper()
    return (exp.Trim, position, _meaning(node.this), _meaning(node.expression))


def _interval(node: exp.Expr) -> Hashable:
    """`interval '1 day'` is the value `'1 day'`."""
    unit = node.args.get("unit")
    words = [part.name.lower() for part in (node.this, unit) if isinstance(part, exp.Expr)]
    return ("value", " ".join(words))


def _member(node: exp.Expr) -> Hashable:
    """`a ->> 'x'`, however it is said of what kind `'x'` is."""
    path = _bare(node.expression)
    steps = path.expressions[1:] if isinstance(path, exp.JSONPath) else []
    if len(steps) == 1 and isinstance(steps[0].this, str | int):
        return (type(node), _meaning(node.this), ("value", str(steps[0].this)))
    return (type(node), _meaning(node.this), _meaning(path))


_VALUES: tuple[tuple[tuple[_Kind, ...], Callable[[exp.Expr], Hashable]], ...] = (
    ((exp.Column, exp.Identifier), _named),
    ((exp.Literal, exp.Boolean), _constant),
    ((exp.Neg,), _negative),
    ((exp.Interval,), _interval),
    ((exp.Trim,), _trimmed),
    ((exp.JSONExtract, exp.JSONExtractScalar), _member),
    ((exp.Add, exp.Mul, exp.And, exp.Or), _unordered),
)
