"""The driver layer: database drivers used past SQLAlchemy, also those imported later.

Most drivers connect in C, where Python's audit hook sees nothing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NoReturn, Optional

from . import audit
from .kinds.sqlite import SqliteByHand
from .origins import caller
from .refusal import Refusals
from .targets import Kind

# Names that open a connection, by module: functions, and methods of classes that Python code can
# change. A module's name and the class's method both: `from psycopg import connect` binds early.
# Names of classes stay: code asks `isinstance` of them.
CONNECTORS: Mapping[str, Sequence[str]] = {
    "psycopg": ("connect", "Connection.connect", "AsyncConnection.connect"),
    "psycopg.connection": ("Connection.connect",),
    "psycopg.connection_async": ("AsyncConnection.connect",),
    "psycopg.generators": ("connect",),
    "psycopg2": ("connect", "_connect"),
    "psycopg2._psycopg": ("_connect",),
    "psycopg2.pool": ("AbstractConnectionPool.__init__",),
    "asyncpg": ("connect", "create_pool"),
    "asyncpg.connection": ("connect",),
    "asyncpg.connect_utils": ("_connect",),
    "asyncpg.pool": ("create_pool",),
    "pg8000": ("connect",),
    "pg8000.dbapi": ("connect",),
    "pg8000.core": ("CoreConnection.__init__",),
    "redshift_connector": ("connect",),
    "pymysql": ("connect", "Connect"),
    "pymysql.connections": ("Connection.__init__",),
    "MySQLdb": ("connect", "Connect", "Connection"),
    "MySQLdb._mysql": ("connect",),
    "MySQLdb.connections": ("Connection.__init__",),
    "mysql.connector": ("connect",),
    "mysql.connector.connection": ("MySQLConnection._open_connection",),
    "mysql.connector.connection_cext": ("CMySQLConnection._open_connection",),
    "mysql.connector.aio": ("connect",),
    "mariadb": ("connect",),
    "mariadb.connections": ("Connection.__init__",),
    "aiomysql": ("connect", "create_pool"),
    "aiomysql.connection": ("connect", "Connection._connect"),
    "asyncmy": ("connect", "create_pool"),
    "asyncmy.connection": ("connect",),
    "asyncmy.pool": ("create_pool",),
    "aiopg": ("connect", "create_pool"),
    "oracledb": ("connect", "connect_async", "create_pool", "create_pool_async"),
    "oracledb.connection": ("connect", "connect_async"),
    "cx_Oracle": ("connect",),
    "pyodbc": ("connect",),
    "aioodbc": ("connect", "create_pool"),
    "pymssql": ("connect",),
    "pymssql._mssql": ("connect",),
    "mssql_python": ("connect",),
    "ibm_db": ("connect", "pconnect"),
    "hdbcli.dbapi": ("connect",),
    "fdb": ("connect",),
    "firebird.driver": ("connect",),
    "snowflake.connector": ("connect",),
    "adbc_driver_manager.dbapi": ("connect",),
    "duckdb": ("connect",),
    "apsw": ("Connection",),
    "sqlcipher3.dbapi2": ("connect",),
    "pysqlcipher3.dbapi2": ("connect",),
    "libsql": ("connect",),
    "libsql_experimental": ("connect",),
    "sqlean": ("connect",),
    "sqlean.dbapi2": ("connect",),
}
PACKAGES = frozenset(module.partition(".")[0] for module in CONNECTORS) | {
    "cassandra", "clickhouse_connect", "clickhouse_driver", "databricks", "motor", "neo4j",
    "pymongo", "pytds", "trino",
}  # fmt: skip
"""What connects to databases, of whatever kind."""
# These reach SQLite files, so the file decides; the last two only pass the name on.
SQLITE_CONNECTORS: Mapping[str, Sequence[str]] = {
    "sqlite3": ("connect",),
    "sqlite3.dbapi2": ("connect",),
    "_sqlite3": ("connect",),
    "pysqlite3": ("connect",),
    "pysqlite3.dbapi2": ("connect",),
    "aiosqlite": ("connect",),
    "aiosqlite.core": ("connect",),
}
# `multiprocessing` starts programs here, and no audit event tells.
STARTERS: Mapping[str, Sequence[str]] = {"_posixsubprocess": ("fork_exec",)}

Wrap = Callable[[Any], Any]


def install(files: SqliteByHand, kind: Kind, refusals: Refusals) -> None:
    """Wrap the connecting functions of every driver that is or will be imported."""
    importlib.import_module("subprocess")  # keeps its own reference, which the audit hook guards
    importlib.import_module("sqlite3")
    wraps = _wraps(files, kind, refusals)
    for module in [name for name in wraps if name in sys.modules]:
        _apply(sys.modules[module], wraps[module])
    finder: Any = _AfterImport(wraps, refusals)
    sys.meta_path.insert(0, finder)


def _wraps(files: SqliteByHand, kind: Kind, refusals: Refusals) -> dict[str, dict[str, Wrap]]:
    wraps: dict[str, dict[str, Wrap]] = {}
    for module, names in CONNECTORS.items():
        wraps[module] = dict.fromkeys(names, _refusing(module, kind, refusals))
    for module, names in SQLITE_CONNECTORS.items():
        prepares = not module.startswith("aiosqlite")
        wraps[module] = dict.fromkeys(names, _judging(files, prepares=prepares))
    for module, names in STARTERS.items():
        wraps[module] = dict.fromkeys(names, _starting(refusals))
    return wraps


def _refusing(module: str, kind: Kind, refusals: Refusals) -> Wrap:
    driver = module.split(".", maxsplit=1)[0]

    def wrap(original: Any) -> Any:
        @functools.wraps(original)
        def connect(*args: Any, **kwargs: Any) -> Any:
            if kind.leads_here(_places(args, kwargs)):
                return original(*args, **kwargs)
            return refusals.refuse(
                f"{caller()} connects to {place(args, kwargs)} by hand with {driver}; "
                "only connections made through SQLAlchemy can be redirected"
            )

        return connect

    return wrap


def _judging(files: SqliteByHand, *, prepares: bool) -> Wrap:
    def wrap(original: Any) -> Any:
        @functools.wraps(original)
        def connect(database: Any, *args: Any, **kwargs: Any) -> Any:
            files.judge(database)
            connection = original(database, *args, **kwargs)
            return files.prepare(connection) if prepares else connection

        connect.guarded = True  # type: ignore[attr-defined]
        return connect

    return wrap


def _starting(refusals: Refusals) -> Wrap:
    def wrap(original: Any) -> Any:
        def start(args: Any, *rest: Any) -> Any:
            if not audit.started_by_standard_library():
                audit.refuse_program(args, refusals)
            return original(args, *rest)

        return start

    return wrap


def _places(args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What says where a connection would go, in the arguments given to a driver."""
    held = getattr(args[0], "__dict__", {}) if args else {}  # a connection that opens itself
    named = {name: held[f"_{name}"] for name in _PARTS if held.get(f"_{name}")}
    named.update({name: kwargs[name] for name in _PARTS if kwargs.get(name)})
    for arg in [*args, kwargs.get("dsn"), kwargs.get("conninfo")]:
        if isinstance(arg, str):
            named = {**_parts(arg), **named}
    return named


def place(args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """Where a connection would go, from the arguments given to a driver; never a password."""
    named = _places(args, kwargs)
    host = next((str(named[n]) for n in _HOSTS if n in named), "")
    port = f":{named['port']}" if "port" in named else ""
    database = next((f"/{named[n]}" for n in _DATABASES if n in named), "")
    return f"{host}{port}{database}" or "a database server"


_HOSTS = ("hostaddr", "host", "server", "unix_socket", "service")
_DATABASES = ("database", "dbname", "db")
_PARTS = (*_HOSTS, "port", *_DATABASES)


def _parts(text: str) -> dict[str, Any]:
    if "://" in text:
        import sqlalchemy

        try:
            url = sqlalchemy.engine.make_url(text)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            return {}
        found = {"host": url.host, "port": url.port, "database": url.database}
        return {name: value for name, value in found.items() if value}
    pairs = (part.partition("=") for part in text.replace(";", " ").split())
    return {name.lower(): value for name, sign, value in pairs if sign and name.lower() in _PARTS}


def _apply(module: ModuleType, wraps: Mapping[str, Wrap]) -> None:
    for name, wrap in wraps.items():
        owner: Any = module
        *parents, last = name.split(".")
        for parent in parents:
            owner = getattr(owner, parent, None)
        original = getattr(owner, last, None)
        if original is None or getattr(original, "guarded", False):
            continue
        wrapped = wrap(original)
        # A method that is looked up on an instance would get `self` before what it refuses.
        setattr(owner, last, staticmethod(wrapped) if parents and last[0] != "_" else wrapped)


class _AfterImport:
    """Finds modules as ever, and wraps drivers as soon as they have run."""

    def __init__(self, wraps: Mapping[str, Mapping[str, Wrap]], refusals: Refusals) -> None:
        self._wraps = wraps
        self._refusals = refusals

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[ModuleSpec]:
        if name not in self._wraps:
            return None
        others = (getattr(finder, "find_spec", None) for finder in sys.meta_path)
        for find in others:
            spec = find(name, path, target) if find not in {None, self.find_spec} else None
            if spec is not None:
                return self._wrapping(spec)
        return None

    def _wrapping(self, spec: ModuleSpec) -> ModuleSpec:
        loader: Any = spec.loader
        run = getattr(loader, "exec_module", None)
        if run is None:
            self._unguarded(spec.name)

        def exec_module(module: ModuleType) -> None:
            run(module)
            try:
                _apply(module, self._wraps[spec.name])
            except (AttributeError, TypeError):
                self._unguarded(spec.name)

        loader.exec_module = exec_module
        return spec

    def _unguarded(self, name: str) -> NoReturn:
        self._refusals.refuse(
            f"{caller()} imports {name}, and this version of it cannot be kept from connecting"
        )
