"""Upgrade, downgrade, upgrade of one revision: on empty tables, then with rows in them."""

from __future__ import annotations

from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Optional, Sequence, Set

from ..baseline import BeginsNowhere
from ..dialects import GoneError, Room
from ..project import extensions
from ..project.declared import Declared
from ..project.problems import Problem
from ..project.scripts import Scripts
from ..rows import filling
from ..rows.own_rows import OwnRows
from ..schema import difference
from ..schema.tables import Snapshot
from . import looked_for, touched
from .attempts import ALL, DOWNGRADED, NOTHING, UPGRADED
from .findings import Findings
from .rows_trip import RowsTrip
from .steps import AGAIN, Steps
from .tables import Tables
from .walk import Way


def check_beginning(problem: Problem, revision: str, applied: Sequence[str]) -> None:
    """Raise `BeginsNowhere` where an upgrade of an empty database misses a first table."""
    if problem.missing_name:
        raise BeginsNowhere(missing(problem, revision, applied))


def missing(problem: Problem, revision: str, applied: Sequence[str]) -> Dict[str, Any]:
    """What was missed, and what had been run by then, as `beginnings.Missing` has it."""
    return {
        "name": problem.missing_name,
        "revision": revision,
        "line": problem.reached,
        "applied": list(applied),
    }


def beyond_it(problem: Problem, schema: Callable[[], Snapshot], scripts: Scripts) -> Optional[str]:
    """What an upgrade failed on that is no fault of its own: what the database lacks or denies."""
    if problem.beyond is not None or problem.missed is None:
        return problem.beyond
    installed = schema().objects.get("extension", {})
    return extensions.lacking(problem.missed, installed, scripts.folders())


class RoundTrip:
    """The steps of one revision; leaves the database upgraded, cleanly, if that is possible."""

    def __init__(
        self,
        revision: str,
        scripts: Scripts,
        room: Room,
        declared: Declared,
        plan: Mapping[str, Any],
        findings: Findings,
    ) -> None:
        self.revision = revision
        self.findings = findings
        self._steps = Steps(revision, room, findings)
        self._steps.excuse = plan.get("excuse")
        self._scripts = scripts
        self._room = room
        self._declared = declared
        self._plan = plan
        self._reached = NOTHING
        self._asked: FrozenSet[str] = frozenset()
        """What the upgrade sent, where it changed nothing."""
        self._child: Any = None

    @property
    def applied(self) -> bool:
        """Whether the database is left upgraded."""
        return self._steps.applied

    def steps(self) -> Way:
        """The empty round trip, then the one with rows, then back to a clean upgrade."""
        yield from self._steps.rest()
        before, types_before = self._room.snapshot(), dict(self._declared.types)
        self._steps.before = before
        parent = self._steps.parent = self._room.save()
        up = yield from self._steps.do("upgrade", upgrade=True, declare=True)
        if up.problem is not None:
            if self._plan["models"] and not before.tables:
                check_beginning(up.problem, self.revision, self._plan["applied"])
            self._fail_upgrade(up.problem, before)
            yield from self._steps.go_to(parent, upgraded=False)
            return
        after, types_after = self._room.snapshot(), dict(self._declared.types)
        self._steps.after = after
        self._asked = frozenset(self._steps.statements if before == after else ())
        self._note_stand_ins(before, after)
        yield from self._steps.rest()
        child = self._child = self._room.save()
        self._steps.applied = True
        self._reached = UPGRADED
        yield from self._empty(before)
        if self._plan["rows"]:
            yield from self._with_rows(before, after, types_before, types_after)
        yield from self._steps.go_to(child, upgraded=True)

    def give_up(self, error: GoneError) -> Way:
        """A state is not to be had again: leave the upgraded one, where that is."""
        self.findings.give_up(str(error))
        self._steps.applied = False
        if self._child is not None:
            self._steps.applied = True
            try:
                yield from self._steps.go_to(self._child, upgraded=True)
            except GoneError:
                self._steps.applied = False

    def _with_rows(self, before: Any, after: Any, types_before: Any, types_after: Any) -> Way:
        """The round trip again with made-up rows in the tables it touches, if there are any."""
        tables = Tables(before, after, lambda: self._touched(before, after))
        own = OwnRows(self._plan["own_rows"], self.revision)
        for name, kind in tables.without_rows().items():
            sentence = (
                f"no rows are made for `{name}`, so nothing of it was measured: it is a {kind}"
            )
            self.findings.note(sentence, "unfilled", name)
        if tables.old or tables.new or own.any():
            count = int(self._plan["rows"])
            texts = looked_for.texts(self._scripts.path(self.revision))
            if texts:
                self._steps.asked[filling.ANY] = texts
            trip = RowsTrip(
                self._steps,
                self.findings,
                self._room,
                tables,
                count,
                own,
                types_before,
                types_after,
            )
            yield from trip.steps(self._steps.parent, self._reached)

    def _empty(self, before: Any) -> Way:
        """Down and up again on empty tables."""
        down = yield from self._steps.do("downgrade", upgrade=False)
        if down.problem is not None:
            self.fail_downgrade(down.problem, "")
            return
        self._reached = DOWNGRADED
        restored = self._room.snapshot()
        self.findings.leave(difference.residue(before, restored))
        counts = self.counts(before, restored)
        again = yield from self._steps.do(AGAIN, upgrade=True)
        if counts:
            yield from self._steps.go_to(self._steps.parent, upgraded=False)
            self.findings.leave(rows_left(counts, self.counts(before, before)))
        if again.problem is None:
            self._reached = ALL
        elif again.problem.beyond is not None:
            self.findings.give_up(again.problem.beyond)
        elif not again.problem.refused:
            self.findings.break_residue()
            self.findings.fail(f"`upgrade()` fails after the downgrade: {again.problem}")

    def _fail_upgrade(self, problem: Problem, before: Any) -> None:
        if problem.refused:
            return
        beyond = beyond_it(problem, lambda: before, self._scripts)
        if beyond is not None:
            self.findings.skip(beyond)
            return
        self.findings.fail(f"`upgrade()` fails: {problem}")
        self._note_missing(problem, sure=not before.tables)
        self._steps.note_half()

    def _note_missing(self, problem: Problem, *, sure: bool) -> None:
        """Note a table that may be one which no migration makes.

        Where earlier migrations made some tables, this one may also be wrong about a name.
        """
        if problem.missing_table and not self._plan["baseline"]:
            found = missing(problem, self.revision, self._plan["applied"])
            self.findings.miss({**found, "sure": sure})

    def fail_downgrade(self, problem: Problem, where: str) -> None:
        """Note a downgrade that stopped: it refuses by design, or it fails."""
        if problem.refused:
            return
        if refuses(problem):
            self.findings.refuse(problem.message or problem.type)
        elif problem.beyond is not None:
            self.findings.give_up(problem.beyond)
            return
        else:
            self.findings.fail(f"`downgrade()` fails{where}: {problem}")
            name = problem.missing_name
            if name is not None and any(name in statement for statement in self._asked):
                # An upgrade that lets its own errors pass has failed like that before.
                self._note_missing(problem, sure=False)
        self._steps.note_half()

    def counts(self, before: Any, now: Any) -> Dict[str, int]:
        """How many rows there are in the touched tables that were there before and have any."""
        names = self._named(before) & now.tables.keys()
        counts = {
            name: self._room.count(now.tables[name])
            for name in sorted(names)
            if before.tables[name].has_rows
        }
        return {name: count for name, count in counts.items() if count}

    def _note_stand_ins(self, before: Any, after: Any) -> None:
        """Extensions that the embedded server has only a part of."""
        old, new = (schema.objects.get("extension", {}) for schema in (before, after))
        for name, version in new.items():
            if name not in old and version.startswith(_STAND_IN):
                self.findings.note(
                    f"the embedded server has no `{name}`; a stand-in has the most used functions"
                )

    def _touched(self, before: Any, after: Any) -> Set[str]:
        """The tables that statements name, and those that are not what they were."""
        known = {**before.tables, **after.tables}
        changed = {name for name in known if before.tables.get(name) != after.tables.get(name)}
        # What goes with deleted rows may be referred to by more.
        emptied = touched.emptied(self._steps.statements, before, after)
        return changed | self._named(before, after) | emptied

    def _named(self, *schemas: Any) -> Set[str]:
        """The tables that the steps may have used."""
        if self._steps.unheard:
            return {name for schema in schemas for name in schema.tables}
        return touched.tables(self._steps.statements, *schemas)


def rows_left(now: Mapping[str, int], had: Mapping[str, int]) -> List[Any]:
    """What a round trip of empty tables has put into tables, by how many rows these had."""
    left = []
    for table, count in now.items():
        extra = count - had.get(table, 0)
        if extra > 0:
            rows = "1 row" if extra == 1 else f"{extra} rows"
            left.append(difference.entry("rows", table, "left", None, rows))
    return left


_STAND_IN = "stand-in"


def refuses(problem: Problem) -> bool:
    """Whether a downgrade stopped by a `raise` of its own."""
    return problem.not_implemented or problem.raised
