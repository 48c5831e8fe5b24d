"""One database's way through the history: requests for steps, and what came of them.

The way itself is a generator in `cycle`: it asks for a step and is told the outcome. Alembic
pulls those steps out of env.py's run; a failing step ends that run, but not the way, which is
continued in the next one.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Generator, Iterable, List, Optional

from . import events, room
from .channel import Channel
from .declared import Declared
from .problems import Problem
from .scripts import Scripts
from .touched import Statements


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


@dataclass(frozen=True)
class Outcome:
    """What came of a request."""

    problem: Optional[Problem] = None
    statements: List[str] = field(default_factory=list)
    seconds: float = 0.0


Way = Generator[Request, Outcome, None]


class Walk:
    """Turns requests into Alembic's steps and their ends into outcomes."""

    def __init__(
        self,
        scripts: Scripts,
        channel: Channel,
        statements: Statements,
        declared: Declared,
        is_ours: Callable[[str], bool],
    ) -> None:
        self._scripts = scripts
        self._channel = channel
        self._statements = statements
        self._declared = declared
        self._is_ours = is_ours
        self._way: Optional[Way] = None
        self._problem: Optional[Problem] = None
        self._seconds = 0.0
        self.request: Optional[Request] = None
        self.label: Optional[str] = None
        self.broken: Optional[BaseException] = None
        """What our own side failed with; no fault of the migration's."""

    def begin(self, way: Way) -> None:
        """Set out; the first request is known afterwards."""
        self._way = way
        self.request = next(way, None)

    def steps(self, context: Any) -> Iterable[Any]:
        """The steps for one run of env.py: until the way ends, or one fails."""
        while self.request is not None:
            request = self.request
            # Kept between steps, it makes SQLAlchemy believe that a dropped enum type exists.
            context.impl.memo.clear()
            room.refresh(context.connection)
            self._problem = None
            yield self._scripts.step(request.revision, request.upgrade, self._function(request))
            room.settle(context.connection)
            self._resume()

    def stop(self, error: Optional[BaseException]) -> None:
        """env.py's run is over before the way is: the step that was running failed.

        An env.py may swallow the exception; it was kept where it was raised.
        """
        assert self.request is not None
        if self._problem is None:
            ended = error or RuntimeError("env.py ended its run in the middle of the migrations")
            self._problem = Problem(ended, None, self._is_ours)
            if self.request.name:
                self._report(self.request, self._problem)
        self._resume()

    def _resume(self) -> None:
        assert self._way is not None
        outcome = Outcome(self._problem, self._statements.take(), self._seconds)
        try:
            self.request = self._way.send(outcome)
        except StopIteration:
            self.request = None
        except BaseException as error:
            self.request, self.broken = None, error
            raise

    def _function(self, request: Request) -> Callable[..., None]:
        def run(**arguments: Any) -> None:
            if request.name is not None:
                self.label = arguments.get("engine_name", self.label)
                self._run(request, arguments)

        return run

    def _run(self, request: Request, arguments: Any) -> None:
        self._channel.send(
            events.STEP_STARTED, revision=request.part_of or request.revision, step=request.name
        )
        self._declared.listening = request.declare
        self._statements.take()
        started = time.perf_counter()
        try:
            self._call(request, arguments)
        except BaseException as error:
            path = self._scripts.path(request.revision)
            self._problem = Problem(error, path, self._is_ours)
            raise
        finally:
            self._declared.listening = False
            self._seconds = time.perf_counter() - started
            self._report(request, self._problem)

    def _call(self, request: Request, arguments: Any) -> None:
        direction = "upgrade" if request.upgrade else "downgrade"
        function = self._scripts.function(request.revision, direction)
        if function is None:
            raise MissingFunction(f"the migration has no `{direction}()`")
        function(**arguments)

    def _report(self, request: Request, problem: Optional[Problem]) -> None:
        self._channel.send(
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
