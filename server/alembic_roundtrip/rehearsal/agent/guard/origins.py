"""Who wants something: the lines that led here, through threads, tasks and work handed over."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
import sysconfig
import threading
from asyncio import BaseEventLoop
from collections.abc import Iterable, Iterator, MutableMapping
from concurrent.futures.thread import ThreadPoolExecutor
from types import FrameType
from typing import Any, NamedTuple, Optional
from weakref import WeakKeyDictionary

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PROJECT = os.getcwd() + os.sep  # where agents are started; env.py may go elsewhere
_STDLIB = tuple(
    os.path.abspath(sysconfig.get_path(name)) + os.sep for name in ("stdlib", "platstdlib")
)
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
LOGGING = "logging"
_TRANSPORTS = frozenset({"anyio", "eventlet", "gevent", "trio", "uvloop"})
"""They open sockets for whoever uses them."""
_NEVER_THE_CAUSE = frozenset({"sqlalchemy", "alembic", "greenlet", "aiosqlite", "sqlmodel"})
_KEPT = 200
"""Places at either end of a way here, which grows with each timer that starts the next."""


class Place(NamedTuple):
    """A line that was being run."""

    file: str
    line: int
    module: str
    function: str


_Ways = MutableMapping[Any, tuple[Place, ...]]
_threads: _Ways = WeakKeyDictionary()
_tasks: _Ways = WeakKeyDictionary()
_work = threading.local()


def follow() -> None:
    """Remember from now on who makes a task, starts a thread, or hands work to a pool of them."""
    create_task: Any = BaseEventLoop.create_task
    submit: Any = ThreadPoolExecutor.submit
    start: Any = threading.Thread.start

    @functools.wraps(create_task)
    def create_and_remember(self: Any, *given: Any, **options: Any) -> Any:
        task = create_task(self, *given, **options)
        _tasks[task] = _way_here()
        return task

    @functools.wraps(submit)
    def submit_and_remember(self: Any, function: Any, /, *given: Any, **options: Any) -> Any:
        return submit(self, _remembering(function, _way_here()), *given, **options)

    @functools.wraps(start)
    def remember_and_start(self: Any) -> None:
        _threads[self] = _way_here()
        start(self)

    BaseEventLoop.create_task = create_and_remember  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = submit_and_remember  # type: ignore[method-assign]
    threading.Thread.start = remember_and_start  # type: ignore[method-assign]


def _remembering(function: Any, way: tuple[Place, ...]) -> Any:
    def work(*given: Any, **options: Any) -> Any:
        _work.way = way
        try:
            return function(*given, **options)
        finally:
            _work.way = None

    return work


def _way_here() -> tuple[Place, ...]:
    way = tuple(_places())
    return way if len(way) <= 2 * _KEPT else way[:_KEPT] + way[-_KEPT:]


def _places() -> Iterator[Place]:
    """From here outwards; behind a task, a piece of work or a thread, from where it was made."""
    for frame in _frames():
        place = _place(frame)
        yield place
        if place.module == "asyncio.events" and place.function == "_run":
            yield from _way_to_task()
    yield from handed_over()


def _way_to_task() -> tuple[Place, ...]:
    loop = asyncio._get_running_loop()  # noqa: SLF001 - the public one raises where there is none
    task = None if loop is None else asyncio.current_task(loop)
    return () if task is None else _tasks.get(task, ())


def handed_over() -> tuple[Place, ...]:
    """The way to where this thread got its work, or was started."""
    way: Optional[tuple[Place, ...]] = getattr(_work, "way", None)
    return _threads.get(threading.current_thread(), ()) if way is None else way


def is_of_a_pool() -> bool:
    """Whether this thread does a piece of work that a pool was given."""
    return getattr(_work, "way", None) is not None


def _frames() -> Iterator[FrameType]:
    yield from outwards(sys._getframe(2))  # noqa: SLF001 (only frames say whose line it is)
    # SQLAlchemy runs async drivers in a greenlet; whoever awaits is on its parent's stack.
    greenlets = sys.modules.get("greenlet")
    greenlet = greenlets.getcurrent().parent if greenlets is not None else None
    while greenlet is not None:
        yield from outwards(greenlet.gr_frame)
        greenlet = greenlet.parent


def outwards(frame: Optional[FrameType]) -> Iterator[FrameType]:
    """A frame, the one that called it, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def places_from(frame: FrameType) -> Iterator[Place]:
    """A frame's line, the one that called it, and so on."""
    return map(_place, outwards(frame))


def _place(frame: FrameType) -> Place:
    code = frame.f_code
    module = str(frame.f_globals.get("__name__"))
    return Place(code.co_filename, frame.f_lineno, module, code.co_name)


def caller() -> str:
    """The line of the project that led here, such as `migrations/env.py line 12`."""
    best = None
    for place in _places():
        rank = _rank(place.file)
        if rank and (best is None or rank > best[0]):
            best = rank, f"{place.file.removeprefix(_PROJECT)} line {place.line}"
    return best[1] if best else "the environment"


def openers() -> list[str]:
    """The packages by whose code the project's own wanted this, the innermost first.

    None where it was the project's own that did. What is logged is wanted by whoever takes it down,
    after whom only `LOGGING` is named.
    """
    packages: list[str] = []
    owned = False
    for place in _places():
        package = _packaged(place.file)
        if place.file.startswith((_HERE, "<")) or package in _TRANSPORTS:
            continue
        if package:
            if owned:
                break
            packages.append(package)
        elif not place.file.startswith(_STDLIB):
            owned = True
        elif place.module.partition(".")[0] == LOGGING:
            return [*packages, LOGGING]
    return packages


def loading() -> str:
    """The migration script that is being loaded and wants this itself; empty where none is.

    What a module that it imports wants, another one that imports it would want as well. What a
    package does in a thread of its own, it does at any time.
    """
    inside = ""
    of_a_package = begun_by(handed_over()) and not is_of_a_pool()
    for place in map(_place, _frames()) if of_a_package else _places():
        if inside and place.module == "alembic.util.pyfiles":
            return "" if os.path.basename(inside) == "env.py" else inside
        if place.function == "<module>":
            if inside:
                break
            inside = place.file
    return ""


def is_innermost(script: str) -> bool:
    """Whether no other file of the project's own wants this for a script."""
    return next((place.file for place in _places() if _rank(place.file) == _OWN), "") == script


def is_called_back(script: str) -> bool:
    """Whether SQLAlchemy called what wants this, a listener say, and not a script."""
    for place in _places():
        if place.file == script:
            return False
        if _packaged(place.file) == "sqlalchemy":
            return True
    return False


def leads_from(script: str, way: Iterable[Place]) -> bool:
    """Whether a way goes from a script by calls alone.

    What SQLAlchemy calls, or a module while it is imported, would do the same for another script.
    """
    for place in way:
        if place.file == script:
            return True
        if _packaged(place.file) == "sqlalchemy" or place.function == "<module>":
            return False
    return False


def begun_by(way: Iterable[Place]) -> str:
    """The package in whose code a way begins; empty where it is the project's own."""
    for place in way:
        package = _packaged(place.file)
        if package and package not in _TRANSPORTS:
            return package
        if _rank(place.file) == _OWN:
            return ""
    return ""


def package_of(frame: FrameType) -> str:
    """The package whose code a frame runs; empty where it is in none."""
    return _packaged(frame.f_code.co_filename)


def _packaged(filename: str) -> str:
    """The package of an installed file."""
    for packages in _PACKAGES:
        if packages in filename:
            return filename.rsplit(packages, 1)[1].split(os.sep, 1)[0].partition(".")[0]
    return ""


_OWN = 2


def _rank(filename: str) -> int:
    """How likely a file is the project's: 2 its own, 1 an installed package, 0 never."""
    if filename.startswith(("<", _HERE)):
        return 0
    top = _packaged(filename)
    if top:
        return 0 if top in _NEVER_THE_CAUSE else 1
    return 0 if filename.startswith(_STDLIB) else _OWN
