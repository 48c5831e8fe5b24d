"""Logs that would go over a connection: it is denied, and the application goes on without them."""

from __future__ import annotations

import functools
import logging
from logging.handlers import SysLogHandler
from typing import Any


def let_go() -> None:
    """Make handlers for syslog that cannot connect, which fail while they are made otherwise."""
    original = SysLogHandler.__init__

    @functools.wraps(original)
    def init(self: SysLogHandler, *args: Any, **kwargs: Any) -> None:
        try:
            original(self, *args, **kwargs)
        except OSError:
            logging.Handler.__init__(self)
            # Of this handler only. Before Python 3.11 it would close a socket that it never got.
            vars(self).update(emit=_drop, close=functools.partial(logging.Handler.close, self))

    SysLogHandler.__init__ = init  # type: ignore[method-assign]


def _drop(_record: logging.LogRecord) -> None:
    """Nobody would read it."""
