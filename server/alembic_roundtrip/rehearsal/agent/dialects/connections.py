"""A connection of ours beside those of env.py, by the project's own driver."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Type, TypeVar

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.pool import Pool, StaticPool

# Bound at import, which is before the guard replaces it for the project.
_create_engine = sqlalchemy.create_engine
T = TypeVar("T")


class OwnConnection:
    """Called with functions that work in a transaction, which is then committed.

    It stays open, unless another class of pools says otherwise.
    """

    def __init__(self, url: Any, *setup: str, poolclass: Type[Pool] = StaticPool) -> None:
        self._setup = setup
        self._is_async = url.get_dialect().is_async
        if not self._is_async:
            self._engine: Any = _create_engine(url, poolclass=poolclass)
            event.listen(self._engine, "connect", self._prepare)
            return
        from sqlalchemy.ext.asyncio import create_async_engine

        # env.py may be inside an event loop of its own: ours runs in another thread.
        self._loop = asyncio.new_event_loop()
        self._thread = ThreadPoolExecutor(1)
        self._engine = create_async_engine(url, poolclass=poolclass)
        event.listen(self._engine.sync_engine, "connect", self._prepare)

    def __call__(self, function: Callable[[Any], T]) -> T:
        """What the function gives, called with a SQLAlchemy connection."""
        if self._is_async:
            return self._thread.submit(self._wait_for, function).result()
        with self._engine.begin() as connection:
            return function(connection)

    def _wait_for(self, function: Callable[[Any], T]) -> T:
        return self._loop.run_until_complete(self._work(function))

    async def _work(self, function: Callable[[Any], T]) -> T:
        async with self._engine.begin() as connection:
            found: T = await connection.run_sync(function)
        return found

    def _prepare(self, dbapi: Any, _record: Any) -> None:
        cursor = dbapi.cursor()
        for statement in self._setup:
            cursor.execute(statement)
        cursor.close()
