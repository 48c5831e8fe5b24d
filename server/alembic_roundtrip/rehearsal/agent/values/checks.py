"""What CHECK constraints say about single columns: literals, bounds, lengths.

These are hints for making up values, not proofs: a row is legal when the database takes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

from ..schema import sql
from ..schema.sql import Token
from ..schema.tables import Table
from .patterns import matching

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_REGULAR = ("~", "REGEXP", "RLIKE")
_KEEPING = (
    "LOWER", "UPPER", "TRIM", "BTRIM", "COALESCE", "DATE", "CAST", "ABS", "CHECK", "NOT", "AND",
    "OR", "IN", "",
)  # fmt: skip
"""Functions whose argument may be what they give."""
_BEGINNING = ("LEFT", "SUBSTR", "SUBSTRING", "STARTS_WITH")
_SHAPE = ("JSON_TYPE", "JSON_TYPEOF", "JSONB_TYPEOF")
_LENGTH = ("LENGTH", "CHAR_LENGTH", "CHARACTER_LENGTH", "OCTET_LENGTH")


@dataclass
class Hints:
    """What the CHECK constraints of a table say about one column."""

    members: List[Any] = field(default_factory=list)
    equals: List[Any] = field(default_factory=list)
    forbidden: List[Any] = field(default_factory=list)
    patterns: List[str] = field(default_factory=list)
    matching: List[str] = field(default_factory=list)
    """Texts that match a regular expression."""
    low: Optional[float] = None
    high: Optional[float] = None
    open_low: bool = False
    open_high: bool = False
    shortest: Optional[int] = None
    longest: Optional[int] = None
    json: bool = False
    shape: Optional[str] = None
    """Which kind of JSON it must be, where that is said."""
    case: Optional[str] = None

    @property
    def allowed(self) -> List[Any]:
        """The values to choose from, where the constraints list them; else empty."""
        chosen = self.members or self.equals or self._matching()
        return [value for value in chosen if value not in self.forbidden]

    def _matching(self) -> List[str]:
        least, most = self.shortest or 0, self.longest
        return [x for x in self.matching if least <= len(x) and (most is None or len(x) <= most)]


def hints(table: Table) -> Dict[str, Hints]:
    """Hints by column, for the columns that a CHECK of the table mentions."""
    names = {column.name.lower(): column.name for column in table.columns}
    found: Dict[str, Hints] = {}
    for check in table.checks:
        parts = sql.tokens(check.text)
        for at, token in enumerate(parts):
            name = names.get(token.value.lower()) if token.kind in {"word", "quoted"} else None
            if name is not None:
                _Reader(parts, found.setdefault(name, Hints())).read(at)
    return found


def literal(parts: Sequence[Token], at: int) -> Tuple[Optional[Any], int]:
    """The literal at a place, None where there is none, and the place behind it.

    PostgreSQL and SQL Server write some of them in parentheses.
    """
    if at < len(parts) and parts[at].text == "(":
        found, end = literal(parts, at + 1)
        closed = found is not None and end < len(parts) and parts[end].text == ")"
        return (found, end + 1) if closed else (None, at)
    sign = 1
    if at < len(parts) and parts[at].text in "+-" and parts[at].kind == "mark":
        sign, at = (-1 if parts[at].text == "-" else 1), at + 1
    if at >= len(parts):
        return None, at
    token = parts[at]
    if token.kind == "number":
        return sign * _number(token.text), at + 1
    if token.kind == "string" or (token.kind == "quoted" and token.text[0] == '"'):
        return token.value, at + 1
    if token.is_word("TRUE", "FALSE"):
        return int(token.is_word("TRUE")), at + 1
    return None, at


def _number(text: str) -> Any:
    if text.lower().startswith("0x"):
        return int(text, 16)
    return int(text) if text.isdigit() else float(text)


class _Reader:
    """Reads what stands around one mention of a column."""

    def __init__(self, parts: Sequence[Token], hints: Hints) -> None:
        self.parts = parts
        self.hints = hints

    def word(self, at: int) -> str:
        return self.parts[at].text.upper() if 0 <= at < len(self.parts) else ""

    def read(self, at: int) -> None:
        before, after = at - 1, at + 1
        function = ""
        while self.word(before) == "(" and self.word(after) == ")":
            called = self.word(before - 1).strip('"')
            is_call = called.isidentifier()
            function = function or (called if is_call else "")
            before, after = before - (2 if is_call else 1), after + 1
        if self.word(at - 1) == "(" and self.word(at - 2).startswith("JSON_"):
            self.hints.json = True
        elif function in {"LOWER", "UPPER"}:
            self.hints.case = function
        note: Callable[[str, Any], None] = self.value
        if function in _LENGTH:
            note = self.length
        elif function in _SHAPE:
            note = self.shape
        elif function not in _KEEPING:
            note = self.nothing
        self.follows(after, note)
        self.begins(at)
        operator = {"==": "=", "!=": "<>"}.get(self.word(before), self.word(before))
        if operator in _FLIPPED:
            start = before - 1
            if start > 0 and self.parts[start - 1].text == "-":
                start -= 1
            found, end = literal(self.parts, start)
            if found is not None and end == before:
                note(_FLIPPED[operator], found)

    def follows(self, at: int, note: Callable[[str, Any], None]) -> None:
        negated = self.word(at) == "NOT"
        at += negated
        word = {"==": "=", "!=": "<>"}.get(self.word(at), self.word(at))
        if word == "IN" and self.word(at + 1) == "(":
            end = sql.closing(self.parts, at + 1)
            for group in sql.split(self.parts[at + 2 : end]):
                found, _ = literal(group, 0)
                if found is not None:
                    note("NOT IN" if negated else "IN", found)
        elif word == "BETWEEN" and not negated:
            low, end = literal(self.parts, at + 1)
            high, _ = literal(self.parts, end + 1)
            note(">=", low)
            note("<=", high)
        elif word in {"LIKE", "GLOB"} and not negated:
            found, _ = literal(self.parts, at + 1)
            if isinstance(found, str):
                self.hints.patterns.append(_example(found, word))
        elif word in _REGULAR and not negated:
            found, _ = literal(self.parts, at + 1 + (self.word(at + 1) == "*"))
            if isinstance(found, str) and not self.denied(at):
                self.hints.matching.extend(matching(found))
        elif word in _FLIPPED or word == "IS":
            found, _ = literal(self.parts, at + 1)
            if found is not None:
                note("=" if word == "IS" else word, found)

    def begins(self, at: int) -> None:
        """A text that a function says the column begins with."""
        name = self.word(at - 2).strip('"')
        if self.word(at - 1) != "(" or self.word(at + 1) != "," or name not in _BEGINNING:
            return
        end = sql.closing(self.parts, at - 1)
        place = at + 2 if name == "STARTS_WITH" else end + 2
        if name == "STARTS_WITH" or self.word(end + 1) == "=":
            found, _ = literal(self.parts, place)
            if isinstance(found, str):
                self.hints.patterns.append(f"{found}x")

    def denied(self, at: int) -> bool:
        """Whether a NOT stands before the comparison at a place, or before what it is part of."""
        for before in range(at):
            if self.word(before) not in {"NOT", "!"} or self.word(before - 1) == "IS":
                continue
            inside = self.word(before + 1) == "(" and sql.closing(self.parts, before + 1) > at
            between = {self.word(place) for place in range(before + 1, at)}
            if inside or not between & {"AND", "OR"}:
                return True
        return False

    def value(self, operator: str, found: Any) -> None:
        if operator == "IN":
            self.hints.members.append(found)
        elif operator == "=":
            self.hints.equals.append(found)
        elif operator in {"NOT IN", "<>"}:
            self.hints.forbidden.append(found)
        elif isinstance(found, (int, float)):
            self.bound(operator, found)

    def bound(self, operator: str, found: float) -> None:
        if operator in {">", ">="} and (self.hints.low is None or found > self.hints.low):
            self.hints.low, self.hints.open_low = found, operator == ">"
        elif operator in {"<", "<="} and (self.hints.high is None or found < self.hints.high):
            self.hints.high, self.hints.open_high = found, operator == "<"

    def nothing(self, _operator: str, _found: Any) -> None:
        """What is said of what a function makes of the column."""

    def shape(self, operator: str, found: Any) -> None:
        if operator == "=" and isinstance(found, str):
            self.hints.shape = found.lower()

    def length(self, operator: str, found: Any) -> None:
        if not isinstance(found, int):
            return
        if operator in {">", ">=", "=", "IN", "<>"}:
            self.hints.shortest = found + (operator in {">", "<>"})
        if operator in {"<", "<=", "=", "IN"}:
            self.hints.longest = found - (operator == "<")


def _example(pattern: str, operator: str) -> str:
    """A text that matches a LIKE or GLOB pattern."""
    if operator == "LIKE":
        return pattern.replace("%", "x").replace("_", "x")
    text = re.sub(r"\[\^?(.)[^\]]*\]", lambda match: match.group(1), pattern)
    return text.replace("*", "x").replace("?", "x")
