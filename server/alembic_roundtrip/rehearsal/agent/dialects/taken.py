"""DBAPI connections that a step takes out of SQLAlchemy's: what they send is not heard."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterator, List

from sqlalchemy.engine import Connection, Engine

Told = Callable[[Any], None]
_told: List[Told] = []
_OURS = (__package__ or "").partition(".")[0]
_INSIDE = frozenset({"sqlalchemy", "alembic", _OURS})
_steps = 0


@contextmanager
def minded() -> Iterator[None]:
    """While a step's function runs: what hooks of env.py do around it is none of the step's."""
    global _steps  # noqa: PLW0603 - as what is listened to, it is the process's
    _steps += 1
    try:
        yield
    finally:
        _steps -= 1


def listen(told: Told) -> None:
    """Have a function called with the connection, or the engine, that one is taken from."""
    if not _told:
        _tell_of_them()
    _told.append(told)


def leave(told: Told) -> None:
    """Have it called no more."""
    _told.remove(told)


def _tell_of_them() -> None:
    taken: Any = Connection.connection
    raw: Any = Engine.raw_connection

    def connection(self: Any) -> Any:
        _tell(self)
        return taken.fget(self)

    def raw_connection(self: Any, *given: Any, **options: Any) -> Any:
        _tell(self)
        return raw(self, *given, **options)

    Connection.connection = property(connection, doc=taken.__doc__)  # type: ignore[assignment]
    Engine.raw_connection = raw_connection  # type: ignore[method-assign]


def _tell(where: Any) -> None:
    taker = sys._getframe(2)  # noqa: SLF001 - who takes it
    if _steps and _package(taker) not in _INSIDE and not _listens(taker):
        for told in tuple(_told):
            told(where)


def _listens(taker: Any) -> bool:
    """Whether it is a listener for what an engine does: those look at each statement, say."""
    frame = taker
    while frame is not None and _package(frame) != _OURS:
        name = str(frame.f_globals.get("__name__"))
        if name.startswith("sqlalchemy.") and not name.startswith(_CALLS_LISTENERS):
            # Its public methods, as `run_callable` of older ones, call what a migration gives them.
            return name == "sqlalchemy.engine.base" and frame.f_code.co_name.startswith("_")
        frame = frame.f_back
    return False


_CALLS_LISTENERS = ("sqlalchemy.event.", "sqlalchemy.engine.events")


def _package(frame: Any) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]
