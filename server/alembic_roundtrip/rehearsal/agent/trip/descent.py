"""From the schema of later revisions, which a baseline makes, back to where round trips begin."""

from __future__ import annotations

from functools import partial
from typing import Dict, List, Mapping, Set, Tuple

from ..dialects import GoneError, Room
from ..project.problems import Problem
from ..project.scripts import Scripts
from .steps import AGAIN, Steps, anew_with_commits
from .walk import Outcome, Request, Way

_DOUBT = "the schema is that of `baseline`, which may not be what the migrations make"


class Descent:
    """Takes back what is there from the start, the latest first.

    Where a downgrade does not lead back, what the revision made stays where it is, and the others
    are taken back all the same.
    """

    def __init__(self, scripts: Scripts, room: Room) -> None:
        self._scripts = scripts
        self._room = room
        self.stays: Dict[str, Tuple[str, List[Tuple[str, Outcome]]]] = {}
        """The revisions that were not taken back: why, and what their steps did."""
        self.below: Set[str] = set(scripts.made)
        """The revisions that are left applied, as none of those wanted comes before them."""

    def way(self, wanted: Set[str], blocked: Mapping[str, str]) -> Way:
        """Stamp what is there, and take back what is wanted and whatever builds on that."""
        made = [revision for revision in self._scripts.order if revision in self._scripts.made]
        for revision in made:
            yield Request(revision, upgrade=True, name=None)
        back = self._from_first(made, wanted)
        self.below -= set(back)
        for revision in reversed(back):
            self._room.keep()
            if revision in blocked:
                yield from self._leave(revision, blocked[revision], [])
            else:
                yield from anew_with_commits(self._room, partial(self._take_back, revision))
        if back:
            self._room.keep()

    def _from_first(self, made: List[str], wanted: Set[str]) -> List[str]:
        """Those wanted, and those that build on them."""
        found: List[str] = []
        for revision in made:
            if revision in wanted or not set(found).isdisjoint(self._scripts.parents(revision)):
                found.append(revision)
        return found

    def _take_back(self, revision: str) -> Way:
        """Down, and up again to see whether that was the way back; in the end it is down."""
        steps = Steps(revision, self._room, upgraded=True)
        yield from steps.rest()
        before, tables = self._room.save(), self._tables()
        down = yield from steps.do("downgrade", upgrade=False)
        done = [("downgrade", down)]
        why = ""
        if down.problem is None:
            yield from steps.rest()
            parent = self._room.save()
            again = yield from steps.do(AGAIN, upgrade=True)
            done.append((AGAIN, again))
            gone = sorted(tables - self._tables()) if again.problem is None else []
            if again.problem is None and not gone:
                yield from steps.go_to(parent, upgraded=False)
                return
            if gone:
                # All later revisions would do without them.
                named = ", ".join(f"`{table}`" for table in gone)
                why = f"`upgrade()` does not make again what `downgrade()` drops: {named}; {_DOUBT}"
        yield from steps.rest()
        why = why or _sentence(*(outcome.problem for _, outcome in done))
        try:
            self._room.restore(before)
        except GoneError as error:
            why = f"{why}; {error}"
        yield from self._leave(revision, why, done)

    def _tables(self) -> Set[str]:
        return set(self._room.snapshot().tables)

    def _leave(self, revision: str, why: str, steps: List[Tuple[str, Outcome]]) -> Way:
        yield Request(revision, upgrade=False, name=None)
        self.stays[revision] = why, steps


def _sentence(down: object, again: object = None) -> str:
    for problem in (down, again):
        if isinstance(problem, Problem) and problem.refused:
            return f"not rehearsed: {problem.message}"
        if isinstance(problem, Problem) and problem.beyond is not None:
            return problem.beyond
    if isinstance(down, Problem):
        return f"`downgrade()` fails: {down}{_doubt(down)}"
    return f"`upgrade()` fails after the downgrade: {again}{_doubt(again)}"


def _doubt(problem: object) -> str:
    return "" if isinstance(problem, Problem) and problem.certain else f"; {_DOUBT}"
