"""How a migration's functions are laid out: indentation, line ends, comments around a body."""

from __future__ import annotations

import ast
import re
from bisect import bisect_right

from alembic_roundtrip.migration.model import Direction, Migration
from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.text import Edit, Position, Range

OWN_COMMENTS = ("# DESTRUCTIVE:", "# FRAGILE:", "# TODO(alembic-roundtrip):")
"""Starts of the comments that are written with a body, and go when it is written anew."""

_EMPTY = frozenset({"pass", "..."})
_INDENT = re.compile(r"[ \t\f]*")
_LINE_END = re.compile(r"\r\n|\n|\r")
_TECHNICAL = re.compile(r"#\s*(noqa|type:|pragma|pylint|nosec|fmt:|mypy:|pyright:)", re.IGNORECASE)


class Layout:
    """The text of one migration, asked for its style and for places in it."""

    def __init__(self, migration: Migration) -> None:
        self.migration = migration
        self.source = migration.source
        self.text = migration.text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @property
    def start(self) -> Position:
        """The place of the first character that is no byte order mark."""
        return Position(1, 2 if self.text.startswith("\ufeff") else 1)

    def position(self, offset: int) -> Position:
        """The position of an offset."""
        line = bisect_right(self._starts, offset)
        return Position(line, offset - self._starts[line - 1] + 1)

    def newlines(self, text: str) -> str:
        """A text with the line ends of the file."""
        return _LINE_END.sub(self.source.newline, text)

    def indent_of(self, number: int) -> str:
        """The white space a line begins with."""
        match = _INDENT.match(self.source.line(number).removeprefix("\ufeff"))
        return match.group() if match else ""

    def indentation(self, direction: Direction) -> tuple[str, str]:
        """The indentation of a function's body, and of one level."""
        outer = self.indent_of(direction.range.start.line)
        if self._inline(direction):
            unit = self.unit()
            return outer + unit, unit
        inner = self.indent_of(direction.statements[0].start.line)
        return inner, inner.removeprefix(outer) or self.unit()

    def unit(self) -> str:
        """One level of indentation, by the first function that shows it."""
        for direction in self.migration.functions:
            if not self._inline(direction):
                outer = self.indent_of(direction.range.start.line)
                inner = self.indent_of(direction.statements[0].start.line)
                return inner.removeprefix(outer)
        return "    "

    def _inline(self, direction: Direction) -> bool:
        """Whether the body begins on the line of the signature's colon."""
        start = direction.statements[0].start
        continued = start.line > 1 and self.source.line(start.line - 1).rstrip().endswith("\\")
        return continued or not self._leads(start)

    def _leads(self, place: Position) -> bool:
        """Whether nothing stands before a place on its line."""
        return not self.source.line(place.line)[: place.column - 1].strip("\ufeff \t\f")

    def does_nothing(self, direction: Direction) -> bool:
        """Whether a body is `pass`, `...` or a docstring and no more."""
        return all(
            self.source.slice(place) in _EMPTY
            for place in direction.statements[direction.docstring is not None :]
        )

    def comments_above(self, number: int, *, kept: frozenset[str] | None = None) -> int:
        """The first of the comment lines directly above a line.

        With `kept`, only of our own comments and those; markers of autogenerate never count then.
        """
        while number > 1 and self._is_comment(number - 1, kept):
            number -= 1
        return number

    def _is_comment(self, number: int, kept: frozenset[str] | None) -> bool:
        line = self.source.line(number).strip()
        if kept is None:
            return line.startswith("#")
        return line.startswith(OWN_COMMENTS) or (line.startswith("#") and line in kept)

    def body_edit(self, direction: Direction, indent: str, block: str) -> Edit:
        """The edit that puts a block in the place of a body; its docstring stays."""
        real = direction.statements[direction.docstring is not None :]
        documented = direction.docstring.range if direction.docstring else None
        if self._inline(direction):
            return self._unfolded(direction, indent, block)
        if not real:
            assert documented is not None
            end = self.source.line_range(documented.end.line).end
            return Edit(Range(end, end), self.newlines("\n" + block))
        lines = frozenset(said for line in block.split("\n") for said in _comments(line.strip()))
        end, comment = self._end(direction, lines)
        if comment:
            block = f"{indent}{comment}\n{block}"
        if documented is not None and not self._leads(real[0].start):
            return Edit(Range(documented.end, end), self.newlines("\n" + block))
        start = Position(self.comments_above(real[0].start.line, kept=lines), 1)
        return Edit(Range(start, end), self.newlines(block))

    def _end(self, direction: Direction, lines: frozenset[str]) -> tuple[Position, str]:
        """Where a body ends with what belongs to it, and the comment at its end if it stays."""
        last = direction.statements[-1]
        number = last.end.line
        tail = self.source.line(number)[last.end.column - 1 :].strip(" \t;")
        while number < self.source.line_count and self._is_comment(number + 1, lines):
            number += 1
        end = self.source.line_range(number).end
        stays = self.does_nothing(direction) and not is_technical(tail)
        return end, tail if stays else ""

    def _unfolded(self, direction: Direction, indent: str, block: str) -> Edit:
        """`def f(): pass` gets lines of its own."""
        offset = self.source.offset(direction.statements[0].start)
        colon = len(self.text[:offset].rstrip(" \t\r\n\\"))
        end, comment = self._end(direction, frozenset())
        if comment:
            block = f"{indent}{comment}\n{block}"
        if direction.docstring is not None:
            block = f"{indent}{self.source.slice(direction.docstring.range)}\n{block}"
        return Edit(Range(self.position(colon), end), self.newlines("\n" + block))

    def insert_edit(self, direction: Direction, index: int, indent: str, block: str) -> Edit:
        """The edit that puts a block before a statement, or after the last."""
        index = max(index, int(direction.docstring is not None))
        places = direction.statements
        candidates = places[index : index + 1] or places
        if any(self._stands(place.start.line, block) for place in candidates):
            return Edit(Range(places[0].start, places[0].start), "")
        if self._inline(direction):
            start = len(self.text[: self.source.offset(places[0].start)].rstrip(" \t\r\n\\"))
            parts = [indent + self.source.slice(place) for place in places]
            parts.insert(index, block)
            end = self.source.line_range(places[-1].end.line).end
            text = self.newlines("\n" + "\n".join(parts))
            return Edit(Range(self.position(start), end), text)
        if index >= len(places):
            end = self.source.line_range(places[-1].end.line).end
            return Edit(Range(end, end), self.newlines("\n" + block))
        place = places[index].start
        if not self._leads(place):
            text = self.newlines(f"\n{block}\n{indent}")
            return Edit(Range(places[index - 1].end, place), text)
        above = self._attached(place.line)
        return Edit(Range(Position(above, 1), Position(above, 1)), self.newlines(block + "\n"))

    def _attached(self, number: int) -> int:
        """The first line of a statement with its own comments and decorators."""
        while number > 1:
            line = self.source.line(number - 1).strip()
            if not line.startswith(("#", "@")) or line.startswith("# ###"):
                break
            number -= 1
        return number

    def _stands(self, number: int, block: str) -> bool:
        """Whether the lines of a block are there already, at a statement's line."""
        lines = [line.strip() for line in block.split("\n")]
        comments = next((n for n, line in enumerate(lines) if not line.startswith("#")), 0)
        first = number - comments
        if first < 1 or first + len(lines) - 1 > self.source.line_count:
            return False
        return lines == [self.source.line(first + n).strip() for n in range(len(lines))]


def _comments(line: str) -> tuple[str, ...]:
    """A line of a new body, and the comment that it quotes if it is one of old code."""
    quoted = line.removeprefix("#").strip()
    return (line, quoted) if quoted.startswith("#") else (line,)


def is_technical(comment: str) -> bool:
    """Whether a comment is for a tool, about the line that it stands on."""
    return _TECHNICAL.match(comment) is not None


def decorated_from(migration: Migration, direction: Direction) -> int:
    """The line that a function begins on, with its decorators."""
    for node in ast.walk(parse(migration.source).tree):
        if isinstance(node, ast.FunctionDef) and node.lineno == direction.range.start.line:
            return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return direction.range.start.line
