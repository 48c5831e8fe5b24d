"""Where keys and values stand in a TOML text that parses.

`tomllib` checks and reads; it keeps no positions, and the libraries that keep them are compiled
extensions. As the text is known to be right, splitting it into tokens is enough to place it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alembic_roundtrip.text import Range, Source

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Path = tuple[str | int, ...]
"""Keys, and indexes in arrays, from the top of the document."""

_TOKEN = re.compile(
    r"""
      (?P<blank> [ \t]+ | \#[^\n]* )
    | (?P<line> \r?\n )
    | (?P<text> \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<mark> [\[\]{}=,.] )
    | (?P<bare> [^\s\[\]{}=,.#"']+ )
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A value, and the key it has; of an item of an array both are the item."""

    key: Range
    value: Range


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


def places(text: str) -> Mapping[Path, Place]:
    """The place of each key and item; the value of a table with a header is that."""
    found: dict[Path, Place] = {}
    for path, place in _Reader(text).document():
        found.setdefault(path, place)
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self._source = Source(text)
        self._tokens = [
            _Token(str(m.lastgroup), m[0], m.start(), m.end())
            for m in _TOKEN.finditer(text)
            if m.lastgroup != "blank"
        ]
        self._tokens.append(_Token("end", "", len(text), len(text)))
        self._at = 0

    def document(self) -> Iterator[tuple[Path, Place]]:
        table: Path = ()
        counts: dict[Path, int] = {}
        while self._now.kind != "end":
            if self._now.kind == "line":
                self._at += 1
            elif self._now.text == "[":
                start = self._at
                several = self._tokens[start + 1].text == "["
                self._at += 1 + several
                names, keys = self._key()
                self._at += 1 + several
                table = names
                if several:
                    counts[names] = counts.get(names, -1) + 1
                    table = (*names, counts[names])
                yield from _parts((), names, keys, self._range(start, self._at))
            else:
                yield from self._pair(table)

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]

    def _pair(self, table: Path) -> Iterator[tuple[Path, Place]]:
        names, keys = self._key()
        self._at += 1  # the `=`
        start = self._at
        inner = list(self._value((*table, *names)))
        yield from _parts(table, names, keys, self._range(start, self._at))
        yield from inner

    def _key(self) -> tuple[tuple[str, ...], list[Range]]:
        """A dotted key: its names, and where each of them stands."""
        names, keys = [], []
        while self._now.kind in {"bare", "text"} or self._now.text == ".":
            self._at += 1
            if self._tokens[self._at - 1].text != ".":
                names.append(_name(self._tokens[self._at - 1]))
                keys.append(self._range(self._at - 1, self._at))
        return tuple(names), keys

    def _value(self, path: Path) -> Iterator[tuple[Path, Place]]:
        if self._now.text == "[":
            yield from self._array(path)
        elif self._now.text == "{":
            yield from self._inline(path)
        else:
            while self._now.kind in {"bare", "text"} or self._now.text == ".":
                self._at += 1

    def _array(self, path: Path) -> Iterator[tuple[Path, Place]]:
        self._at += 1
        count = 0
        while self._now.text != "]":
            if self._now.kind == "line" or self._now.text == ",":
                self._at += 1
                continue
            start = self._at
            inner = list(self._value((*path, count)))
            place = self._range(start, self._at)
            yield (*path, count), Place(place, place)
            yield from inner
            count += 1
        self._at += 1

    def _inline(self, path: Path) -> Iterator[tuple[Path, Place]]:
        self._at += 1
        while self._now.text != "}":
            if self._now.kind == "line" or self._now.text == ",":
                self._at += 1
            else:
                yield from self._pair(path)
        self._at += 1

    def _range(self, first: int, after: int) -> Range:
        start, end = self._tokens[first].start, self._tokens[after - 1].end
        return Range(self._source.position(start), self._source.position(end))


def _parts(
    table: Path, names: Path, keys: Sequence[Range], value: Range
) -> Iterator[tuple[Path, Place]]:
    """The place of a dotted key, and of each table that it names on the way."""
    for count, key in enumerate(keys, 1):
        yield (*table, *names[:count]), Place(key, value)


def _name(token: _Token) -> str:
    if token.kind == "bare":
        return token.text
    name: str = tomllib.loads(f"key = {token.text}")["key"]
    return name
