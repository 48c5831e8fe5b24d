"""Times a part of this process: wall, and CPU with children and the server's processes."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


class Reading(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def read(postmaster: int = 0) -> Reading:
    """What has passed so far; `postmaster` is the server's first process, or 0."""
    mine, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    cpu = mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime
    return Reading(time.perf_counter(), cpu + server(postmaster))


def server(postmaster: int) -> float:
    """CPU seconds of a server: its first process, those it waited for, and those that live."""
    if not postmaster:
        return 0.0
    while True:
        own = _fields(postmaster)[11:15]
        living = [each[11:13] for each in _processes() if each[1:2] == [postmaster]]
        # One that ended meanwhile is in neither sum, or in both.
        if _fields(postmaster)[13:15] == own[2:]:
            return (sum(own) + sum(map(sum, living))) / _TICKS


def _processes() -> list[list[int]]:
    names = [entry.name for entry in Path("/proc").iterdir()]
    return [_fields(int(name)) for name in names if name.isdigit()]


def _fields(process: int) -> list[int]:
    """Of /proc/PID/stat, from the state on, as numbers; nothing for one that is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    words = text.rpartition(")")[2].split()
    return [int(word) if word.lstrip("-").isdigit() else 0 for word in words]


def take(revisions: Sequence[str], round_trip: Callable[[str], object]) -> None:
    """Do and tell what fits into the SECONDS that the environment names; SERVER is there, too."""
    postmaster, seconds = int(os.environ["SERVER"]), float(os.environ["SECONDS"])
    before = read(postmaster)
    done = 0
    for revision in revisions:
        if time.perf_counter() - before.wall > seconds:
            break
        round_trip(revision)
        done += 1
    tell(done, before, read(postmaster))


def tell(revisions: int, before: Reading, after: Reading) -> None:
    """Say what it cost, as the last line."""
    cost = {
        "revisions": revisions,
        "wall": after.wall - before.wall,
        "cpu": after.cpu - before.cpu,
    }
    sys.stdout.write(f"\n{json.dumps(cost)}\n")
