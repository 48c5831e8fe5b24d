"""What a run of `lint` came to, and what is said of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.project import DEFAULT_SECTION, Environment
from alembic_roundtrip.severity import SEVERITIES, Severity
from alembic_roundtrip.text import Source


@dataclass(frozen=True, slots=True)
class Linting:
    """Diagnostics in the order they are reported.

    `files` are all migrations that were read, `environments` how many of which; `problems` are what
    stands in the way of finding migrations.
    """

    found: Sequence[Diagnostic]
    files: Sequence[Path]
    environments: Mapping[Environment, int]
    problems: Sequence[str]
    hints: bool
    fail_on: Severity
    notes: Sequence[str] = ()
    """What people are told beside the findings, a sentence each."""

    def source(self, d: Diagnostic) -> Source:
        """The text that a diagnostic is about; empty where it cannot be read any more."""
        return _source(d.path)

    @property
    def shown(self) -> Iterator[Diagnostic]:
        """What people are shown: hints only when they asked."""
        return (d for d in self.found if self.hints or d.severity != "hint")

    def fails(self, diagnostic: Diagnostic) -> bool:
        """Whether a diagnostic is at or above the threshold."""
        return SEVERITIES.index(diagnostic.severity) <= SEVERITIES.index(self.fail_on)

    def summary(self) -> str:
        """One line on the whole."""
        counts = Counter(d.severity for d in self.found)
        named = [f"{counts[s]} {plural(s, counts[s])}" for s in SEVERITIES if counts[s]]
        read = f"{len(self.files)} {plural('migration', len(self.files))} read"
        hidden = "" if self.hints or not counts["hint"] else " (--hints shows them)"
        return f"{read}: {', '.join(named)}{hidden}" if named else f"{read}: nothing to report"


def told(environment: Environment, migrations: int) -> str:
    """What was read of an environment, and for which dialects, on one line."""
    folder = shown_path(environment.script_location)
    where = f"{folder} (no configuration)"
    if environment.config is not None:
        section = "" if environment.section == DEFAULT_SECTION else f" [{environment.section}]"
        where = f"{shown_path(environment.config)}{section}"
    count = f"{migrations} {plural('migration', migrations)}"
    signs = zip(environment.dialects, environment.dialect_sources, strict=True)
    named = ", ".join(f"{dialect} ({source})" for dialect, source in signs)
    read = f"{where}: {count} for {named or 'any dialect: the setting `dialects` names it'}"
    return one_line(f"{read}{_not_read(len(environment.left_out))}")


def _not_read(folders: int) -> str:
    """What Alembic leaves out may have been left out by mistake."""
    if not folders:
        return ""
    return (
        f"; not those in {folders} {plural('folder', folders)} below, which `version_locations` "
        "does not name"
    )


@lru_cache(maxsize=1)
def _source(path: Path) -> Source:
    """Diagnostics of one file come one after another."""
    from alembic_roundtrip.migration.syntax import decode

    try:
        return Source(decode(path.read_bytes()))
    except (OSError, ValueError):
        return Source("")


def headline(d: Diagnostic) -> str:
    """A diagnostic on one line, as `concise` has it."""
    return f"{placed(d)}: {d.severity} {d.rule} {one_line(d.message)}"


def placed(d: Diagnostic) -> str:
    """Where a diagnostic is, as terminals and editors make a link of it."""
    return f"{shown_path(d.path)}:{d.range.start.line}:{d.range.start.column}"


def shown_path(path: Path) -> str:
    """A path without anything that a terminal would act on."""
    return "".join(c if c.isprintable() else "?" for c in relative(path))


def one_line(text: str) -> str:
    """A text without line ends, or anything else that a terminal would act on."""
    return "".join(c if c.isprintable() else " " for c in text)


def plural(word: str, count: int) -> str:
    """A word for one or for several."""
    return word if count == 1 or word == "information" else f"{word}s"
