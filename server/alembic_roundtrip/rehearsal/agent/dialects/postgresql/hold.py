"""One transaction around all that a run of env.py does, so that savepoints bring states back.

Commits become savepoints and rollbacks go back to the last of them: a migration sees no difference
as long as it has one connection. One that does more raises `NeedsCommits`.
"""

from __future__ import annotations

import itertools
import re
from typing import Any, Callable, List

from sqlalchemy import event

from .. import NeedsCommits, taken
from ..session import Session, raw

_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_ENDS_TRANSACTION = re.compile(
    r"(?:^|;)\s*(?:COMMIT|END|ABORT|BEGIN|START\s+TRANSACTION|ROLLBACK"
    r"(?!\s+(?:WORK\s+|TRANSACTION\s+)?TO))\s*(?:WORK|TRANSACTION|AND|;|$)",
    re.IGNORECASE,
)
# What it adds is of no use before a commit, or at once where the type is as new: unlike in a
# deployment, where the revision that made the type was applied long ago.
_ADDS_ENUM_VALUE = re.compile(r"\bALTER\s+TYPE\s.*?\sADD\s+VALUE\b", re.IGNORECASE | re.DOTALL)
# Over all runs: a point of an earlier run must not be taken for one of this.
_numbers = itertools.count(1)


class Hold:
    """Keeps one connection in one transaction; `commit` alone ends it."""

    def __init__(self, connection: Any, hear: Callable[[], None]) -> None:
        """`hear` is called before each statement that goes through SQLAlchemy."""
        self.connection = connection
        self._told = hear
        self.asked_for_commits = False
        self._dbapi = raw(connection)
        self._dialect = connection.dialect
        self._session = Session(connection)
        self._points: List[str] = []
        self.still = False
        """Whether nothing was done since the last point."""
        self._replaced: List[str] = []
        self._prepares = getattr(self._dbapi, "prepare_threshold", None)
        if self._prepares is not None:
            # Psycopg's way to plan what comes again is to forget it, and ours, at each DROP.
            self._dbapi.prepare_threshold = None
        self._dbapi.commit()
        self._begin()
        self._replace("do_commit", self._commit)
        self._replace("do_rollback", self._rollback)
        self._replace("set_isolation_level", self._isolate)
        event.listen(connection, "before_cursor_execute", self._hear)
        taken.listen(self._not_heard)

    def _begin(self) -> None:
        self.push()
        ((self._number,),) = self._session.rows("SELECT txid_current()")

    def is_held(self) -> bool:
        """Whether it still is the transaction that was begun: the driver's own commit ends it."""
        return self._session.rows("SELECT txid_current_if_assigned()") == [(self._number,)]

    def push(self) -> str:
        """A point to come back to."""
        name = f"roundtrip_{next(_numbers)}"
        self._session.run(f"SAVEPOINT {name}")
        self._points.append(name)
        return name

    def point(self) -> str:
        """The point that nothing was done since, or another one."""
        return self._points[-1] if self.still else self.push()

    def stir(self) -> None:
        """From now on something may be done that is not heard."""
        self.still = False

    def has(self, point: str) -> bool:
        """Whether a point can be come back to."""
        return point in self._points

    def back_to(self, point: str) -> None:
        """Bring back what was when the point was made; later points are gone."""
        self._session.run(f"ROLLBACK TO SAVEPOINT {point}")
        self.still = False
        del self._points[self._points.index(point) + 1 :]

    @property
    def first(self) -> str:
        """The point at which the transaction began."""
        return self._points[0]

    def commit(self) -> None:
        """Commit, and begin anew."""
        self._dbapi.commit()
        self._points.clear()
        self._begin()
        self.still = True

    def let_go(self) -> bool:
        """Roll everything back, and let commits be commits again; false where it was committed."""
        event.remove(self.connection, "before_cursor_execute", self._hear)
        taken.leave(self._not_heard)
        for name in self._replaced:
            delattr(self._dialect, name)
        if self._prepares is not None:
            self._dbapi.prepare_threshold = self._prepares
        if self.connection.closed:
            return True
        self._dbapi.rollback()
        came_to = self._session.rows(f"SELECT txid_status({self._number})")
        self._dbapi.rollback()
        return came_to != [("committed",)]

    def refuse(self, why: str) -> None:
        """Say that the step needs real commits."""
        self.asked_for_commits = True
        raise NeedsCommits(why)

    def _replace(self, name: str, ours: Callable[..., Any]) -> None:
        original = getattr(self._dialect, name)

        def method(connection: Any, *rest: Any) -> Any:
            if raw(connection) is self._dbapi:
                return ours(*rest)
            return original(connection, *rest)

        setattr(self._dialect, name, method)
        self._replaced.append(name)

    def _commit(self) -> None:
        self.push()
        # The last thing that a step of Alembic's does.
        self.still = True

    def _rollback(self) -> None:
        self.back_to(self._points[-1])

    def _isolate(self, level: str) -> None:
        self.refuse(f"it sets the isolation level {level}")

    def _not_heard(self, where: Any) -> None:
        if where is self.connection:
            self.refuse("it may commit by itself")

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.still = False
        self._told()
        if _ENDS_TRANSACTION.search(_QUOTED.sub("''", statement)):
            self.refuse("it ends the transaction by itself")
        if _ADDS_ENUM_VALUE.search(statement):
            self.refuse("it adds a value to an enum type")
