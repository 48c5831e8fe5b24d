"""Which dialects env.py and migrations mention: in imports, conditions, options and URLs."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_ALIASES = {"postgres": "postgresql"}
_DIALECTS = (
    "access ascend athena awsathena bigquery clickhouse clickhousedb cockroachdb crate databricks "
    "db2 dm dremio drill druid duckdb exasol firebird hana hive ibm_db_sa impala informix kinetica "
    "mariadb monetdb mssql mysql netezza oceanbase opengauss oracle postgres postgresql presto "
    "redshift snowflake spanner sqlite starrocks sybase teradatasql tidb timescaledb trino vertica "
    "yugabytedb"
)
_NAMES = frozenset(_DIALECTS.split())
_QUOTED = re.compile(rf"[\"']({'|'.join(sorted(_NAMES))})(?:[+:][^\"'\n]*)?[\"']")
_SUBJECT = re.compile(r"dialect|engine|drivername|url|bind|backend|vendor|\bcase\b", re.IGNORECASE)
_COMPARISON = re.compile(r"==|!=|\bin\b|startswith|\bcase\b")
_VARIANT = re.compile(r"with_variant\(|execute_if\(|ddl_if\(")
_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+sqlalchemy\.dialects\.(\w+)|import[ \t]+sqlalchemy\.dialects\.(\w+)"
    r"|from[ \t]+sqlalchemy\.dialects[ \t]+import[ \t]*(\([^)]*\)|[^\n]*))",
    re.MULTILINE,
)
_IMPORTED = re.compile(r"(\w+)(?:\s+as\s+\w+)?\s*(?:[,);]|$)")
_WITH_OPTIONS = ("mysql", "mariadb", "postgresql", "mssql", "oracle")
# Not SQLite's: models of a server's project have `sqlite_where` for its tests, and autogenerate
# writes them down.
_OPTION = re.compile(rf"(?<!\w)({'|'.join(_WITH_OPTIONS)})_[a-z]\w*[ \t]*=(?!=)")
_URL = re.compile(
    r"[\"']([A-Za-z]\w*)(?:\+\w+)?://|\bURL(?:\.create)?\(\s*(?:drivername\s*=\s*)?[\"'](\w+)"
)
_BATCH = re.compile(r"batch_alter_table\s*\(|render_as_batch\s*=\s*True\b")
_NOT_IN_BATCH = re.compile(
    # What must stand before it is asked behind it: a pattern that starts with letters is searched
    # for these, any other is tried at every character.
    r"op\.(?<!\wop\.)(?:alter_column|drop_constraint|create_(?:foreign_key|unique_constraint|check_constraint))"
    r"\s*\("
)
_COMMENT = re.compile(r"#[^\n]*")
_SAMPLE = 120
"""Migrations read: enough to see what a project mentions, in a few milliseconds."""


@dataclass
class Mentions:
    """What was found in the files of one environment."""

    counts: Counter[str] = field(default_factory=Counter)
    """Dialects, and in how many files."""
    files: dict[str, str] = field(default_factory=dict)
    """The name of the first file that mentions a dialect."""
    condition: str | None = None
    """The name of a file where something depends on the dialect: then there are several."""
    batch: str | None = None
    """The name of a file that uses batch mode, which only SQLite needs."""
    not_sqlite: str | None = None
    """The name of a file that does without batch mode what SQLite needs it for."""


def known(scheme: str) -> str | None:
    """SQLAlchemy's name of a dialect; None for placeholders, as in Alembic's template."""
    name = scheme.lower()
    return _ALIASES.get(name, name) if name in _NAMES else None


def mentions(env_py: Path | None, migrations: Iterable[str]) -> Mentions:
    """Read env.py and a sample of the migrations, given by their paths."""
    found = Mentions()
    if env_py is not None:
        _read(env_py, found, urls=True)
    files = sorted(migrations, key=_by_parts)
    for file in files[:: max(1, len(files) // _SAMPLE)]:
        _read(Path(file), found)
    return found


def _by_parts(path: str) -> str:
    """What sorts as the parts of a path would: a folder before what has more letters."""
    return path.replace(os.sep, "\0")


def _read(file: Path, found: Mentions, *, urls: bool = False) -> None:
    text = _text(file)
    guarded = list(_guards(text))
    names = [*guarded, *_imports(text), *_options(text), *(_urls(text) if urls else ())]
    for name in dict.fromkeys(_ALIASES.get(name, name) for name in names):
        found.counts[name] += 1
        found.files.setdefault(name, file.name)
    if found.condition is None and guarded:
        found.condition = file.name
    if found.batch is None and _BATCH.search(text):
        found.batch = file.name
    if found.not_sqlite is None and not guarded and _NOT_IN_BATCH.search(text):
        found.not_sqlite = file.name


def _imports(text: str) -> Iterator[str]:
    for match in _IMPORT.finditer(text):
        one, other, several = match.groups()
        names = _IMPORTED.findall(_COMMENT.sub("", several)) if several else (one or other,)
        yield from (name for name in names if name in _NAMES)


def _options(text: str) -> Iterator[str]:
    # A plain search first: the pattern has to be tried at every character.
    if any(f"{name}_" in text for name in _WITH_OPTIONS):
        yield from _OPTION.findall(text)


def _guards(text: str) -> Iterator[str]:
    """Dialects that something is compared with, or that a type has a variant for."""
    for match in _QUOTED.finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.end()]
        rest = text[match.end() : text.find("\n", match.end())]
        if "#" in line:
            continue
        compared = _COMPARISON.search(line) or _COMPARISON.match(rest.strip())
        if _VARIANT.search(line) or (compared and _SUBJECT.search(line + rest)):
            yield match.group(1)


def _urls(text: str) -> Iterator[str]:
    for match in _URL.finditer(_COMMENT.sub("", text)):
        name = known(match.group(1) or match.group(2))
        if name:
            yield name


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # what cannot be read mentions nothing
        return ""
