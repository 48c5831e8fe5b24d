"""PostgreSQL: the embedded server, or one that the settings name.

For each rehearsal there are two roles with random names: an owner, as which migrations run, and a
keeper, which makes and copies databases. All databases of a rehearsal begin with its name, and
nothing else is ever changed on the server.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases import cluster, relay
from alembic_roundtrip.rehearsal.databases.listener import HOST
from alembic_roundtrip.rehearsal.databases.urls import plain, shown
from alembic_roundtrip.rehearsal.plan import CannotRun

if TYPE_CHECKING:
    from psycopg import Connection

KIND = "postgresql"
SCHEMES = ("postgresql", "postgres")
_OLDEST = 120000
_PREFIX = "alembic_roundtrip_"
_OURS = re.compile(rf"{_PREFIX}[0-9a-f]{{12}}(_\w+)?")
_MARK = "scratch database of Alembic Roundtrip"
_LOCK_TIMEOUT = "3s"
"""Two connections of one rehearsal that wait for each other would wait for ever."""


@dataclass(frozen=True)
class Place:
    """What the agent is told: where the server is, and as whom to go there."""

    host: str
    port: int
    name: str
    """The first database, and what the names of all others begin with."""
    owner: str
    owner_password: str
    keeper: str
    keeper_password: str


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """Roles and a database for one rehearsal, removed at the end; raises `CannotRun`."""
    _, colon, _ = settings.database.partition("://")
    async with _named(settings.database) if colon else _embedded() as place:
        yield asdict(place)


@asynccontextmanager
async def _embedded() -> AsyncIterator[Place]:
    running = cluster.running()
    server = await asyncio.to_thread(running.__enter__)
    try:
        conninfo = f"host={server.socket} port={server.port} user=postgres dbname=postgres"
        with administration(conninfo, "the embedded PostgreSQL") as connection:
            made = _Scratch(connection, server.host, server.port)
            try:
                yield await asyncio.to_thread(made.create)
            finally:
                await asyncio.to_thread(made.remove)
    finally:
        running.__exit__(None, None, None)


@asynccontextmanager
async def _named(url: str) -> AsyncIterator[Place]:
    """On the server of a URL, reached by the agent through a relay that knows no other way."""
    url = plain(url)
    with administration(_elsewhere(url), shown(url)) as connection:
        made = _Scratch(connection, HOST, 0, url)
        async with relay.relay(connection, made.name) as port:
            made.port = port
            try:
                yield await asyncio.to_thread(made.create)
            finally:
                await asyncio.to_thread(made.remove)


def _elsewhere(url: str) -> str:
    """The same server, but the database that is there for administration."""
    return urlunsplit(urlsplit(url)._replace(path="/postgres"))


@contextmanager
def administration(conninfo: str, name: str) -> Iterator[Connection[Any]]:
    """A connection that makes and drops databases; `name` is the server's, for a sentence."""
    try:
        import psycopg
    except ImportError as error:
        raise CannotRun(
            f"rehearsing on PostgreSQL needs psycopg beside Alembic Roundtrip: `{cluster.INSTALL}`"
        ) from error
    try:
        connection = psycopg.connect(conninfo, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[-1]
        raise CannotRun(f"{name} cannot be used for scratch databases: {said}") from error
    with connection:
        yield connection


class _Scratch:
    """The roles and databases of one rehearsal, through an administrator's connection."""

    def __init__(
        self, connection: Connection[Any], host: str, port: int, url: str | None = None
    ) -> None:
        self._connection = connection
        self._url = url
        self.host = host
        self.port = port
        self.name = f"{_PREFIX}{secrets.token_hex(6)}"

    def create(self) -> Place:
        """Make them; raises `CannotRun` where the server is too old or does not let us."""
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
                f"the role {self._connection.info.user} of {shown(self._url or '')} may not "
                "create databases; `ALTER ROLE … CREATEDB` as a superuser lets it"
            )
        try:
            return self._with_roles() if superuser or roles else self._as_the_user()
        except Error as error:
            self.remove()
            raise CannotRun(f"no scratch database could be made: {error}") from error

    def _rights(self) -> tuple[bool, bool, bool]:
        found = self._connection.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert found is not None
        return found[0], found[1], found[2]

    def _with_roles(self) -> Place:
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
        return Place(self.host, self.port, self.name, owner, passwords[0], keeper, passwords[1])

    def _as_the_user(self) -> Place:
        """A role that may not make roles keeps and owns the databases itself."""
        from urllib.parse import unquote

        user = self._connection.info.user
        password = self._connection.info.password or unquote(
            urlsplit(self._url or "").password or ""
        )
        self._execute(f"CREATE DATABASE {self.name}")
        self._mark()
        return Place(self.host, self.port, self.name, user, password, user, password)

    def _mark(self) -> None:
        self._execute(f"COMMENT ON DATABASE {self.name} IS '{_MARK}'")
        self._execute(f"REVOKE CONNECT ON DATABASE {self.name} FROM PUBLIC")

    def remove(self) -> None:
        """Drop the databases and roles of this rehearsal."""
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
            (f"^{_OURS.pattern}$", len(self.name), len(self.name), _MARK),
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
            if _OURS.fullmatch(database):
                find(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (database,),
                )
                self._execute(f"DROP DATABASE IF EXISTS {database}")
        for (role,) in find(
            "SELECT rolname FROM pg_roles WHERE starts_with(rolname, %s)", (name,)
        ).fetchall():
            if _OURS.fullmatch(role):
                self._execute(f"DROP ROLE IF EXISTS {role}")

    def _execute(self, statement: str) -> None:
        # Names are ours and of letters, digits and `_` only; passwords are hexadecimal.
        self._connection.execute(statement.encode())
