"""A scratch database on a MariaDB or MySQL server; what is done stays done until it is undone."""

from __future__ import annotations

import re
from typing import Any, Callable, List, Mapping, Optional, Set, TypeVar

from sqlalchemy import event

from ...guard import redirect
from ...schema.tables import Snapshot, Table
from .. import Locked
from ..connections import OwnConnection
from ..session import Session, raw
from . import catalogue, definitions
from .access import MariadbAccess
from .definitions import Definition, Key
from .states import Saved, States, charset
from .text import QUOTED, literal, statements

T = TypeVar("T")
_WAITED_TOO_LONG = 1205
_OWN_SESSION = (
    "SET NAMES utf8mb4",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION wait_timeout = 2147483",
    "SET SESSION net_write_timeout = 600",
)
_TEMPORARY = re.compile(
    rf"\bTEMPORARY\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({QUOTED}|\w+)", re.IGNORECASE
)
# What a migration may change for its own connection; the next command has another.
_VARIABLES = ("foreign_key_checks", "unique_checks", "sql_mode", "time_zone")


class Dialect:
    """The door of this dialect."""

    def __init__(self, guard: redirect.Guard) -> None:
        self._server: Any = guard.kind
        self.name = self._server.name
        self.version = ""

    def empty(self) -> None:
        """Make every scratch database a new one; nothing of the project's may be connected."""
        # What an application made while it started is cleared when its database becomes a room.

    def rooms(self) -> List[MariadbRoom]:
        """Those of all databases that were connected to, before a version table is known."""
        server = self._server
        return [MariadbRoom(server, server.driver, name, "") for name in server.databases.values()]

    def room(self, connection: Any, version_table: str) -> MariadbRoom:
        """The room behind a connection of env.py's; raises `LookupError` if it is none of ours."""
        ((name, version),) = Session(connection).rows("SELECT DATABASE(), VERSION()")
        if name not in self._server.databases.values():
            raise LookupError(name)
        self.name = "mariadb" if "MariaDB" in version else "mysql"
        self.version = version.partition("-")[0]
        return MariadbRoom(self._server, connection.dialect.driver, name, version_table)


class MariadbRoom:
    """One scratch database."""

    commits = False
    reverts = False
    asked_for_commits = False
    always_commits = False
    unheld = False

    def __init__(self, server: Any, driver: str, database: str, version_table: str) -> None:
        self._server = server
        self.database = database
        self._version_table = version_table
        self._own = OwnConnection(server.engine_url(driver, database=database), *_OWN_SESSION)
        self._states = States(database)
        self._known: Optional[Mapping[Key, Definition]] = None
        """The definitions, as long as nothing happens."""
        self._schema: Optional[Snapshot] = None
        self._variables = ""
        self._session = 0
        """The number of the session of env.py's that is in use."""
        self._temporary: Set[str] = set()
        """Names of temporary tables, which the server lists nowhere."""

    # --- runs

    def enter(self, connection: Any) -> None:
        """Note what the connection's session is set to, and what temporary tables it gets."""
        event.listen(connection, "before_cursor_execute", self._hear)
        values = ", ".join(f"@@SESSION.{name}" for name in _VARIABLES)
        ((self._session, *found),) = Session(connection).rows(f"SELECT CONNECTION_ID(), {values}")
        self._variables = ", ".join(
            f"{name} = {literal(value)}" if isinstance(value, str) else f"{name} = {int(value)}"
            for name, value in zip(_VARIABLES, found)
        )

    def leave(self, connection: Any) -> None:
        """Nothing of the run's is kept."""
        if connection is not None and event.contains(
            connection, "before_cursor_execute", self._hear
        ):
            event.remove(connection, "before_cursor_execute", self._hear)
        self._temporary.clear()
        self._session = 0

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self._temporary.update(_TEMPORARY.findall(statement))

    def refresh(self, connection: Any) -> None:
        """What was known of the database is of no use after the step.

        The next `alembic` command would have a connection of its own, without what this one's
        session was set to.
        """
        session = Session(connection)
        session.run(f"SET SESSION {self._variables}")
        for name in sorted(self._temporary):
            session.run(f"DROP TEMPORARY TABLE IF EXISTS {name}")
        self._temporary.clear()
        self._forget()

    def settle(self, connection: Any) -> None:
        """Commit what the step left open, and let go of the tables that it locked."""
        dbapi = raw(connection)
        dbapi.commit()
        Session(connection).run("UNLOCK TABLES")
        self._forget()

    def _forget(self) -> None:
        self._known = self._schema = None

    # --- states

    def save(self) -> Saved:
        """All definitions, and copies of the tables that have rows."""
        known = self._definitions()
        return self._do(lambda session: self._states.save(session, known))

    def has(self, _saved: Saved) -> bool:
        """What was saved stays saved."""
        return True

    def restore(self, saved: Saved) -> None:
        """Make the database what it was when saved."""
        self._forget()
        self._patiently(lambda session: self._states.restore(session, saved))
        self._known = saved.definitions

    def keep(self) -> None:
        """Everything is kept anyway; what a migration left open must not hold up the next."""
        self._do(self._end_others)

    def clear(self) -> None:
        """Leave nothing but Alembic's version table, empty.

        env.py, or the application it makes, may already have created or migrated something.
        """
        self._forget()
        self._patiently(lambda session: self._states.clear(session, self._version_table))

    # --- what is in it

    def snapshot(self) -> Snapshot:
        """The schema now."""
        if self._schema is None:
            known = self._definitions()
            self._schema = catalogue.take(
                known, self.database, self._do(charset), self._version_table
            )
        return self._schema

    def _definitions(self) -> Mapping[Key, Definition]:
        if self._known is None:
            self._known = self._do(definitions.read)
        return self._known

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return self.work(lambda access: access.count(table))

    def work(self, function: Callable[[MariadbAccess], T]) -> T:
        """Call with an access, in a transaction that is committed."""
        return self._own(lambda connection: function(MariadbAccess(connection)))

    def lend(self, function: Callable[[Any], None]) -> None:
        """Call with a SQLAlchemy connection of ours."""
        self._own(function)
        self._forget()

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file."""

        def run(session: Session) -> None:
            for statement in statements(text):
                session.run(statement)

        self._do(run)
        self._forget()

    # --- our own connection

    def _do(self, function: Callable[[Session], T]) -> T:
        return self._own(lambda connection: function(Session(connection)))

    def _patiently(self, function: Callable[[Session], None]) -> None:
        """Change tables, whoever of the project's still has them open."""
        try:
            self._do(function)
        except Exception as error:
            if _number(error) != _WAITED_TOO_LONG:
                raise
            self._do(self._end_others)
            try:
                self._do(function)
            except Exception as again:
                if _number(again) != _WAITED_TOO_LONG:
                    raise
                raise Locked(
                    "a connection of the project still holds the scratch database locked"
                ) from again

    def _end_others(self, session: Session) -> None:
        """End the sessions that steps left open: each is the owner's, as ours is."""
        listed = session.rows(
            "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() "
            "AND user = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND command = 'Sleep' "
            "AND db = DATABASE()"
        )
        others = {int(number) for (number,) in listed} - {self._session}
        if others:
            self._server.forget_pools()
        for number in sorted(others):
            session.attempt(f"KILL {number}")


def _number(error: BaseException) -> Any:
    """The server's number of an error, whatever the driver."""
    error = getattr(error, "orig", None) or error
    return getattr(error, "errno", None) or (error.args[0] if error.args else None)
