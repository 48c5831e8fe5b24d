"""Where an index is kept: files of JSON in the user's cache that are thrown away when in doubt.

Nothing in them is ever run, and nothing is believed that this very program did not write: its own
code and Python's version are part of what a file must say it was made by.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from alembic_roundtrip.project import Environment

_FORMAT = 1

logger = logging.getLogger(__name__)


class Store:
    """A folder of named values.

    Processes may share it: a value is replaced at once, and the last one to write it wins.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, name: str) -> Any:
        """A value that was saved; None where there is none, or a damaged or foreign one."""
        try:
            header, _, body = (self.folder / name).read_bytes().partition(b"\n")
            return json.loads(body) if header == _header(body) else None
        except (OSError, ValueError, RecursionError):
            return None

    def save(self, name: str, value: Any) -> None:
        """Keep a value, if the disk lets us: without it the next run is slower, and no more."""
        body = json.dumps(value, separators=(",", ":")).encode()
        target = self.folder / name
        temporary = target.with_name(f"{name}.{os.getpid()}")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                temporary.write_bytes(_header(body) + b"\n" + body)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            logger.info("the index %s is not kept: %s", target, error)

    def names(self, prefix: str) -> set[str]:
        """The names of values that begin so."""
        try:
            return {file.name for file in self.folder.glob(f"{prefix}*")}
        except OSError:
            return set()

    def keep_only(self, prefix: str, names: Iterable[str]) -> None:
        """Forget the values whose names begin so, but for these."""
        try:
            for name in self.names(prefix).difference(names):
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            logger.info("old parts of the index in %s stay: %s", self.folder, error)


def store_of(environment: Environment) -> Store:
    """The index of one Alembic environment."""
    from platformdirs import user_cache_dir

    places = (environment.script_location, *environment.version_locations, environment.config)
    identity = "\0".join(map(str, (*places, environment.section, environment.recursive)))
    known = digest(identity.encode("utf-8", "surrogateescape"))
    name = f"{environment.folder.name}-{known}"
    return Store(Path(user_cache_dir("alembic-roundtrip", appauthor=False)) / "index" / name)


def digest(data: bytes) -> str:
    """A hash that nobody can find a second content for."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _header(body: bytes) -> bytes:
    return f"alembic-roundtrip index {_FORMAT} {_made_by()} {digest(body)}".encode()


@cache
def _made_by() -> str:
    """What this program is: its own files, and the Python that runs it."""
    files = sorted(_sources(str(Path(__file__).parent.parent)))
    return digest("\n".join((sys.version, *files)).encode("utf-8", "surrogateescape"))


def _sources(folder: str) -> Iterator[str]:
    """Our files below a folder, in which state each is."""
    with os.scandir(folder) as found:
        for entry in found:
            if entry.is_dir():
                yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                facts = entry.stat()
                yield f"{entry.path} {facts.st_size} {facts.st_mtime_ns}"
