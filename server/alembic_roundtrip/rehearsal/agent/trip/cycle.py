"""One database's way through all revisions of a rehearsal."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from ..dialects import GoneError, Locked, Room
from ..project.declared import Declared
from ..project.problems import Problem
from ..project.scripts import Scripts
from ..schema import difference
from .descent import Descent
from .findings import Findings
from .round_trip import RoundTrip, beyond_it, check_beginning, refuses
from .steps import Steps, anew_with_commits
from .walk import REST, RUN, Request, Way

FULL_CYCLE = "full cycle"
"""Stands where a revision would, for base → heads → base."""

_WORTH_KEEPING = 10
"""Revisions that are applied again as fast as their state is found."""
_MOST_STOPPED = 3
"""Agents that upgrades may have stopped: then nothing is tried any more without what these make."""
_SOUND = ("lossless", "irreversible")
"""Verdicts that stand without what a failed upgrade would have made; others may be due to that."""


class Cycle:
    """The way of one database through all revisions of a rehearsal."""

    def __init__(
        self,
        scripts: Scripts,
        room: Room,
        declared: Declared,
        plan: Mapping[str, Any],
        label: Callable[[], str],
        finish: Callable[[Findings], None],
        trip: Callable[..., RoundTrip] = RoundTrip,
        hand_on: Optional[Callable[[Room], None]] = None,
    ) -> None:
        self._scripts = scripts
        self._room = room
        self._declared = declared
        self._plan = plan
        self._label = label
        self._finish = finish
        self._trip = trip
        self._hand_on = hand_on
        self._blocked: Dict[str, str] = dict(plan["blocked"])
        self._skipped: Set[str] = set()
        """Those of them that are skipped, or would be: they did not fail."""
        self._applied: List[str] = []
        self._passed: List[str] = []
        """Those that only count as applied, for later ones that are tried without them."""
        self._lacking: Dict[str, Sequence[str]] = {}
        """Of revisions whose upgrade, or an earlier one's, failed: which was the first to."""
        self._descent = Descent(scripts, room)
        self._lost = False
        """Whether something of a state could not be made again."""
        self._bare = bool(plan["models"])
        """Whether models could make the first tables, of which there are none yet."""
        self._alone: Set[str] = set()
        """Revisions that all later ones depend on, before which no state is saved."""
        self._half_done = False
        """Whether a failed upgrade could not be taken back."""

    def way(self) -> Way:
        """Every revision in order: those named are rehearsed, the others only applied."""
        wanted = set(self._scripts.selected) - set(self._plan["done"])
        below = self._scripts.made if self._plan["full_cycle"] else set()
        yield from self._descent.way(wanted | below, self._blocked)
        base = self._room.snapshot()
        self._alone = set() if self._plan["full_cycle"] else self._scripts.common_ancestors()
        for revision in self._scripts.order:
            if revision in self._descent.below:
                continue
            if revision in self._descent.stays:
                yield from self._left(revision)
                continue
            if revision in self._scripts.selected:
                yield from self._handed_on()
            yield from self._come_to(revision, wanted)
        if self._plan["full_cycle"] and FULL_CYCLE not in self._plan["done"]:
            findings = self._findings(FULL_CYCLE)
            if self._descent.stays:
                findings.skip("not all that `baseline` makes could be taken back")
            elif self._lost:
                findings.skip("a state of the database could not be brought back on the way")
            elif self._passed:
                findings.skip(self._excuse(self._passed))
            else:
                yield from self._full_cycle(base, findings)
            self._finish(findings)

    def _come_to(self, revision: str, wanted: Set[str]) -> Way:
        """One revision: rehearsed, only applied, or skipped where neither can be."""
        lacks = self._lacks(revision)
        if revision in self._blocked or (lacks and not self._may_go_on()):
            if lacks:
                self._blocked[revision] = self._excuse(lacks)
            if revision in wanted:
                findings = self._findings(revision)
                findings.skip(self._blocked[revision])
                self._finish(findings)
        else:
            yield from self._pass_over(self._scripts.parents(revision))
            do = self._rehearse if revision in wanted else self._apply
            yield from anew_with_commits(self._room, partial(do, revision, lacks))
        if lacks or revision in self._blocked:
            self._lacking[revision] = lacks or (revision,)

    def _left(self, revision: str) -> Way:
        """A revision that could not be taken back: it only counts as applied again."""
        why, steps = self._descent.stays[revision]
        yield Request(revision, upgrade=True, name=None)
        self._room.keep()
        # What it made is there, so it is no obstacle for others.
        self._blocked.pop(revision, None)
        if revision not in self._scripts.selected or revision in self._plan["done"]:
            return
        findings = self._findings(revision)
        problem = None
        for name, outcome in steps:
            findings.step(name, outcome)
            problem = outcome.problem
        if problem is not None and refuses(problem) and len(steps) == 1:
            findings.refuse(problem.message or problem.type)
        elif problem is not None and problem.certain:
            findings.fail(why)
        else:
            findings.skip(why)
        self._finish(findings)

    def _handed_on(self) -> Way:
        """Before the first revision to rehearse: let later rehearsals begin here."""
        hand_on, self._hand_on = self._hand_on, None
        others = len(self._scripts.order) - len(self._scripts.selected)
        if hand_on is None or self._blocked or not _WORTH_KEEPING <= len(self._applied) == others:
            return
        if self._room.reverts or self._room.commits:
            yield REST
        hand_on(self._room)
        if self._room.reverts:
            yield RUN

    def _findings(self, revision: str) -> Findings:
        path = None if revision == FULL_CYCLE else self._scripts.path(revision)
        return Findings(revision, path, self._label)

    def _lacks(self, revision: str) -> Sequence[str]:
        """The failed upgrades without which a revision would have to do."""
        every = (self._lacking.get(parent, ()) for parent in self._scripts.parents(revision))
        return tuple(dict.fromkeys(origin for origins in every for origin in origins))

    def _may_go_on(self) -> bool:
        """Whether revisions are tried without what an earlier one should have made."""
        lost = self._lost or self._half_done or self._plan["written"]
        return not lost and len(self._plan["blocked"]) <= _MOST_STOPPED

    def _pass_over(self, revisions: Iterable[str]) -> Way:
        """Have those whose upgrade failed count as applied, and what they depend on before."""
        for revision in revisions:
            if revision in self._blocked and revision not in self._passed:
                yield from self._pass_over(self._scripts.parents(revision))
                yield Request(revision, upgrade=True, name=None)
                self._passed.append(revision)
                self._room.keep()

    def _excuse(self, lacks: Sequence[str]) -> str:
        """Why nothing is known for sure: an earlier revision did not make what it should."""
        origin = lacks[0]
        why = "" if origin in self._scripts.chosen else f" ({self._blocked[origin]})"
        end = "is skipped" if origin in self._skipped else "fails"
        return f"the upgrade of {origin}, which it depends on, {end}{why}"

    def _apply(self, revision: str, lacks: Sequence[str]) -> Way:
        """Only upgrade; where that fails the revision is an obstacle for others."""
        steps = Steps(revision, self._room)
        steps.excuse = self._excuse(lacks) if lacks else None
        yield from steps.rest()
        before = None if revision in self._alone else self._room.save()
        # Looked at only until there are tables: from then on it is no beginning.
        self._bare = self._bare and not lacks and not self._room.snapshot().tables
        outcome = yield from steps.do("upgrade", upgrade=True, declare=True)
        if outcome.problem is None:
            self._room.keep()
            self._applied.append(revision)
            return
        if self._bare:
            check_beginning(outcome.problem, revision, self._applied)
        beyond = beyond_it(outcome.problem, self._room.snapshot, self._scripts)
        self._blocked[revision] = beyond or str(outcome.problem)
        if beyond is not None:
            self._skipped.add(revision)
        if before is not None:
            try:
                self._room.restore(before)
            except GoneError as error:
                self._lost = True
                self._blocked[revision] += f"; {error}"
        elif not self._room.reverts:
            self._half_done = True

    def _rehearse(self, revision: str, lacks: Sequence[str]) -> Way:
        findings = self._findings(revision)
        plan = {**self._plan, "applied": self._applied}
        if lacks:
            plan.update(models=False, excuse=self._excuse(lacks))
        trip = self._trip(revision, self._scripts, self._room, self._declared, plan, findings)
        try:
            yield from trip.steps()
        except Locked as error:
            findings.fail(f"{error}; does the migration open one of its own?")
            self._conclude(findings, lacks)
            raise
        except GoneError as error:
            self._lost = True
            yield from trip.give_up(error)
        self._room.keep()
        findings = self._conclude(findings, lacks)
        if trip.applied:
            self._applied.append(revision)
        else:
            self._blocked[revision] = findings.reason or "its upgrade fails"
            if findings.verdict == "skipped":
                self._skipped.add(revision)

    def _conclude(self, findings: Findings, lacks: Sequence[str]) -> Findings:
        """Say what was found, as far as it stands without what is lacking."""
        if lacks and findings.verdict not in _SOUND:
            findings = self._findings(findings.revision)
            findings.skip(self._excuse(lacks))
        elif lacks:
            findings.lack(lacks)
        shared = self._scripts.shared(findings.revision)
        if shared is not None:
            findings.give_up(shared)
        self._finish(findings)
        return findings

    def _full_cycle(self, base: Any, findings: Findings) -> Way:
        """From the heads, where everything is applied, back to base: nothing may be left."""
        for revision in reversed(self._applied):
            name = f"downgrade {revision}"
            outcome = yield Request(revision, upgrade=False, name=name, part_of=FULL_CYCLE)
            findings.step(name, outcome)
            self._room.keep()
            if outcome.problem is not None:
                self._end_cycle(findings, revision, outcome.problem)
                return
        findings.leave(difference.residue(base, self._room.snapshot()))

    def _end_cycle(self, findings: Findings, revision: str, problem: Problem) -> None:
        """Note the downgrade that a full cycle stopped at."""
        if problem.refused:
            return
        if problem.beyond is not None and not refuses(problem):
            findings.give_up(problem.beyond)
        else:
            say = findings.refuse if refuses(problem) else findings.fail
            say(f"`downgrade()` of {revision}: {problem}")
