"""A rehearsal as annotations of a GitHub workflow run, written as they come."""

from __future__ import annotations

from alembic_roundtrip.cli.reports._github import annotation
from alembic_roundtrip.cli.reports._judged import Judged
from alembic_roundtrip.cli.reports.rehearsal_text import FROM_MODELS, summary
from alembic_roundtrip.rehearsal.events import Finished, Started


class RehearsalReport:
    """Prints a command for each revision with a finding."""

    def started(self, event: Started, rows: int) -> None:
        """Nothing to annotate."""

    def from_models(self) -> None:
        """The line on it, for the log."""
        print(FROM_MODELS)

    def revision(self, judged: Judged) -> None:
        """A command, at the line that failed or at the downgrade."""
        if judged.severity is None:
            return
        verdict = f"{judged.evidence.verdict.value} {judged.evidence.revision}"
        place = None if judged.path is None else judged.place()
        message = "\n".join([f"{verdict}:", *judged.details()])
        title = f"round trip: {judged.evidence.verdict.value}"
        print(annotation(judged.severity, message, title=title, path=judged.path, place=place))

    def finished(self, event: Finished) -> None:
        """The line on the whole, for the log."""
        print(summary(event))

    def stopped(self, sentence: str) -> None:
        """An annotation of the run, as there is no file to blame."""
        print(annotation("error", sentence, title="round trip: stopped", place=None))
