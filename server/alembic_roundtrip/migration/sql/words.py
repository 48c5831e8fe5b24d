"""SQL text as statements and words, which is all that verbs and names need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from alembic_roundtrip.migration.objects import Name

_STRING = r"[eE]'(?:[^'\\]|\\.|'')*'|[nNxXbB]?'(?:[^']|'')*'"
# A comment or a body without its end is all that is left, or its end were sought again and again.
_TOKEN = r"""
      (?P<comment>%s--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<body>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<string>%s)
    | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[\w+\])
    | (?P<word>\w[\w$]*)
    | (?P<space>\s+)
    | (?P<mark>.)
"""
_FLAGS = re.VERBOSE | re.DOTALL
_STANDARD = re.compile(_TOKEN % ("", _STRING), _FLAGS)
_MYSQL = re.compile(_TOKEN % (r"\#[^\n]*|", r"\w?'(?:[^'\\]|\\.|'')*'"), _FLAGS)
_ROUTINES = frozenset({"TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"})
_DOLLARS = re.compile(r"\A\$\w*\$|\$\w*\$\Z")
_QUOTES = "'\"`[$"
_EXECUTED = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)
_NESTED = 5
"""So many blocks in one another are looked into."""
_HEAD = 8
"""Words in which `CREATE OR REPLACE DEFINER = x TRIGGER` says what it creates."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement: its text, and its tokens without comments and white space.

    `places` are where the tokens start in the text.
    """

    text: str
    tokens: tuple[str, ...]
    places: tuple[int, ...]

    def group_after(self, word: str, number: int = 0) -> str | None:
        """The text in the parentheses behind the so manieth occurrence of a word."""
        found = [
            at
            for at, token in enumerate(self.tokens[:-1])
            if token.upper() == word and self.tokens[at + 1] == "("
        ]
        return self.group_at(found[number] + 1) if number < len(found) else None

    def group_at(self, at: int) -> str | None:
        """The text in the parentheses that open at a token."""
        depth = 0
        for end in range(at, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[end], 0)
            if depth == 0:
                return self.text[self.places[at] + 1 : self.places[end]].strip()
        return None

    def parts(self, at: int) -> Iterator[str]:
        """The texts between commas outside of parentheses, from a token on."""
        depth, start = 0, at
        for end in range(at, len(self.tokens)):
            depth += {"(": 1, ")": -1}.get(self.tokens[end], 0)
            if self.tokens[end] == "," and depth == 0:
                yield self.text[self.places[start] : self.places[end]].strip()
                start = end + 1
        if start < len(self.tokens):
            yield self.text[self.places[start] :].strip()

    def rest_after(self, word: str) -> str | None:
        """The text behind the last occurrence of a word outside of parentheses."""
        depth, found = 0, None
        for at, token in enumerate(self.tokens):
            depth += {"(": 1, ")": -1}.get(token, 0)
            if depth == 0 and token.upper() == word:
                found = self.places[at] + len(token)
        return None if found is None else self.text[found:].strip()


def statements(sql: str, *, mysql: bool = False) -> Iterator[Statement]:
    """The statements of a text; for MySQL, backslashes escape in strings and `#` begins a comment.

    The body of a routine or trigger, `BEGIN … END`, is part of its statement.
    """
    start, tokens, places = 0, list[str](), list[int]()
    depth = 0
    for match in (_MYSQL if mysql else _STANDARD).finditer(sql):
        if match.lastgroup in {"comment", "space"}:
            continue
        token = match.group()
        if token == ";" and depth == 0:
            if tokens:
                yield Statement(sql[start : match.start()], tuple(tokens), tuple(places))
            start, tokens, places = match.end(), [], []
            continue
        if match.lastgroup == "word" and _is_routine(tokens):
            depth = _depth(depth, token.upper(), tokens)
        tokens.append(token)
        places.append(match.start() - start)
    if tokens:
        yield Statement(sql[start:], tuple(tokens), tuple(places))


def executed(sql: str) -> str:
    """A text with what MySQL executes of comments, `/*!40014 SET … */`, as code."""
    if "/*!" not in sql and "/*M!" not in sql:
        return sql  # as those for other databases have none
    return "".join(map(_code, _MYSQL.finditer(sql)))


def _code(match: re.Match[str]) -> str:
    inner = _EXECUTED.fullmatch(match.group()) if match.lastgroup == "comment" else None
    return match.group() if inner is None else f" {inner[1]} "


@lru_cache(maxsize=256)
def spoken(sql: str, *, mysql: bool = False) -> tuple[tuple[str, ...], ...]:
    """The tokens of each statement; words in capitals, and what is quoted as it is written.

    The body of a DO block is part of it, as it runs at once; that of a routine is one token.
    """
    return tuple(_spoken(executed(sql), _NESTED, mysql=mysql))


def _spoken(sql: str, depth: int, *, mysql: bool = False) -> Iterator[tuple[str, ...]]:
    for statement in statements(sql, mysql=mysql):
        inside = depth if statement.tokens[0].upper() == "DO" else 0
        yield tuple(_in_capitals(statement.tokens, inside))


def _in_capitals(tokens: tuple[str, ...], depth: int) -> Iterator[str]:
    for token in tokens:
        if depth and token[0] == "$":
            body = _DOLLARS.sub("", token)
            yield from (word for part in _spoken(body, depth - 1) for word in part)
        else:
            yield token if token[0] in _QUOTES or token[-1] == "'" else token.upper()


def says(sql: str, *words: str, mysql: bool = False) -> bool:
    """Whether a statement has these words one after the other, not in a comment or in quotes."""
    return any(has_words(tokens, *words) for tokens in spoken(sql, mysql=mysql))


def has_words(tokens: tuple[str, ...], *words: str) -> bool:
    """Whether tokens have these, one after the other."""
    starts = (at for at, token in enumerate(tokens) if token == words[0])
    return any(tokens[at : at + len(words)] == words for at in starts)


def _is_routine(tokens: list[str]) -> bool:
    return bool(
        tokens
        and tokens[0].upper() == "CREATE"
        and any(token.upper() in _ROUTINES for token in tokens[1:_HEAD])
    )


def _depth(depth: int, word: str, before: list[str]) -> int:
    """How many blocks are open after a word: `END IF` and its like close none of them."""
    if word in {"BEGIN", "CASE"} and before[-1].upper() != "END":
        return depth + 1
    if word in {"IF", "LOOP", "WHILE", "REPEAT"} and before[-1].upper() == "END" and depth:
        return depth + 1
    return max(0, depth - 1) if word == "END" else depth


class Words:
    """The tokens of one statement, read from the front."""

    def __init__(self, tokens: tuple[str, ...], *, lower: bool = False) -> None:
        self.tokens = tokens
        self.at = 0
        self._lower = lower

    def part(self, tokens: list[str]) -> Words:
        """Some of the tokens, to be read by themselves."""
        return Words(tuple(tokens), lower=self._lower)

    def peek(self, ahead: int = 0) -> str:
        """A token that comes, in capitals; empty behind the end."""
        place = self.at + ahead
        return self.tokens[place].upper() if place < len(self.tokens) else ""

    def take(self, *words: str) -> bool:
        """Go past these words where they come next."""
        if all(self.peek(number) == word for number, word in enumerate(words)):
            self.at += len(words)
            return True
        return False

    def skip(self, *words: str) -> None:
        """Go past any of these words."""
        while self.peek() in words:
            self.at += 1

    def identifier(self) -> str | None:
        """The identifier that comes next, as the database names it."""
        if self.at >= len(self.tokens):
            return None
        token = self.tokens[self.at]
        if token[0] in '"`[':
            self.at += 1
            return token[1:-1].replace('""', '"')
        if token[0].isalpha() or token[0] == "_":
            self.at += 1
            return token.lower() if self._lower else token
        return None

    def name(self) -> Name | None:
        """The name that comes next, with its schema."""
        *schema, name = self.path()
        return Name.of(name, schema[-1] if schema else None) if name else None

    def path(self) -> list[str]:
        """The identifiers with dots between them that come next."""
        parts = [self.identifier() or ""]
        while parts[0] and self.take("."):
            parts.append(self.identifier() or "")
        return parts

    def string(self) -> str | None:
        """The plain string that comes next."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else ""
        if token[:1] != "'":
            return None
        self.at += 1
        return token[1:-1].replace("''", "'")

    def group(self) -> list[str] | None:
        """The tokens between the parentheses that come next."""
        if self.peek() != "(":
            return None
        depth, start = 0, self.at + 1
        while self.at < len(self.tokens):
            depth += {"(": 1, ")": -1}.get(self.tokens[self.at], 0)
            self.at += 1
            if depth == 0:
                return list(self.tokens[start : self.at - 1])
        return list(self.tokens[start:])

    @property
    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.tokens)

    def rest(self) -> list[str]:
        """The tokens that are left."""
        return list(self.tokens[self.at :])
