"""The steps of one revision on one database, and the states that it is put back to between them."""

from __future__ import annotations

from typing import Any, Callable, Dict, Generator, List, Optional, Set

from ..dialects import GoneError, Room
from . import halfway
from .findings import Findings
from .walk import REST, RUN, Call, Outcome, Request, Way

AGAIN = "upgrade again"
Step = Generator[Request, Outcome, Outcome]
"""One step on its way; gives what came of it."""


class CommitsItself(Exception):
    """A step cannot be undone by a savepoint; what it is part of is to begin anew, with commits."""


def anew_with_commits(room: Room, part: Callable[[], Way]) -> Way:
    """A part of the way; once more, with steps that really commit, where one has to."""
    try:
        yield from part()
    except CommitsItself:
        room.commits = True
        yield from part()
        yield REST
        room.commits = room.always_commits
        if not room.commits:
            yield RUN


class Steps:
    """Runs the directions of one revision, and puts the database back where it was."""

    def __init__(
        self,
        revision: str,
        room: Room,
        findings: Optional[Findings] = None,
        *,
        upgraded: bool = False,
    ) -> None:
        self.revision = revision
        self.applied = upgraded
        """Whether the database is left upgraded."""
        self.statements: Set[str] = set()
        """What the steps have sent."""
        self.asked: Dict[str, List[Any]] = {}
        """Which values upgrades have asked columns for."""
        self.unheard = False
        """Whether they may have sent more."""
        self.parent: Any = None
        """The state at the parent, which is kept."""
        self.before: Any = None
        """The schema at the parent, where it is to be said what a failing step leaves half done."""
        self.after: Any = None
        """The upgraded schema."""
        self.excuse: Optional[str] = None
        """Why it is not the revision's fault where a step stops."""
        self._room = room
        self._findings = findings
        self._upgraded = upgraded
        self._run_ended = False
        self._half: Optional[str] = None

    def rest(self) -> Way:
        """Between two runs, where states are copies of the whole database."""
        if self._room.commits:
            yield REST
            self._run_ended = True

    def do(
        self, name: str, *, upgrade: bool, declare: bool = False, call: Optional[Call] = None
    ) -> Step:
        """Run one direction and note it; the outcome says what it sent and raised."""
        outcome = yield Request(
            self.revision, upgrade, name, declare=declare, call=call, excuse=self.excuse
        )
        if outcome.needs_commits:
            raise CommitsItself
        if self._findings is not None:
            self._findings.step(name, outcome)
        self.statements.update(outcome.statements)
        if upgrade:
            for column, values in outcome.asked.items():
                known = self.asked.setdefault(column, [])
                known += [value for value in values if value not in known]
        self.unheard = self.unheard or outcome.unheard
        self._run_ended = outcome.problem is not None
        self._half = None
        if outcome.problem is None:
            self._upgraded = upgrade
        elif self._room.reverts:
            self._upgraded = False
        elif self.before is not None and not name.startswith(AGAIN):
            self._half = self._half_of("upgrade" if upgrade else "downgrade")
        return outcome

    def _half_of(self, direction: str) -> Optional[str]:
        """Which part was done of a step that failed where changes of the schema stay."""
        start, goal = self.before, self.after
        version = "what was applied before" if direction == "upgrade" else f"`{self.revision}`"
        if direction == "downgrade":
            start, goal = goal, start
        return halfway.sentence(direction, version, start, self._room.snapshot(), goal)

    def note_half(self) -> None:
        """Note what the last failure left, now that it is known to be one."""
        if self._half is not None and self._findings is not None:
            self._findings.leave_half_done(self._half)

    def go_to(self, saved: Any, *, upgraded: bool) -> Way:
        """Put the database back to a saved state.

        Alembic remembers, for as long as env.py's run lasts, which revisions are applied; it
        learns of the change by a step that runs nothing.
        """
        yield from self.rest()
        if not self._room.has(saved):
            # It went with a run that failed: made anew from the parent, which was kept.
            yield from self._make_anew()
            return
        ended = self._run_ended and not self._room.reverts
        if not ended and self._upgraded != upgraded:
            yield Request(self.revision, upgraded, None)
        self._upgraded = upgraded
        try:
            self._room.restore(saved)
        except GoneError:
            if not upgraded:
                raise
            yield from self._make_anew()

    def _make_anew(self) -> Way:
        yield from self.go_to(self.parent, upgraded=False)
        again = yield Request(self.revision, upgrade=True, name="upgrade", told=False)
        self.applied = self._upgraded = again.problem is None
        if self.applied:
            # The next revision begins here, and what came before will not be known any more.
            self._room.snapshot()
