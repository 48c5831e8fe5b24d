"""The code a diagnostic is about: its lines with their numbers, and marks under the range."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.cli.reports._terminal import width
from alembic_roundtrip.text import Range, Source

_CONTEXT = 2
_WHOLE = 4
"""Ranges of more lines are shown by their first and last."""
_TAB = 4
# What a terminal would obey rather than show: controls have pictures, reordering has none.
_SHOWN = {code: 0x2400 + code for code in range(32) if code != ord("\t")} | {0x7F: 0x2421}
_SHOWN |= dict.fromkeys(
    [*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a frame: what is left of the bar, the code, and the marks below it."""

    number: str
    code: str
    marks: str = ""


def frame(source: Source, place: Range) -> Iterator[Line]:
    """The lines of a range, with those around it; none for a place that has no text."""
    first, last = _lines(source, place)
    if first > source.line_count or not any(_text(source, n) for n in range(first, last + 1)):
        return
    before, after = _around(source, first, last)
    long = last - first >= _WHOLE
    places = [first, 0, last] if long else list(range(first, last + 1))
    size = len(str(max([last, *after])))
    for number in (*before, *places, *after):
        if not number:
            yield Line("." * size, "")
            continue
        code = visible(source.line(number))
        marks = _marks(source, number, place) if first <= number <= last else ""
        yield Line(f"{number:>{size}}", code, marks)


def cut(line: Line, room: int) -> Line:
    """A line that fits into so many cells; as it is where its marks begin behind them."""
    if width(line.code) <= room or len(line.marks) - len(line.marks.lstrip()) >= room:
        return line
    code = line.code[: room - 1]
    while width(code) >= room:  # wide characters take two
        code = code[:-1]
    return Line(line.number, f"{code}…", line.marks[:room])


def visible(text: str) -> str:
    """A line as it can be shown: tabs as spaces, and no character that does something instead."""
    shown = ""
    for part in re.split("(\t)", text):
        shown += " " * (_TAB - width(shown) % _TAB) if part == "\t" else part.translate(_SHOWN)
    return shown


def _lines(source: Source, place: Range) -> tuple[int, int]:
    """The first and the last line with something of the range on it."""
    first, last = place.start.line, place.end.line
    if last > first and place.end.column == 1:
        last -= 1
    return first, max(first, min(last, source.line_count))


def _around(source: Source, first: int, last: int) -> tuple[list[int], list[int]]:
    """The lines before and after, without the blank ones at the frame's edges."""
    before = range(max(1, first - _CONTEXT), first)
    after = range(last + 1, min(last + _CONTEXT, source.line_count) + 1)
    top = next((n for n in before if _text(source, n)), first)
    bottom = next((n for n in reversed(after) if _text(source, n)), last)
    return list(range(top, first)), list(range(last + 1, bottom + 1))


def _text(source: Source, number: int) -> str:
    return source.line(number).strip()


def _marks(source: Source, number: int, place: Range) -> str:
    """Carets under what the range has of a line; where that is nothing, one where it starts."""
    line = source.line(number)
    begins, ends = number == place.start.line, number == place.end.line
    start = place.start.column - 1 if begins else len(line) - len(line.lstrip())
    end = place.end.column - 1 if ends else len(line.rstrip())
    left = width(visible(line[:start]))
    marked = width(visible(line[: max(start, end)])) - left
    return " " * left + "^" * (marked or int(begins))
