"""Logs that would go over a connection or into a file: the application goes on without them."""

from __future__ import annotations

import functools
import logging
import os
from logging.handlers import SysLogHandler
from typing import Any


def let_go() -> None:
    """Make handlers that cannot connect or open their file, which fail otherwise."""
    _let_go_of_syslog()
    _let_go_of_files()


def _let_go_of_files() -> None:
    original = logging.FileHandler._open  # noqa: SLF001 - there is no other way

    @functools.wraps(original)
    def opened(self: logging.FileHandler) -> Any:
        try:
            return original(self)
        except PermissionError:
            return open(os.devnull, self.mode, encoding=self.encoding)

    logging.FileHandler._open = opened  # type: ignore[method-assign]  # noqa: SLF001


def _let_go_of_syslog() -> None:
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
