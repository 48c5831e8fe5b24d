"""The engine layers: every SQLAlchemy engine connects to a scratch database."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable
from typing import Any

import sqlalchemy
from alembic.runtime.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import Pool

from .drivers import place
from .kinds.nowhere import NOWHERE
from .kinds.server import Server
from .origins import caller
from .refusal import Refusals, Refused
from .targets import Kind

_OWN_CONNECTIONS = ("creator", "async_creator", "pool")
_CREATES = re.compile(r"\s*CREATE\s+DATABASE\b", re.IGNORECASE)
_NAMES = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "mariadb": "MariaDB",
    "mssql": "SQL Server",
    "oracle": "Oracle",
}


def strip_arguments() -> None:
    """Drop the arguments of `create_engine` that bring connections of the project's own making.

    With any of them SQLAlchemy does not ask `do_connect`. Modules that already hold a reference to
    the function get the new one; those imported later get it anyway.
    """
    original = sqlalchemy.create_engine

    @functools.wraps(original)
    def create_engine(*args: Any, **kwargs: Any) -> Any:
        for name in _OWN_CONNECTIONS:
            kwargs.pop(name, None)
        return original(*args, **kwargs)

    agent = (__package__ or "").rpartition(".")[0] or "."
    for module in list(sys.modules.values()):
        if (getattr(module, "__package__", None) or "").startswith(agent):
            continue  # the agent's own engines are its own business
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, create_engine)


def connect_instead(kind: Kind, refusals: Refusals) -> None:
    """Answer every engine's wish to connect with a connection of ours.

    A connection is returned and not only its arguments changed: a listener of the project's own
    (for tokens, say) would otherwise run later and put the real host back.
    """

    def do_connect(dialect: Any, _record: Any, cargs: list[Any], cparams: dict[str, Any]) -> Any:
        if dialect.name not in kind.dialects and kind.name != NOWHERE:
            where = cargs[0] if dialect.name == "sqlite" and cargs else place(cargs, cparams)
            refusals.refuse(
                f"{caller()} connects to {_name(dialect.name)} ({where}), but the scratch database "
                f"is {_name(kind.name)}; have it connect to {_name(kind.name)} (its variables can "
                "be given in the setting `env`), or name another kind in the setting `database`",
                wants=dialect.name,
            )
        return kind.connect(dialect, cargs, cparams)

    event.listen(Engine, "do_connect", do_connect)


def tell_names(kind: Kind) -> None:
    """Have engines say what their database is called on the server.

    Migrations put that into what they ask the catalogue, and into ALTER DATABASE.
    """
    if not isinstance(kind, Server):
        return

    def connected(connection: Any, *_: Any) -> None:
        engine = connection.engine
        if connection.dialect.name in kind.dialects:
            name = kind.stand_in_of(connection.dialect, engine.url)
            if name is not None:
                engine.url = engine.url.set(database=name)

    event.listen(Engine, "engine_connect", connected)


def have_databases() -> None:
    """Answer the wish to create a database: a scratch one stands for it already.

    Applications that find their database missing, by its name, create it while they start; what a
    migration creates is its own.
    """

    def before(*given: Any) -> tuple[str, Any]:
        _, _, statement, parameters, _, _ = given
        if _CREATES.match(statement) and not _migrating():
            return "SELECT 1", ()
        return statement, parameters

    event.listen(Engine, "before_cursor_execute", before, retval=True)


def _migrating() -> bool:
    """Whether Alembic is running migrations, further up the stack."""
    frame = sys._getframe()  # noqa: SLF001 - `inspect` reads the source of every frame
    while frame is not None:
        if frame.f_code is MigrationContext.run_migrations.__code__:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def check_marks(kind: Kind, refusals: Refusals) -> Callable[[], int]:
    """Refuse pooled connections that do not lead to a scratch database.

    Gives a function that tells how many were checked.
    """
    checked = []

    def check(connection: Any, _record: Any) -> None:
        checked.append(1)
        try:
            owned = kind.owns(connection)
        except Exception:  # noqa: BLE001 (a driver that cannot answer is not ours)
            owned = False
        if not owned:
            refusals.refuse(
                f"{caller()} made a connection that does not lead to the scratch database"
            )
        connection.rollback()  # without autocommit, the question began a transaction

    event.listen(Pool, "connect", check)
    return lambda: len(checked)


def prove(kind: Kind, checked: Callable[[], int]) -> None:
    """See with one engine that the layers hold on this version of SQLAlchemy; raises `Refused`."""
    before = checked()
    kind.prove()
    if checked() == before and kind.name != NOWHERE:
        raise Refused("new connections are not checked")


def _name(dialect: str) -> str:
    return _NAMES.get(dialect, dialect)
