"""`# roundtrip: ignore[rule] reason`: which findings a comment asks to leave out, and where."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.text import Position, Range

_MARK = "roundtrip:"
_COMMENT = re.compile(r"#\s*roundtrip:\s*ignore\[(?P<rules>[^\]]*)\]\s*(?P<reason>.*)")


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that asks to ignore rules from `first` to `last` line.

    `alone` is true where nothing else stands on its line.
    """

    range: Range
    rules: tuple[str, ...]
    reason: str
    first: int
    last: int
    alone: bool

    def covers(self, rule: str, place: Range) -> bool:
        """Whether a rule's finding at a place is to be left out."""
        return rule in self.rules and self.first <= place.start.line <= self.last


def suppressions(migration: Migration) -> tuple[Suppression, ...]:
    """Every such comment of a migration, in the order of the text.

    Behind code it is for that statement, on the line of a `def` for the function; on a line of its
    own for the statement that follows, and above everything for the file.
    """
    if _MARK not in migration.text:
        return ()
    return tuple(_suppression(migration, line, column) for line, column in _comments(migration))


def _comments(migration: Migration) -> Iterator[tuple[int, int]]:
    """Line and column, from 1, of the comments that are meant for us."""
    lines = [migration.source.line(n) + "\n" for n in range(1, migration.source.line_count + 1)]
    tokens = tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
    try:
        for token in tokens:
            if token.type == tokenize.COMMENT and _COMMENT.match(token.string):
                yield token.start[0], token.start[1] + 1
    except (tokenize.TokenError, SyntaxError):
        # Half-typed code: what came before the break was read.
        return


def _suppression(migration: Migration, line: int, column: int) -> Suppression:
    text = migration.source.line(line)
    found = _COMMENT.match(text[column - 1 :])
    assert found is not None
    place = Range(Position(line, column), Position(line, len(text) + 1))
    alone = not text[: column - 1].strip()
    first, last = _scope(migration, line) if alone else _statement(migration, line)
    rules = tuple(name.strip() for name in found["rules"].split(",") if name.strip())
    return Suppression(place, rules, found["reason"].strip(), first, last, alone)


def _scope(migration: Migration, line: int) -> tuple[int, int]:
    """What a comment on a line of its own is for."""
    source = migration.source
    before = (source.line(number).strip() for number in range(1, line))
    if all(not text or text.startswith("#") for text in before):
        return 1, source.line_count
    for number in range(line + 1, source.line_count + 1):
        text = source.line(number).strip()
        if text and not text.startswith("#"):
            return _statement(migration, number)
    return line, line


def _statement(migration: Migration, line: int) -> tuple[int, int]:
    """The lines of the smallest statement, or of the function, that has its say on a line."""
    for direction in (migration.upgrade, migration.downgrade):
        if direction is None:
            continue
        if direction.header.start.line == line:
            return direction.range.start.line, direction.range.end.line
        places = [operation.statement for operation in direction.operations]
        inside = [p for p in (*places, *direction.statements) if p.start.line <= line <= p.end.line]
        if inside:
            smallest = min(inside, key=lambda p: p.end.line - p.start.line)
            return smallest.start.line, smallest.end.line
    return line, line
