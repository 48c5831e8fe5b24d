"""URLs of the configuration file that the scratch database cannot stand for."""

from __future__ import annotations

import configparser
import traceback
from typing import Any, Dict, List, Optional, Tuple

from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

_URL = "sqlalchemy.url"
_TEMPLATE = "sqlalchemy.dialects:driver"
"""What cannot be found for `driver://…`, which Alembic's own templates have."""
_ASYNCIO = "sqlalchemy.ext.asyncio.engine"
_DRIVERS: Dict[str, Tuple[Tuple[str, bool], ...]] = {
    "sqlite": (("sqlite", False), ("sqlite+aiosqlite", True)),
    "postgresql": (
        ("postgresql+psycopg", False),
        ("postgresql+psycopg2", False),
        ("postgresql+pg8000", False),
        ("postgresql+asyncpg", True),
        ("postgresql+psycopg", True),
    ),
    "mariadb": (
        ("mysql+pymysql", False),
        ("mysql+mysqldb", False),
        ("mysql+mysqlconnector", False),
        ("mysql+mariadbconnector", False),
        ("mysql+aiomysql", True),
        ("mysql+asyncmy", True),
    ),
}
"""Of each kind: what a URL calls a driver, and whether it is awaited."""
_DIALECTS = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "mariadb": ("mysql", "mariadb")}


def replace_others(kind: str, config: Config) -> None:
    """Have every URL be one of this kind, as whoever names the kind would write it by hand.

    Any address will do, another one for each: the guard leads them all to scratch databases.
    """
    instead: Dict[str, str] = {}
    for section in config.file_config.sections():
        try:
            url = config.file_config.get(section, _URL, fallback=None)
        except configparser.Error:
            continue  # a part of it is for env.py to say
        dialect = _dialect(url)
        if url is None or dialect is None or dialect.name in _DIALECTS[kind]:
            continue
        name = f"roundtrip{len(instead)}"
        instead.setdefault(url, _new(kind, name, awaited=dialect.is_async) or url)
        config.set_section_option(section, _URL, instead[url].replace("%", "%%"))


def to_try(kind: str, config: Config, error: BaseException) -> List[str]:
    """URLs that may help where env.py failed because the file has none, or one to be filled in.

    Applications that migrate their database themselves give it one then. The second is for what
    takes only a driver that is awaited, where the error does not tell yet.
    """
    if not _lacks_url(config, error):
        return []
    wanted = (True,) if is_awaiting(error) else (False, True)
    found = [_new(kind, "roundtrip", awaited=each) for each in wanted]
    return [url for url in dict.fromkeys(found) if url is not None]


def give(config: Config, url: str) -> None:
    """Have the file's main section name this URL."""
    config.set_main_option(_URL, url)


def is_awaiting(error: BaseException) -> bool:
    """Whether it comes out of what makes engines for asyncio, for which no other driver will do."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == _ASYNCIO for frame, _ in frames)


def _lacks_url(config: Config, error: BaseException) -> bool:
    """Whether an error says that the main section names no URL, or nothing that is one."""
    try:
        url = config.file_config.get(config.config_ini_section, _URL, fallback=None)
    except configparser.Error:
        return False
    if isinstance(error, KeyError):
        return url is None and error.args in {("url",), (_URL,)}
    if isinstance(error, NoSuchModuleError) and _TEMPLATE not in str(error):
        return False  # a dialect that is not installed
    if not isinstance(error, (ArgumentError, AttributeError, NoSuchModuleError)):
        return False
    try:
        create_engine(url)  # type: ignore[arg-type]
    except Exception as own:  # noqa: BLE001 - whatever it is, it is compared
        return (type(own), str(own)) == (type(error), str(error))
    return False


def _dialect(url: Optional[str]) -> Any:
    """What SQLAlchemy has for a URL; None for none, a placeholder, and what does not load."""
    try:
        return make_url(url).get_dialect()  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - a dialect of others may raise anything; env.py will say it
        return None


def _new(kind: str, name: str, *, awaited: bool) -> Optional[str]:
    for driver, is_async in _DRIVERS[kind]:
        where = f"/{name}.db" if kind == "sqlite" else f"roundtrip@localhost/{name}"
        url = f"{driver}://{where}"
        if is_async is awaited and _can_connect(url):
            return url
    return None


def _can_connect(url: str) -> bool:
    """Whether this SQLAlchemy knows the driver, and the driver is there."""
    dialect = _dialect(url)
    if dialect is None:
        return False
    # SQLAlchemy 1.4 has another name for it.
    load = dialect.import_dbapi if hasattr(dialect, "import_dbapi") else dialect.dbapi
    try:
        load()
    except Exception:  # noqa: BLE001 - one that is broken is as good as none
        return False
    return True
