"""`# roundtrip: ignore[rule] reason`: which findings a comment asks to leave out, and where."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from alembic_roundtrip.text import Position, Range, Source
from alembic_roundtrip.textfile import TextFile

if TYPE_CHECKING:
    from alembic_roundtrip.migration.model import Migration

Scope = Callable[[int], tuple[int, int]]
"""The lines that what stands on a line reaches over."""

_MARK = re.compile("roundtrip:", re.IGNORECASE)
_COMMENT = re.compile(
    r"[#;]\s*roundtrip:\s*ignore\b(?:\[(?P<rules>[^\]]*)\])?\s*(?P<reason>.*)", re.IGNORECASE
)

_ALIKE = re.compile(
    r"""[#;]\s*(?:(?:alembic[-_ ]?)?round[-_]?trip\b[\s:-]*)?
    (?:type:\s*)?(?:ignore|disable|noqa|nolint|skip|suppress)\b(?:-next-line)?
    [\s:=\[(]*(?P<rules>[a-z]+(?:[-_][a-z]+)+(?:\s*,\s*[a-z]+(?:[-_][a-z]+)+)*)[\s\])]*(?P<reason>.*)""",
    re.IGNORECASE | re.VERBOSE,
)
"""What somebody writes who has another tool's comment in mind."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that asks to ignore rules from `first` to `last` line; none where it names none.

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
    if _MARK.search(migration.text) is None:
        return ()
    places = _python_comments(migration.source)
    scope = partial(_statement, migration)
    return tuple(_suppression(migration.source, line, column, scope) for line, column in places)


def file_suppressions(file: TextFile) -> tuple[Suppression, ...]:
    """Every such comment of a file that is no migration: for its line, the next, or the file."""
    if _MARK.search(file.text) is None:
        return ()
    source = file.source
    comments = _python_comments if file.kind == "python" else _comments
    places = comments(source)
    return tuple(_suppression(source, line, column, _line) for line, column in places)


def may_ignore(text: str) -> bool:
    """Whether a text may have a comment that looks as if it ignored a rule."""
    return _ALIKE.search(text) is not None


def lookalikes(source: Source, *, python: bool) -> Iterator[tuple[Range, tuple[str, ...], str]]:
    """Comments that ignore nothing but look as if, with the rules they may mean, and the reason."""
    if not may_ignore(source.text):
        return
    comments = _python_comments if python else _comments
    for line, column in comments(source, _ALIKE):
        text = source.line(line)
        found = _ALIKE.match(text[column - 1 :])
        if found is None or _COMMENT.match(text[column - 1 :]):
            continue
        names = (name.strip().lower().replace("_", "-") for name in found["rules"].split(","))
        place = Range(Position(line, column), Position(line, len(text) + 1))
        yield place, tuple(names), found["reason"].strip(" :-")


def _line(number: int) -> tuple[int, int]:
    return number, number


def _comments(source: Source, mark: re.Pattern[str] = _COMMENT) -> Iterator[tuple[int, int]]:
    for number in range(1, source.line_count + 1):
        found = mark.search(source.line(number))
        if found:
            yield number, found.start() + 1


def _python_comments(source: Source, mark: re.Pattern[str] = _COMMENT) -> Iterator[tuple[int, int]]:
    """Line and column, from 1, of the comments that are meant for us."""
    lines = [source.line(n) + "\n" for n in range(1, source.line_count + 1)]
    tokens = tokenize.generate_tokens(io.StringIO("".join(lines)).readline)
    try:
        for token in tokens:
            found = mark.search(token.string) if token.type == tokenize.COMMENT else None
            if found:
                yield token.start[0], token.start[1] + found.start() + 1
    except (tokenize.TokenError, SyntaxError):
        # Half-typed code: what came before the break was read.
        return


def _suppression(source: Source, line: int, column: int, scope: Scope) -> Suppression:
    text = source.line(line)
    found = _COMMENT.match(text[column - 1 :])
    assert found is not None
    place = Range(Position(line, column), Position(line, len(text) + 1))
    alone = not text[: column - 1].strip()
    first, last = _below(source, line, scope) if alone else scope(line)
    names = (found["rules"] or "").split(",")
    rules = tuple(name.strip() for name in names if name.strip())
    return Suppression(place, rules, found["reason"].strip(), first, last, alone)


def _below(source: Source, line: int, scope: Scope) -> tuple[int, int]:
    """What a comment on a line of its own is for."""
    before = (source.line(number).strip() for number in range(1, line))
    if all(not text or text.startswith("#") for text in before):
        return 1, source.line_count
    for number in range(line + 1, source.line_count + 1):
        text = source.line(number).strip()
        if text and not text.startswith("#"):
            return scope(number)
    return line, line


def _statement(migration: Migration, line: int) -> tuple[int, int]:
    """The lines of the smallest statement, or of the function, that has its say on a line."""
    while (
        migration.source.line(line).lstrip().startswith("@") and line < migration.source.line_count
    ):
        line += 1  # a decorator is part of what it stands above
    for direction in migration.functions:
        if direction.header.start.line == line:
            return direction.range.start.line, direction.range.end.line
        places = [operation.statement for operation in direction.operations]
        inside = [p for p in (*places, *direction.statements) if p.start.line <= line <= p.end.line]
        if inside:
            smallest = min(inside, key=lambda p: p.end.line - p.start.line)
            return smallest.start.line, smallest.end.line
    return line, line
