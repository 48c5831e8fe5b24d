"""The environment variables an agent gets: everything but the way to a database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_DROPPED = re.compile(
    r"^(PG[A-Z]+|MYSQL\w*|MARIADB\w*|POSTGRES\w*|LIBPQ\w*|REDSHIFT\w*|TNS_ADMIN)$"
)
_SECRET = re.compile(
    r"(^|_)(DB|DATABASE|SQL|SQLALCHEMY)\w*_(USER|USERNAME|PASS|PASSWORD|PWD|HOST|HOSTNAME|PORT)$"
)
_SERVER = re.compile(
    r"^(postgres|postgresql|mysql|mariadb|mssql|oracle|cockroachdb|redshift|snowflake|db2)"
    r"(\+\w+)?://"
)


def for_agent(ours: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Our variables without credentials; what the settings give is handed over as it is.

    A URL keeps its scheme and the database's name: env.py often reads it, and it decides the
    dialect; host, user and password it does not keep.
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
    if not _SERVER.match(value):
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return f"{value.partition(':')[0]}://scratch:scratch@localhost/scratch"
    return f"{parts.scheme}://scratch:scratch@localhost/{parts.path.strip('/') or 'scratch'}"
