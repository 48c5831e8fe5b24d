"""Which values statements ask columns for: no row without one of them is touched."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..values.candidates import Like

Asked = Dict[str, List[Any]]
"""Values by the name of a column, in lower case."""

_TOKEN = re.compile(
    r"(?P<text>'[^']*(?:''[^']*)*')"
    r'|(?P<name>"[^"]+"|`[^`]+`|\[\w+\])'
    r"|(?P<bound>%\(\w+\)s|%s|\?|\$\d{1,5}|(?<!:):[A-Za-z_]\w*)"
    r"|(?P<number>-?\b\d{1,40}(?:\.\d{1,40})?\b)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<sign>::|->>?|#>>?|<>|!=|>=|<=|[-=<>(),.])"
)
_LITERALS = {"text", "number", "bound"}
_LISTS = {"IN", "BETWEEN"}
_SIGNS = {"=", "<>", "!=", ">=", "<=", "<", ">"}
_OF_JSON = {"->", "->>", "#>", "#>>", "-"}
"""What takes a part of a value by its name."""
_COMPARING = {*_SIGNS, "LIKE", "ILIKE", *_LISTS, *_OF_JSON}
_PLAIN = {"=", "IN", "WHEN"}
_NO_COLUMN = {"NOT", "AND", "OR", "IS", "NULL", "THEN", "ELSE"}
_MOST = 12
"""Values of one column."""
_READ = 100_000
"""How much of a statement is read: what is longer has many rows or values."""
_KEPT = 64


class _Token(NamedTuple):
    kind: str
    said: str

    @property
    def name(self) -> str:
        return self.said.strip('"`[]').lower()


class _Found(NamedTuple):
    """A value that a column is asked for, `place` bound ones before it, and by which word."""

    column: str
    value: _Token
    place: int
    by: str


def add(asked: Asked, statement: str, parameters: Any) -> None:
    """Add what a statement, with what is bound to it, asks columns for."""
    statement = statement[:_READ]
    for found in _comparisons(statement):
        _note(asked, found.column, _values(found, parameters))
    for column, other in _alike(statement):
        _note(asked, column, [Like(other)])
    for column in _finite(statement):
        _note(asked, column, ["infinity", "-infinity"])


def _note(asked: Asked, column: str, values: Sequence[Any]) -> None:
    known = asked.setdefault(column, [])
    known += [value for value in values if value not in known]
    del known[_MOST:]


def _values(found: _Found, parameters: Any) -> List[Any]:
    """What is asked for and what is beside it, so that both answers are to be had."""
    value = _value(found, parameters)
    if isinstance(value, str):
        if found.by.endswith("LIKE"):
            return [value.replace("%", "x").replace("_", "y")]
        # An argument beside the column may be a part of what the column has.
        return [value, f"a{value}b"] if found.by == "," else [value]
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or found.by == "," or found.by in _OF_JSON:
        return []
    return [value] if found.by in _PLAIN else [value, value - 1, value + 1]


def _value(found: _Found, parameters: Any) -> Any:
    kind, said = found.value
    if kind == "text":
        return said[1:-1].replace("''", "'")
    if kind == "number":
        return float(said) if "." in said else int(said)
    if isinstance(parameters, Mapping):
        return parameters.get(said[2:-2] if said.startswith("%(") else said[1:])
    place = int(said[1:]) - 1 if said.startswith("$") else found.place
    bound = isinstance(parameters, (list, tuple)) and 0 <= place < len(parameters)
    return parameters[place] if bound else None


def _tokens(statement: str) -> List[_Token]:
    return [_Token(str(m.lastgroup), m.group()) for m in _TOKEN.finditer(statement)]


@lru_cache(maxsize=_KEPT)
def _comparisons(statement: str) -> Tuple[_Found, ...]:
    return tuple(_read(_tokens(statement)))


@lru_cache(maxsize=_KEPT)
def _finite(statement: str) -> Tuple[str, ...]:
    """Columns that are asked whether they ever end."""
    return tuple(name.lower() for name in _FINITE.findall(statement))


@lru_cache(maxsize=_KEPT)
def _alike(statement: str) -> Tuple[Tuple[str, str], ...]:
    """Columns that are compared with others of the same row, or of one found by it.

    Not where a statement follows references by itself: it might never end.
    """
    if _RECURSIVE.search(statement):
        return ()
    found = _COLUMNS.findall(_TEXT.sub("''", statement))
    pairs = [
        (one.strip('"`').lower(), other.strip('"`').lower())
        for of_one, one, inner, of_other, other in found
        if inner or of_one.lower() == of_other.lower()
    ]
    return tuple((one, other) for one, other in pairs if not {one, other} & _NO_NAMES)


_NAMED = r"""((?:[\w"`]+\.)?)(["`]?[^\W\d]\w*["`]?)"""
_COLUMNS = re.compile(
    rf"(?<![\w.]){_NAMED}\s*(?:=|<>|!=|<=?|>=?)\s*(\(\s*SELECT\s+)?{_NAMED}(?![\w(])",
    re.IGNORECASE,
)
_TEXT = re.compile(r"'[^']*(?:''[^']*)*'")
_FINITE = re.compile(r"\bisfinite\s*\(\s*(?:\w+\.)?\"?(\w+)", re.IGNORECASE)
_RECURSIVE = re.compile(r"\bRECURSIVE\b", re.IGNORECASE)
_NO_NAMES = {"null", "true", "false", "excluded", "any", "all", "some", "current_timestamp"}


def _read(tokens: Sequence[_Token]) -> Iterator[_Found]:
    column: Optional[str] = None
    chosen: Optional[str] = None
    assigning = condition = False
    bound = 0
    for place, token in enumerate(tokens):
        word = token.said.upper()
        by: Optional[str] = None
        if token.kind == "bound":
            bound += 1
        elif token.kind == "name":
            column = token.name
        elif word in _COMPARING:
            by = word if condition or not assigning or word in _OF_JSON else None
        elif word == ",":
            by = word if _is_argument(tokens, place) else None
        elif word == "CASE":
            chosen = _chosen(tokens, place)
        elif word in {"WHEN", "THEN"}:
            condition = word == "WHEN"
            by, column = (word, chosen) if condition and chosen else (None, column)
        elif word in {"SET", "WHERE", "FROM"}:
            assigning = word == "SET"
        elif token.kind == "word" and word not in _NO_COLUMN:
            column = token.name
        if by is not None and column is not None:
            yield from _following(tokens, place + 1, column, bound, by)


def _chosen(tokens: Sequence[_Token], place: int) -> Optional[str]:
    """The column of a CASE that compares it with each WHEN."""
    following = tokens[place + 1 : place + 3]
    is_plain = [token.said.upper() for token in following[1:]] == ["WHEN"]
    return following[0].name if is_plain else None


def _is_argument(tokens: Sequence[_Token], place: int) -> bool:
    """Whether a comma follows a column that is the first argument of a function."""
    before = tokens[max(place - 3, 0) : place]
    kinds = [token.kind for token in before]
    return kinds in (["word", "sign", "word"], ["word", "sign", "name"]) and before[1].said == "("


def _following(
    tokens: Sequence[_Token], start: int, column: str, bound: int, by: str
) -> Iterator[_Found]:
    """The values that come next: one, or a list of them."""
    for token in map(tokens.__getitem__, range(start, len(tokens))):
        if token.kind in _LITERALS:
            yield _Found(column, token, bound, by)
            bound += token.kind == "bound"
            if by not in _LISTS:
                return
        elif by not in _LISTS or token.said.upper() not in {"(", ",", "AND"}:
            return
