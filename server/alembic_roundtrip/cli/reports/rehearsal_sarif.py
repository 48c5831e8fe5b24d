"""A rehearsal as SARIF 2.1.0: a result for each revision with a finding."""

from __future__ import annotations

from alembic_roundtrip.cli.reports._judged import Judged
from alembic_roundtrip.cli.reports._sarif import (
    LEVELS,
    Json,
    descriptor,
    fingerprint,
    location,
    print_log,
)
from alembic_roundtrip.cli.reports.rehearsal_text import FROM_MODELS
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.links import verdicts_page
from alembic_roundtrip.rehearsal.events import Finished, Started
from alembic_roundtrip.severity import Severity

_RULES: dict[Verdict, tuple[Severity, str, str]] = {
    Verdict.FAILED: (
        "error",
        "A step of the round trip raised, hung or crashed.",
        (
            "Upgrade, downgrade and upgrade were run on a scratch database: on empty tables, with "
            "rows in them, and once more. A rollback that fails in the middle leaves a schema that "
            "no revision describes."
        ),
    ),
    Verdict.RESIDUE: (
        "error",
        "The downgrade does not restore the schema or the rows.",
        (
            "After upgrade and downgrade on a scratch database something was left, missing or "
            "different. The next upgrade, or the code that a rollback goes back to, meets it."
        ),
    ),
    Verdict.LOSSY: (
        "warning",
        "Values that were there before the upgrade are not what they were after a rollback.",
        (
            "The schema was restored on a scratch database, but not the data in it. Where that "
            "cannot be helped, a WARNING in the docstring tells whoever has to roll back."
        ),
    ),
    Verdict.SKIPPED: (
        "warning",
        "The revision could not be rehearsed.",
        "Nothing is known of its rollback; the message says what stood in the way.",
    ),
}


class RehearsalReport:
    """Collects results; writes the log when all is over."""

    def __init__(self) -> None:
        self._results: list[Json] = []
        self._notes: list[str] = []

    def started(self, event: Started, rows: int) -> None:
        """Nothing has been found."""

    def from_models(self) -> None:
        """A notification, as it is no result."""
        self._notes.append(FROM_MODELS)

    def revision(self, judged: Judged) -> None:
        """A result, at the line that failed or at the downgrade."""
        evidence = judged.evidence
        if judged.severity is None:
            return
        told = f"round trip of {evidence.revision}: {evidence.verdict.value}"
        result: Json = {
            "ruleId": _name(evidence.verdict),
            "ruleIndex": list(_RULES).index(evidence.verdict),
            "level": LEVELS[judged.severity],
            "message": {"text": "\n".join([told, *judged.details()])},
            "partialFingerprints": {
                "verdictRevision/v1": fingerprint(evidence.verdict.value, evidence.revision)
            },
            "properties": {"revision": evidence.revision, "database": evidence.database},
        }
        if judged.path is not None:
            result["locations"] = [location(judged.path, judged.place())]
        self._results.append(result)

    def finished(self, event: Finished) -> None:  # noqa: ARG002 - a log has no summary
        """All is written."""
        self._print(None)

    def stopped(self, sentence: str) -> None:
        """What was found until then, by a run that was not successful."""
        self._print(sentence)

    def _print(self, failure: str | None) -> None:
        rules = [
            descriptor(_name(verdict), says, f"{says}\n\n{why}", severity, verdicts_page())
            for verdict, (severity, says, why) in _RULES.items()
        ]
        print_log(rules, self._results, failure=failure, notes=self._notes)


def _name(verdict: Verdict) -> str:
    return f"round-trip-{verdict.value}"
