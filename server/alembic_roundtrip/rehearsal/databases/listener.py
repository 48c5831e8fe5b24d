"""A port of ours on this machine, behind which a relay serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

HOST = "127.0.0.1"
_CHUNK = 64 * 1024

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def listening(serve: Callable[[Streams], Awaitable[None]]) -> AsyncIterator[int]:
    """A port whose connections are served until the end."""
    open_now: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_now.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, ValueError):
                await serve((reader, writer))
        finally:
            open_now.discard(task)
            writer.close()

    server = await asyncio.start_server(accepted, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(open_now):
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Hand on everything that comes."""
    while data := await source.read(_CHUNK):
        target.write(data)
        await target.drain()


async def pumped(server: Streams, *ways: Coroutine[Any, Any, None]) -> None:
    """Both ways until one of them ends."""
    pumps = [asyncio.ensure_future(way) for way in ways]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in pumps:
            each.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        server[1].close()
