"""Which kind of scratch database a project is rehearsed on; one file a kind beside this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.databases import mariadb, postgresql, sqlite
from alembic_roundtrip.rehearsal.plan import CannotRun

KINDS: Mapping[str, Callable[[Settings], AbstractAsyncContextManager[dict[str, Any]]]] = {
    sqlite.KIND: sqlite.opened,
    postgresql.KIND: postgresql.opened,
    mariadb.KIND: mariadb.opened,
}
"""What makes the place of each kind, as the agent is told it."""
_ALIASES = {"postgres": postgresql.KIND, "mysql": mariadb.KIND}
_DRIVERS = {postgresql.KIND: postgresql.DRIVERS, mariadb.KIND: mariadb.DRIVERS}
_NAMES = {"oracle": "Oracle", "mssql": "Microsoft SQL Server"}


def kind_wanted(dialect: str, settings: Settings) -> str | None:
    """The kind for the dialect that env.py connects to, where the settings leave it open."""
    kind = _ALIASES.get(dialect, dialect)
    return kind if settings.database == "auto" and kind in KINDS else None


def kind_for(environment: Environment, settings: Settings) -> str:
    """The project's own kind, or the one the settings name; raises `CannotRun` for others."""
    if settings.database == "auto":
        for dialect in environment.dialects:
            if _ALIASES.get(dialect, dialect) in KINDS:
                return _ALIASES.get(dialect, dialect)
        kind = environment.dialects[0] if environment.dialects else sqlite.KIND
    else:
        kind = _named(settings.database)
    kind = _ALIASES.get(kind, kind)
    if kind in KINDS:
        return kind
    raise CannotRun(
        f"rehearsing on {_NAMES.get(kind, kind)} is not available in this version; "
        "a project whose env.py also runs on SQLite can be rehearsed there with the setting "
        '`database = "sqlite"`'
    )


def _wrong_with(url: str) -> str:
    """What keeps a text that begins like a URL from being one; empty where nothing does."""
    if "://" not in url:
        return "`//` is missing behind the colon"
    try:
        place = urlsplit(url).netloc
    except ValueError as error:
        return str(error)
    second = place.count("@") > 1
    return "it has a second `@`, which in a password is written `%40`" if second else ""


def _named(wanted: str) -> str:
    """The kind that a setting names; raises `CannotRun` where it names something else."""
    scheme, colon, _ = wanted.partition(":")
    kind, _, driver = scheme.partition("+")
    if kind == sqlite.KIND and colon:
        raise CannotRun(
            "no rehearsal: the setting `database` names a file, and SQLite's scratch databases are "
            "files of their own; `sqlite` is enough"
        )
    if kind not in KINDS.keys() | _ALIASES.keys() | _NAMES.keys():
        raise CannotRun(
            f"no rehearsal: the setting `database` is `{kind}`; it can be `auto`, `sqlite`, "
            "`postgresql`, `mariadb` or the URL of a server, `postgresql://…` or `mysql://…`"
        )
    wrong = _wrong_with(wanted) if colon else ""
    if wrong:
        raise CannotRun(
            f"no rehearsal: the setting `database` is not a URL: {wrong}; "
            "`postgresql://user:password@host:port/name` is one"
        )
    known = _DRIVERS.get(_ALIASES.get(kind, kind), (driver,))
    if driver and driver not in known:
        raise CannotRun(
            f"no rehearsal: the setting `database` names the driver `{driver}`, which is none of "
            f"{', '.join(known)}; `{kind}://…` is enough: the driver that connects is env.py's own"
        )
    return kind
