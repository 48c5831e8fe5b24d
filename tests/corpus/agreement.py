"""How what reading announces agrees with what rehearsals measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from corpus.runs import Run

_FAULTY = frozenset({"failed", "residue", "lossy"})
_TO_ANNOUNCE = frozenset({"failed", "residue"})
_LOUD = frozenset({"error", "warning", "information"})


@dataclass
class Agreement:
    """Counts over any number of histories.

    Precision: of the errors, those in revisions that a rehearsal finds fault with. Recall: of the
    revisions that fail or leave residue, those that reading announces.
    """

    right: int = 0
    wrong: list[str] = field(default_factory=list)
    announced: int = 0
    hinted: int = 0
    silent: list[str] = field(default_factory=list)

    def add(self, lint: Run, rehearsal: Run) -> None:
        """Count one history in."""
        verdicts = {r["revision"]: r["verdict"] for r in rehearsal.document["revisions"]}
        found: dict[str, set[str]] = {}
        for diagnostic in lint.document["diagnostics"]:
            revision, severity = diagnostic["revision"], diagnostic["severity"]
            found.setdefault(revision, set()).add(severity)
            if severity == "error" and verdicts.get(revision) in _FAULTY:
                self.right += 1
            elif severity == "error":
                self.wrong.append(f"{revision} {diagnostic['rule']}")
        for revision, verdict in verdicts.items():
            if verdict in _TO_ANNOUNCE:
                self._announce(revision, found.get(revision, set()))

    def _announce(self, revision: str, severities: set[str]) -> None:
        if severities & _LOUD:
            self.announced += 1
        elif severities:
            self.hinted += 1
        else:
            self.silent.append(revision)

    @property
    def precision(self) -> float:
        """From 0 to 1."""
        return self.right / max(1, self.right + len(self.wrong))

    @property
    def recall(self) -> float:
        """From 0 to 1; hints, which are not shown by themselves, do not count."""
        return self.announced / max(1, self.announced + self.hinted + len(self.silent))

    def lines(self) -> Iterator[str]:
        """As sentences."""
        errors = self.right + len(self.wrong)
        yield f"precision {self.precision:.1%}: {self.right} of {errors} errors confirmed"
        if self.wrong:
            yield f"  not confirmed: {', '.join(self.wrong)}"
        faults = self.announced + self.hinted + len(self.silent)
        yield (
            f"recall {self.recall:.1%}: {self.announced} of {faults} failed or residue revisions "
            f"announced, {self.hinted} by a hint only"
        )
        if self.silent:
            yield f"  nothing said of: {', '.join(self.silent)}"
