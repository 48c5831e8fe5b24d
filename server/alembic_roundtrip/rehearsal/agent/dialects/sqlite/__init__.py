"""SQLite: a file, of which states are copies in memory."""

from __future__ import annotations

from .room import Dialect

__all__ = ["Dialect"]
