"""What one rehearsal has on a server: databases and accounts whose names begin with its own.

One subclass a server, in the module of its kind. Nothing else is ever changed on the server.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, TypeVar

from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases.listener import HOST
from alembic_roundtrip.rehearsal.databases.shared import Server
from alembic_roundtrip.rehearsal.databases.urls import plain, shown
from alembic_roundtrip.rehearsal.plan import CannotRun

PREFIX = "alembic_roundtrip_"
OURS = re.compile(rf"{PREFIX}[0-9a-f]{{12}}(_\w+)?")
"""The names of what belongs to a rehearsal, and of nothing else."""

_Connection = TypeVar("_Connection")
_Entered = TypeVar("_Entered")
_Result = TypeVar("_Result")


def unusable(name: str, said: str) -> CannotRun:
    """What to say of a server that cannot be connected to; `name` is it in a sentence."""
    is_named = "://" in name
    advice = "; see that it runs there, and where the setting `database` leads and as whom"
    return CannotRun(
        f"{name} cannot be used for scratch databases: {said}{advice if is_named else ''}"
    )


@dataclass(frozen=True)
class Place:
    """What the agent is told: where the server is, and as whom to go there."""

    host: str
    port: int
    name: str
    """What the names of all databases begin with."""
    owner: str
    owner_password: str


class Scratch(ABC, Generic[_Connection]):
    """The accounts and databases of one rehearsal, through an administrator's connection."""

    ours: ClassVar[str]
    """A server of ours in a sentence."""

    def __init__(self, server: Server | str, connection: _Connection) -> None:
        """`server` is one of ours or the URL of a named one."""
        self._server = server
        self._connection = connection
        self.name = f"{PREFIX}{secrets.token_hex(6)}"

    @staticmethod
    @abstractmethod
    def running() -> AbstractContextManager[Server]:
        """A server of ours; raises `CannotRun`."""

    @classmethod
    @abstractmethod
    def administration(cls, server: Server | str) -> AbstractContextManager[_Connection]:
        """A connection that makes and drops databases; raises `CannotRun`."""

    @abstractmethod
    def relay(self) -> AbstractAsyncContextManager[int]:
        """A port that leads to the named server, and there to what is of this rehearsal only."""

    @abstractmethod
    def create(self, host: str, port: int) -> Place:
        """Make them; raises `CannotRun` where the server is too old or does not let us."""

    @abstractmethod
    def remove(self) -> None:
        """Drop them; where the server itself is gone there is nothing left to remove."""

    @classmethod
    def name_of(cls, server: Server | str) -> str:
        """The server in a sentence."""
        return cls.ours if isinstance(server, Server) else shown(server)

    @asynccontextmanager
    async def reachable(self) -> AsyncIterator[tuple[str, int]]:
        """Host and port for the agent: a relay, which knows no other way, to a named server."""
        if isinstance(self._server, Server):
            yield self._server.host, self._server.port
            return
        async with self.relay() as port:
            yield HOST, port


@asynccontextmanager
async def opened(kind: type[Scratch[Any]], settings: Settings) -> AsyncIterator[dict[str, Any]]:
    """The place of one rehearsal, whose databases are removed at the end; raises `CannotRun`."""
    _, colon, _ = settings.database.partition("://")
    running: AbstractContextManager[Server | str] = (
        nullcontext(plain(settings.database)) if colon else kind.running()
    )
    async with AsyncExitStack() as stack:
        server = await _entered(stack, running)
        made = kind(server, await _entered(stack, kind.administration(server)))
        host, port = await stack.enter_async_context(made.reachable())
        try:
            yield asdict(await _to_its_end(made.create, host, port))
        finally:
            await _to_its_end(made.remove)


async def _entered(stack: AsyncExitStack, manager: AbstractContextManager[_Entered]) -> _Entered:
    """Enter it in a thread, so that nobody waits for a server who could go on.

    Nor does who is cancelled; a server that answers later is left at once.
    """
    call = asyncio.ensure_future(asyncio.to_thread(manager.__enter__))
    try:
        entered = await asyncio.shield(call)
    except asyncio.CancelledError:
        call.add_done_callback(lambda done: _leave(done, manager))
        raise
    stack.push(manager)
    return entered


def _leave(entered: asyncio.Future[Any], manager: AbstractContextManager[Any]) -> None:
    if not entered.cancelled() and entered.exception() is None:
        manager.__exit__(None, None, None)


async def _to_its_end(function: Callable[..., _Result], *arguments: Any) -> _Result:
    """What a function gives, called in a thread, so that nobody waits who could go on.

    Who is cancelled meanwhile waits all the same: a thread goes on, and what it makes on a server
    could not be removed before it is made.
    """
    call = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    cancelled = False
    while not call.done():
        try:
            await asyncio.wait([call])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        call.exception()  # nobody is left to be told of it
        raise asyncio.CancelledError
    return call.result()
