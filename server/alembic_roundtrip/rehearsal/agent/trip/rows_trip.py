"""The round trip of one revision with made-up rows: what of them it loses, or fails on."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import (
    Any,
    Dict,
    Generator,
    List,
    Mapping,
    Optional,
    Set,
    Tuple,
)

from sqlalchemy.exc import SQLAlchemyError

from ..dialects import Room
from ..project.problems import Problem, shorten
from ..rows import data, demands, filling
from ..rows.own_rows import OwnRows, OwnRowsError
from ..schema import difference
from .attempts import DOWNGRADED, NOTHING, UPGRADED, Attempt, doubt
from .findings import Findings
from .steps import Steps
from .tables import Tables
from .walk import Outcome, Request, Way

_ONLY_NEW = "with the rows from before the upgrade alone `downgrade()` works"


class _ReachesMore(Exception):
    """A step touched tables that were not filled: only rows have led it there."""


class RowsTrip:
    """Tries with unkind rows; where those fail, with tame ones, then without newly written."""

    def __init__(
        self,
        steps: Steps,
        findings: Findings,
        room: Room,
        tables: Tables,
        count: int,
        own: OwnRows,
        types_before: Dict[Any, Any],
        types_after: Dict[Any, Any],
    ) -> None:
        self._steps = steps
        self._room = room
        self._tables = tables
        self._count = count
        self._own = own
        self._types_before = types_before
        self._types_after = types_after
        self._seed = zlib.crc32(steps.revision.encode())
        self._findings = findings
        self._reached = NOTHING
        self._guarded = False
        """Whether the downgrade is known to look at the rows first."""
        self._failed_with: Optional[Attempt] = None
        """With which rows the downgrade was first seen to fail."""
        self._covered: List[Attempt] = []
        """With which rows it was not plain to see whether old ones are all there."""
        self._stopped: List[Attempt] = []
        """With which rows the downgrade stopped, be it on those written after the upgrade."""
        self._taken: List[Any] = []
        """Old rows that were gone where others had been written since."""
        self._few: Set[str] = set()
        """Tables of which it is noted that they got few rows."""
        self._unproved: List[Any] = []
        """What the upgrade takes, as long as no downgrade has shown what it puts back."""

    def steps(self, parent: Any, reach: int) -> Way:
        """As far as the round trip came on empty tables."""
        try:
            yield from self._attempts(parent, reach)
        except OwnRowsError as error:
            # Whoever writes them knows what others cannot show, which made-up ones would not.
            self._findings.rows = 0
            self._findings.give_up(str(error))

    def _attempts(self, parent: Any, reach: int) -> Way:
        self._findings.rows = self._count
        doubted: Optional[Problem] = None
        problem: Optional[Problem] = None
        attempt = Attempt()
        following: Optional[Attempt] = attempt
        while following is not None:
            attempt, following = following, None
            problem = yield from self._attempt(attempt, parent, reach)
            if problem is not None:
                if self._blame(problem, attempt):
                    doubted = None
                else:
                    doubted = doubted or problem
                    if self._reached == UPGRADED and attempt.write:
                        self._stopped.append(attempt)
                following = self._following(problem, attempt)
        yield from self._try_old_rows_alone(parent, reach)
        self._findings.lose_more(self._taken)
        self._findings.lose(self._unproved)
        if doubted is not None:
            self._doubt(problem or doubted, attempt if problem is None else None)

    def _try_old_rows_alone(self, parent: Any, reach: int) -> Way:
        """Without what was written since: it may be what fails, or stand where lost rows stood."""
        failed = self._failed_with
        if failed is not None and failed.write:
            problem = yield from self._attempt(replace(failed, write=False), parent, reach)
            if problem is None:
                self._findings.note(_ONLY_NEW)
            return
        for attempt in [*self._stopped, *self._covered[:1]]:
            alone = replace(attempt, write=False)
            problem = yield from self._attempt(alone, parent, min(reach, DOWNGRADED))
            if problem is None or self._blame(problem, alone):
                break
            if attempt not in self._stopped:
                self._doubt(problem, None)

    def _attempt(
        self, attempt: Attempt, parent: Any, reach: int
    ) -> Generator[Request, Outcome, Any]:
        """One trip with rows in all that it reaches; gives the problem it stopped at."""
        found, few = self._findings.now(), frozenset(self._few)
        while True:
            yield from self._steps.go_to(parent, upgraded=False)
            self._reached = NOTHING
            try:
                return (yield from self._trip(attempt, reach))
            except _ReachesMore:
                self._findings.go_back(found)
                self._few = set(few)

    def _do(self, name: str, *, upgrade: bool) -> Generator[Request, Outcome, Outcome]:
        outcome = yield from self._steps.do(name, upgrade=upgrade)
        if self._tables.grow():
            raise _ReachesMore
        return outcome

    def _trip(self, attempt: Attempt, reach: int) -> Generator[Request, Outcome, Any]:
        schema = self._tables.before
        if attempt.fitting:
            schema = demands.with_those_of(self._tables.after, schema)
        filled = self._fill(schema, self._tables.old, attempt, self._types_before)
        old = self._read(self._tables.before, self._tables.old)
        self._note_hidden(filled, old)
        up = yield from self._do(attempt.named("upgrade"), upgrade=True)
        if up.problem is not None:
            return up.problem
        self._reached = UPGRADED
        upgraded = self._read_now()
        losses = data.losses(old, upgraded, "upgrade")
        if reach == UPGRADED:
            self._findings.lose(losses)
            return None
        inserted: Dict[str, int] = {}
        if attempt.write:
            inserted = self._fill(
                self._room.snapshot(), self._tables.new, attempt, self._types_after, later=True
            )
        written = self._read_now()
        down = yield from self._do(attempt.named("downgrade"), upgrade=False)
        if down.problem is not None:
            self._unproved = losses
            return down.problem
        self._reached, self._unproved = DOWNGRADED, []
        now = self._read_now()
        self._findings.leave(difference.residue(self._tables.before, self._room.snapshot()))
        self._findings.leave(data.given_again(old, now))
        if not inserted:
            self._compare_with_parent(old, (upgraded, now), losses)
        elif data.stay(old, (old, upgraded), (written, now)):
            self._findings.leave(_rows_left(old, (upgraded, now), inserted))
        else:
            self._covered.append(attempt)
            self._taken = data.gone(old, (upgraded, written), now)
        if reach == DOWNGRADED or not (filled or inserted):
            return None
        again = yield from self._do(attempt.named("upgrade again"), upgrade=True)
        if again.problem is None:
            self._findings.lose(data.losses(written, self._read_now(), "downgrade"))
        return again.problem

    def _compare_with_parent(
        self, old: data.Data, later: Tuple[data.Data, data.Data], lost_going_up: List[Any]
    ) -> None:
        """Compare the rows, of which none were written since, with those of the parent."""
        losses = data.losses(old, later[1], "round trip")
        # What the downgrade puts back is not lost.
        self._findings.lose([x for x in lost_going_up if _is_among(x, losses)])
        self._findings.lose(losses)
        self._findings.leave(_rows_left(old, later, {}))

    def _fill(
        self,
        schema: Any,
        tables: List[str],
        attempt: Attempt,
        types: Dict[Any, Any],
        *,
        later: bool = False,
    ) -> Dict[str, int]:
        """Put rows in; gives how many came into each table.

        Where the project has rows of its own for a table, none are made up.
        """
        own = self._put_own(schema, attempt, later=later)
        tables = [name for name in tables if name not in own]
        try:
            filled = self._room.work(
                lambda access: filling.fill(
                    access,
                    schema,
                    tables,
                    self._count,
                    self._seed + later,
                    types,
                    tame=attempt.tame,
                    mild=attempt.mild,
                    asked=self._steps.asked if attempt.asked and not later else None,
                    twins=not attempt.fitting,
                )
            )
        except SQLAlchemyError as error:
            self._findings.note(f"no rows could be made: {shorten(str(error))}")
            return {}
        for table, reason in filled.unfilled.items():
            sentence = (
                f"no rows could be made for `{table}`, so nothing of it was measured: {reason}"
            )
            self._findings.note(sentence, "unfilled", table)
        for table, reason in filled.few.items():
            self._note_few(table, f"{filled.inserted[table]} of {self._count} rows: {reason}")
        return {**filled.inserted, **own}

    def _put_own(self, schema: Any, attempt: Attempt, *, later: bool) -> Dict[str, int]:
        if later and not attempt.write:
            return {}
        own = self._own.put("after" if later else "before", self._room, schema.tables.values())
        side = self._tables.new if later else self._tables.old
        side += sorted(set(own).difference(side))
        return own

    def _read(self, schema: Any, tables: List[str]) -> data.Data:
        return self._room.work(lambda access: data.read(access, schema, tables))

    def _note_hidden(self, filled: Mapping[str, int], seen: data.Data) -> None:
        """Note tables whose rows cannot be looked at, so that nothing shows which of them go."""
        for name, count in filled.items():
            rows = seen.get(name)
            if rows is not None and rows.rows and len(rows.rows) < count * filling.NEARLY_ALL:
                self._note_few(name, f"{len(rows.rows)} of {count} rows: a trigger took the others")
            if rows is not None and not rows.rows and count:
                self._findings.note(
                    f"no row that was put into `{name}` is seen there (row security, a trigger?), "
                    "so nothing of it was measured",
                    "unfilled",
                    name,
                )

    def _note_few(self, table: str, text: str) -> None:
        """Note that a table got fewer rows than it was to get, once."""
        if table not in self._few:
            self._few.add(table)
            self._findings.note(f"`{table}` got {text}")

    def _read_now(self) -> data.Data:
        return self._read(self._room.snapshot(), sorted({*self._tables.old, *self._tables.new}))

    def _blame(self, problem: Problem, attempt: Attempt) -> bool:
        """Note a failure that proves something; gives whether it does."""
        if problem.refused:
            return True
        step = "downgrade" if self._reached == UPGRADED else "upgrade"
        where = " with made-up rows in the tables"
        if self._reached == DOWNGRADED:
            where = " again after the downgrade, with made-up rows in the tables"
        if problem.not_implemented or problem.raised:
            self._note_refusal(step, problem, attempt)
        elif problem.beyond is not None:
            self._findings.give_up(problem.beyond)
        elif self._may_be_of_rows(problem, attempt):
            # What an upgrade newly demands of rows, made-up ones cannot know; real ones kept it.
            return False
        elif self._is_proof(problem, attempt):
            if step == "downgrade":
                self._failed_with = self._failed_with or attempt
            self._findings.fail(f"`{step}()` fails{where}: {problem}")
            self._steps.note_half()
        else:
            return False
        return True

    def _is_proof(self, problem: Problem, attempt: Attempt) -> bool:
        """Whether other rows would not get any further."""
        if problem.conclusive:
            return True
        return attempt.tame and not (problem.about_values or self._may_be_looked_for(attempt))

    def _note_refusal(self, step: str, problem: Problem, attempt: Attempt) -> None:
        """Note its own check of the data: it says nothing about rows that pass it."""
        message = problem.message or problem.type
        if step == "upgrade":
            if attempt.tame:
                self._findings.note(f"`upgrade()` refuses made-up rows: {message}")
                self._findings.rows = 0
        elif not attempt.write:
            self._findings.refuse(message)
            self._steps.note_half()
        elif not self._guarded:
            self._findings.note(f"`downgrade()` refuses made-up rows: {message}", "guarded")
            self._guarded = True

    def _may_be_looked_for(self, attempt: Attempt) -> bool:
        """Whether an upgrade may stop only at rows that it looks for, which are not made so."""
        return attempt.asked and self._reached == NOTHING and bool(self._steps.asked)

    def _may_be_of_rows(self, problem: Problem, attempt: Attempt) -> bool:
        """Whether an upgrade may go through with other rows; for NULLs all is tried in the end."""
        tried = problem.of_nulls and attempt.fitting and attempt.tame
        return self._reached == NOTHING and problem.of_these_rows and not tried

    def _following(self, problem: Problem, attempt: Attempt) -> Optional[Attempt]:
        if problem.refused or self._findings.verdict == "irreversible":
            return None
        return attempt.following(problem, self._reached, looks=bool(self._steps.asked))

    def _doubt(self, problem: Problem, got_through: Optional[Attempt]) -> None:
        if got_through is None:
            self._findings.rows = 0
        self._findings.note(doubt(problem, got_through))


def _is_among(loss: Any, others: List[Any]) -> bool:
    """Whether rows of the table, or values of the column, are among other losses."""
    there = {other["column"] for other in others if other["table"] == loss["table"]}
    return not there.isdisjoint({None, loss["column"]})


def _rows_left(
    old: data.Data, later: Tuple[data.Data, data.Data], inserted: Mapping[str, int]
) -> List[Any]:
    """Rows that the upgrade put somewhere, and neither were there before nor written since.

    Rows that only the downgrade puts somewhere are its way of giving back what was there. Where
    rows were written since, only their number can tell.
    """
    upgraded, now = later
    counts = {name: len(found.rows) for name, found in upgraded.tables.items()}
    grown = {n: found for n, found in old.tables.items() if counts.get(n, 0) > len(found.rows)}
    untouched = data.Data({name: rows for name, rows in grown.items() if not inserted.get(name)})
    left: List[Any] = data.left(untouched, now)
    for name, found in grown.items():
        current = now.get(name)
        extra = len(current.rows) - len(found.rows) - inserted.get(name, 0) if current else 0
        if inserted.get(name) and extra > 0:
            text = "1 row" if extra == 1 else f"{extra} rows"
            left.append(difference.entry("rows", name, "left", None, text))
    return left
