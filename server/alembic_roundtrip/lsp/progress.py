"""Work-done progress of one command, with a way to be cancelled from the editor."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from lsprotocol import types
from pygls.progress import Progress as Reporter

log = logging.getLogger(__name__)

ANSWER_WITHIN = 2.0
"""Seconds a client has to accept a progress bar; the work does not wait longer for it."""


class Progress:
    """Reports to the client's progress bar, or to nobody where it has none."""

    def __init__(self, reporter: Reporter, token: types.ProgressToken | None) -> None:
        self._reporter = reporter
        self._token = token

    @classmethod
    async def begin(
        cls,
        reporter: Reporter,
        title: str,
        *,
        token: types.ProgressToken | None,
        create: bool,
        on_cancel: Callable[[], Any],
    ) -> Progress:
        """Begin under the client's own token, or under one of ours that the client accepts."""
        if token is None and create:
            token = await cls._created(reporter)
        progress = cls(reporter, token)
        if token is not None:
            reporter.begin(
                token,
                types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0),
            )
            reporter.tokens[token].add_done_callback(lambda future: _react(future, on_cancel))
        return progress

    @staticmethod
    async def _created(reporter: Reporter) -> types.ProgressToken | None:
        token = str(uuid.uuid4())
        # Shielded: pygls fails on a client's answer to a request that was cancelled meanwhile.
        request = asyncio.ensure_future(reporter.create_async(token))
        request.add_done_callback(_look_at)
        try:
            await asyncio.wait_for(asyncio.shield(request), ANSWER_WITHIN)
        except Exception as error:  # noqa: BLE001 - a client may refuse with any error
            log.warning("the client did not accept a progress bar: %r", error)
            return None
        return token

    def report(self, message: str, percentage: int) -> None:
        """Say what is being done and how far it is."""
        if self._token is not None:
            value = types.WorkDoneProgressReport(
                message=message, percentage=percentage, cancellable=True
            )
            self._reporter.report(self._token, value)

    def end(self, message: str) -> None:
        """Say how it ended and take the bar away."""
        if self._token is not None:
            self._reporter.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._reporter.tokens.pop(self._token, None)
            self._token = None


def _react(future: Future[Any], on_cancel: Callable[[], Any]) -> None:
    if future.cancelled():
        on_cancel()


def _look_at(task: asyncio.Future[Any]) -> None:
    """Take note of an exception that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
