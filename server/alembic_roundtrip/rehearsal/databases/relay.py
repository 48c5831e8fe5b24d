"""The agent's only way to a named PostgreSQL: a port of ours, to scratch databases only.

So the system can close everything but this one port for the agent, wherever the server is; and
whoever finds the port gets no further than databases whose names begin with the rehearsal's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from alembic_roundtrip.rehearsal.databases.listener import Streams, listening, pump, pumped

if TYPE_CHECKING:
    from psycopg import Connection

_SSL, _GSS, _CANCEL, _VERSION_3 = 80877103, 80877104, 80877102, 3
_LONGEST_GREETING = 10_000


@asynccontextmanager
async def relay(connection: Connection[Any], prefix: str) -> AsyncIterator[int]:
    """A port that leads where `connection` leads, for databases whose names begin so."""
    where = _Server(connection)
    async with listening(lambda agent: _serve(agent, where, prefix)) as port:
        yield port


class _Server:
    """Where the server is, and how it wants to be spoken to."""

    def __init__(self, connection: Connection[Any]) -> None:
        info = connection.info
        options = info.get_parameters()
        self._address = info.hostaddr or info.host
        self._host = info.host
        self._port = info.port
        self._encrypted = connection.pgconn.ssl_in_use
        self._mode = options.get("sslmode", "prefer")
        self._authority = options.get("sslrootcert")

    async def connect(self) -> Streams:
        if self._address.startswith("/"):
            return await asyncio.open_unix_connection(f"{self._address}/.s.PGSQL.{self._port}")
        if not self._encrypted:
            return await asyncio.open_connection(self._address, self._port)
        raw = socket.create_connection((self._address, self._port), timeout=10)
        raw.sendall(struct.pack("!ii", 8, _SSL))
        if raw.recv(1) != b"S":
            raise OSError("the server does not speak TLS any more")
        raw.setblocking(False)  # noqa: FBT003
        return await asyncio.open_connection(
            sock=raw, ssl=self._context(), server_hostname=self._host
        )

    def _context(self) -> ssl.SSLContext:
        authority = None if self._authority in {None, "system"} else self._authority
        context = ssl.create_default_context(cafile=authority)
        context.check_hostname = self._mode == "verify-full"
        if self._mode not in {"verify-ca", "verify-full"}:
            context.verify_mode = ssl.CERT_NONE
        return context


async def _serve(agent: Streams, where: _Server, prefix: str) -> None:
    greeting = await _greeting(agent)
    (code,) = struct.unpack_from("!i", greeting)
    if code != _CANCEL:
        database = _parameters(greeting).get("database", "")
        if code >> 16 != _VERSION_3 or not database.startswith(prefix):
            agent[1].write(_refusal(f"{database} is not a scratch database of this rehearsal"))
            await agent[1].drain()
            return
    server = await where.connect()
    server[1].write(struct.pack("!i", len(greeting) + 4) + greeting)
    await pumped(server, pump(agent[0], server[1]), pump(server[0], agent[1]))


async def _greeting(agent: Streams) -> bytes:
    """The first message; wishes for encryption on this machine's own loopback are declined."""
    while True:
        (length,) = struct.unpack("!i", await agent[0].readexactly(4))
        if not 8 <= length <= _LONGEST_GREETING:  # noqa: PLR2004 (a length and a code)
            raise ValueError("not PostgreSQL's protocol")
        message = await agent[0].readexactly(length - 4)
        if struct.unpack_from("!i", message)[0] not in {_SSL, _GSS}:
            return message
        agent[1].write(b"N")
        await agent[1].drain()


def _parameters(greeting: bytes) -> dict[str, str]:
    words = [word.decode("utf-8", "replace") for word in greeting[4:].split(b"\0")]
    return dict(zip(words[::2], words[1::2], strict=False))


def _refusal(message: str) -> bytes:
    fields = b"".join(
        part + text.encode() + b"\0"
        for part, text in ((b"S", "FATAL"), (b"C", "28000"), (b"M", message))
    )
    return b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0"
