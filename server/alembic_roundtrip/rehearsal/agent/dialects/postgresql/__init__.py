"""PostgreSQL: one database on the scratch server for each of the project's."""

from __future__ import annotations

from .room import Dialect

__all__ = ["Dialect"]
