"""Files that are only touched: one that is there stays as it is, and nothing is said of it."""

from __future__ import annotations

import functools
import os
from typing import Any, Optional

from .audit import ONLY_SCRATCH


def let_be() -> None:
    """Let code go on that touches a file outside: when that was used last changes no migration."""
    original: Any = os.utime

    @functools.wraps(original)
    def utime(path: Any, times: Optional[Any] = None, **options: Any) -> None:
        try:
            original(path, times, **options)
        except PermissionError as error:
            if error.strerror != ONLY_SCRATCH or times is not None or "ns" in options:
                raise

    for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
        if original in able:
            able.add(utime)
    os.utime = utime
