"""With which rows a round trip is tried, and with which then, where it stops at these."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Optional, Tuple

from ..project.problems import Problem

NOTHING, UPGRADED, DOWNGRADED, ALL = range(4)
"""How far a round trip came."""


@dataclass(frozen=True)
class Attempt:
    """How kind the rows are, and whether some are written after the upgrade."""

    tame: bool = False
    mild: bool = False
    """Whether the longest and largest values are left out: only they may not fit."""
    write: bool = True
    fitting: bool = False
    """Whether rows from before the upgrade are as it demands that they are."""
    asked: bool = True
    """Whether some have values that the upgrade looks for: it may expect more of such rows."""

    def named(self, step: str) -> str:
        """The name of a step under this attempt."""
        kind = ("fitting " if self.fitting else "") + _KINDS[self.tame, self.mild]
        kind = kind if self.asked else f"other {kind}"
        return f"{step} with {kind}" if self.write else f"{step} with old {kind} only"

    def following(self, problem: Problem, reached: int, *, looks: bool) -> Optional[Attempt]:
        """What may get further than this one, which stopped with a problem.

        Kinder rows may, then such as the upgrade demands, then such as it does not look for, where
        it `looks` for any. Without new rows only a failing downgrade may.
        """
        if reached == NOTHING and problem.of_nulls and not self.fitting:
            return replace(self, fitting=True)
        if not self.tame:
            return replace(self, mild=not self.mild, tame=self.mild)
        if reached == NOTHING and problem.of_these_rows and not self.fitting:
            return Attempt(fitting=True, asked=self.asked)
        if reached == NOTHING and self.asked and looks:
            return Attempt(asked=False, fitting=self.fitting)
        if reached == UPGRADED and self.write:
            return replace(self, write=False)
        return None


_KINDS = {
    (False, False): "rows",
    (False, True): "milder rows",
    (True, False): "tame rows",
}


def doubt(problem: Problem, got_through: Optional[Attempt]) -> str:
    """What a problem tells that says nothing for sure; `got_through`: which rows do not meet it."""
    place = f" at line {problem.line}" if problem.line else ""
    values = f", on the values {problem.values}" if problem.values else ""
    kind, end = _outcome(got_through)
    return f"with {kind} rows the migration stops with {problem}{place}{values}; {end}"


def _outcome(got_through: Optional[Attempt]) -> Tuple[str, str]:
    """Which rows it stops at, and what of others."""
    if got_through is None:
        return "made-up", "it may want values that cannot be made up"
    if not got_through.asked:
        return "made-up", "with rows that it does not look for it works"
    if got_through.fitting:
        return "made-up", "with rows that are as it demands it works"
    return "unkind", f"with {'milder' if got_through.mild else 'plain'} rows it works"
