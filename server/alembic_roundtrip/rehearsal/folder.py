"""Scratch folders: in memory where there is such a place, gone afterwards, whatever happens."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "alembic-roundtrip-"
_LOCK = "lock"
_MEMORY = Path("/dev/shm")  # noqa: S108 - a tmpfs; the folder in it gets a random name
_TOO_YOUNG = 60.0
"""Seconds: a folder without a lock may be one that is just being made."""


def place() -> Path:
    """Where scratch folders are made: tmpfs (SQLite is many times faster there) or temp."""
    if sys.platform == "linux" and os.access(_MEMORY, os.W_OK | os.X_OK):
        return _MEMORY
    return Path(tempfile.gettempdir())


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder of our own, locked while we live, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place()))
    lock = _new_lock(folder)
    try:
        yield folder
    finally:
        if lock is not None:
            os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def collect_leftovers() -> int:
    """Remove the folders of rehearsals that were killed; gives how many there were."""
    collected = 0
    for folder in place().glob(f"{PREFIX}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            collected += 1
    return collected


def _is_abandoned(folder: Path) -> bool:
    try:
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return False
        if not (folder / _LOCK).exists():
            return time.time() - folder.stat().st_mtime > _TOO_YOUNG
        lock = _lock(folder / _LOCK, create=False)
    except OSError:
        return False
    if lock is None:
        return False
    os.close(lock)
    return True


def _new_lock(folder: Path) -> int | None:
    if sys.platform == "win32":  # an open file cannot be renamed there
        return _lock(folder / _LOCK, create=True)
    # It gets its name when it is locked: who looks for what is abandoned never finds it open.
    new = folder / f"{_LOCK}.new"
    lock = _lock(new, create=True)
    new.rename(folder / _LOCK)
    return lock


def _lock(file: Path, *, create: bool) -> int | None:
    """Lock a file as long as it stays open; None where another process holds it."""
    descriptor = os.open(file, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
