"""What a rehearsal measured of a revision, judged; and what a report of rehearsals is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from alembic_roundtrip import wording
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.measurements import loss_lines, subject_of
from alembic_roundtrip.rehearsal.events import Finished, Started
from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Position, Range


@dataclass(frozen=True, slots=True)
class Judged:
    """Evidence, and whether this run fails on it."""

    evidence: RevisionEvidence
    finding: bool

    @property
    def documented(self) -> bool:
        """Whether the migration says what is lost."""
        return documented(self.evidence)

    @property
    def severity(self) -> Severity | None:
        """How a list of findings has it; None for what belongs in none."""
        verdict = self.evidence.verdict
        if verdict in (Verdict.LOSSLESS, Verdict.IRREVERSIBLE):
            return None
        if verdict is Verdict.SKIPPED:
            # What made it impossible is a finding of its own.
            return "warning"
        if self.finding:
            return "error"
        return "information" if verdict is Verdict.LOSSY and self.documented else "warning"

    @property
    def path(self) -> Path | None:
        """The migration."""
        return None if self.evidence.path is None else Path(self.evidence.path)

    def details(self) -> Iterator[str]:
        """What there is to say, one line each."""
        from alembic_roundtrip.prose import unsaid_losses

        lost = _lost(self.evidence)
        return wording.details(
            self.evidence, unsaid_losses(_prose(self.evidence.path), lost) if lost else ()
        )

    def place(self) -> Range:
        """Where in the migration it shows: the line that fails or loses, else its function."""
        start = Range(Position(1, 1), Position(1, 1))
        if self.path is None:
            return start
        from alembic_roundtrip.migration.source import read

        try:
            migration = read(self.path.read_text(encoding="utf-8"), self.path)
        except (OSError, ValueError):
            return start
        step = self.evidence.decisive_step()
        error = step.error if step is not None else None
        if error is not None and error.line is not None and error.path == self.evidence.path:
            return migration.source.code_range(error.line)
        if self.evidence.verdict is Verdict.LOSSY:
            lines = loss_lines(self.evidence)
            line = next((lines[each] for each in self.evidence.old_losses() if each in lines), None)
            return start if line is None else migration.source.code_range(line)
        upgrades = step is not None and step.name.startswith("upgrade")
        direction = migration.upgrade if upgrades else migration.downgrade
        return start if direction is None else direction.header


def documented(evidence: RevisionEvidence) -> bool:
    """Whether a migration says of all that it loses that it does so."""
    from alembic_roundtrip.prose import documents

    return documents(_prose(evidence.path), _lost(evidence))


def _lost(evidence: RevisionEvidence) -> frozenset[str]:
    return frozenset(map(subject_of, evidence.old_losses()))


def _prose(path: str | None) -> str:
    """What a migration says in prose."""
    if path is None:
        return ""
    try:
        return _prose_of(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, ValueError):
        return ""


@lru_cache(1)
def _prose_of(text: str, path: str) -> str:
    """Reading a migration takes longer than rehearsing a small one, so only where it matters."""
    from alembic_roundtrip.migration.source import read
    from alembic_roundtrip.prose import documentation

    return documentation(read(text, Path(path)))


class Report(Protocol):
    """What is made of a rehearsal while it runs."""

    def started(self, event: Started, rows: int) -> None:
        """The rehearsal begins."""

    def from_models(self) -> None:
        """It goes on from what today's models make, as the history begins nowhere."""

    def revision(self, judged: Judged) -> None:
        """A revision is through."""

    def finished(self, event: Finished) -> None:
        """The rehearsal is over."""

    def stopped(self, sentence: str) -> None:
        """It ended before that, or could not begin; standard error has the sentence as well."""
