"""A rehearsal as one JSON document, written when it is over."""

from __future__ import annotations

import json
import sys
from typing import Any

from alembic_roundtrip.cli.reports.wording import shown
from alembic_roundtrip.evidence import RevisionEvidence, Step, Verdict
from alembic_roundtrip.rehearsal.events import Finished, Started

VERSION = 1


class RehearsalJson:
    """Collects what was measured; paths are relative to the working directory."""

    def __init__(self) -> None:
        self._document: dict[str, Any] = {"version": VERSION}
        self._revisions: list[dict[str, Any]] = []

    def started(self, event: Started, rows: int) -> None:
        """The database and the rows."""
        self._document["database"] = {"kind": event.database, "version": event.version}
        self._document["rows"] = rows

    def revision(self, evidence: RevisionEvidence, *, documented: bool) -> None:
        """One entry a revision."""
        self._revisions.append(revision_json(evidence, documented=documented))

    def finished(self, event: Finished) -> None:
        """The summary; then all is written."""
        self._document["revisions"] = self._revisions
        self._document["summary"] = {
            **{verdict.value: event.verdicts.get(verdict, 0) for verdict in Verdict},
            "seconds": round(event.seconds, 3),
        }
        json.dump(self._document, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")


def revision_json(evidence: RevisionEvidence, *, documented: bool) -> dict[str, Any]:
    """One revision's evidence in the document's shape."""
    return {
        "revision": evidence.revision,
        "path": None if evidence.path is None else shown(evidence.path),
        "verdict": evidence.verdict.value,
        "seconds": round(evidence.seconds, 3),
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
            }
            for loss in evidence.losses
        ],
        "documented": documented,
        "reason": evidence.reason,
        "notes": list(evidence.notes),
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
        },
    }
