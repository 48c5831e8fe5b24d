"""What is before the revisions of a plan, as far as reading tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.history import History
from alembic_roundtrip.history.graph import reachable
from alembic_roundtrip.history.resolution import is_relative
from alembic_roundtrip.history.scan import migration_files
from alembic_roundtrip.index.store import store_of
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.scripts import Scripts

_MOST = 8
"""Environments, of which an edited configuration makes another one."""
_UNSURE = 2_000_000_000
"""Nanoseconds in which a file may change again and look the same."""


@dataclass(frozen=True)
class Place:
    """A revision, its file, and what it follows."""

    revision: str
    path: Path
    parents: tuple[str, ...]


@dataclass(frozen=True)
class Ancestry:
    """Revisions that follow one another or the same parents, and all that is before them."""

    revisions: tuple[Place, ...]
    keys: Mapping[str, str]
    """The evidence keys of the parents: hashes of what they and all before them do."""
    scripts: tuple[Path, ...]
    """The files that these are hashes of."""
    locations: tuple[Path, ...]
    """The folders of migrations, as they really are called."""


class Histories:
    """The scripts of environments as they are on disk; a process that stays reads them once.

    What an editor has not saved is not in them: it is not what a rehearsal runs.
    """

    def __init__(self) -> None:
        self._known: dict[Environment, tuple[Scripts, dict[Path, object]]] = {}
        # Somebody may no longer wait for a thread that is still at it.
        self._lock = threading.Lock()

    def ancestry(self, plan: Plan) -> Ancestry | None:
        """What is before a plan's revisions; None where that is not plain, or nothing."""
        if plan.full_cycle or plan.written or plan.parts or not plan.revisions:
            return None
        if plan.settings.writable:
            return None  # files that migrations make there are in no state
        with self._lock:
            scripts = self._scripts(plan.environment)
            history = scripts.history
            chosen = set() if history.problems else _chosen(history, plan.revisions)
            places = _places(history, chosen)
            parents = {parent for place in places for parent in place.parents} - chosen
            before = reachable(history.all_parents, parents)
            if not _is_behind(history, places, before, parents):
                return None
            keys = {parent: scripts.evidence_key(parent) for parent in sorted(parents)}
        paths = (history.by_id[each].path for each in before)
        scripts_before = tuple(path for path in paths if path is not None)
        return Ancestry(places, keys, scripts_before, _locations(plan.environment, scripts))

    def _scripts(self, environment: Environment) -> Scripts:
        # Looked at before they are read: what changes in between is read again the next time.
        states = {path: _state(path) for path in migration_files(environment)}
        known = self._known.get(environment)
        if known is None:
            scripts = Scripts(environment, store=store_of(environment))
        else:
            scripts, old = known
            for path in {*old, *states}:
                if old.get(path) is None or old[path] != states.get(path):
                    scripts.reread(path)
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[environment] = scripts, states
        return scripts


def _locations(environment: Environment, scripts: Scripts) -> tuple[Path, ...]:
    folders = {*environment.version_locations, *(path.parent for path in scripts.paths)}
    return tuple({folder.resolve() for folder in folders})


def _state(path: Path) -> object:
    """What differs once a file has changed; None while that would not be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    if max(found.st_mtime_ns, found.st_ctime_ns) > time.time_ns() - _UNSURE:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


def _chosen(history: History, names: Sequence[str]) -> set[str]:
    """The revisions that an agent would choose; none where it would object to a name."""
    found: set[str] = set()
    for name in names:
        chosen = _range(history, name) if ":" in name else _named(history, name)
        if not chosen:
            return set()
        found |= chosen
    return found


def _named(history: History, name: str) -> set[str]:
    if name not in history and is_relative(name):
        return set()
    return set(history.resolve(name).ids)


def _range(history: History, name: str) -> set[str]:
    lower, _, upper = name.partition(":")
    found = set(reachable(history.all_parents, _named(history, upper or "heads")))
    if lower not in ("", "base"):
        found &= reachable(history.all_children, _named(history, lower))
    return found


def _places(history: History, chosen: set[str]) -> tuple[Place, ...]:
    """Where the revisions stand, in their order; none where one has no file."""
    paths = [(rev, history.by_id[rev].path) for rev in history.topological if rev in chosen]
    places = tuple(Place(rev, path, history.parents(rev)) for rev, path in paths if path)
    return places if len(places) == len(chosen) else ()


def _is_behind(
    history: History, places: Sequence[Place], before: frozenset[str], parents: set[str]
) -> bool:
    """Whether all others are applied before the first of these is, and these follow only them."""
    return (
        bool(places)
        and all(place.parents and not history.dependencies(place.revision) for place in places)
        and before.isdisjoint(place.revision for place in places)
        and not any(parents & history.ancestors(parent) for parent in parents)
    )
