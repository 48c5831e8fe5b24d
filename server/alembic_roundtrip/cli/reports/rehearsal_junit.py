"""A rehearsal as JUnit XML: a test case a revision."""

from __future__ import annotations

from alembic_roundtrip.cli.reports._judged import Judged
from alembic_roundtrip.cli.reports._junit import Case, Outcome, group, print_suite
from alembic_roundtrip.cli.reports.rehearsal_text import FROM_MODELS
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.events import Finished, Started

_SUITE = "alembic-roundtrip test"


class RehearsalReport:
    """Collects test cases; writes them when all is over."""

    def __init__(self) -> None:
        self._cases: list[Case] = []
        self._note = ""

    def started(self, event: Started, rows: int) -> None:
        """Nothing has been tested."""

    def from_models(self) -> None:
        """A line of the suite's."""
        self._note = FROM_MODELS

    def revision(self, judged: Judged) -> None:
        """One test case."""
        evidence = judged.evidence
        self._cases.append(
            Case(
                name=evidence.revision,
                group="migrations" if judged.path is None else group(judged.path),
                seconds=evidence.seconds,
                outcomes=_outcomes(judged),
                output="\n".join([f"{evidence.verdict.value}:", *judged.details()]),
            )
        )

    def finished(self, event: Finished) -> None:
        """All is written."""
        print_suite(_SUITE, self._cases, seconds=event.seconds, problems=self._note)

    def stopped(self, sentence: str) -> None:
        """What was tested until then, and an error for the rest."""
        error = Outcome("error", "stopped", sentence, sentence)
        seconds = sum(case.seconds for case in self._cases)
        cases = [*self._cases, Case("rehearsal", _SUITE, outcomes=(error,))]
        print_suite(_SUITE, cases, seconds=seconds, problems=self._note)


def _outcomes(judged: Judged) -> tuple[Outcome, ...]:
    """A failure where the run fails on it; what was not, or cannot be, rehearsed is skipped."""
    verdict = judged.evidence.verdict
    details = list(judged.details())
    message = details[0] if details else verdict.value
    if verdict in (Verdict.SKIPPED, Verdict.IRREVERSIBLE):
        return (Outcome("skipped", verdict.value, message),)
    if judged.finding:
        return (Outcome("failure", verdict.value, message, "\n".join(details)),)
    return ()
