"""What was refused: sentences that survive whatever env.py does with them."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Optional

from . import origins


class Refused(BaseException):
    """A connection (or a layer of the guard) was refused; the text is one sentence.

    Not an `Exception`: env.py's own error handling must not take it for a failed connection.
    `wants` is the dialect that was connected to, where that is all that is wrong.
    """

    def __init__(self, sentence: str, wants: str = "") -> None:
        super().__init__(sentence)
        self.wants = wants


class NoDriver(Refused):
    """The project's Python could not connect if it was let: no fault of the guard's."""


_START = threading.Thread.start.__code__
_WAITING = frozenset({"wait", "join", "_wait_for_tstate_lock"})
_OF_STEP, _OF_RUN, _DOUBT, _OTHER = "step", "run", "doubt", "other"
_LOADED = "loaded "
"""Followed by the script that was denied something meanwhile."""


class Refusals:
    """The sentences said so far, kept in a file: a forked child or a thread adds to it too."""

    def __init__(self, folder: str) -> None:
        self.denied = ""
        """The last connection that code of others was told cannot be made: it may do without."""
        self._file = os.path.join(folder, "refusals.jsonl")
        self._step: Optional[_Step] = None

    def refuse(self, sentence: str, wants: str = "", *, decides: bool = True) -> NoReturn:
        """Keep the sentence and end what was tried.

        Outside of migrations it `decides` over the run, even where the project's code lets it pass.
        """
        step = self._step if self.of_step() else None
        self._keep(sentence, self._outside(sentence, decides=decides) if step is None else _OF_STEP)
        if step is not None and not step.is_own_thread():
            # The migration may wait for this thread, which must not end; the step's end says it.
            raise ConnectionRefusedError(errno.ECONNREFUSED, sentence)
        raise Refused(sentence, wants)

    def record(self, sentence: str) -> None:
        """Keep a sentence where nothing can be raised, such as inside SQLite, in any thread."""
        kind = self._outside(sentence, decides=True) if self._step is None else _OF_STEP
        self._keep(sentence, kind)

    def _outside(self, sentence: str, *, decides: bool) -> str:
        """What a sentence decides over that no running migration is behind."""
        if origins.loading():
            self.charge(sentence)
            return _OTHER
        return _OF_RUN if decides else _OTHER

    def doubt(self, sentence: str) -> None:
        """Keep what a migration that runs may depend on, or may not."""
        if self.of_step():
            self._keep(sentence, _DOUBT)

    @property
    def script(self) -> str:
        """The script of the migration that what happens in this thread belongs to, or empty."""
        step = self._step
        return step.script if step is not None and self.of_step() else ""

    def suspect(self, sentence: str) -> None:
        """Keep what a package's thread was denied that was started for a running script.

        Where the thread has come to its end with the step, it was a piece of work of the step's.
        """
        step = self._step
        if step is not None and origins.leads_from(step.script, origins.handed_over()):
            step.suspected.append((threading.current_thread(), sentence))

    def charge(self, sentence: str) -> None:
        """Keep what a script is denied that is being loaded, for when its migration is to run."""
        script = origins.loading()
        if script:
            self._keep(sentence, _LOADED + script)

    def _keep(self, sentence: str, kind: str) -> None:
        with open(self._file, "a", encoding="utf-8") as file:
            file.write(json.dumps([sentence, kind]) + "\n")

    def sentences(self) -> list[str]:
        """Every different sentence on what was refused, in the order it was first said."""
        said = self._said_since(0)
        refused = {_OF_STEP, _OF_RUN, _OTHER}
        return list(dict.fromkeys(sentence for sentence, kind in said if kind in refused))

    def of_run(self) -> str:
        """The first sentence that decides over the run, or empty."""
        return next(iter(self._since(0, _OF_RUN)), "")

    @contextmanager
    def step(self, script: str) -> Iterator[list[str]]:
        """While a script's migration runs: what it does without a service says nothing of it.

        Raises `Refused` if anything of it was refused, whatever became of that, or if the script
        was denied something while it was loaded. Gives a list that has, in the end, what it may
        depend on.
        """
        start = os.path.getsize(self._file) if os.path.exists(self._file) else 0
        doubts: list[str] = []
        for sentence in self._since(0, _LOADED + script):
            raise Refused(sentence)
        self._step = _Step(script)
        try:
            yield doubts
        except Refused:
            raise
        except BaseException as error:
            for sentence in self._refused_since(start):
                raise Refused(sentence).with_traceback(error.__traceback__) from error
            raise
        else:
            for sentence in self._refused_since(start):
                raise Refused(sentence)
        finally:
            doubts += self._since(start, _DOUBT)
            self._step = None

    def of_step(self) -> bool:
        """Whether what happens in this thread belongs to a migration that is running.

        What threads do belongs to it where its script, or the project's code that it calls, started
        them or gave them that to do, or where it waits for what they may have been asked for.
        Threads that an application or a package has for itself are none of a migration's.
        """
        step = self._step
        return step is not None and (step.is_own_thread() or step.gave() or step.waits())

    def _refused_since(self, start: int) -> list[str]:
        late = [] if self._step is None else self._step.done_for_it()
        return [*self._since(start, _OF_STEP), *late]

    def _since(self, start: int, wanted: str) -> list[str]:
        return [sentence for sentence, kind in self._said_since(start) if kind == wanted]

    def _said_since(self, start: int) -> list[tuple[str, str]]:
        if not os.path.exists(self._file):
            return []
        with open(self._file, encoding="utf-8") as file:
            file.seek(start)
            return [tuple(json.loads(line)) for line in file]


def _is_waiting(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    return module == "threading" and frame.f_code.co_name in _WAITING


class _Step:
    """A migration that runs, its script, the thread it runs in, and where."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.suspected: list[tuple[threading.Thread, str]] = []
        """Threads that packages started for it, and what those were denied."""
        self._thread = threading.current_thread()
        self._frame = sys._getframe(3)  # noqa: SLF001 (what runs it, behind `contextlib`)

    def is_own_thread(self) -> bool:
        """Whether this is the thread it runs in."""
        return threading.current_thread() is self._thread

    def done_for_it(self) -> list[str]:
        """What threads were denied that are done, unlike those that go on for a package."""
        return [sentence for thread, sentence in self.suspected if not thread.is_alive()]

    def gave(self) -> bool:
        """Whether this thread was started, or does a piece of work, for the script."""
        way = origins.handed_over()
        if not origins.leads_from(self.script, way):
            return False
        return origins.is_of_a_pool() or not origins.begun_by(way)

    def waits(self) -> bool:
        """Whether the migration waits for a thread that may be this one."""
        inner = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - the only way
        if inner is None or not (_is_waiting(inner) or self._is_with_its_package(inner)):
            return False
        if not self._may_have_asked(inner):
            return False
        for frame in origins.outwards(inner):
            if frame.f_code is _START:
                return False  # only until a thread has begun
            if frame is self._frame:
                return True
        return False  # an asynchronous driver is awaited, not by the migration

    def _is_with_its_package(self, inner: FrameType) -> bool:
        """Whether the migration is inside of the package that has this thread for itself."""
        way = origins.handed_over()
        package = origins.begun_by(way)
        if not package or origins.leads_from(self.script, way):
            return False
        return origins.package_of(inner) == package

    def _may_have_asked(self, waiting: FrameType) -> bool:
        """Whether what waits may have given this thread something to do, by a queue say."""
        way = origins.handed_over()
        package = origins.begun_by(way)
        if not package or origins.leads_from(self.script, way):
            return True
        return origins.begun_by(origins.places_from(waiting)) == package
