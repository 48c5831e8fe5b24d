"""Alembic Roundtrip: know before you deploy what each Alembic rollback would lose."""

from __future__ import annotations

__version__ = "0.1.0"
