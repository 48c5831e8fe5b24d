"""A rehearsal as one JSON document: what `test --format json` prints and commands answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from alembic_roundtrip.evidence import RevisionEvidence, Step, Verdict
from alembic_roundtrip.measurements import loss_lines
from alembic_roundtrip.rehearsal.events import Finished, Started
from alembic_roundtrip.rehearsal.plan import TARGET_METADATA
from alembic_roundtrip.wording import shown

VERSION = 1


class Document:
    """Collects what was measured; paths are relative to the working directory."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._database: dict[str, Any] = {"kind": "", "version": ""}
        self._baseline: str | None = None
        self._revisions: list[dict[str, Any]] = []

    def started(self, event: Started) -> None:
        """The database."""
        self._database = {"kind": event.database, "version": event.version}
        if event.extensions is not None:
            self._database["extensions"] = [
                {"name": name, "version": version}
                for name, version in event.extensions.available.items()
            ]
            self._database["missing_extensions"] = list(event.extensions.missing)

    def from_models(self) -> None:
        """What makes the schema that it began with."""
        self._baseline = TARGET_METADATA

    def revision(self, evidence: RevisionEvidence, *, documented: bool) -> None:
        """One entry a revision."""
        self._revisions.append(revision_json(evidence, documented=documented))

    def finished(self, event: Finished) -> dict[str, Any]:
        """The whole, with its summary."""
        return self._whole(event.verdicts, event.seconds)

    def stopped(self, sentence: str) -> dict[str, Any]:
        """What there is of a rehearsal that ended before its end, and why it did."""
        verdicts = Counter(Verdict(each["verdict"]) for each in self._revisions)
        seconds = sum(each["seconds"] for each in self._revisions)
        return self._whole(verdicts, seconds) | {"error": sentence}

    def _whole(self, verdicts: Mapping[Verdict, int], seconds: float) -> dict[str, Any]:
        return {
            "version": VERSION,
            "database": self._database,
            "rows": self._rows,
            **({} if self._baseline is None else {"baseline": self._baseline}),
            "revisions": self._revisions,
            "summary": {
                **{verdict.value: verdicts.get(verdict, 0) for verdict in Verdict},
                "seconds": round(seconds, 3),
            },
        }


def revision_json(evidence: RevisionEvidence, *, documented: bool) -> dict[str, Any]:
    """One revision's evidence in the document's shape."""
    lines = loss_lines(evidence)
    return {
        "revision": evidence.revision,
        "path": None if evidence.path is None else shown(evidence.path),
        "verdict": evidence.verdict.value,
        "seconds": round(evidence.seconds, 3),
        "rows": evidence.rows,
        "steps": [_step(step) for step in evidence.steps],
        "residue": [
            {
                "kind": residue.kind,
                "object": residue.object,
                "change": residue.change,
                "before": residue.before,
                "after": residue.after,
                "grade": residue.grade,
            }
            for residue in evidence.residue
        ],
        "losses": [
            {
                "table": loss.table,
                "column": loss.column,
                "lost": loss.lost,
                "rows": loss.rows,
                "step": loss.step,
                "example": loss.example,
                "line": lines.get(loss),
            }
            for loss in evidence.losses
        ],
        "documented": documented,
        "reason": evidence.reason,
        "half_done": evidence.half_done,
        "notes": [note.text for note in evidence.notes],
    }


def _step(step: Step) -> dict[str, Any]:
    error = step.error
    return {
        "name": step.name,
        "seconds": round(step.seconds, 4),
        "error": None
        if error is None
        else {
            "type": error.type,
            "message": error.message,
            "path": None if error.path is None else shown(error.path),
            "line": error.line,
            "statement": error.statement,
        },
    }
