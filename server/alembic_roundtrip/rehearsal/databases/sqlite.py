"""SQLite: a file in the scratch folder, made by the agent itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from alembic_roundtrip.config import Settings

KIND = "sqlite"


@asynccontextmanager
async def opened(_settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """Nothing to prepare."""
    yield {}
