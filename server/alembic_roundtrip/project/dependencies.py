"""Database drivers among a project's dependencies, wherever those are written down."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "aiomysql": "mysql",
        "aioodbc": "mssql",
        "aiosqlite": "sqlite",
        "alembic-postgresql-enum": "postgresql",
        "asyncmy": "mysql",
        "asyncpg": "postgresql",
        "clickhouse-sqlalchemy": "clickhouse",
        "cx-oracle": "oracle",
        "duckdb-engine": "duckdb",
        "mariadb": "mariadb",
        "mysql-connector-python": "mysql",
        "mysqlclient": "mysql",
        "oracledb": "oracle",
        "pg8000": "postgresql",
        "pgvector": "postgresql",
        "psycopg": "postgresql",
        "psycopg-binary": "postgresql",
        "psycopg-c": "postgresql",
        "psycopg2": "postgresql",
        "psycopg2-binary": "postgresql",
        "psycopg2cffi": "postgresql",
        "pymssql": "mssql",
        "pymysql": "mysql",
        "pyodbc": "mssql",
        "snowflake-sqlalchemy": "snowflake",
        "sqlalchemy-bigquery": "bigquery",
        "sqlalchemy-cockroachdb": "cockroachdb",
        "sqlalchemy-redshift": "redshift",
        "sqlalchemy-spanner": "spanner",
    }
)
_REQUIREMENT = re.compile(
    r"[ \t\"']*([A-Za-z0-9][A-Za-z0-9._-]*)[ \t]*(?:\[([A-Za-z0-9._, \t-]*)\])?"
)
_REQUIREMENTS = (
    "*requirements*.txt",
    "*requirements*.in",
    "requirements/*.txt",
    "requirements/*.in",
)
_LOCKED = re.compile(r"^name = \"([^\"\n]+)\"", re.MULTILINE)
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_QUOTED = re.compile(r"[\"']([^\"'\n]+)[\"']")
_LISTS = ("dependencies", "dependency-groups", "packages")


@dataclass(frozen=True, slots=True)
class Driver:
    """A dependency that speaks to one kind of database."""

    name: str
    dialect: str
    file: str
    """The name of the file that asks for it."""


def drivers(folder: Path) -> tuple[Driver, ...]:
    """The drivers a folder's files ask for; its lock file counts where nothing else names one."""
    return tuple(_drivers(_direct(folder))) or tuple(_drivers(_locked(folder)))


def _drivers(requirements: Iterable[tuple[str, str]]) -> Iterator[Driver]:
    for file, requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match:
            name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
            if name in DRIVERS:
                yield Driver(name, DRIVERS[name], file)
            elif name == "sqlalchemy" and match.group(2):
                yield from _extras(match.group(2), file)


def _extras(written: str, file: str) -> Iterator[Driver]:
    """SQLAlchemy's extras are named after drivers, or after dialects: `postgresql-asyncpg`."""
    for extra in re.split(r"[,\s]+", written.lower().replace("_", "-")):
        dialect = DRIVERS.get(extra) or extra.partition("-")[0]
        if dialect in DRIVERS.values():
            yield Driver(f"sqlalchemy[{extra}]", dialect, file)


def _direct(folder: Path) -> Iterator[tuple[str, str]]:
    for pattern in _REQUIREMENTS:
        for file in sorted(folder.glob(pattern)):
            yield from ((file.name, line) for line in _text(file).splitlines())
    yield from (("setup.cfg", line) for line in _text(folder / "setup.cfg").splitlines())
    yield from (("setup.py", text) for text in _QUOTED.findall(_text(folder / "setup.py")))
    for name in ("pyproject.toml", "Pipfile"):
        yield from ((name, text) for text in _of_table(_toml(folder / name)))


def _locked(folder: Path) -> Iterator[tuple[str, str]]:
    for name in _LOCKS:
        yield from ((name, text) for text in _LOCKED.findall(_text(folder / name)))
    yield from (("Pipfile.lock", text) for text in _QUOTED.findall(_text(folder / "Pipfile.lock")))


def _of_table(table: Mapping[str, Any]) -> Iterator[str]:
    """Requirements in tables and lists named after them, by whichever tool they are read."""
    for name, value in table.items():
        if name.endswith(_LISTS):
            yield from _listed(value)
        elif isinstance(value, dict):
            yield from _of_table(value)


def _listed(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
    elif isinstance(value, dict):
        for name, told in value.items():
            if isinstance(told, list):
                yield from _listed(told)  # a group of requirements
            else:
                yield f"{name}[{','.join(_extras_of(told))}]"


def _extras_of(told: Any) -> Iterator[str]:
    extras = told.get("extras") if isinstance(told, dict) else None
    return _listed(extras)


def _toml(file: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(file))
    except ValueError:  # `config.load` reports a pyproject.toml that does not parse
        return {}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # most are not there; an unreadable one names no driver
        return ""
