"""Databases that do the same under several of SQLAlchemy's names."""

from __future__ import annotations

MYSQL = frozenset({"mysql", "mariadb"})
"""MySQL and MariaDB: two dialects, and what a migration does is the same on both."""
