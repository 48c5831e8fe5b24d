"""Which databases there are, and which do the same under several of SQLAlchemy's names."""

from __future__ import annotations

from typing import NamedTuple


class Database(NamedTuple):
    """One of those that a history is replayed for.

    `dialect` is None where it is not known, `engine` is env.py's name for it where there are
    several.
    """

    dialect: str | None
    engine: str | None = None


def named(engine: str) -> str:
    """An engine's name as it is told: Flask-Migrate's first one has none."""
    return engine or "<default>"


MYSQL = frozenset({"mysql", "mariadb"})
"""MySQL and MariaDB: two dialects, and what a migration does is the same on both."""
