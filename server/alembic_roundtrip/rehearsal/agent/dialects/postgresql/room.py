"""A scratch database on the server: held in one transaction, or copied where that does not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, List, Optional, TypeVar

from sqlalchemy.pool import NullPool

from ...guard import redirect
from ...schema.tables import Snapshot, Table
from .. import Unheld, Unusable
from ..connections import OwnConnection
from ..session import Session, raw
from .access import PostgresqlAccess
from .catalogue import Catalogue, Known
from .changes import Writes
from .hold import Hold
from .script import statements

T = TypeVar("T")


# The server keeps these for a database or for a role, of which the next rehearsal has others.
_IN_NO_COPY = """
SELECT 'the default privileges' FROM pg_catalog.pg_default_acl
UNION ALL
SELECT 'the settings' FROM pg_catalog.pg_db_role_setting AS s
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
  WHERE d.datname = current_database()
     OR d IS NULL AND r.rolname = current_user AND array_length(s.setconfig, 1) > 1
UNION ALL
SELECT 'the privileges' FROM pg_catalog.pg_database AS d
  WHERE d.datname = current_database()
    AND d.datacl::text <> format('{=T/%1$s,%1$s=CTc/%1$s}', pg_get_userbyid(d.datdba))
"""


class Dialect:
    """The door of this dialect."""

    name = "postgresql"

    def __init__(self, guard: redirect.Guard) -> None:
        self._server: Any = guard.kind
        self.version = ""

    def empty(self) -> None:
        """Make every scratch database a new one; nothing of the project's may be connected."""
        # What an application made while it started is cleared when its database becomes a room.

    def rooms(self) -> List[PostgresqlRoom]:
        """Those of all databases that were connected to, before a version table is known."""
        server = self._server
        return [
            PostgresqlRoom(server, server.driver, name, "") for name in server.databases.values()
        ]

    def room(self, connection: Any, version_table: str) -> PostgresqlRoom:
        """The room behind a connection of env.py's; raises `LookupError` if it is none of ours."""
        session = Session(connection)
        ((name, version),) = session.rows(
            "SELECT current_database()::text, current_setting('server_version')::text"
        )
        if name not in self._server.databases.values():
            raise LookupError(name)
        self.version = version.split(" ")[0]
        return PostgresqlRoom(self._server, connection.dialect.driver, name, version_table)


@dataclass
class _State:
    """A state of the database, and what is known of it."""

    known: Optional[Known] = None


@dataclass(frozen=True)
class Saved:
    """A state that can be brought back: by a savepoint, by a copy, or because it was kept."""

    state: _State
    point: Optional[str] = None
    copy: Optional[str] = None
    kept: int = -1


@dataclass
class PostgresqlRoom:
    """One scratch database."""

    server: Any
    driver: str
    database: str
    version_table: str
    commits: bool = False
    always_commits: bool = False
    unheld: bool = False
    _connection: Any = None
    _access: Optional[PostgresqlAccess] = None
    """To what the run holds."""
    _hold: Optional[Hold] = None
    _state: _State = field(default_factory=_State)
    _base: Optional[Known] = None
    """What was known last, at or before the last step."""
    _writes: Optional[Writes] = None
    """What the session had written by then, as soon as it writes again."""
    _led_astray: bool = False
    """Whether `search_path` is ours."""
    _kept: int = 0
    """How often a state was kept; while it is the same, the kept state is."""
    _kept_state: _State = field(default_factory=_State)
    _changed: bool = False
    """Whether anything happened since."""
    _copies: int = 0
    _path: str = ""

    def __post_init__(self) -> None:
        self._catalogue = Catalogue(self.version_table)
        own = self.server.engine_url(self.driver, database=self.database)
        keeper = self.server.engine_url(self.driver, keeper=True)
        # Each closes at once: the database behind it may be replaced.
        self._own = OwnConnection(own, poolclass=NullPool)
        self._keeper = OwnConnection(keeper, poolclass=NullPool)

    @property
    def reverts(self) -> bool:
        """A failing step ends the run, and with it the transaction."""
        return not self.commits

    # --- runs

    def enter(self, connection: Any) -> None:
        """Begin the transaction around this run's steps."""
        self._end_others(connection)
        self._connection = connection
        if getattr(raw(connection), "autocommit", False):
            self.always_commits = self.commits = True
        if not self.commits:
            self._access = PostgresqlAccess(connection)
            ((self._path,),) = self._access.session.rows("SELECT current_setting('search_path')")
            self._hold = Hold(connection, self._stop_leading_astray)
            self._changed = False
            self._kept_state, self._base, self._writes = self._state, self._state.known, None
        self.server.watch = self._second_connection

    def leave(self, connection: Any) -> None:
        """Undo what was not kept."""
        if self._connection is not connection or connection is None:
            return
        hold, self._hold, self._connection, self._access = self._hold, None, None, None
        self.server.watch = None
        if hold is not None:
            if self._changed:
                self._state = self._kept_state
            self.unheld = not hold.let_go() or self.unheld

    def _second_connection(self) -> None:
        if self._hold is not None:
            self._hold.refuse("it opens a second connection")

    def _end_others(self, connection: Any) -> None:
        """A pool may still have the connection of a run that failed, with its locks."""
        session = Session(connection)
        session.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
            "datname = current_database() AND usename = current_user AND pid <> pg_backend_pid() "
            "AND state LIKE 'idle in transaction%'"
        )

    @property
    def asked_for_commits(self) -> bool:
        """Whether a step did what no savepoint undoes."""
        return self._hold is not None and self._hold.asked_for_commits

    def refresh(self, connection: Any) -> None:
        """What was known of the database is of no use after the step.

        The next `alembic` command would have a connection of its own: without the temporary tables
        of this one, and with the schemas that env.py searches.
        """
        if self._hold is not None:
            if self._lead_back():
                Session(connection).run("DISCARD TEMP")
            self._hold.stir()
        self._state = _State()
        self._changed = True

    def _stop_leading_astray(self) -> None:
        """In the middle of a step there may be a look, too."""
        if self._led_astray:
            self._lead_back()

    def _lead_back(self) -> bool:
        """Search the schemas that env.py does; gives whether there ever were temporary tables."""
        assert self._access is not None
        self._led_astray = False
        if self._writes is not None:
            return self._access.set_path(self._path)
        self._writes, temporary = self._access.writes(self._path)
        return temporary

    def settle(self, connection: Any) -> None:
        """Have what the step did behind a point to come back to."""
        if self._hold is None:
            raw(connection).commit()
            return
        if not self._hold.is_held():
            self.unheld = True
            raise Unheld
        self._hold.point()

    # --- states

    def save(self) -> Saved:
        """A savepoint while a run holds the transaction, a copy of the database otherwise."""
        if self._hold is not None:
            if not self._hold.still:
                self._stop_leading_astray()  # the path comes back with the point
            kept = self._kept if not self._changed else -1
            return Saved(self._state, point=self._hold.point(), kept=kept)
        self._copies += 1
        copy = f"{self.database}_{self._copies}"
        self._copy(self.database, copy)
        return Saved(self._state, copy=copy)

    def has(self, saved: Saved) -> bool:
        """Points go with the run in which they were made; what was kept stays."""
        if saved.copy is not None:
            return True
        if self._hold is None:
            return False
        return saved.kept == self._kept or (saved.point is not None and self._hold.has(saved.point))

    def restore(self, saved: Saved) -> None:
        """Go back to a savepoint, or replace the database by its copy."""
        if saved.copy is not None:
            self._copy(saved.copy, self.database)
        else:
            assert self._hold is not None
            known = saved.point is not None and self._hold.has(saved.point)
            self._hold.back_to(saved.point if known and saved.point else self._hold.first)
            self._led_astray = False
        self._state = saved.state
        self._base, self._writes = self._state.known, None

    def hand_on(self, place: str) -> None:
        """Make another database that is like this one; between two runs."""
        left = self.work(lambda access: list(access.session.rows(_IN_NO_COPY)))
        if left:
            raise Unusable(f"a copy of the database has not {left[0][0]}")
        self._copy(self.database, place)

    def take_over(self, place: str) -> None:
        """Put another database in the place of this one: it was copied for us."""
        self._replace(self.database, f"ALTER DATABASE {place} RENAME TO {self.database}", place)
        self._state = _State()

    def keep(self) -> None:
        """Commit."""
        self._kept += 1
        if self._hold is not None:
            self._stop_leading_astray()
            self._hold.commit()
            self._changed = False
            # What was written before looks like any other row now.
            self._kept_state, self._base, self._writes = self._state, self._state.known, None
        for number in range(1, self._copies + 1):
            self._as_keeper(f"DROP DATABASE IF EXISTS {self.database}_{number}")
        self._copies = 0

    def clear(self) -> None:
        """A new database, with the version table that env.py made in the old one."""
        definitions = self.work(lambda access: access.version_table(self.version_table))
        owner = self.server.place["owner"]
        self._replace(self.database, f"CREATE DATABASE {self.database} OWNER {owner}")
        self.run_script("; ".join(definitions))
        self._state = _State()

    def _copy(self, source: str, target: str) -> None:
        place = self.server.place
        how = f"TEMPLATE {source} OWNER {place['owner']} {place['copying']}"
        self._replace(target, f"CREATE DATABASE {target} {how}", source)

    def _replace(self, target: str, create: str, *sources: str) -> None:
        """Make a database anew, whoever is connected to it or to what it is made from."""
        ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname IN ({})"
        ending = ends.format(", ".join(f"'{name}'" for name in (target, *sources)))
        self.server.forget_pools()
        self._as_keeper(
            ending,
            f"DROP DATABASE IF EXISTS {target}",
            create,
            f"REVOKE CONNECT ON DATABASE {target} FROM PUBLIC",
        )

    # --- what is in it

    def snapshot(self) -> Snapshot:
        """The schema now, asked for once as long as nothing happens."""
        if self._state.known is None:
            self._state.known = self._look()
        return self._state.known.schema

    def _look(self) -> Known:
        if self._hold is None:
            return self.work(lambda access: access.known(self._catalogue))
        assert self._access is not None
        self._led_astray = True
        self._base, self._writes = self._access.look(self._catalogue, self._base, self._writes)
        return self._base

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        if self._hold is not None and self._access is not None:
            return self._access.count(table)
        return self.work(lambda access: access.count(table))

    def work(self, function: Callable[[PostgresqlAccess], T]) -> T:
        """On env.py's own connection while there is a run, otherwise on one of ours."""
        if self._connection is None:
            return self._own(lambda connection: function(PostgresqlAccess(connection)))
        if self._hold is not None and (self._led_astray or self._writes is None):
            self._lead_back()
        found = function(self._access or PostgresqlAccess(self._connection))
        if self._hold is None:
            raw(self._connection).commit()
        return found

    def lend(self, function: Callable[[Any], None]) -> None:
        """On a connection of ours."""
        self._own(function)
        self._state = _State()
        self._base = None

    def run_script(self, text: str) -> None:
        """Run the statements of an SQL file."""

        def run(connection: Any) -> None:
            for statement in statements(text):
                Session(connection).run(statement)

        self.lend(run)

    # --- as the keeper

    def _as_keeper(self, *statements: str) -> None:
        def run(connection: Any) -> None:
            session = Session(connection)
            session.dbapi.rollback()
            session.dbapi.autocommit = True
            for statement in statements:
                session.run(statement)

        self._keeper(run)
