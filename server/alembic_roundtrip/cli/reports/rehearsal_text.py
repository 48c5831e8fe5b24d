"""A rehearsal as text: a line a revision as it comes, details below, a summary at the end."""

from __future__ import annotations

import sys

from alembic_roundtrip.cli.reports._judged import Judged
from alembic_roundtrip.cli.reports._terminal import Part, writer
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.measurements import database_name
from alembic_roundtrip.rehearsal.events import Finished, Started
from alembic_roundtrip.rehearsal.extensions import Extensions

_STYLES = {
    Verdict.LOSSLESS: "green",
    Verdict.LOSSY: "yellow",
    Verdict.RESIDUE: "red",
    Verdict.FAILED: "bold red",
    Verdict.IRREVERSIBLE: "cyan",
    Verdict.SKIPPED: "magenta",
}
_GUARDS = {
    "kernel": "the operating system closes every other database",
    "process": "other databases are closed inside the process only",
}


FROM_MODELS = (
    "this history does not start from an empty database: it is rehearsed back from what the models "
    "in `target_metadata` make; the setting `baseline` can name what makes its first tables"
)


class RehearsalReport:
    """Writes to standard output: with colours on a terminal, plain elsewhere."""

    def __init__(self) -> None:
        self._write = writer()
        self._width = 0
        self._skipped: str | None = None

    def started(self, event: Started, rows: int) -> None:
        """One line on what is tried, and where."""
        self._width = max([len(revision) for revision in event.revisions], default=0)
        database = f"{database_name(event.database)} {event.version}"
        count = _counted(len(event.revisions), "revision")
        filled = f"{rows} made-up rows a table" if rows else "schema only"
        guard = _GUARDS.get(event.guard, event.guard)
        self._line((f"{count} on a scratch {database}, {filled}; {guard}", "dim"))
        if event.expected:
            self._line((_connects(event), "dim"))
        if event.extensions is not None:
            self._line((_about(event.extensions), "dim"))

    def from_models(self) -> None:
        """One line on what the verdicts are of."""
        self._line((FROM_MODELS, "dim"))

    def revision(self, judged: Judged) -> None:
        """The verdict, how long it took, then what was found."""
        evidence = judged.evidence
        verdict = evidence.verdict
        nothing_in_it = verdict is Verdict.LOSSLESS and not evidence.rows
        self._line(
            (f"{verdict.value:<12} ", _STYLES[verdict]),
            (f"{evidence.revision:<{self._width}}", "bold"),
            (f"  {evidence.seconds:.2f} s{'  on empty tables' if nothing_in_it else ''}", "dim"),
        )
        again = verdict is Verdict.SKIPPED and evidence.reason == self._skipped
        self._skipped = evidence.reason if verdict is Verdict.SKIPPED else None
        if again:
            return
        for detail in judged.details():
            self._line((f"    {detail}", ""))

    def finished(self, event: Finished) -> None:
        """How many revisions came to which verdict."""
        self._line((summary(event), ""))

    def stopped(self, sentence: str) -> None:
        """Standard error has it."""

    def _line(self, *parts: Part) -> None:
        self._write([*parts, ("\n", "")])
        sys.stdout.flush()


def summary(event: Finished) -> str:
    """One line on the whole."""
    count = _counted(sum(event.verdicts.values()), "verdict")
    parts = [
        f"{event.verdicts[verdict]} {verdict.value}"
        for verdict in Verdict
        if event.verdicts.get(verdict)
    ]
    return f"{count}: {', '.join(parts) or 'none'} in {event.seconds:.1f} s"


def _connects(event: Started) -> str:
    """One line on why it is not the kind of database that the project is for."""
    here, expected = database_name(event.database), database_name(event.expected)
    return (
        f"env.py connects to {here} here, though migrations are for {expected}; where variables "
        "decide that, the setting `env` can give them"
    )


def _about(extensions: Extensions) -> str:
    """One line on what the server has of what migrations create."""
    available = extensions.available
    there = [f"{name} {available[name]}" for name in extensions.created if name in available]
    of = f"of the server's {_counted(len(available), 'extension')} migrations create"
    created = f"{of} {', '.join(there) or 'none'}"
    missing = ", ".join(extensions.missing)
    return f"{created}; it lacks {missing}, which they create as well" if missing else created


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
