"""Which databases a project is for, by its URL, its migrations' imports and its drivers."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_roundtrip.config import Settings

if TYPE_CHECKING:
    from alembic_roundtrip.project import Environment
    from alembic_roundtrip.project.configuration import Configuration

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_DRIVERS = {
    "aiomysql": "mysql",
    "aioodbc": "mssql",
    "aiosqlite": "sqlite",
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
    "psycopg": "postgresql",
    "psycopg-binary": "postgresql",
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
_ALIASES = {"postgres": "postgresql", "spanner+spanner": "spanner"}
# Alembic's own template has driver://user:pass@localhost/dbname, and others follow it.
_PLACEHOLDERS = frozenset({"driver", "scheme", "dialect"})
_SCHEME = re.compile(r"\s*([A-Za-z]\w*)(?:\+\w+)?://")
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+sqlalchemy\.dialects\.(\w+)|import[ \t]+sqlalchemy\.dialects\.(\w+)"
    r"|from[ \t]+sqlalchemy\.dialects[ \t]+import[ \t]*(\([^)]*\)|[^\n]*))",
    re.MULTILINE,
)
_NAMED = re.compile(r"(\w+)(?:\s+as\s+\w+)?\s*(?:[,);]|$)")
_COMMENT = re.compile(r"#[^\n]*")
_GENERIC = frozenset({"registry", "plugins"})
_NAME = re.compile(r"[ \t\"']*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SAMPLE = 60  # migrations read: enough to see what a project imports, in a few milliseconds


def infer_dialects(
    environment: Environment,
    configuration: Configuration | None,
    workspace: Path,
    settings: Settings,
) -> tuple[str, ...]:
    """SQLAlchemy names of the project's dialects, the surest first; none where nothing says.

    SQLite's driver often is there for tests only: it counts where nothing else was found.
    """
    if settings.dialects:
        return settings.dialects
    urls = configuration.urls() if configuration else ()
    found = [*_of_urls(urls), *_of_imports(environment)]
    drivers = list(_of_drivers(_folders(environment.folder, workspace)))
    found += [name for name in drivers if name != "sqlite"]
    return tuple(dict.fromkeys(found or drivers))


def _of_urls(urls: Iterable[str]) -> Iterator[str]:
    for url in urls:
        match = _SCHEME.match(url)
        if match and match.group(1) not in _PLACEHOLDERS:
            yield _ALIASES.get(match.group(1), match.group(1))


def _of_imports(environment: Environment) -> Iterator[str]:
    for file in _sample(environment):
        for match in _IMPORT.finditer(_text(file)):
            one, other, several = match.groups()
            names = _NAMED.findall(_COMMENT.sub("", several)) if several else (one or other,)
            yield from (name for name in names if name not in _GENERIC)


def _sample(environment: Environment) -> Iterator[Path]:
    if environment.env_py:
        yield environment.env_py
    for location in environment.version_locations:
        files = sorted(location.glob("**/*.py" if environment.recursive else "*.py"))
        yield from files[:: max(1, len(files) // _SAMPLE)]


def _folders(folder: Path, workspace: Path) -> list[Path]:
    """From an environment's folder up to the workspace: dependencies may be named in any."""
    return [p for p in (folder, *folder.parents) if p == workspace or workspace in p.parents]


def _of_drivers(folders: Iterable[Path]) -> Iterator[str]:
    for folder in folders:
        for requirement in _requirements(folder):
            match = _NAME.match(requirement)
            if match:
                name = re.sub(r"[-_.]+", "-", match.group(1)).lower()
                if name in _DRIVERS:
                    yield _DRIVERS[name]


def _requirements(folder: Path) -> Iterator[str]:
    for file in (*folder.glob("*requirements*.txt"), *folder.glob("requirements/*.txt")):
        yield from _text(file).splitlines()
    yield from _text(folder / "setup.cfg").splitlines()
    yield from re.findall(r"[\"']([^\"'\n]+)[\"']", _text(folder / "setup.py"))
    for name in ("pyproject.toml", "Pipfile"):
        yield from _of_toml(_toml(folder / name))


def _of_toml(data: Mapping[str, Any]) -> Iterator[str]:
    """Requirements as PEP 621 and PEP 735 lists, and as Poetry's and Pipenv's tables."""
    project = _table(data, "project")
    lists = [project.get("dependencies"), *_table(project, "optional-dependencies").values()]
    for value in (*lists, *_table(data, "dependency-groups").values()):
        if isinstance(value, list):
            yield from (item for item in value if isinstance(item, str))
    poetry = _table(_table(data, "tool"), "poetry")
    groups = [_table(group, "dependencies") for group in _table(poetry, "group").values()]
    for table in (_table(poetry, "dependencies"), *groups, _table(data, "packages")):
        yield from table


def _table(data: Any, name: str) -> Mapping[str, Any]:
    value = data.get(name) if isinstance(data, dict) else None
    return value if isinstance(value, dict) else {}


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
