"""A connection made once, before the project makes any."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from ..refusal import Refused


def prove_engine(url: str) -> None:
    """Connect an engine once; arguments that bring their own connection must not be used."""

    def creator() -> Any:
        raise Refused("arguments of create_engine that bring their own connections are still used")

    if not make_url(url).get_dialect().is_async:
        engine = sqlalchemy.create_engine(url, creator=creator, poolclass=NullPool)
        engine.raw_connection().close()
        return
    import asyncio

    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect() -> None:
        made = create_async_engine(url, poolclass=NullPool)
        async with made.connect():
            pass
        await made.dispose()

    asyncio.run(connect())
