"""From an upgraded database back to the parent's schema: statements, tried until they get there.

What reading the code has written is tried first: it knows renames, data and how its author spells
things. What is then not restored, Alembic's autogenerate renders from the parent's reflection, and
what autogenerate does not see the catalogue tells. Each statement is run, and kept if it works.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import (
    Any,
    Callable,
    Dict,
    Generator,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

from .. import events
from ..channel import Channel
from ..project.declared import Types
from ..schema import difference
from ..trip.round_trip import RoundTrip, rows_left
from ..trip.steps import Step
from ..trip.walk import Call, Outcome, Request, Way
from .autogenerate import Autogenerate
from .leftovers import Leftovers
from .reflection import reflect
from .statement import Statement

_HARMLESS = re.compile(
    r"\s*(?:CREATE|ALTER|DROP|COMMENT|RENAME|PRAGMA|SET|SHOW|SAVEPOINT|RELEASE|ROLLBACK|BEGIN|COMMIT"
    r"|DISCARD)\b|.*(?:_alembic_tmp_|\bpg_catalog\b|\bpg_\w+|information_schema|sqlite_master"
    r"|sqlite_temp_master)",
    re.IGNORECASE | re.DOTALL,
)
"""Statements that change or look at the schema, and those that batch mode copies rows with."""


_MADE_AFTER = ("index", "trigger", "view", "rows")
_Numbered = Tuple[Optional[int], Statement]
"""A statement, and which of the written ones it is."""


@dataclass
class _Trial:
    """One attempt at the way back: what worked, in its order, and what is not restored then."""

    done: List[_Numbered] = field(default_factory=list)
    failed: Dict[int, str] = field(default_factory=dict)
    residue: List[Dict[str, Any]] = field(default_factory=list)


class WayBack(RoundTrip):
    """Of one revision: up, and down by whatever is found to restore the parent's schema."""

    def __init__(self, channel: Channel, revision: str, *arguments: Any) -> None:
        super().__init__(revision, *arguments)
        self._channel = channel
        written = self._plan["written"][revision]
        self._written: List[str] = written["statements"]
        self._imports: List[str] = written["imports"]
        self._had: Dict[str, int] = {}
        self._tables: Any = None
        self._version_table = ""
        self._leftovers: Any = None
        self._types: Types = {}

    def steps(self) -> Way:
        """Up, and down by what was written; by all that the database tells where that is not all.

        Reflecting the parent takes longer than upgrading once more.
        """
        yield from self._steps.rest()
        self._steps.before, self._types = self._room.snapshot(), dict(self._declared.types)
        self._had = {
            name: self._room.count(table)
            for name, table in self._steps.before.tables.items()
            if table.has_rows
        }
        self._steps.parent = self._room.save()
        up = yield from self._up()
        if up.problem is not None:
            return
        found = yield from self._attempt(self._written_alone)
        if found is not None and found.residue and self._changed_nothing(up.statements):
            found = _Trial()  # what reading takes for a change was there before
        elif found is not None and found.residue:
            yield from self._steps.go_to(self._steps.parent, upgraded=False)
            up = yield from self._up(self._look)
            found = (yield from self._best()) if up.problem is None else None
        if found is not None:
            self._say(found, up.statements)

    def _changed_nothing(self, statements: Iterable[str]) -> bool:
        found = difference.residue(self._steps.before, self._steps.after)
        return all(each["grade"] == "cosmetic" for each in found) and all(
            map(self._only_of_schema, statements)
        )

    def _best(self) -> Generator[Request, Outcome, Optional[_Trial]]:
        """What reading has written may be wrong, and batch mode may lose what it cannot reflect."""
        best: Optional[_Trial] = None
        for written, batch in ((self._written, True), ([], True), (self._written, False)):
            found = yield from self._attempt(partial(self._all, written=written, batch=batch))
            if found is not None and (best is None or len(found.residue) < len(best.residue)):
                best = found
            if best is not None and not best.residue:
                break
        return best

    def _up(self, call: Optional[Call] = None) -> Step:
        up = yield from self._steps.do("upgrade", upgrade=True, declare=True, call=call)
        self._steps.applied = up.problem is None
        if up.problem is not None:
            self._fail_upgrade(up.problem, self._steps.before)
            yield from self._steps.go_to(self._steps.parent, upgraded=False)
        else:
            self._steps.after = self._room.snapshot()
            yield from self._steps.rest()
            self._child = self._room.save()
        return up

    def _attempt(
        self, search: Callable[[_Bench], _Trial]
    ) -> Generator[Request, Outcome, Optional[_Trial]]:
        """Down, and the upgraded state again; None where nothing could be tried."""
        found: List[_Trial] = []
        down = yield from self._steps.do(
            "downgrade", upgrade=False, call=lambda _: found.append(search(self._bench()))
        )
        if down.problem is not None:
            self.findings.fail(f"no way back could be tried: {down.problem}")
        yield from self._steps.go_to(self._child, upgraded=True)
        return found[0] if down.problem is None else None

    def _say(self, trial: _Trial, statements: Iterable[str]) -> None:
        self._channel.send(
            events.WAY_BACK,
            revision=self.revision,
            statements=[
                {
                    "text": each.text,
                    "imports": each.imports,
                    "marks": each.marks,
                    "written": number,
                }
                for number, each in trial.done
            ],
            failed={str(number): message for number, message in trial.failed.items()},
            residue=trial.residue,
            only_schema=all(map(self._only_of_schema, statements)),
        )

    def _only_of_schema(self, statement: str) -> bool:
        return bool(_HARMLESS.match(statement)) or self._version_table in statement

    # Inside the steps, where Alembic's `op` works

    def _look(self, upgrade: Callable[[], None]) -> None:
        """See the parent as autogenerate and the catalogue do, and upgrade."""
        from alembic import op

        context = op.get_context()
        self._tables = reflect(context, self._steps.before, context.version_table)
        self._leftovers = Leftovers(context.connection, self._steps.before)
        upgrade()

    def _bench(self) -> _Bench:
        from alembic import op

        context = op.get_context()
        self._version_table = context.version_table
        bench = _Bench(self._room, context, self._scripts.names(self.revision), self._imports)
        bench.settle()
        return bench

    def _written_alone(self, bench: _Bench) -> _Trial:
        trial = _Trial()
        bench.run(list(enumerate(map(Statement, self._written))), trial)
        self._residue(bench, trial)
        return trial

    def _all(self, bench: _Bench, *, written: Sequence[str], batch: bool) -> _Trial:
        trial, rest, now = _Trial(), self._leftovers, bench.snapshot
        counting_on = rest.counting_on(now())
        waiting = bench.run(list(enumerate(map(Statement, written))), trial)
        bench.run_all(rest.in_the_way(now()), trial)
        if waiting:
            bench.run_all(rest.dependents(now()), trial)
            bench.run(waiting, trial)
        left = bench.run_all(rest.needed_first(now()), trial)
        autogenerate = Autogenerate(bench.context, self._tables, self._types, batch=batch)
        left += bench.run_all(autogenerate.statements(self._steps.before, now()), trial)
        if left:
            bench.run_all(rest.dependents(now()), trial)
            bench.run_all(left, trial)
        if self._residue(bench, trial):
            bench.run_all(autogenerate.keys(self._steps.before, now()), trial)
            for table in autogenerate.anew(self._steps.before, now()):
                self._improve(bench, trial, table)
            bench.run_all(rest.rest(now()), trial)
        bench.run_all(counting_on, trial)
        self._residue(bench, trial)
        return trial

    def _improve(self, bench: _Bench, trial: _Trial, statement: Statement) -> None:
        """Keep a statement only if less is to be restored then, but for what depends on tables."""
        before, number = self._of_tables(bench), len(trial.done)
        saved = None if self._room.commits else self._room.save()
        bench.run([(None, statement)], trial)
        if saved is not None and self._of_tables(bench) >= before:
            bench.bring_back(saved)
            del trial.done[number:]

    def _of_tables(self, bench: _Bench) -> int:
        found = difference.residue(self._steps.before, bench.snapshot())
        return sum(
            each["kind"] not in _MADE_AFTER and each["grade"] != "cosmetic" for each in found
        )

    def _residue(self, bench: _Bench, trial: _Trial) -> List[Dict[str, Any]]:
        now = bench.snapshot()
        found = difference.residue(self._steps.before, now)
        found += rows_left(self.counts(self._steps.before, now), self._had)
        trial.residue = [each for each in found if each["grade"] != "cosmetic"]
        return trial.residue


class _Bench:
    """Runs statements one by one, and takes back what one that fails has done."""

    def __init__(
        self, room: Any, context: Any, names: Mapping[str, Any], imports: Sequence[str]
    ) -> None:
        self.context = context
        self._room = room
        self._names = dict(names)
        exec("\n".join(["from alembic import op", *imports]), self._names)  # noqa: S102 - of this migration

    def settle(self) -> None:
        """Have everything in that the driver holds."""
        self._room.settle(self.context.connection)

    def snapshot(self) -> Any:
        """The schema now."""
        self._room.refresh(self.context.connection)
        return self._room.snapshot()

    def bring_back(self, saved: Any) -> None:
        """Go back to a saved state."""
        self._room.restore(saved)
        self._room.refresh(self.context.connection)

    def run(self, statements: Sequence[_Numbered], trial: _Trial) -> List[_Numbered]:
        """Run each once, or what does the same; gives those that fail."""
        failed = []
        for number, statement in statements:
            problem, done = self._problem([statement]), [statement]
            if problem is not None and statement.otherwise:
                again = self._problem(statement.otherwise)
                problem, done = (problem, done) if again else (None, statement.otherwise)
            if problem is None:
                trial.done.extend((number, each) for each in done)
                trial.failed.pop(number, None)  # type: ignore[arg-type]
            else:
                failed.append((number, statement))
                if number is not None:
                    trial.failed[number] = problem
        return failed

    def run_all(self, statements: Iterable[Statement], trial: _Trial) -> List[Statement]:
        """Run all, those again that fail, until no more work; gives these."""
        waiting: List[_Numbered] = [(None, each) for each in statements]
        while waiting:
            failed = self.run(waiting, trial)
            if len(failed) == len(waiting):
                break
            waiting = failed
        return [statement for _, statement in waiting]

    def _problem(self, statements: Sequence[Statement]) -> Optional[str]:
        """What stops these, after which nothing of them is done."""
        connection = self.context.connection
        self.context.impl.memo.clear()
        saved = None if self._room.commits else self._room.save()
        try:
            for each in statements:
                exec("\n".join([*each.imports, each.text]), self._names)  # noqa: S102 - to be written into the migration
                self.settle()
        except Exception as error:  # noqa: BLE001 - whatever it is, the statement does not work
            connection.dialect.do_rollback(connection.connection)
            if saved is not None:
                self.bring_back(saved)
            return f"{type(error).__name__}: {error}".splitlines()[0]
        return None
