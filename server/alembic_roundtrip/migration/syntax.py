"""Python's own parser on texts that may be half typed: a tree, always, and what was left out."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass
from functools import lru_cache

from alembic_roundtrip.migration.aliases import with_op
from alembic_roundtrip.migration.model import Docstring
from alembic_roundtrip.text import Position, Range, Source

_TRIES = 12
_REMEMBERED = 4


@dataclass(frozen=True, slots=True)
class Syntax:
    """A tree, the first syntax error's message and place, and the lines left out of the tree."""

    tree: ast.Module
    error: str | None = None
    place: Range | None = None
    blanked: frozenset[int] = frozenset()


def decode(data: bytes) -> str:
    """The text of a Python file, by its byte order mark or coding line.

    Raises `ValueError` with one sentence where the bytes are not in that encoding.
    """
    try:
        return data.decode(encoding_of(data))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(
            "the file is not UTF-8 and names no other encoding; save it as UTF-8"
        ) from error


def encoding_of(data: bytes) -> str:
    """The encoding a Python file says it is in; raises `SyntaxError` for one there is not."""
    head = data[: data.find(b"\n", data.find(b"\n") + 1)]
    if data.isascii() and b"coding" not in head:
        return "utf-8"  # as most are, which is told twenty times as fast
    return tokenize.detect_encoding(io.BytesIO(data).readline)[0]


def range_of(source: Source, node: ast.AST) -> Range:
    """The range of a statement or expression."""
    return source.range_of_bytes(
        node.lineno,  # type: ignore[attr-defined]
        node.col_offset,  # type: ignore[attr-defined]
        node.end_lineno,  # type: ignore[attr-defined]
        node.end_col_offset,  # type: ignore[attr-defined]
    )


def docstring_of(source: Source, node: ast.Module | ast.FunctionDef) -> Docstring | None:
    """The docstring of a module or function."""
    first = node.body[0] if node.body else None
    if not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return None
    if not isinstance(first.value.value, str):
        return None
    return Docstring(first.value.value, range_of(source, first.value))


@lru_cache(maxsize=_REMEMBERED)
def parse(source: Source) -> Syntax:
    """Parse; where that fails, without the statements that the errors are in.

    The tree is shared by all who ask for it: whoever reads a migration, and whoever fixes it next.
    """
    text = source.text.removeprefix("\ufeff")
    first: SyntaxError | None = None
    lines: list[str] | None = None
    blanked: set[int] = set()
    for _ in range(_TRIES):
        try:
            return _done(source, _tree(text), first, blanked)
        except SyntaxError as error:
            first = first or error
            lines = lines or [source.line(n) for n in range(1, source.line_count + 1)]
            if not _blank_statement(lines, error.lineno or 1, blanked):
                break
            text = "\n".join(lines)
        except (ValueError, RecursionError, MemoryError) as error:
            # A null byte before Python 3.12, or brackets nested beyond any use.
            first = first or SyntaxError(str(error), ("", 1, 1, ""))
            break
    return _done(source, ast.Module([], []), first, set(range(1, source.line_count + 1)))


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        # An invalid escape in somebody's SQL string is theirs, not ours to print.
        warnings.simplefilter("ignore")
        return with_op(ast.parse(text), text)


def _done(source: Source, tree: ast.Module, error: SyntaxError | None, lines: set[int]) -> Syntax:
    if error is None:
        return Syntax(tree)
    line = min(error.lineno or 1, source.line_count)
    column = min(max(error.offset or 1, 1), len(source.line(line)) + 1)
    end = source.line_range(line).end
    start = Position(line, column)
    return Syntax(tree, error.msg, Range(min(start, end), end), frozenset(lines))


def _blank_statement(lines: list[str], number: int, blanked: set[int]) -> bool:
    """Put `pass` where a broken statement stands, with the lines that go on with it."""
    number = min(number, len(lines))
    while number > 1 and (number in blanked or not lines[number - 1].strip()):
        number -= 1
    if number in blanked:
        return False
    indent = _indent(lines[number - 1])
    lines[number - 1] = " " * indent + "pass"
    blanked.add(number)
    for index in range(number, len(lines)):
        line = lines[index]
        closing = line.lstrip()[:1] in {")", "]", "}"}
        if line.strip() and _indent(line) <= indent and not closing:
            break
        lines[index] = ""
        blanked.add(index + 1)
        if closing and _indent(line) <= indent:
            break
    return True


def _indent(line: str) -> int:
    expanded = line.expandtabs()
    return len(expanded) - len(expanded.lstrip())
