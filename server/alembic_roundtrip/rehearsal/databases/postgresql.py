"""PostgreSQL: the embedded server, or one that the settings name.

For each rehearsal there are two roles with random names: an owner, as which migrations run, and a
keeper, which makes and copies databases. All databases of a rehearsal begin with its name, and
nothing else is ever changed on the server.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases import cluster, relay, scratch
from alembic_roundtrip.rehearsal.databases.scratch import OURS
from alembic_roundtrip.rehearsal.databases.shared import Server
from alembic_roundtrip.rehearsal.databases.urls import in_database
from alembic_roundtrip.rehearsal.plan import CannotRun

if TYPE_CHECKING:
    from psycopg import Connection

KIND = "postgresql"
DRIVERS = ("psycopg", "psycopg_async", "psycopg2", "psycopg2cffi", "asyncpg", "pg8000")
"""What SQLAlchemy calls those that the agent can lead to a scratch database."""
_OLDEST = 120000
_KNOWS_STRATEGIES = 150000
_MARK = "scratch database of Alembic Roundtrip"
_LOCK_TIMEOUT = "3s"
"""Two connections of one rehearsal that wait for each other would wait for ever."""


@dataclass(frozen=True)
class Place(scratch.Place):
    """Its name is also the first database's."""

    keeper: str
    keeper_password: str
    extensions: dict[str, str]
    """The version of each that the server can add to a database."""
    copying: str
    """What has it copy a database file by file, as servers do that know of no other way."""


def opened(settings: Settings) -> AbstractAsyncContextManager[dict[str, Any]]:
    """Roles and a database for one rehearsal, removed at the end; raises `CannotRun`."""
    return scratch.opened(_Scratch, settings)


@contextmanager
def administration(server: Server | str, database: str = "postgres") -> Iterator[Connection[Any]]:
    """A connection that makes and drops databases: on a server of ours as its superuser.

    On the server of a URL it is in `database`, too, and not in the one that the URL names. Raises
    `CannotRun`.
    """
    try:
        import psycopg
    except ImportError as error:
        raise CannotRun(
            f"rehearsing on PostgreSQL needs psycopg beside Alembic Roundtrip: `{cluster.INSTALL}`"
        ) from error
    if isinstance(server, Server):
        where = f"host={server.socket} port={server.port} user=postgres dbname={database}"
    else:
        where = in_database(server, database)
    try:
        connection = psycopg.connect(where, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:  # a URL that libpq cannot read is a mistake of programming to it
        raise scratch.unusable(_Scratch.name_of(server), _told(error)) from error
    with connection:
        yield connection


def _told(error: Exception) -> str:
    """What each try to connect came to, without the hints that come in lines below."""
    lines = (line.removeprefix("- ") for line in str(error).splitlines() if line[:1].strip())
    said = [line.rpartition("connection failed: ")[2] for line in lines if line[-1] != ":"]
    return "; ".join(dict.fromkeys(said)) or str(error)


class _Scratch(scratch.Scratch["Connection[Any]"]):
    ours = "the embedded PostgreSQL"

    @staticmethod
    def running() -> AbstractContextManager[Server]:
        return cluster.running()

    @classmethod
    def administration(cls, server: Server | str) -> AbstractContextManager[Connection[Any]]:
        return administration(server)

    def relay(self) -> AbstractAsyncContextManager[int]:
        return relay.relay(self._connection, self.name)

    def create(self, host: str, port: int) -> Place:
        from psycopg import Error

        version = self._connection.info.server_version
        if version < _OLDEST:
            raise CannotRun(
                f"PostgreSQL {version // 10000} is too old to rehearse on; "
                f"{_OLDEST // 10000} or newer is needed"
            )
        # While this name is among the sessions, what begins with it is in use.
        self._execute(f"SET application_name = '{self.name}'")
        self._remove_leftovers()
        superuser, roles, databases = self._rights()
        if not (superuser or databases):
            raise CannotRun(
                f"the role {self._connection.info.user} of {self.name_of(self._server)} may not "
                "create databases; `ALTER ROLE … CREATEDB` as a superuser lets it"
            )
        make = self._with_roles if superuser or roles else self._as_the_user
        try:
            return make(host, port)
        except Error as error:
            self.remove()
            raise CannotRun(f"no scratch database could be made: {error}") from error

    def _rights(self) -> tuple[bool, bool, bool]:
        found = self._connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert found is not None
        return found[0], found[1], found[2]

    def _with_roles(self, host: str, port: int) -> Place:
        """Migrations run as a plain owner: dblink and COPY TO PROGRAM are not for it."""
        owner, keeper = f"{self.name}_owner", f"{self.name}_keeper"
        passwords = secrets.token_hex(16), secrets.token_hex(16)
        self._execute(f"CREATE ROLE {owner} LOGIN PASSWORD '{passwords[0]}'")
        self._execute(f"CREATE ROLE {keeper} LOGIN CREATEDB PASSWORD '{passwords[1]}'")
        self._execute(f"GRANT {owner} TO {keeper}")
        self._execute(f"GRANT {owner} TO CURRENT_USER")
        self._execute(f"ALTER ROLE {owner} SET lock_timeout = '{_LOCK_TIMEOUT}'")
        self._execute(f"CREATE DATABASE {self.name} OWNER {owner}")
        self._mark()
        accounts = owner, passwords[0], keeper, passwords[1]
        return Place(host, port, self.name, *accounts, self._extensions(), self._copying())

    def _as_the_user(self, host: str, port: int) -> Place:
        """A role that may not make roles keeps and owns the databases itself."""
        assert isinstance(self._server, str)
        user = self._connection.info.user
        said = urlsplit(self._server).password or ""
        password = self._connection.info.password or unquote(said)
        self._execute(f"CREATE DATABASE {self.name}")
        self._mark()
        accounts = user, password, user, password
        return Place(host, port, self.name, *accounts, self._extensions(), self._copying())

    def _extensions(self) -> dict[str, str]:
        return dict(
            self._connection.execute(
                "SELECT name, coalesce(default_version, '') FROM pg_available_extensions "
                "WHERE name <> 'plpgsql' ORDER BY name"
            ).fetchall()
        )

    def _copying(self) -> str:
        knows = self._connection.info.server_version >= _KNOWS_STRATEGIES
        return "STRATEGY file_copy" if knows else ""

    def _mark(self) -> None:
        self._execute(f"COMMENT ON DATABASE {self.name} IS '{_MARK}'")
        self._execute(f"REVOKE CONNECT ON DATABASE {self.name} FROM PUBLIC")

    def remove(self) -> None:
        from psycopg import OperationalError

        # Where the server itself is gone there is nothing left to remove.
        with suppress(OperationalError):
            self._remove(self.name)

    def _remove_leftovers(self) -> None:
        """What killed rehearsals left: marked names of ours without a living session."""
        rows = self._connection.execute(
            "SELECT datname FROM pg_database d WHERE datname ~ %s "
            "AND pg_has_role(datdba, 'MEMBER') AND NOT EXISTS (SELECT FROM pg_stat_activity "
            "WHERE application_name = substring(d.datname FROM 1 FOR %s)) AND EXISTS "
            "(SELECT FROM pg_database b WHERE b.datname = substring(d.datname FROM 1 FOR %s) "
            "AND shobj_description(b.oid, 'pg_database') = %s)",
            (f"^{OURS.pattern}$", len(self.name), len(self.name), _MARK),
        ).fetchall()
        for name in sorted({row[0][: len(self.name)] for row in rows}):
            self._remove(name)

    def _remove(self, name: str) -> None:
        find = self._connection.execute
        for (database,) in find(
            # The one that is marked goes last.
            "SELECT datname FROM pg_database WHERE starts_with(datname, %s) ORDER BY 1 DESC",
            (name,),
        ).fetchall():
            if OURS.fullmatch(database):
                find(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (database,),
                )
                self._execute(f"DROP DATABASE IF EXISTS {database}")
        for (role,) in find(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (name,)
        ).fetchall():
            if OURS.fullmatch(role):
                self._execute(f"DROP ROLE IF EXISTS {role}")

    def _execute(self, statement: str) -> None:
        # Names are ours and of letters, digits and `_` only; passwords are hexadecimal.
        self._connection.execute(statement.encode())
