"""PostgreSQL: databases are made by the keeper, and belong to the owner."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import make_url

from ..refusal import NoDriver
from .server import Server

# What may stay of the arguments a project gives: nothing that says where to connect or as whom.
_KEPT = (
    "options", "application_name", "client_encoding", "server_settings", "command_timeout",
    "cursor_factory", "connection_factory", "connection_class", "record_class", "row_factory",
    "autocommit", "json_serializer", "json_deserializer",
)  # fmt: skip
_LIBPQ = ("psycopg2", "psycopg2cffi", "psycopg", "psycopg_async")


class PostgresqlServer(Server):
    """PostgreSQL: each real database has one of its own on the scratch server."""

    name = "postgresql"
    label = "PostgreSQL"
    dialects = ("postgresql",)
    names = ("dbname", "database")
    drivers = (*_LIBPQ, "asyncpg", "pg8000")

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

    def prove(self) -> None:
        """Connect once as a project would, with a driver that is there."""
        driver = next((d for d in self.drivers if importlib.util.find_spec(_module(d))), None)
        if driver is None:
            raise NoDriver(
                "this project's Python has no driver for PostgreSQL (psycopg, psycopg2, asyncpg, "
                "pg8000); install the one that its URL names, or name another kind of database in "
                "the setting `database`"
            )
        self.prove_url(f"postgresql+{driver}")

    def _make(self, dialect: Any, name: str) -> None:
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


def _module(driver: str) -> str:
    return driver.partition("_")[0]
