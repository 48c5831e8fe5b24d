"""Scratch databases on a PostgreSQL server: a new one for each real one, by the project's driver.

The place that the runner prepared says where the server is, the owner as whom migrations run, and
the keeper, who makes databases.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional
from weakref import WeakSet

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool, Pool

from .refusal import Refusals, Refused, caller
from .targets import Scratch, Target

# What may stay of the arguments a project gives: nothing that says where to connect or as whom.
_KEPT = (
    "options", "application_name", "client_encoding", "server_settings", "command_timeout",
    "cursor_factory", "connection_factory", "connection_class", "record_class", "row_factory",
    "autocommit", "json_serializer", "json_deserializer",
)  # fmt: skip
_LIBPQ = ("psycopg2", "psycopg2cffi", "psycopg", "psycopg_async")
_DRIVERS = (*_LIBPQ, "asyncpg", "pg8000")
_NAMES = ("dbname", "database")


class PostgresqlServer:
    """PostgreSQL: each real database has one of its own on the scratch server."""

    name = "postgresql"
    needs_network = True

    def __init__(self, scratch: Scratch, refusals: Refusals) -> None:
        self.place = scratch.place
        self.databases: dict[Target, str] = {}
        self._refusals = refusals
        self._run = os.path.basename(scratch.folder)
        self._made = 0
        self._records: Any = WeakSet()
        self.watch: Optional[Callable[[], None]] = None
        """To be told of every new connection of the project's."""
        event.listen(Pool, "connect", lambda _dbapi, record: self._records.add(record))

    @property
    def ports(self) -> tuple[int, ...]:
        """The only TCP port that the agent may reach."""
        return (int(self.place["port"]),)

    def leads_here(self, parts: Mapping[str, Any]) -> bool:
        """Whether what a driver was told leads to the scratch server and nowhere else."""
        hosts = {str(parts[name]) for name in ("host", "hostaddr") if parts.get(name)}
        others = parts.get("service") or parts.get("unix_socket") or parts.get("unix_sock")
        port = str(parts.get("port"))
        return hosts == {self.place["host"]} and port == str(self.place["port"]) and not others

    def connect(self, dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> Any:
        """A connection by the project's own driver to the stand-in of what it asked for."""
        self._check_driver(dialect)
        name = _database(dialect, cargs, cparams)
        if name.startswith(self.place["name"]):  # our own engines ask for it by name
            return self._open(dialect, name, cparams)
        if self.watch is not None:
            self.watch()
        host, port = cparams.get("host"), str(cparams.get("port") or "")
        if not port.isdecimal():  # several hosts, with a port each
            host, port = f"{host}:{port}" if port else host, ""
        target = Target(self.name, host and str(host), int(port) if port else None, name)
        if target not in self.databases:
            self.databases[target] = self._make(dialect)
        return self._open(dialect, self.databases[target], cparams)

    def owns(self, connection: Any) -> bool:
        """Whether the server itself names one of our databases."""
        name = self.place["name"]
        cursor = connection.cursor()
        try:
            # Compared by the server: what a row looks like is up to the project's row factory.
            cursor.execute(f"SELECT 1 WHERE starts_with(current_database(), '{name}')")
            return cursor.fetchone() is not None
        finally:
            cursor.close()

    def engine_url(self, driver: str, *, keeper: bool = False, database: str = "") -> Any:
        """The URL of a scratch database (of the keeper's, if none is named) for a driver."""
        place = self.place
        return make_url(f"postgresql+{driver}://").set(
            username=place["keeper" if keeper else "owner"],
            password=place["keeper_password" if keeper else "owner_password"],
            host=place["host"],
            port=int(place["port"]),
            database=database or place["name"],
        )

    def forget_pools(self) -> None:
        """Have pools connect anew before they are used again: their databases are replaced."""
        for record in list(self._records):
            record.invalidate(soft=True)

    def prove(self) -> None:
        """Connect once as a project would, with a driver that is there."""
        driver = next((d for d in _DRIVERS if importlib.util.find_spec(_module(d))), None)
        if driver is None:
            raise Refused(
                "this project's Python has no driver for PostgreSQL (psycopg, psycopg2, asyncpg, "
                "pg8000); install the one that its URL names"
            )
        prove_engine(f"postgresql+{driver}://somebody@nowhere.invalid/{_PROOF}")
        self.forget(Target(self.name, "nowhere.invalid", None, _PROOF))

    def forget(self, target: Target) -> None:
        """Leave a stand-in to the next real database that is asked for."""
        self._spare = self.databases.pop(target)

    _spare: Optional[str] = None

    def _check_driver(self, dialect: Any) -> None:
        if dialect.driver not in _DRIVERS:
            self._refusals.refuse(
                f"{caller()} connects to PostgreSQL with the driver {dialect.driver}; "
                f"only {', '.join(_DRIVERS)} can be redirected"
            )

    def _make(self, dialect: Any) -> str:
        """A new database, made by the keeper."""
        if self._spare is not None:
            name, self._spare = self._spare, None
            return name
        self._made += 1
        name = f"{self.place['name']}_{self._run}_{self._made}"
        arguments = self._arguments(dialect, self.engine_url(dialect.driver, keeper=True))
        connection = dialect.connect(**arguments)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(f"CREATE DATABASE {name} OWNER {self.place['owner']}")
            cursor.execute(f"REVOKE CONNECT ON DATABASE {name} FROM PUBLIC")
            cursor.close()
        finally:
            connection.close()
        return name

    def _open(self, dialect: Any, name: str, cparams: Mapping[str, Any]) -> Any:
        keeper = cparams.get("user") == self.place["keeper"]
        url = self.engine_url(dialect.driver, keeper=keeper, database=name)
        kept = {option: cparams[option] for option in _KEPT if option in cparams}
        return dialect.connect(**{**kept, **self._arguments(dialect, url)})

    def _arguments(self, dialect: Any, url: Any) -> dict[str, Any]:
        _, arguments = dialect.create_connect_args(url)
        if dialect.driver in _LIBPQ:
            arguments.update(hostaddr=self.place["host"], sslmode="disable", gssencmode="disable")
        # A statement that was prepared before a migration may not be used after it.
        if dialect.driver in {"psycopg", "psycopg_async"}:
            arguments["prepare_threshold"] = None
        elif dialect.driver == "asyncpg":
            arguments.update(ssl=False, prepared_statement_cache_size=0, statement_cache_size=0)
        return dict(arguments)


_PROOF = "proof"


def _module(driver: str) -> str:
    return driver.partition("_")[0]


def _database(dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> str:
    """What the real database is called."""
    found = next((cparams[name] for name in _NAMES if cparams.get(name)), None)
    if found is None and cargs and isinstance(cargs[0], str):
        found = cargs[0]
    return str(found or cparams.get("user") or dialect.name)


def prove_engine(url: str) -> None:
    """Connect an engine once; arguments that bring their own connection must not be used."""

    def creator() -> Any:
        raise Refused("arguments of create_engine that bring their own connections are still used")

    if not make_url(url).get_dialect().is_async:
        engine = sqlalchemy.create_engine(url, creator=creator, poolclass=NullPool)
        engine.raw_connection().close()
        return
    import asyncio

    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect() -> None:
        made = create_async_engine(url, poolclass=NullPool)
        async with made.connect():
            pass
        await made.dispose()

    asyncio.run(connect())
