"""The agent's only way to a named MariaDB or MySQL: a port of ours, for one account only.

So the system can close everything but this one port for the agent, wherever the server is; and
whoever finds the port gets no further than the account that owns the scratch databases.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from alembic_roundtrip.rehearsal.databases.listener import Streams, listening, pump, pumped

_HEADER = 4
_LONGEST_GREETING = 10_000
_VERSION_10 = 10
# Capabilities that would hide the rest from us: encryption, which is ours to add, and compression.
_SSL, _COMPRESS, _ZSTD = 0x800, 0x20, 0x400
_BEFORE_CAPABILITIES = 13  # of the greeting, behind the server's version
_BEFORE_USER = 32  # of the answer
_CHANGE_USER = 0x11
_OK, _ERROR, _KNOWN_ALREADY = b"\x00", b"\xff", b"\x01\x03"
_PATIENCE = 10


@asynccontextmanager
async def relay(server: Mapping[str, Any], account: str) -> AsyncIterator[int]:
    """A port that leads to the server, for those who come as `account`."""
    async with listening(lambda agent: _serve(agent, server, account)) as port:
        yield port


async def _serve(agent: Streams, where: Mapping[str, Any], account: str) -> None:
    raw = await asyncio.to_thread(_connected, where)
    try:
        greeting = await _greeting(raw)
        agent[1].write(_plain(greeting))
        answer = await _packet(agent[0])
        user = answer[_HEADER + _BEFORE_USER :].partition(b"\0")[0].decode("utf-8", "replace")
        if user != account:
            agent[1].write(_refusal(answer[3] + 1, f"{user} is not this rehearsal's account"))
            await agent[1].drain()
            raw.close()
            return
        server = await _answered(raw, where, answer)
    except BaseException:
        raw.close()
        raise
    try:
        await _let_in(agent, server, extra=1 if "ssl" in where else 0)
    except BaseException:
        server[1].close()
        raise
    await pumped(server, _commands(agent[0], server[1]), pump(server[0], agent[1]))


def _connected(where: Mapping[str, Any]) -> socket.socket:
    """A socket to the server, to be used without waiting for it."""
    if "unix_socket" in where:
        found = socket.socket(socket.AF_UNIX)
        found.connect(where["unix_socket"])
    else:
        found = socket.create_connection((where["host"], where["port"]), timeout=_PATIENCE)
    found.setblocking(False)  # noqa: FBT003
    return found


async def _greeting(server: socket.socket) -> bytes:
    """The server's first packet; it comes before anything can be encrypted."""
    receive = asyncio.get_running_loop().sock_recv
    found = b""
    while len(found) < _HEADER or len(found) < _HEADER + int.from_bytes(found[:3], "little"):
        more = await receive(server, _LONGEST_GREETING)
        if not more:
            raise OSError("the server ends the connection")
        found += more
    return found


async def _answered(server: socket.socket, where: Mapping[str, Any], answer: bytes) -> Streams:
    """The way to the server once it has the agent's answer: encrypted, if that is wished for."""
    if "ssl" not in where:
        streams = await asyncio.open_connection(sock=server)
        streams[1].write(answer)
        return streams
    (capabilities,) = struct.unpack_from("<I", answer, _HEADER)
    wish = struct.pack("<I", capabilities | _SSL) + answer[_HEADER + 4 : _HEADER + _BEFORE_USER]
    header = len(wish).to_bytes(3, "little") + answer[3:4]
    await asyncio.get_running_loop().sock_sendall(server, header + wish)
    streams = await asyncio.open_connection(
        sock=server, ssl=where["ssl"], server_hostname=where["host"]
    )
    rest = struct.pack("<I", capabilities | _SSL) + answer[_HEADER + 4 :]
    streams[1].write(_counted(answer[:_HEADER] + rest, 1))
    return streams


async def _let_in(agent: Streams, server: Streams, extra: int) -> None:
    """The rest of the login; `extra` packets went to the server that the agent knows nothing of."""
    while True:
        packet = await _packet(server[0])
        agent[1].write(_counted(packet, -extra))
        await agent[1].drain()
        kind = packet[_HEADER : _HEADER + 2]
        if kind[:1] in {_OK, _ERROR}:
            return
        if kind != _KNOWN_ALREADY:
            server[1].write(_counted(await _packet(agent[0]), extra))
            await server[1].drain()


def _counted(packet: bytes, by: int) -> bytes:
    """A packet with another number."""
    return packet[:3] + bytes([(packet[3] + by) % 256]) + packet[_HEADER:]


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
