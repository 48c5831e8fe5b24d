"""MariaDB and MySQL: the server of this machine run as ours, or one that the settings name.

For each rehearsal there is an account with a random name, as which migrations run: it owns the
databases whose names begin with its own and may use no others.
"""

from __future__ import annotations

import logging
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    contextmanager,
    suppress,
)
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases import daemon, mariadb_relay, scratch
from alembic_roundtrip.rehearsal.databases.scratch import OURS, PREFIX, Place
from alembic_roundtrip.rehearsal.databases.shared import Server
from alembic_roundtrip.rehearsal.databases.urls import shown
from alembic_roundtrip.rehearsal.plan import CannotRun

if TYPE_CHECKING:
    from pymysql.connections import Connection

logger = logging.getLogger(__name__)

KIND = "mariadb"
DRIVERS = ("pymysql", "mysqldb", "mysqlconnector", "mariadbconnector", "asyncmy", "aiomysql")
"""What SQLAlchemy calls those that the agent can lead to a scratch database."""
INSTALL = "pip install 'alembic-roundtrip[mariadb]'"
_OLDEST = {"MariaDB": (10, 3), "MySQL": (8, 0)}
_PORT = 3306
_FOREVER = 31_536_000
_PATIENCE = 60
"""Seconds for an answer: a server may take a connection and then say nothing at all."""
_GREETING = 10
"""Seconds that a server has to greet us: one of another kind waits for us to speak first."""
_FOR_ALL = ("information_schema", "performance_schema")
_GONE = (2006, 2013, 2055)
"""What the driver says of a server that is not there any more."""
_NO_ACCOUNTS = (1044, 1142, 1227, 1410)


def opened(settings: Settings) -> AbstractAsyncContextManager[dict[str, Any]]:
    """An account for one rehearsal, removed with its databases at the end; raises `CannotRun`."""
    return scratch.opened(_Scratch, settings)


def _arguments(server: Server | str) -> dict[str, Any]:
    """How an administrator gets there, for the driver."""
    if isinstance(server, Server):
        return {"unix_socket": server.socket, "user": "root"}
    parts = urlsplit(server)
    try:
        port = parts.port or _PORT
    except ValueError as error:
        raise scratch.unusable(shown(server), str(error)) from error
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    found: dict[str, Any] = {
        "host": parts.hostname or "localhost",
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }
    if "unix_socket" in query:
        found["unix_socket"] = query["unix_socket"]
    elif query.keys() & {"ssl", "ssl_ca"}:
        found["ssl"] = _encryption(query)
    return found


def _encryption(query: Mapping[str, str]) -> ssl.SSLContext:
    """How to encrypt, by what a URL says: `ssl_ca` names whose certificates count."""
    authority = query.get("ssl_ca")
    try:
        context = ssl.create_default_context(cafile=authority)
        context.check_hostname = query.get("ssl_verify_identity") == "true"
        if authority is None:
            context.verify_mode = ssl.CERT_NONE
        if "ssl_cert" in query:
            context.load_cert_chain(query["ssl_cert"], query.get("ssl_key"))
    except OSError as error:
        raise CannotRun(f"the certificates of the setting `database` are of no use: {error}") from (
            error
        )
    return context


@contextmanager
def _connected(
    where: dict[str, Any], name: str, patience: int = _PATIENCE
) -> Iterator[Connection[Any]]:
    try:
        import pymysql
    except ImportError as error:
        raise CannotRun(
            f"rehearsing on MariaDB or MySQL needs pymysql beside Alembic Roundtrip: `{INSTALL}`"
        ) from error
    try:
        connection = pymysql.connect(
            **where, charset="utf8mb4", autocommit=True, connect_timeout=10, read_timeout=patience
        )
    except (pymysql.err.Error, RuntimeError) as error:
        said = str(error.args[-1]).strip().splitlines()[-1]
        raise scratch.unusable(name, said) from error
    with connection:
        yield connection


@contextmanager
def _administration(where: dict[str, Any], name: str, *, greets: bool) -> Iterator[Connection[Any]]:
    if not greets:
        with _connected(where, name, _GREETING):
            pass
    with _connected(where, name) as connection:
        yield connection


class _Scratch(scratch.Scratch["Connection[Any]"]):
    ours = "the server of this machine"

    def __init__(self, server: Server | str, connection: Connection[Any]) -> None:
        super().__init__(server, connection)
        self._where = _arguments(server)
        # Drivers may encrypt without being told.
        cipher = self._rows("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
        if "ssl" not in self._where and any(value for _, value in cipher):
            self._where["ssl"] = _encryption({})

    @staticmethod
    def running() -> AbstractContextManager[Server]:
        return daemon.running()

    @classmethod
    def administration(cls, server: Server | str) -> AbstractContextManager[Connection[Any]]:
        greets = isinstance(server, Server)
        return _administration(_arguments(server), cls.name_of(server), greets=greets)

    def relay(self) -> AbstractAsyncContextManager[int]:
        return mariadb_relay.relay(self._where, self.name)

    def create(self, host: str, port: int) -> Place:
        from pymysql.err import Error

        self._check_version()
        # While somebody holds the lock of this name, what begins with it is in use.
        self._execute(f"SET SESSION wait_timeout = {_FOREVER}")
        self._rows(f"SELECT GET_LOCK('{self.name}', 0)")
        self._remove_leftovers()
        password = secrets.token_hex(16)
        pattern = f"{self.name}%".replace("_", r"\_")
        try:
            self._execute(f"CREATE DATABASE {self.name}")
            self._execute(f"CREATE USER {self.name} IDENTIFIED BY '{password}'")
            self._execute(f"GRANT ALL PRIVILEGES ON `{pattern}`.* TO {self.name}")
        except Error as error:
            self.remove()
            raise CannotRun(self._cannot(error)) from error
        self._log_in_once(password)
        return Place(host, port, self.name, self.name, password)

    def _log_in_once(self, password: str) -> None:
        """See as the scratch account that it is confined; raises `CannotRun` where it is not.

        A server that remembers passwords (MySQL 8) knows this one from then on: the first login
        there wants encryption, for which some drivers lack a library.
        """
        own = {**self._where, "user": self.name, "password": password}
        with _connected(own, "the scratch account") as connection:
            names = [name for (name,) in _rows(connection, "SHOW DATABASES")]
        foreign = [n for n in names if n.lower() not in _FOR_ALL and not n.startswith(self.name)]
        if foreign:
            named = ", ".join(f"`{name}`" for name in foreign)
            raise CannotRun(
                f"every account of this server may use {named}, and so could migrations: take "
                f"that away (`REVOKE ALL PRIVILEGES ON {foreign[0]}.* FROM PUBLIC`; older servers "
                "have it for the account without a name), or name another server"
            )

    def _check_version(self) -> None:
        ((text,),) = self._rows("SELECT VERSION()")
        name = "MariaDB" if "MariaDB" in text else "MySQL"
        version = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
        if version < _OLDEST[name]:
            raise CannotRun(
                f"{name} {version[0]}.{version[1]} is too old to rehearse on; "
                "{}.{} or newer is needed".format(*_OLDEST[name])
            )

    def _cannot(self, error: Exception) -> str:
        if error.args[0] in _NO_ACCOUNTS:
            ((user,),) = self._rows("SELECT CURRENT_USER()")
            name, _, host = user.partition("@")
            account = f"'{name}'@'{host}'"
            return (
                f"the account {account} of {self.name_of(self._server)} may not make scratch "
                "databases and an account that is confined to them; as an administrator: "
                f"`GRANT CREATE USER ON *.* TO {account}; GRANT ALL ON "
                rf"`alembic\_roundtrip\_%`.* TO {account} WITH GRANT OPTION`"
            )
        return f"no scratch database could be made: {error.args[-1]}"

    def remove(self) -> None:
        from pymysql.err import InterfaceError, OperationalError

        try:
            self._remove(self.name)
        except InterfaceError:
            return  # where the server itself is gone there is nothing left to remove
        except OperationalError as error:
            if error.args[0] not in _GONE:
                logger.warning("what begins with %s was left on the server: %s", self.name, error)

    def _remove_leftovers(self) -> None:
        """What killed rehearsals left: names of ours whose lock nobody holds."""
        names = {name[: len(self.name)] for name in self._databases(PREFIX)}
        for name in sorted(names):
            ((holder,),) = self._rows(f"SELECT IS_USED_LOCK('{name}')")
            if holder is None:
                self._remove(name)

    def _remove(self, name: str) -> None:
        """The account first: it is known by the database of its name, which goes last."""
        self._drop_account(name)
        self._end_sessions(name)
        for database in sorted(self._databases(name), reverse=True):
            self._execute(f"DROP DATABASE IF EXISTS {database}")

    def _drop_account(self, name: str) -> None:
        from pymysql.err import OperationalError

        try:
            self._execute(f"DROP USER IF EXISTS {name}")
        except OperationalError as error:
            if error.args[0] not in _NO_ACCOUNTS:
                raise  # who may drop no account has made none

    def _end_sessions(self, name: str) -> None:
        from pymysql.err import Error

        listed = f"SELECT id FROM information_schema.processlist WHERE user = '{name}'"  # noqa: S608
        for (number,) in self._rows(listed):
            with suppress(Error):  # it may have ended by itself
                self._execute(f"KILL {number}")

    def _databases(self, prefix: str) -> list[str]:
        found = self._rows("SELECT schema_name FROM information_schema.schemata")
        return [n for (n,) in found if n.startswith(prefix) and OURS.fullmatch(n)]

    def _execute(self, statement: str) -> None:
        # Names are ours and of letters, digits and `_` only; passwords are hexadecimal.
        self._rows(statement)

    def _rows(self, statement: str) -> tuple[tuple[Any, ...], ...]:
        return _rows(self._connection, statement)


def _rows(connection: Connection[Any], statement: str) -> tuple[tuple[Any, ...], ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return tuple(cursor.fetchall())
