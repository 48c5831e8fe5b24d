"""What migration scripts say of their place in the history, without reading them again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alembic_roundtrip.history import Problem, Revision
from alembic_roundtrip.index.store import Store, digest

_NAME = "files"
_UNSURE = 2_000_000_000
"""Nanoseconds in which a file may change again and keep its time."""
_NEVER = -1
READS_SQL = "+sql"
"""The end of a hash that does not say all: what it reads can change."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a file: a hash of its content, whether it goes back, its identifiers."""

    digest: str
    goes_back: bool
    found: Revision | Problem


_Entry = tuple[Any, ...]
"""Time and size of a file, then its facts."""

Identify = Callable[[Path, bytes], tuple[bool, Revision | Problem]]


class Files:
    """Facts of the files of one environment; a file whose time and size are the same is not read.

    Without a store nothing is remembered from one run to the next.
    """

    def __init__(self, store: Store | None, identify: Identify) -> None:
        self._store = store
        self._identify = identify
        self._known = self._loaded(store)
        self._seen: dict[str, _Entry] = {}
        self._contents: dict[Path, bytes] = {}
        self._news = False

    @staticmethod
    def _loaded(store: Store | None) -> dict[str, _Entry]:
        columns: Any = store.load(_NAME) if store is not None else None
        try:
            names, *facts = columns
            return dict(zip(names, zip(*facts, strict=True), strict=True))
        except (TypeError, ValueError):
            return {}

    def facts(self, path: Path) -> Facts:
        """Facts of a file; raises `OSError` where it cannot be read."""
        name = str(path)
        status = os.stat(name)  # noqa: PTH116 - of thousands
        entry = self._known.get(name)
        if entry and entry[0] == status.st_mtime_ns and entry[1] == status.st_size:
            facts = _facts(entry, path)
            if facts is not None:
                self._seen[name] = entry
                return facts
        content = self._contents[path] = read_file(path)
        facts = self._read(path, content, entry)
        if isinstance(facts.found, Revision):
            self._news = True
            self._seen[name] = _entry(status, facts)
        return facts

    def content(self, path: Path) -> bytes:
        """The content that the facts are of, if it was read for them and this is the first time.

        Else what the file has now; raises `OSError` where it cannot be read.
        """
        known = self._contents.pop(path, None)
        return read_file(path) if known is None else known

    def _read(self, path: Path, content: bytes, entry: _Entry | None) -> Facts:
        made = content_digest(content)
        known = _facts(entry, path) if entry is not None else None
        if known is not None and known.digest == made:
            return known
        return Facts(made, *self._identify(path, content))

    def save(self) -> None:
        """Keep what was asked for since this was made; files that are gone are forgotten."""
        if self._store is None or not (self._news or self._known.keys() - self._seen.keys()):
            return
        now = time.time_ns()
        kept = (
            (name, _NEVER if entry[0] > now - _UNSURE else entry[0], *entry[1:])
            for name, entry in self._seen.items()
        )
        # By columns, which are read several times as fast as thousands of lists.
        self._store.save(_NAME, list(zip(*kept, strict=True)))
        self._known, self._news = self._seen, False


def read_file(path: Path) -> bytes:
    """The bytes of a file, in half the time of `Path.read_bytes`."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        return file.readall()


def content_digest(content: bytes) -> str:
    """A hash of a migration; one that may read an SQL file beside it is marked."""
    return digest(content) + (READS_SQL if b".sql" in content else "")


def _entry(status: os.stat_result, facts: Facts) -> _Entry:
    found = facts.found
    assert isinstance(found, Revision)
    several = (found.down_revisions, found.depends_on, found.branch_labels, found.computed)
    identifiers = (found.id, *map(_plain, several))
    return (status.st_mtime_ns, status.st_size, facts.digest, facts.goes_back, *identifiers)


def _facts(entry: _Entry, path: Path) -> Facts | None:
    """Facts from an entry; None for one that is no such thing."""
    try:
        _, _, made, goes_back, name, down, depends, labels, computed = entry
        identifiers = _several(down), _several(depends), _several(labels), path, _several(computed)
        return Facts(made, goes_back, Revision(name, *identifiers))
    except (TypeError, ValueError):
        return None


def _plain(names: tuple[str, ...]) -> str | tuple[str, ...] | None:
    """None or one of them by itself: nearly all migrations have no more than that."""
    return names[0] if len(names) == 1 else names or None


def _several(plain: str | Sequence[str] | None) -> tuple[str, ...]:
    if plain is None:
        return ()
    return (plain,) if isinstance(plain, str) else tuple(plain)
