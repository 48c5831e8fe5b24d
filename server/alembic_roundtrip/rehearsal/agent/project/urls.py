"""URLs of the configuration file that the scratch database cannot stand for."""

from __future__ import annotations

import importlib.util
from typing import Any, Dict, Optional, Tuple

from alembic.config import Config
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

_URL = "sqlalchemy.url"
_DRIVERS: Dict[str, Tuple[Tuple[str, str, bool], ...]] = {
    "sqlite": (("sqlite", "sqlite3", False), ("sqlite+aiosqlite", "aiosqlite", True)),
    "postgresql": (
        ("postgresql+psycopg", "psycopg", False),
        ("postgresql+psycopg2", "psycopg2", False),
        ("postgresql+pg8000", "pg8000", False),
        ("postgresql+asyncpg", "asyncpg", True),
        ("postgresql+psycopg", "psycopg", True),
    ),
    "mariadb": (
        ("mysql+pymysql", "pymysql", False),
        ("mysql+mysqldb", "MySQLdb", False),
        ("mysql+mysqlconnector", "mysql", False),
        ("mysql+mariadbconnector", "mariadb", False),
        ("mysql+aiomysql", "aiomysql", True),
        ("mysql+asyncmy", "asyncmy", True),
    ),
}
"""Of each kind: what a URL calls a driver, its package, and whether it is awaited."""
_DIALECTS = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "mariadb": ("mysql", "mariadb")}


def replace_others(kind: str, config: Config) -> None:
    """Have every URL be one of this kind, as whoever names the kind would write it by hand.

    Any address will do, another one for each: the guard leads them all to scratch databases.
    """
    instead: Dict[str, str] = {}
    for section in config.file_config.sections():
        url = config.get_section_option(section, _URL)
        if url is None or _is_placeholder(url):
            continue
        dialect = _dialect(url)
        if dialect is None or dialect.name in _DIALECTS[kind]:
            continue
        name = f"roundtrip{len(instead)}"
        instead.setdefault(url, _new(kind, name, awaited=dialect.is_async) or url)
        config.set_section_option(section, _URL, instead[url].replace("%", "%%"))


def fill_in(kind: str, config: Config) -> bool:
    """Give a URL where there is none or a placeholder; whether one was left to give.

    Applications that migrate their database themselves put it in then. Of another call it is one
    for `create_async_engine`, which takes no other.
    """
    url = config.get_main_option(_URL)
    sync, awaited = (_new(kind, "roundtrip", awaited=each) for each in (False, True))
    if url is None or _is_placeholder(url):
        new = sync or awaited
    else:
        new = awaited if url == sync else None
    if new is None:
        return False
    config.set_main_option(_URL, new)
    return True


def _is_placeholder(url: str) -> bool:
    """Whether nobody could connect by it: Alembic's own templates have such a one."""
    try:
        return make_url(url).drivername == "driver"
    except (ArgumentError, ValueError):
        return True


def _dialect(url: str) -> Any:
    """What SQLAlchemy has for a URL; None for what is not installed."""
    try:
        return make_url(url).get_dialect()
    except (NoSuchModuleError, ImportError):
        return None


def _new(kind: str, name: str, *, awaited: bool) -> Optional[str]:
    for driver, package, is_async in _DRIVERS[kind]:
        if is_async is awaited and importlib.util.find_spec(package):
            where = f"/{name}.db" if kind == "sqlite" else f"roundtrip@localhost/{name}"
            return f"{driver}://{where}"
    return None
