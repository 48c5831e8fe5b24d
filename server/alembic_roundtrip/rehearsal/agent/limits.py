"""How much memory and disk a rehearsal may use: one that runs away ends alone, not the machine."""

from __future__ import annotations

import os
import sys

GIB = 1 << 30
_MOST = 4 * GIB


def put_on() -> None:
    """Let this process, and each it starts, have only so much memory, and write no larger file.

    Past that Python raises `MemoryError` or `OSError`. Nothing is done where there are no limits.
    """
    if sys.platform == "win32":
        return
    import resource

    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    for kind, most in (
        (resource.RLIMIT_DATA, max(GIB, min(_MOST, half))),
        (resource.RLIMIT_FSIZE, _MOST),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(kind, (most, hard))
