"""A rehearsal as one JSON document, written when it is over."""

from __future__ import annotations

import json
import sys
from typing import Any

from alembic_roundtrip.cli.reports._judged import Judged
from alembic_roundtrip.rehearsal.document import Document
from alembic_roundtrip.rehearsal.events import Finished, Started


class RehearsalReport:
    """Collects what was measured."""

    def __init__(self) -> None:
        self._document = Document(0)

    def started(self, event: Started, rows: int) -> None:
        """The database and the rows."""
        self._document = Document(rows)
        self._document.started(event)

    def from_models(self) -> None:
        """What made the schema."""
        self._document.from_models()

    def revision(self, judged: Judged) -> None:
        """One entry a revision."""
        self._document.revision(judged.evidence, documented=judged.documented)

    def finished(self, event: Finished) -> None:
        """All is written."""
        _print(self._document.finished(event))

    def stopped(self, sentence: str) -> None:
        """All that was measured until then, and why there is no more."""
        _print(self._document.stopped(sentence))


def _print(document: dict[str, Any]) -> None:
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
