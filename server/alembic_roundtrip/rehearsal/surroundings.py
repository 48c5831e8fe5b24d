"""The environment variables an agent gets: everything but the way to a database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_DROPPED = re.compile(
    r"^(PG[A-Z]+|MYSQL\w*|MARIADB\w*|POSTGRES\w*|LIBPQ\w*|REDSHIFT\w*|TNS_ADMIN)$"
)
_SECRET = re.compile(
    r"(^|_)(DB|DATABASE|SQL|SQLALCHEMY)(\w*_)?"
    r"(USER|USERNAME|PASS|PASSWORD|PWD|HOST|HOSTNAME|PORT)$"
)
_URL = re.compile(
    r"\b(?P<scheme>(?:postgres|postgresql|mysql|mariadb|mssql|oracle|cockroachdb|redshift"
    r"|snowflake|db2|clickhouse|mongodb|rediss?)(?:\+\w+)?)://[^\s\"'<>}]*",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"\b(password|passwd|pwd)(\s*=\s*)('[^']*'|[^\s;&\"']+)", re.IGNORECASE)
"""In what libpq and ODBC are told: words with an equals sign."""


def for_agent(ours: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Our variables without credentials; what the settings give is handed over as it is.

    A URL keeps its scheme and the database's name: env.py often reads it, and it decides the
    dialect; host, user and password it does not keep. Other texts lose their passwords.
    """
    kept = {name: _harmless(value) for name, value in ours.items() if not _is_dropped(name)}
    return {
        **kept,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
        **given,
    }


def _is_dropped(name: str) -> bool:
    upper = name.upper()
    return bool(_DROPPED.match(upper) or _SECRET.search(upper))


def _harmless(value: str) -> str:
    """Without the credentials in it, wherever in a text they are."""
    return _PASSWORD.sub(r"\1\2scratch", _URL.sub(_leading_nowhere, value))


def _leading_nowhere(url: re.Match[str]) -> str:
    try:
        name = urlsplit(url.group()).path.strip("/")
    except ValueError:
        name = ""
    return f"{url['scheme']}://scratch:scratch@localhost/{name or 'scratch'}"
