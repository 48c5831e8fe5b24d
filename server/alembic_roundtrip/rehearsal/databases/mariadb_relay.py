"""The agent's only way to a named MariaDB or MySQL: a port of ours, for one account only.

So the system can close everything but this one port for the agent, wherever the server is; and
whoever finds the port gets no further than the account that owns the scratch databases.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from alembic_roundtrip.rehearsal.databases.listener import Streams, listening, pump, pumped

_HEADER = 4
_LONGEST_GREETING = 10_000
_VERSION_10 = 10
# Capabilities that would hide the rest from us: encryption, which this machine's own loopback does
# not need, and compression.
_SSL, _COMPRESS, _ZSTD = 0x800, 0x20, 0x400
_BEFORE_CAPABILITIES = 13  # of the greeting, behind the server's version
_BEFORE_USER = 32  # of the answer
_CHANGE_USER = 0x11


@asynccontextmanager
async def relay(server: Mapping[str, Any], account: str) -> AsyncIterator[int]:
    """A port that leads to the server, for those who come as `account`."""
    async with listening(lambda agent: _serve(agent, server, account)) as port:
        yield port


async def _serve(agent: Streams, where: Mapping[str, Any], account: str) -> None:
    server = await _connect(where)
    try:
        greeting = await _packet(server[0])
        agent[1].write(_plain(greeting))
        answer = await _packet(agent[0])
        user = answer[_HEADER + _BEFORE_USER :].partition(b"\0")[0].decode("utf-8", "replace")
        if user != account:
            agent[1].write(_refusal(answer[3] + 1, f"{user} is not this rehearsal's account"))
            await agent[1].drain()
            return
        server[1].write(answer)
        await pumped(server, _commands(agent[0], server[1]), pump(server[0], agent[1]))
    finally:
        server[1].close()


async def _connect(where: Mapping[str, Any]) -> Streams:
    if "unix_socket" in where:
        return await asyncio.open_unix_connection(where["unix_socket"])
    return await asyncio.open_connection(where["host"], where["port"])


async def _packet(source: asyncio.StreamReader) -> bytes:
    """The next packet, with its header: three bytes of length, one that counts."""
    header = await source.readexactly(_HEADER)
    length = int.from_bytes(header[:3], "little")
    if length > _LONGEST_GREETING:
        raise ValueError("not the protocol of MariaDB and MySQL")
    return header + await source.readexactly(length)


def _plain(greeting: bytes) -> bytes:
    """The server's greeting without offers that would hide from us who comes."""
    if greeting[_HEADER] != _VERSION_10:  # an error: too many connections, say
        return greeting
    lower = greeting.index(b"\0", _HEADER) + 1 + _BEFORE_CAPABILITIES
    upper = lower + 5
    low, high = (struct.unpack_from("<H", greeting, at)[0] for at in (lower, upper))
    changed = bytearray(greeting)
    struct.pack_into("<H", changed, lower, low & ~(_SSL | _COMPRESS))
    struct.pack_into("<H", changed, upper, high & ~_ZSTD)
    return bytes(changed)


async def _commands(agent: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    """Hand on what the agent sends, but for the command that makes it somebody else."""
    while True:
        header = await agent.readexactly(_HEADER)
        length = int.from_bytes(header[:3], "little")
        payload = await agent.readexactly(length)
        if header[3] == 0 and payload[:1] == bytes([_CHANGE_USER]):
            return
        server.write(header + payload)
        await server.drain()


def _refusal(number: int, message: str) -> bytes:
    payload = b"\xff" + struct.pack("<H", 1045) + b"#28000" + message.encode()
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload
