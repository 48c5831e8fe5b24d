"""SQL text as tokens: what two spellings of one thing have in common."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import AbstractSet, Iterable, List, NamedTuple, Optional, Sequence

_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<blob>[xX]'[0-9a-fA-F]*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<mark>->>|->|\|\||<<|>>|<=|>=|<>|!=|==|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_SAME = {"!=": "<>", "==": "="}
_DEPTH = {"(": 1, ")": -1}


class Token(NamedTuple):
    """One token; `value` is what it means: unquoted, unescaped."""

    kind: str
    text: str

    @property
    def value(self) -> str:
        """The name or string without its quotes."""
        if self.kind == "string":
            return self.text[1:-1].replace("''", "'")
        if self.kind == "quoted":
            quote = self.text[-1]
            return self.text[1:-1].replace(quote * 2, quote)
        return self.text

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords, given in upper case."""
        return self.kind == "word" and self.text.upper() in words

    @property
    def is_name(self) -> bool:
        """Whether this can name something; SQLite takes strings for names, too."""
        return self.kind in ("word", "quoted", "string")


def tokens(text: str) -> List[Token]:
    """The tokens of a text, without spaces and comments."""
    found = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "mark"
        if kind != "space":
            found.append(Token(kind, match.group()))
    return found


def closing(parts: Sequence[Token], start: int) -> int:
    """The index of the parenthesis that closes the one at `start`."""
    depth = 0
    for index in range(start, len(parts)):
        depth += _DEPTH.get(parts[index].text, 0)
        if depth == 0:
            return index
    return len(parts) - 1


def split(parts: Sequence[Token]) -> List[List[Token]]:
    """The parts between the commas that stand in no parenthesis."""
    groups: List[List[Token]] = [[]]
    depth = 0
    for token in parts:
        depth += _DEPTH.get(token.text, 0)
        if token.text == "," and depth == 0:
            groups.append([])
        else:
            groups[-1].append(token)
    return groups


def bare(parts: Sequence[Token]) -> List[Token]:
    """Without the parentheses around the whole."""
    rest = list(parts)
    while rest[1:-1] and rest[0].text == "(" and closing(rest, 0) == len(rest) - 1:
        rest = rest[1:-1]
    return rest


def _spelled(token: Token, names: Optional[AbstractSet[str]], unknown_is_string: bool) -> str:
    if token.kind == "word":
        return token.text.lower()
    if token.kind == "quoted":
        folded = token.value.lower()
        if names is None or folded in names:
            return folded
        if unknown_is_string and token.text[0] == '"':
            return "'{}'".format(token.value.replace("'", "''"))
        return token.text
    if token.kind in ("number", "blob"):
        return token.text.lower()
    return _SAME.get(token.text, token.text)


def normal(
    parts: Iterable[Token],
    names: Optional[AbstractSet[str]] = None,
    unknown_is_string: bool = False,
) -> str:
    """One spelling for all spellings of an expression or statement.

    A quoted name counts as the name where it is one of `names` (all, if None); SQLite reads other
    double-quoted words as strings, and so does this with `unknown_is_string`.
    """
    rest = bare(list(parts))
    return " ".join(_spelled(token, names, unknown_is_string) for token in rest)


@lru_cache(maxsize=1024)
def type_name(text: str) -> str:
    """A declared type in one spelling: `varchar (20)` is `VARCHAR(20)`."""
    spelled = re.sub(r"\s*([(),])\s*", r"\1", " ".join(text.split()))
    return spelled.upper()


def affinity(declared: str) -> str:
    """What SQLite makes of a declared type: INTEGER, TEXT, BLOB, REAL or NUMERIC."""
    name = declared.upper()
    if "INT" in name:
        return "INTEGER"
    if any(part in name for part in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in name or not name:
        return "BLOB"
    if any(part in name for part in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def default_value(text: Optional[str], declared: str) -> Optional[str]:
    """A column default in one spelling, as the column would store it; None where there is none."""
    if text is None:
        return None
    parts = bare(tokens(text))
    sign = parts.pop(0).text if parts[1:] and parts[0].text in "+-" else ""
    token = parts[0]
    if parts[1:] or (sign and token.kind != "number"):
        return normal(tokens(text))
    if token.is_word("NULL"):
        return None
    if token.is_word("TRUE", "FALSE"):
        return _literal("1" if token.is_word("TRUE") else "0", declared, is_number=True)
    if token.kind in {"number", "string"} or token.text[0] == '"':
        return _literal(sign + token.value, declared, is_number=token.kind == "number")
    return normal(parts)


def _literal(value: str, declared: str, *, is_number: bool) -> str:
    kind = affinity(declared)
    if kind == "BLOB" and is_number:
        return value
    if kind in ("INTEGER", "REAL", "NUMERIC"):
        try:
            number = float(value)
        except ValueError:
            pass
        else:
            return str(int(number)) if number.is_integer() and abs(number) < 2**53 else str(number)
    return "'{}'".format(value.replace("'", "''"))
