"""What was refused, and in whose code: sentences that survive whatever env.py does with them."""

from __future__ import annotations

import json
import os
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, Optional

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PROJECT = os.getcwd() + os.sep  # where agents are started; env.py may go elsewhere
_STDLIB = tuple(
    os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
LOGGING = "logging.handlers"
_TRANSPORTS = frozenset({"anyio", "eventlet", "gevent", "trio", "uvloop"})
"""They open sockets for whoever uses them."""
_NEVER_THE_CAUSE = frozenset({"sqlalchemy", "alembic", "greenlet", "aiosqlite", "sqlmodel"})


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


class Refusals:
    """The sentences said so far, kept in a file: a forked child or a thread adds to it too."""

    def __init__(self, folder: str) -> None:
        self.denied = ""
        """The last connection that code of others was told cannot be made: it may do without."""
        self._file = os.path.join(folder, "refusals.jsonl")
        self._step: Optional[_Step] = None

    def refuse(self, sentence: str, wants: str = "") -> NoReturn:
        """Keep the sentence and end what was tried."""
        self._keep(sentence, self.of_step())
        raise Refused(sentence, wants)

    def record(self, sentence: str) -> None:
        """Keep a sentence where nothing can be raised, such as inside SQLite, in any thread."""
        self._keep(sentence, self._step is not None)

    def _keep(self, sentence: str, of_step: bool) -> None:
        with open(self._file, "a", encoding="utf-8") as file:
            file.write(json.dumps([sentence, of_step]) + "\n")

    def sentences(self) -> list[str]:
        """Every different sentence, in the order it was first said."""
        return list(dict.fromkeys(sentence for sentence, _ in self._said_since(0)))

    @contextmanager
    def step(self) -> Iterator[None]:
        """While a migration runs: what it does without a service says nothing of it.

        Raises `Refused` in the end if anything of it was refused, whatever became of that.
        """
        start = os.path.getsize(self._file) if os.path.exists(self._file) else 0
        self._step = _Step()
        try:
            yield
        except Refused:
            raise
        except BaseException as error:
            for sentence in self._of_step_since(start):
                raise Refused(sentence).with_traceback(error.__traceback__) from error
            raise
        else:
            for sentence in self._of_step_since(start):
                raise Refused(sentence)
        finally:
            self._step = None

    def of_step(self) -> bool:
        """Whether what happens in this thread belongs to a migration that is running."""
        return self._step is not None and self._step.has_this_thread()

    def _of_step_since(self, start: int) -> list[str]:
        return [sentence for sentence, of_step in self._said_since(start) if of_step]

    def _said_since(self, start: int) -> list[tuple[str, bool]]:
        if not os.path.exists(self._file):
            return []
        with open(self._file, encoding="utf-8") as file:
            file.seek(start)
            return [tuple(json.loads(line)) for line in file]


class _Step:
    """A migration that runs, and the threads that were there before it."""

    def __init__(self) -> None:
        self._own = threading.current_thread()
        self._others = frozenset(threading.enumerate()) - {self._own}

    def has_this_thread(self) -> bool:
        """Whether this thread works for it: its own, one that it started, one that it waits for.

        Threads of an application that try a service again and again are none of a migration's.
        """
        return threading.current_thread() not in self._others or self._waits()

    def _waits(self) -> bool:
        frame = sys._current_frames().get(self._own.ident or 0)  # noqa: SLF001 - the only way
        return frame is not None and frame.f_globals.get("__name__") == "threading"


def caller() -> str:
    """The line of the project that led here, such as `migrations/env.py line 12`."""
    best = None
    for frame in _frames():
        rank = _rank(frame.f_code.co_filename)
        if rank and (best is None or rank > best[0]):
            best = rank, f"{_shown(frame.f_code.co_filename)} line {frame.f_lineno}"
    return best[1] if best else "the environment"


def openers() -> list[str]:
    """The packages by whose code the project's own wanted this, the innermost first.

    None where it was the project's own that did. Of the standard library only what logs is named.
    """
    packages: list[str] = []
    for frame in _frames():
        name = frame.f_code.co_filename
        package = _packaged(name)
        if name.startswith((_HERE, "<")) or package in _TRANSPORTS:
            continue
        if frame.f_globals.get("__name__") == LOGGING:
            return [*packages, LOGGING]
        if package:
            packages.append(package)
        elif not name.startswith(_STDLIB):
            break
    return packages


def _packaged(filename: str) -> str:
    """The package of an installed file."""
    for packages in _PACKAGES:
        if packages in filename:
            return filename.rsplit(packages, 1)[1].split(os.sep, 1)[0].partition(".")[0]
    return ""


def _frames() -> Iterator[FrameType]:
    yield from _outwards(sys._getframe(2))  # noqa: SLF001 (only frames say whose line it is)
    # SQLAlchemy runs async drivers in a greenlet; whoever awaits is on its parent's stack.
    greenlets = sys.modules.get("greenlet")
    greenlet = greenlets.getcurrent().parent if greenlets is not None else None
    while greenlet is not None:
        yield from _outwards(greenlet.gr_frame)
        greenlet = greenlet.parent


def _outwards(frame: Optional[FrameType]) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _rank(filename: str) -> int:
    """How likely a file is the project's: 2 its own, 1 an installed package, 0 never."""
    if filename.startswith(("<", _HERE)):
        return 0
    top = _packaged(filename)
    if top:
        return 0 if top in _NEVER_THE_CAUSE else 1
    return 0 if filename.startswith(_STDLIB) else 2


def _shown(filename: str) -> str:
    return filename.removeprefix(_PROJECT)
