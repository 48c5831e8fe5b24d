"""MariaDB and MySQL: every change of the schema stays, so states are made anew from definitions."""

from __future__ import annotations

from .room import Dialect

__all__ = ["Dialect"]
