"""DBAPI connections that the project takes out of SQLAlchemy's: what they send is not heard."""

from __future__ import annotations

import sys
from typing import Any, Callable, List

from sqlalchemy.engine import Connection, Engine

Told = Callable[[Any], None]
_told: List[Told] = []
_INSIDE = frozenset({"sqlalchemy", "alembic", (__package__ or "").partition(".")[0]})


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
    taker = str(sys._getframe(2).f_globals.get("__name__"))  # noqa: SLF001 - who takes it
    if taker.partition(".")[0] not in _INSIDE:
        for told in tuple(_told):
            told(where)
