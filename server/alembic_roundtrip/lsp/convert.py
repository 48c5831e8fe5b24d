"""Between our places, in code points from 1, and the protocol's, in code units from 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lsprotocol import types

from alembic_roundtrip.text import Edit, Position, Range, Source

_LAST_OF_ONE_BYTE = 0x7F
_LAST_OF_TWO_BYTES = 0x7FF
_LAST_OF_ONE_UNIT = 0xFFFF


def _utf8(character: str) -> int:
    point = ord(character)
    if point <= _LAST_OF_ONE_BYTE:
        return 1
    if point <= _LAST_OF_TWO_BYTES:
        return 2
    return 3 if point <= _LAST_OF_ONE_UNIT else 4


def _utf16(character: str) -> int:
    return 1 if ord(character) <= _LAST_OF_ONE_UNIT else 2


_WIDTHS: Mapping[str, Callable[[str], int] | None] = MappingProxyType(
    {"utf-8": _utf8, "utf-16": _utf16, "utf-32": None}
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """The unit that a client counts columns in: `utf-8`, `utf-16` or `utf-32`."""

    name: str = "utf-16"

    def units(self, text: str) -> int:
        """Length of a text without line ends."""
        width = _WIDTHS[self.name]
        return len(text) if width is None or text.isascii() else sum(map(width, text))

    def characters(self, line: str, units: int) -> int:
        """How many characters of a line those units are; units beyond its end mean all."""
        width = _WIDTHS[self.name]
        if width is None or line.isascii():
            return min(units, len(line))
        for index, character in enumerate(line):
            if units <= 0:
                return index
            units -= width(character)
        return len(line)


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts places in one text for one encoding; places outside the text mean its end."""

    source: Source
    encoding: Encoding

    def position(self, position: types.Position) -> Position:
        """Our position for the protocol's."""
        number = position.line + 1
        if number > self.source.line_count:
            return self._end()
        line = self.source.line(number)
        return Position(number, self.encoding.characters(line, position.character) + 1)

    def range(self, range: types.Range) -> Range:
        """Our range for the protocol's."""
        return Range(self.position(range.start), self.position(range.end))

    def lsp_position(self, position: Position) -> types.Position:
        """The protocol's position for ours."""
        if position.line > self.source.line_count:
            position = self._end()
        before = self.source.line(position.line)[: position.column - 1]
        return types.Position(position.line - 1, self.encoding.units(before))

    def lsp_range(self, range: Range) -> types.Range:
        """The protocol's range for ours."""
        return types.Range(self.lsp_position(range.start), self.lsp_position(range.end))

    def lsp_edit(self, edit: Edit) -> types.TextEdit:
        """The protocol's edit for ours."""
        return types.TextEdit(self.lsp_range(edit.range), edit.text)

    def _end(self) -> Position:
        return self.source.line_range(self.source.line_count).end
