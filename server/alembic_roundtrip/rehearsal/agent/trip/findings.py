"""What was found out about one revision, and the verdict that follows."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

from .touched import slowest
from .walk import Outcome

WORST_FIRST = ("failed", "residue", "irreversible", "lossy", "lossless")
_GOING = ("upgrade", "round trip", "downgrade")
"""What loses something, in the order in which it is told."""


class Findings:
    """Collects steps, residue, losses and failures of one revision on one database.

    `label` is what to write before names, where a migration runs on several databases.
    """

    def __init__(self, revision: str, path: Optional[str], label: Callable[[], str]) -> None:
        self.revision = revision
        self.path = path
        self.rows = 0
        self.missing: Optional[Dict[str, Any]] = None
        """The table that it fails without, if that is the reason."""
        self.lacking = False
        """Whether it was without what an earlier upgrade would have made."""
        self._label = label
        self._started = time.perf_counter()
        self._steps: List[Dict[str, Any]] = []
        self._residue: List[Dict[str, Any]] = []
        self._losses: List[Dict[str, Any]] = []
        self._notes: List[Dict[str, Any]] = []
        self._failures: List[str] = []
        self._half_done: Optional[str] = None
        self._refusal: Optional[str] = None
        self._skipped: Optional[str] = None

    def absorb(self, other: Findings) -> None:
        """Add what was found on another database of the same revision."""
        self._steps += other._steps
        self._residue += other._residue
        self._losses += other._losses
        self._notes += other._notes
        self.missing = self.missing if self._failures else other.missing
        self.lacking = self.lacking or other.lacking
        self._failures += other._failures
        self._refusal = self._refusal or other._refusal
        self._skipped = self._skipped or other._skipped
        self._half_done = self._half_done or other._half_done
        self.rows = max(self.rows, other.rows)

    def now(self) -> Dict[str, Any]:
        """What is found so far, to be gone back to."""
        return {n: list(v) if isinstance(v, list) else v for n, v in vars(self).items()}

    def go_back(self, found: Mapping[str, Any]) -> None:
        """Forget what was found since."""
        vars(self).update({n: list(v) if isinstance(v, list) else v for n, v in found.items()})

    def step(self, name: str, outcome: Outcome) -> None:
        """A step was done, or stopped with a problem."""
        problem = outcome.problem
        if problem is not None and problem.refused:
            self.give_up(f"not rehearsed: {problem.message}")
        for doubt in outcome.doubts:
            self.note(doubt)
        self._steps.append(
            {
                "name": name,
                "seconds": round(outcome.seconds, 4),
                "error": problem.to_json() if problem else None,
                # What an upgrade takes, deploying it has shown.
                "statements": slowest(outcome.statements) if name.startswith("downgrade") else [],
            }
        )

    def fail(self, sentence: str) -> None:
        """The revision fails; the first sentence is the reason."""
        if sentence not in self._failures:
            self._failures.append(sentence)

    def miss(self, missing: Dict[str, Any]) -> None:
        """The failure just noted is for the want of a table."""
        if len(self._failures) == 1:
            self.missing = missing

    def refuse(self, message: str) -> None:
        """The downgrade refuses by design, with this message."""
        self._refusal = self._refusal or message

    def skip(self, sentence: str) -> None:
        """The revision was not rehearsed; why."""
        self._skipped = sentence

    def give_up(self, sentence: str) -> None:
        """The rehearsal cannot go on; what was found counts if it was anything."""
        if self.verdict in {"lossless", "lossy"}:
            self.skip(sentence)
        else:
            self.note(sentence)

    def leave_half_done(self, sentence: str) -> None:
        """What a failing step left, where nothing undoes it; the first stands."""
        self._half_done = self._half_done or sentence

    def note(self, sentence: str, kind: str = "other", table: Optional[str] = None) -> None:
        """Something to know that decides nothing; kinds are those of `evidence.Note`."""
        named = table and f"{self._label()}{table}"
        note = {"text": sentence, "kind": kind, "table": named}
        if note not in self._notes:
            self._notes.append(note)

    def lack(self, failed: Sequence[str]) -> None:
        """The revision was rehearsed after upgrades that fail."""
        self.lacking = True
        names = " and ".join(f"`{revision}`" for revision in failed)
        self.note(f"rehearsed without what {names} would have made")

    def leave(self, residue: List[Dict[str, Any]]) -> None:
        """Schema or rows not restored; what is already known is not repeated."""
        residue = [{**r, "object": f"{self._label()}{r['object']}"} for r in residue]
        known = {(r["kind"], r["object"], r["change"]) for r in self._residue}
        self._residue += [r for r in residue if (r["kind"], r["object"], r["change"]) not in known]

    def lose(self, losses: List[Dict[str, Any]]) -> None:
        """Values that did not survive; the first measure of a column stands."""
        losses = [{**x, "table": f"{self._label()}{x['table']}"} for x in losses]
        known = {(x["table"], x["column"], x["step"]) for x in self._losses}
        self._losses += [x for x in losses if (x["table"], x["column"], x["step"]) not in known]

    def lose_more(self, losses: List[Dict[str, Any]]) -> None:
        """What is lost of tables of which nothing older was known to be."""
        known = {x["table"] for x in self._losses if x["step"] != "downgrade"}
        self.lose([x for x in losses if f"{self._label()}{x['table']}" not in known])

    def break_residue(self) -> None:
        """The next upgrade failed: what lies around is in its way."""
        for residue in self._residue:
            if residue["grade"] == "different":
                residue["grade"] = "broken"

    @property
    def verdict(self) -> str:
        """The worst that was found."""
        if self._skipped is not None:
            return "skipped"
        found = {
            "failed": bool(self._failures),
            "irreversible": self._refusal is not None,
            "residue": any(r["grade"] != "cosmetic" for r in self._residue),
            "lossy": any(x["step"] != "downgrade" for x in self._losses),
            "lossless": True,
        }
        return next(verdict for verdict in WORST_FIRST if found[verdict])

    @property
    def reason(self) -> Optional[str]:
        """Why the verdict is `failed`, `irreversible` or `skipped`."""
        if self._skipped is not None:
            return self._skipped
        return self._failures[0] if self._failures else self._refusal

    def to_json(self) -> Dict[str, Any]:
        """As `evidence.RevisionEvidence` has it; the database is the runner's to add."""
        return {
            "revision": self.revision,
            "path": self.path,
            "verdict": self.verdict,
            "seconds": round(time.perf_counter() - self._started, 4),
            "steps": self._steps,
            "residue": self._residue,
            "losses": sorted(self._losses, key=lambda loss: _GOING.index(loss["step"])),
            "notes": self._notes + [_note(sentence) for sentence in self._failures[1:]],
            "reason": self.reason,
            "half_done": self._half_done,
            "rows": self.rows,
        }


def _note(sentence: str) -> Dict[str, Any]:
    return {"text": sentence, "kind": "other", "table": None}
