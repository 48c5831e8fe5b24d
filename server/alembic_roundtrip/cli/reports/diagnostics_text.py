"""Diagnostics for people: a line, the code it is about, and what can be done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alembic_roundtrip.cli.reports._frame import cut, frame
from alembic_roundtrip.cli.reports._linting import Linting, one_line, placed, shown_path, told
from alembic_roundtrip.cli.reports._terminal import Part, columns, writer
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.links import rule_page
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Source

STYLES: dict[Severity, str] = {
    "error": "bold red",
    "warning": "bold yellow",
    "information": "bold cyan",
    "hint": "dim",
}
_HOW = {"safe": "--fix", "unsafe": "--unsafe-fixes, changes what a rollback does"}


def report(linting: Linting) -> None:
    """Print diagnostics; in colour on a terminal, plain elsewhere."""
    write = writer()
    for problem in linting.problems:
        write([(f"{problem}\n", "yellow")])
    fixable: Counter[str] = Counter()
    for diagnostic in linting.shown:
        fixable.update([fix.safety for fix in diagnostic.fixes[:1]])
        write(
            [
                *_headline(diagnostic),
                *_frame(diagnostic, linting.source(diagnostic)),
                *_related(diagnostic),
                *_fixes(diagnostic),
                ("\n", ""),
            ]
        )
    for environment, migrations in linting.environments.items():
        write([(f"{told(environment, migrations)}\n", "dim")])
    write([(f"{linting.summary()}\n", "bold"), *_fixable(fixable)])
    for note in linting.notes:
        write([(f"{one_line(note)}\n", "dim")])


def _headline(d: Diagnostic) -> Iterator[Part]:
    yield f"{d.severity}[", STYLES[d.severity]
    yield d.rule, f"{STYLES[d.severity]} link {rule_page(d.rule)}"
    yield "]", STYLES[d.severity]
    yield f": {one_line(d.message)}\n", "bold"
    yield "  --> ", "blue"
    yield f"{placed(d)}\n", ""


def _frame(d: Diagnostic, source: Source) -> Iterator[Part]:
    room = columns()
    for whole in frame(source, d.range):
        # Marks that a terminal wraps stand under nothing.
        line = whole if room is None else cut(whole, room - len(f"  {whole.number} | "))
        yield f"  {line.number} | ", "blue"
        yield f"{line.code}\n", ""
        if line.marks:
            yield f"  {' ' * len(line.number)} | ", "blue"
            yield f"{line.marks}\n", STYLES[d.severity]


def _related(d: Diagnostic) -> Iterator[Part]:
    for other in d.related:
        line = other.range.start.line
        place = f"line {line}" if other.path == d.path else f"{shown_path(other.path)}:{line}"
        yield f"  see {place}: {one_line(other.message)}\n", "dim"


def _fixes(d: Diagnostic) -> Iterator[Part]:
    for fix in d.fixes:
        yield "  fix: ", "bold green"
        yield f"{one_line(fix.title)} ({_HOW[fix.safety]})\n", "green"


def _fixable(counts: Counter[str]) -> Iterator[Part]:
    """What the options for fixing would do."""
    safe, unsafe = counts["safe"], counts["unsafe"]
    told = [f"{safe} can be fixed with --fix"] if safe else []
    told += [f"{unsafe} {'more' if safe else 'can be fixed'} with --unsafe-fixes"] if unsafe else []
    if told:
        yield f"{', '.join(told)}\n", "green"
