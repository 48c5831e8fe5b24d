"""Diagnostics for people: a line, the code it is about, and what can be done."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from alembic_roundtrip.cli.reports.diagnostics_json import relative
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.rule import SEVERITIES, Diagnostic

_STYLES = {"error": "bold red", "warning": "yellow", "information": "cyan", "hint": "dim"}
Write = Callable[[str, str], None]


def diagnostics_text(
    found: Sequence[Diagnostic],
    migrations: Mapping[Path, Migration | None],
    files: int,
    problems: Sequence[str],
    *,
    hints: bool,
) -> None:
    """Print diagnostics; in colour on a terminal, plain elsewhere."""
    write = _writer()
    for problem in problems:
        write(f"{problem}\n", "yellow")
    for diagnostic in found:
        if diagnostic.severity != "hint" or hints:
            _diagnostic(diagnostic, migrations.get(diagnostic.path), write)
    write(f"{_summary(found, files, hints=hints)}\n", "bold")


def _writer() -> Write:
    if not sys.stdout.isatty():
        return lambda text, _: print(text, end="")
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    return lambda text, style: console.print(Text(text, style), end="", soft_wrap=True)


def _diagnostic(d: Diagnostic, migration: Migration | None, write: Write) -> None:
    start = d.range.start
    write(f"{relative(d.path)}:{start.line}:{start.column} ", "")
    write(f"{d.severity}", _STYLES[d.severity])
    write(f" {d.rule}: ", "bold")
    write(f"{d.message}\n", "")
    for line in _frame(d, migration):
        write(f"{line}\n", "dim")
    for fix in d.fixes:
        how = "--fix" if fix.safety == "safe" else "--unsafe-fixes, changes what a rollback does"
        write(f"  fix: {fix.title} ({how})\n", "green")


def _frame(d: Diagnostic, migration: Migration | None) -> Iterator[str]:
    """The first line of the code with a mark under it."""
    if migration is None or d.range.start.line > migration.source.line_count:
        return
    text = migration.source.line(d.range.start.line)
    if not text.strip():
        return
    one_line = d.range.end.line == d.range.start.line
    end = d.range.end.column if one_line else len(text) + 1
    number = str(d.range.start.line)
    before = "".join(c if c == "\t" else " " * _width(c) for c in text[: d.range.start.column - 1])
    marked = sum(_width(c) for c in text[d.range.start.column - 1 : end - 1])
    yield f"  {number} | {text}"
    yield f"  {' ' * len(number)} | {before}{'^' * max(marked, 1)}"


def _width(character: str) -> int:
    """Cells of a character on a terminal."""
    if character.isascii():
        return 1
    from rich.cells import cell_len

    return cell_len(character)


def _summary(found: Sequence[Diagnostic], files: int, *, hints: bool) -> str:
    counts = Counter(d.severity for d in found)
    named = [f"{counts[s]} {_plural(s, counts[s])}" for s in SEVERITIES if counts[s]]
    read = f"{files} {_plural('migration', files)} read"
    hidden = "" if hints or not counts["hint"] else " (--hints shows them)"
    return f"{read}: {', '.join(named)}{hidden}" if named else f"{read}: nothing to report"


def _plural(word: str, count: int) -> str:
    return word if count == 1 or word == "information" else f"{word}s"
