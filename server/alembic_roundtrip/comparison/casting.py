"""What a column's new type does to its values, as the databases were seen to do."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from alembic_roundtrip.comparison.equivalence import ColumnType, known, read_type
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.expression import Expression, Missing

_DIGITS = {"smallint": 5, "integer": 10, "bigint": 19}
_TEXTS = frozenset({"citext", "string", "text"})
_NUMBERS = frozenset({"integer", "smallint", "bigint", "float", "numeric"})
_INTEGERS = frozenset(_DIGITS)
_WIDTHS = {**_DIGITS, "boolean": 5, "date": 10, "time": 8, "datetime": 19, "uuid": 32}
"""How long a value is as text, at least where it is not small."""
_EXACT, _EXACT_IN_MYSQL = 15, 6
"""Digits that a float keeps; `FLOAT` is a small one in MySQL."""
_BITS = re.compile(r"\(\s*(?:precision\s*=\s*)?(\d+)\s*(?:\)|,\s*[a-z])", re.IGNORECASE)
_SMALL = 24
"""Bits of a float up to which MySQL makes a small one; with a scale, they are digits."""
_AS_NUMBERS = {"date": 8, "time": 6, "datetime": 14, "boolean": 1}
"""How many digits MySQL makes of what is no number."""
_CUT = frozenset({("datetime", "date"), ("datetime", "time"), ("interval", "time")})
_CUT_BY_MYSQL = frozenset({*_CUT, ("date", "time"), ("time", "date")})
_CAST_BY_THEMSELVES = frozenset(
    {
        *(("json", "jsonb"), ("jsonb", "json"), ("time", "interval"), ("interval", "time")),
        *(("date", "datetime"), ("datetime", "date"), ("datetime", "time")),
    }
)
"""The assignment casts of PostgreSQL's catalogue, beside those of numbers and to text."""


class Narrowing(Enum):
    """What happens to values that do not fit, as a verb phrase."""

    TEXT = "cuts or refuses longer values"
    LONGER = "refuses longer values"
    LARGER = "refuses larger values"
    OTHERS = "refuses values that are no such thing"
    DIGITS = "rounds or refuses values"
    ROUNDS = "rounds values"
    CUTS = "cuts values"

    @property
    def refuses(self) -> bool:
        """Whether the change fails where there are such values."""
        return self not in {Narrowing.ROUNDS, Narrowing.CUTS}


class _Digits(NamedTuple):
    """The digits of a number, before and behind the point; None for as many as there are."""

    before: int | None
    behind: int | None


def narrowing(
    before: Expression, after: Expression, dialect: str | None = None
) -> Narrowing | None:
    """What a type change does to values that do not fit; None where all do, or it is not known."""
    one, other = read_type(before.text, dialect), read_type(after.text, dialect)
    if one is None or other is None:
        return None
    if one.family in _TEXTS:
        return _of_text(one, other)
    if other.family in _TEXTS:
        length, width = other.arguments.get("length"), _width(one, dialect)
        return Narrowing.LONGER if isinstance(length, int) and length < width else None
    if other.family in _NUMBERS and (one.family in _NUMBERS or dialect in MYSQL):
        kept = _EXACT_IN_MYSQL if dialect in MYSQL and not _is_double(after) else _EXACT
        return _of_number(one, other, dialect, kept)
    if dialect in MYSQL and other.family in _AS_NUMBERS and one.family in _NUMBERS:
        # Of numbers that become flags most were flags.
        return None if other.family == "boolean" else Narrowing.OTHERS
    cut = (one.family, other.family) in (_CUT_BY_MYSQL if dialect in MYSQL else _CUT)
    return Narrowing.CUTS if cut else None


def _width(kind: ColumnType, dialect: str | None) -> int:
    """How long the longest of values is as text; no length where that is not known."""
    if kind.family != "numeric":
        return _WIDTHS.get(kind.family, 0)
    digits = _digits(kind, dialect)
    if digits is None or digits.before is None or digits.behind is None:
        return 0
    return digits.before + digits.behind + bool(digits.behind)


def _of_text(one: ColumnType, other: ColumnType) -> Narrowing | None:
    if other.family in _TEXTS:
        return Narrowing.TEXT if _shorter(one, other) else None
    return None if other.family == "binary" else Narrowing.OTHERS


def _is_double(float_type: Expression) -> bool:
    bits = _BITS.search(float_type.text)
    return bits is not None and int(bits[1]) > _SMALL


def _of_number(
    one: ColumnType, other: ColumnType, dialect: str | None, kept: int
) -> Narrowing | None:
    old, new = _digits(one, dialect), _digits(other, dialect)
    if old is None or new is None:
        return None
    if other.family == "float":
        exact = None not in old and sum(part or 0 for part in old) <= kept
        return None if exact or one.family == "float" else Narrowing.ROUNDS
    fewer, coarser = _less(old.before, new.before), _less(old.behind, new.behind)
    if fewer and coarser:
        return Narrowing.DIGITS
    if fewer:
        return Narrowing.LARGER
    return Narrowing.ROUNDS if coarser else None


def _less(old: int | None, new: int | None) -> bool:
    return new is not None and (old is None or new < old)


def _digits(kind: ColumnType, dialect: str | None) -> _Digits | None:
    """The digits that a type has room for; None where that is not known."""
    if kind.family in _INTEGERS:
        return _Digits(_DIGITS[kind.family], 0)
    if kind.family in _AS_NUMBERS:
        return _Digits(_AS_NUMBERS[kind.family], 0)
    if kind.family not in _NUMBERS:
        return None
    if kind.family == "float":
        return _Digits(None, None)
    precision, scale = kind.arguments["precision"], kind.arguments["scale"]
    if precision is None and scale is None:
        return _Digits(10, 0) if dialect in MYSQL else _Digits(None, None)
    behind = 0 if scale is None else scale
    if not isinstance(precision, int) or not isinstance(behind, int):
        return None
    return _Digits(precision - behind, behind)


def _shorter(one: ColumnType, other: ColumnType) -> bool:
    old, new = (part.arguments.get("length") for part in (one, other))
    return (
        isinstance(new, int)
        and not isinstance(old, Missing)
        and (not isinstance(old, int) or new < old)
    )


def is_recast(before: Expression, after: Expression) -> bool:
    """Whether PostgreSQL compares values of one type by casts that the other does without.

    Between most other types its operators are not the same, and nothing is changed at all.
    """
    one, other = read_type(before.text, "postgresql"), read_type(after.text, "postgresql")
    if one is None or other is None or one.family == other.family:
        return False
    kinds = {one.family, other.family}
    return kinds == {"date", "datetime"} or (kinds <= _NUMBERS and not kinds <= _INTEGERS)


def fits_or_fails(before: Expression, after: Expression, dialect: str | None = None) -> bool:
    """Whether values that a type change lets through are what they were."""
    one, other = read_type(before.text, dialect), read_type(after.text, dialect)
    if one is None or other is None:
        return False
    return other.family == "enum" or {one.family, other.family} <= _INTEGERS


def casts_itself(before: Expression, after: Expression) -> bool | None:
    """Whether PostgreSQL has an assignment cast; None where that is not known."""
    one, other = (read_type(part.text, "postgresql") for part in (before, after))
    if one is None or other is None:
        return None
    if one.family == other.family == "enum":
        names = one.arguments["name"], other.arguments["name"]
        return names[0] == names[1] if known(*names) else None
    if one.family == other.family or other.family in _TEXTS:
        return True
    if one.family in _NUMBERS and other.family in _NUMBERS:
        return True
    if (one.family, other.family) == ("datetime", "time"):
        # A time with its zone is made of a timestamp with one only.
        same = one.arguments["timezone"] == other.arguments["timezone"]
        return True if same or not other.arguments["timezone"] else None
    return (one.family, other.family) in _CAST_BY_THEMSELVES
