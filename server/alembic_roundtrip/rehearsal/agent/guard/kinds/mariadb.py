"""MariaDB and MySQL: the owner makes its databases itself, and may use no others."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import make_url

from ..refusal import NoDriver
from .server import Server

# What may stay of the arguments a project gives: nothing that says where to connect or as whom.
_KEPT = (
    "charset", "collation", "use_unicode", "conv", "converter_class", "client_flag",
    "client_flags", "cursorclass", "cursor_cls", "init_command", "sql_mode", "time_zone",
    "autocommit", "binary_prefix", "buffered", "raw", "use_pure", "get_warnings",
    "raise_on_warnings", "consume_results", "converter", "named_tuple", "program_name", "echo",
)  # fmt: skip
_MODULES = {
    "pymysql": "pymysql",
    "mysqldb": "MySQLdb",
    "mysqlconnector": "mysql.connector",
    "mariadbconnector": "mariadb",
    "asyncmy": "asyncmy",
    "aiomysql": "aiomysql",
}
# Two connections of one rehearsal that wait for each other would wait for ever.
_LOCK_SECONDS = 3


class MariadbServer(Server):
    """MariaDB or MySQL: each real database has one of its own on the scratch server."""

    name = "mariadb"
    label = "MariaDB or MySQL"
    dialects = ("mariadb", "mysql")
    names = ("database", "db")
    drivers = tuple(_MODULES)

    def owns(self, connection: Any) -> bool:
        """Whether the server itself names one of our databases."""
        name = self.place["name"]
        cursor = connection.cursor()
        try:
            # Compared by the server: what a row looks like is up to the project's cursor class.
            same = f"LEFT(DATABASE(), {len(name)}) = '{name}'"
            cursor.execute(f"SELECT 1 FROM DUAL WHERE {same}")  # noqa: S608 - our own name
            return bool(cursor.fetchall())
        finally:
            cursor.close()

    def engine_url(self, driver: str, *, database: str = "") -> Any:
        """The URL of a scratch database (of none, if none is named) for a driver."""
        return make_url(f"mysql+{driver}://").set(
            username=self.place["owner"],
            password=self.place["owner_password"],
            host=self.place["host"],
            port=int(self.place["port"]),
            database=database or None,
        )

    def prove(self) -> None:
        """Connect once as a project would, with a driver that is there."""
        driver = next((d for d, module in _MODULES.items() if _is_there(module)), None)
        if driver is None:
            raise NoDriver(
                "this project's Python has no driver for MariaDB or MySQL (pymysql, mysqlclient, "
                "mysql-connector-python, mariadb, asyncmy, aiomysql); install the one that its "
                "URL names, or name another kind of database in the setting `database`"
            )
        self.prove_url(f"mysql+{driver}")

    def _make(self, dialect: Any, name: str) -> None:
        connection = dialect.connect(**self._arguments(dialect, self.engine_url(dialect.driver)))
        try:
            cursor = connection.cursor()
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.close()
        finally:
            connection.close()

    def _open(self, dialect: Any, name: str, cparams: Mapping[str, Any]) -> Any:
        url = self.engine_url(dialect.driver, database=name)
        kept = {option: cparams[option] for option in _KEPT if option in cparams}
        connection = dialect.connect(**{**kept, **self._arguments(dialect, url)})
        cursor = connection.cursor()
        for variable in ("lock_wait_timeout", "innodb_lock_wait_timeout"):
            cursor.execute(f"SET SESSION {variable} = {_LOCK_SECONDS}")
        cursor.close()
        return connection

    @staticmethod
    def _arguments(dialect: Any, url: Any) -> dict[str, Any]:
        _, arguments = dialect.create_connect_args(url)
        if dialect.driver in {"pymysql", "mysqlconnector"}:
            arguments["ssl_disabled"] = True
        return dict(arguments)


def _is_there(module: str) -> bool:
    package = module.partition(".")[0]
    return bool(importlib.util.find_spec(package) and importlib.util.find_spec(module))
