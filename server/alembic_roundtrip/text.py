"""Places in a text, in code points: lines and columns count from 1."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import accumulate
from typing import NamedTuple

# Python's tokenizer and LSP agree on these three; `str.splitlines` knows eight more.
_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+\Z")


class Position(NamedTuple):
    """A place between two characters."""

    line: int
    column: int


class Range(NamedTuple):
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position


_made = tuple.__new__


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace what stands in `range` by `text`."""

    range: Range
    text: str


class Source:
    """A text with its line starts, for going between offsets and positions."""

    __slots__ = ("_ascii", "_ends", "_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._ascii = text.isascii()
        if "\r" in text:
            ends = [(match.start(), match.end()) for match in _LINE_END.finditer(text)]
            self._starts = [0, *(end for _, end in ends)]
            self._ends = [*(start for start, _ in ends), len(text)]
        else:
            lengths = map(len, text.split("\n"))
            self._ends = list(accumulate(lengths, lambda end, length: end + 1 + length))
            self._starts = [0, *(end + 1 for end in self._ends[:-1])]

    @property
    def line_count(self) -> int:
        """Number of lines; an empty text has one."""
        return len(self._starts)

    @property
    def newline(self) -> str:
        """The line end this text uses, by its first line."""
        return self.text[self._ends[0] : self._starts[1]] if self.line_count > 1 else "\n"

    def line(self, number: int) -> str:
        """Text of a line, counted from 1, without its line end."""
        return self.text[self._starts[number - 1] : self._ends[number - 1]]

    def bytes_of_line(self, number: int, start: int, end: int) -> str:
        """A part of a line between UTF-8 byte columns from 0, as `ast` gives them."""
        if self._ascii:
            first = self._starts[number - 1]
            return self.text[first + start : first + end]
        return self.line(number).encode("utf-8")[start:end].decode("utf-8", "replace")

    def mentions(self, first: int, last: int, words: Iterable[str]) -> bool:
        """Whether one of these identifiers may stand on lines of the text: much faster than names.

        Python takes some letters beyond ASCII for others.
        """
        if not self._ascii:
            return True
        text = self.text[self._starts[first - 1] : self._ends[last - 1]]
        return any(map(text.__contains__, words))

    def offset(self, position: Position) -> int:
        """Offset of a position; columns beyond the line mean its end."""
        if position.line > self.line_count:
            return len(self.text)
        start, end = self._starts[position.line - 1], self._ends[position.line - 1]
        return min(start + position.column - 1, end)

    def position(self, offset: int) -> Position:
        """The position of an offset."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def position_of_bytes(self, line: int, column: int) -> Position:
        """Position for a UTF-8 byte column from 0, as `ast` gives it."""
        if self._ascii:
            return Position(line, column + 1)
        text = self.line(line)
        if line == 1 and text.startswith("\ufeff"):
            # Python's parser takes the byte order mark away before it counts.
            column += len("\ufeff".encode())
        if not text.isascii():
            column = len(text.encode("utf-8")[:column].decode("utf-8", "replace"))
        return Position(line, column + 1)

    def range_of_bytes(self, line: int, column: int, last: int, end: int) -> Range:
        """Range for UTF-8 byte columns from 0, as `ast` gives it."""
        if self._ascii:
            # As `Range(Position(…), Position(…))` makes them, in half the time: there are dozens in
            # every migration.
            start = _made(Position, (line, column + 1))
            return _made(Range, (start, _made(Position, (last, end + 1))))
        return Range(self.position_of_bytes(line, column), self.position_of_bytes(last, end))

    def slice(self, range: Range) -> str:
        """The text in a range."""
        return self.text[self.offset(range.start) : self.offset(range.end)]

    def line_range(self, number: int) -> Range:
        """The whole of a line, without its line end."""
        return Range(Position(number, 1), Position(number, len(self.line(number)) + 1))

    def code_range(self, number: int) -> Range:
        """A line without its indentation; the last one where the text ends before it."""
        number = min(number, self.line_count)
        line = self.line(number)
        indentation = len(line) - len(line.lstrip())
        return Range(Position(number, indentation + 1), Position(number, len(line) + 1))


def within(inner: Range, outer: Range) -> bool:
    """Whether a range lies in another one."""
    return outer.start <= inner.start and inner.end <= outer.end


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap; those at one place keep their order.

    Raises `ValueError` when two edits overlap.
    """
    source = Source(text)
    parts: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: edit.range):
        start, end = source.offset(edit.range.start), source.offset(edit.range.end)
        if start < done:
            raise ValueError(f"edits overlap at line {edit.range.start.line}")
        parts += [text[done:start], edit.text]
        done = end
    return "".join([*parts, text[done:]])


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends."""
    return _LINE.findall(text)


def differences(old: str, new: str) -> list[Edit]:
    """The edits of whole lines that make one text the other."""
    before, after = split_lines(old), split_lines(new)
    return [
        Edit(Range(Position(a + 1, 1), Position(b + 1, 1)), "".join(after[c:d]))
        for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    ]
