"""One database's way through the history: requests for steps, and what came of them.

The way itself is a generator in `cycle`: it asks for a step and is told the outcome. Alembic
pulls those steps out of env.py's run; a failing step ends that run, but not the way, which is
continued in the next one. A way can also ask for a rest: for what must be done between two runs.
"""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, field, replace
from typing import (
    Any,
    Callable,
    ContextManager,
    Generator,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
)

from .. import events
from ..channel import Channel
from ..dialects import NeedsCommits, Room, taken
from ..project.declared import Declared
from ..project.environment import as_it_was
from ..project.problems import Problem
from ..project.scripts import Scripts
from .touched import Statements

Call = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class Request:
    """Run one direction of a revision; without a name only the version table is to change."""

    revision: str
    upgrade: bool
    name: Optional[str]
    declare: bool = False
    """Whether this upgrade's declared types are to be remembered."""
    part_of: Optional[str] = None
    """Whose evidence the step belongs to, where that is not the revision's own."""
    told: bool = True
    """Whether anybody is to hear of it; one that only brings a known state back is not news."""
    call: Optional[Call] = None
    """Called in place of the script's function, which it is given."""
    excuse: Optional[str] = None
    """Why it is not the revision's fault where the step ends the agent."""


REST = Request("", upgrade=False, name=None)
"""End this run of env.py; go on without one."""
RUN = Request("", upgrade=False, name=None)
"""Go on inside the next run."""


@dataclass(frozen=True)
class Outcome:
    """What came of a request."""

    problem: Optional[Problem] = None
    statements: Mapping[str, float] = field(default_factory=dict)
    """What it sent, and the seconds that each took."""
    seconds: float = 0.0
    unheard: bool = False
    """Whether it may have sent others."""
    asked: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Which values they asked columns for, by name."""
    needs_commits: bool = False
    """Whether it was given up: no savepoint undoes what it does."""
    doubts: Sequence[str] = ()
    """What it may depend on that it was denied."""


Way = Generator[Request, Outcome, None]


class Walk:
    """Turns requests into Alembic's steps and their ends into outcomes."""

    def __init__(
        self,
        scripts: Scripts,
        room: Room,
        channel: Channel,
        statements: Statements,
        declared: Declared,
        is_ours: Callable[[str], bool],
        guarded: Callable[[str], ContextManager[List[str]]],
    ) -> None:
        self._scripts = scripts
        self._room = room
        self._channel = channel
        self._statements = statements
        self._declared = declared
        self._is_ours = is_ours
        self._guarded = guarded
        self._way: Optional[Way] = None
        self._problem: Optional[Problem] = None
        self._seconds = 0.0
        self._behind = True
        """Whether the way has not heard yet what became of its last request."""
        self._needs_commits = False
        self._doubts: List[str] = []
        self._connection: Any = None
        self.request: Optional[Request] = None
        self.over = False
        self.label: Optional[str] = None
        self.broken: Optional[BaseException] = None
        """What our own side failed with; no fault of the migration's."""

    def begin(self, way: Way) -> None:
        """Set out: at once, or in the first run where the room needs one."""
        self._way = way
        if not self._room.reverts:
            self._resume()

    def steps(self, context: Any) -> Iterable[Any]:
        """The steps for one run of env.py: until the way ends or rests, or one fails."""
        connection = self._connection = context.connection
        self._room.enter(connection)
        try:
            while self._behind or self.request is RUN:
                self._resume()
            while self.request is not None and self.request is not REST:
                request = self.request
                # Kept between steps, it makes SQLAlchemy believe that a dropped enum type exists.
                context.impl.memo.clear()
                self._room.refresh(connection)
                self._problem, self._needs_commits, self._doubts = None, False, []
                yield self._scripts.step(request.revision, request.upgrade, self._function(request))
                self._room.settle(connection)
                self._resume()
        finally:
            self._room.leave(connection)

    def rest(self) -> None:
        """Between two runs: go on as far as no run is needed."""
        while self.request is REST:
            self._resume()
        self._behind = self.request is RUN

    def stop(self, error: Optional[BaseException]) -> None:
        """env.py's run is over before the way is: the step that was running failed.

        An env.py may swallow the exception; it was kept where it was raised.
        """
        assert self.request is not None
        self._room.leave(self._connection)
        if isinstance(error, NeedsCommits):
            self._needs_commits = True  # also where a hook of env.py's asked for them
        if self._problem is None and not self._needs_commits:
            ended = error or RuntimeError("env.py ended its run in the middle of the migrations")
            self._problem = Problem(ended, None, self._is_ours)
            if self.request.name and self.request.told:
                self._report(self.request, self._problem)
        if error is not None:
            # What a migration was reading is held open by its variables, and so by the error.
            traceback.clear_frames(error.__traceback__)
        # Where the database went back with the run, the way goes on in the next one.
        self._behind = self._room.reverts
        if not self._behind:
            self._resume()

    def _resume(self) -> None:
        assert self._way is not None
        unheard, asked = self._statements.unheard, self._statements.asked
        outcome = Outcome(
            self._problem,
            self._statements.take(),
            self._seconds,
            unheard,
            asked,
            self._needs_commits,
            self._doubts,
        )
        self._behind = False
        try:
            self.request = next(self._way) if self.request is None else self._way.send(outcome)
        except StopIteration:
            self.request, self.over = None, True
        except BaseException as error:
            self.request, self.over, self.broken = None, True, error
            raise

    def _function(self, request: Request) -> Callable[..., None]:
        def run(**arguments: Any) -> None:
            if request.name is not None:
                self.label = arguments.get("engine_name", self.label)
                self._run(request, arguments)

        return run

    def _run(self, request: Request, arguments: Any) -> None:
        self._channel.mark()
        if request.told:
            self._channel.send(
                events.STEP_STARTED,
                revision=request.part_of or request.revision,
                step=request.name,
                excuse=request.excuse,
            )
        self._declared.listening = request.declare
        self._statements.take()
        started = time.perf_counter()
        script = self._scripts.path(request.revision)
        try:
            guarded = self._guarded(script)
            with as_it_was(), taken.minded(), guarded as self._doubts:
                self._call(request, arguments)
            self._channel.end_if_forked()
            if self._room.asked_for_commits:
                self._give_up()  # the migration handled what was raised
        except BaseException as error:
            self._channel.end_if_forked()
            self._needs_commits = self._room.asked_for_commits
            if not self._needs_commits:
                self._problem = Problem(error, script, self._is_ours)
            # While the connection still is usable: an async one is not outside the run.
            self._room.leave(self._connection)
            raise
        finally:
            self._declared.listening = False
            self._channel.reopen_streams()
            self._seconds = time.perf_counter() - started
            if request.told and not self._needs_commits:
                self._report(request, self._problem)

    @staticmethod
    def _give_up() -> None:
        raise NeedsCommits

    def _call(self, request: Request, arguments: Any) -> None:
        if request.call is not None:
            request.call(lambda: self._call(replace(request, call=None), arguments))
            return
        direction = "upgrade" if request.upgrade else "downgrade"
        function = self._scripts.function(request.revision, direction)
        if function is None:
            raise MissingFunction(f"the migration has no `{direction}()`")
        function(**arguments)

    def _report(self, request: Request, problem: Optional[Problem]) -> None:
        self._channel.hold(
            events.STEP_FINISHED,
            revision=request.part_of or request.revision,
            step={
                "name": request.name,
                "seconds": round(self._seconds, 4),
                "error": problem.to_json() if problem else None,
            },
        )


class MissingFunction(Exception):
    """The script does not have the function that the step needs."""
