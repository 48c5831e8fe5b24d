"""States of scratch databases that are kept from one rehearsal to the next, in the user's cache.

To rehearse a revision, everything before it has to be applied; what came of that is kept. A state
is found by all that is known to decide it before anything runs, and believed only if every other
file it was made from is what it was. Anything else, and everything is applied again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.rehearsal.ancestry import Ancestry, Histories
from alembic_roundtrip.rehearsal.databases.states import States, states_of
from alembic_roundtrip.rehearsal.plan import Plan

_FORMAT = 1
_STATE, _MANIFEST = "state", "manifest.json"
_MOST = 24
_LARGEST = 256 * 1024 * 1024
"""Bytes, of all states together."""
_MOST_SOURCES = 2000
# Scripts may define operations and ways to compile SQL, for all others that are loaded with them.
_PYTHONS_OWN = frozenset(
    {
        "AttributeError",
        "CompileError",
        "ImportError",
        "KeyError",
        "LookupError",
        "ModuleNotFoundError",
        "NameError",
        "TypeError",
        "UnsupportedCompilationError",
    }
)
_AGENT = Path(__file__).with_name("agent")
# Variables that differ from one terminal to the next and say nothing of the project.
_PASSING = re.compile(
    r"_|SHLVL|PWD|OLDPWD|TERM\w*|COLORTERM|COLUMNS|LINES|WINDOWID|DISPLAY|WAYLAND_DISPLAY|SSH_\w+|"
    r"XDG_(SESSION|RUNTIME|ACTIVATION)\w*|DBUS_\w+|VSCODE_\w+|ELECTRON_\w+|PYTEST_\w+|TMUX\w*|"
    r"STY|GPG_\w+|PS1|NO_COLOR|FORCE_COLOR|CLICOLOR\w*"
)

logger = logging.getLogger(__name__)


def name_of(
    plan: Plan, kind: str, python: Path, variables: Mapping[str, str], before: Ancestry
) -> str:
    """The name of the state before a revision: other circumstances, another name."""
    environment, settings = plan.environment, plan.settings
    files = (environment.config, environment.toml, environment.env_py)
    facts = [
        _FORMAT,
        _agent(),
        kind,
        settings.database,
        _file_state(python),
        str(environment.folder),
        environment.section,
        str(environment.script_location),
        [[str(file), _content(file)] for file in files if file is not None],
        settings.baseline,
        settings.x_arguments,
        sorted(item for item in variables.items() if not _PASSING.fullmatch(item[0])),
        sorted(before.keys.items()),
    ]
    return _hash(json.dumps(facts).encode())


def _agent() -> str:
    """Of the program that makes states: changed code may make others."""
    files = sorted(_AGENT.rglob("*.py"))
    return _hash("\0".join(_file_state(file) for file in files).encode("utf-8", "surrogateescape"))


def _file_state(file: Path) -> str:
    found = file.stat()
    return f"{file} {os.path.realpath(file)} {found.st_mtime_ns} {found.st_size}"


def _content(file: Path) -> str:
    try:
        return _hash(file.read_bytes())
    except OSError:
        return ""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


class Beginning:
    """Where a rehearsal begins: with a state that was kept, or one to be kept."""

    def __init__(self, before: Ancestry, name: str, shelf: Shelf, states: States) -> None:
        self.keys = before.keys
        self._before = before
        self._name = name
        self._shelf = shelf
        self._states = states
        self._begun = time.time_ns()
        self._folder = Path()
        self._made: tuple[Path, Mapping[str, Any]] | None = None
        self._taken = False

    def told(self, scratch: Path) -> dict[str, Any]:
        """What an agent is told of it; `scratch` is the agent's folder."""
        folder = scratch / "taken"
        manifest = self._shelf.take(self._name, folder)
        place = None if manifest is None else self._states.taken(self._name, folder)
        self._taken = manifest is not None and place is not None
        if manifest is None or place is None:
            self._folder = scratch / "handed-on"
            self._folder.mkdir()
            place = self._states.to_hand_on(self._folder)
            return {"hand_on": {"folder": str(self._folder), "place": place}}
        return {
            "taken": {
                "folder": str(folder),
                "place": place,
                "versions": manifest["versions"],
                "revisions": [
                    [each.revision, str(each.path), list(each.parents)]
                    for each in self._before.revisions
                ],
            }
        }

    def handed_on(self, told: Mapping[str, Any]) -> None:
        """The agent made a state, of what it tells."""
        self._made = self._folder, told

    def keep(self) -> None:
        """Once no agent runs any more: keep the state that was made, if there is one."""
        if self._made is None or self._edited_since(self._made[1]):
            return
        if self._states.keep(self._name, self._shelf.names()):
            self._shelf.put(self._name, *self._made, self._before.locations)

    def _edited_since(self, told: Mapping[str, Any]) -> bool:
        """Whether something may by now be other than what the state was made of."""
        seen = (*map(str, self._before.scripts), *told["sources"], *told["listed"])
        return any(_changed(path) >= self._begun for path in seen)

    def casts_doubt_on(self, evidence: RevisionEvidence) -> bool:
        """Whether what was measured may be due to the other scripts, which were not loaded."""
        errors = (step.error.type for step in evidence.steps if step.error is not None)
        return self._taken and not _PYTHONS_OWN.isdisjoint(errors)

    def unusable(self) -> None:
        """The agent could not use the state."""
        self._shelf.forget(self._name)


def beginning(
    plan: Plan,
    kind: str,
    place: Mapping[str, Any],
    python: Path,
    variables: Mapping[str, str],
    histories: Histories,
) -> Beginning | None:
    """Where a plan begins; None where that is at the base, or at the schema of a later revision."""
    if plan.settings.baseline_revision:
        return None
    make = states_of(kind, plan.settings)
    before = None if make is None else histories.ancestry(plan)
    if make is None or before is None:
        return None
    name = name_of(plan, kind, python, variables, before)
    return Beginning(before, name, shelf(), make(place))


class Shelf:
    """The states that are there, a folder each; the ones used longest ago make room for others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, name: str, scratch: Path) -> dict[str, Any] | None:
        """Copy a state into a scratch folder; gives what was told with it, None without one."""
        entry = self._folder / name
        try:
            manifest: dict[str, Any] = json.loads((entry / _MANIFEST).read_text(encoding="utf-8"))
            if not _is_current(manifest):
                self.forget(name)
                return None
            shutil.copytree(entry / _STATE, scratch)
            os.utime(entry)
        except (OSError, ValueError, KeyError) as error:
            logger.info("the state %s is not used: %s", entry, error)
            return None
        return manifest

    def put(
        self, name: str, state: Path, told: Mapping[str, Any], locations: Collection[Path] = ()
    ) -> None:
        """Keep a state, if the disk lets us: without it the next run is slower, and no more.

        `locations` are folders of migrations.
        """
        if len(told["sources"]) + len(told["listed"]) > _MOST_SOURCES:
            return
        listings = {folder: Path(folder) in locations for folder in told["listed"]}
        manifest = {
            "versions": told["versions"],
            "places": told["places"],
            "sources": {source: _content(Path(source)) for source in told["sources"]},
            "listings": {
                folder: [scripts, _entries(folder, scripts=scripts)]
                for folder, scripts in listings.items()
            },
        }
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(prefix=".", dir=self._folder))
            try:
                shutil.copytree(state, made / _STATE)
                (made / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
                self.forget(name)
                made.rename(self._folder / name)
            finally:
                shutil.rmtree(made, ignore_errors=True)
            self._make_room()
        except OSError as error:
            logger.info("the state %s is not kept: %s", name, error)

    def names(self) -> list[str]:
        """The states that are there, the one that was used last first."""
        return [entry.name for entry in self._entries()]

    def forget(self, name: str) -> None:
        """Throw a state away."""
        shutil.rmtree(self._folder / name, ignore_errors=True)

    def _entries(self) -> list[Path]:
        with suppress(OSError):
            return sorted(
                self._folder.iterdir(), key=lambda entry: entry.stat().st_mtime, reverse=True
            )
        return []

    def _make_room(self) -> None:
        size = 0
        for number, entry in enumerate(self._entries()):
            size += sum(f.stat().st_size for f in entry.rglob("*") if f.is_file())
            if number and (number >= _MOST or size > _LARGEST):
                shutil.rmtree(entry, ignore_errors=True)


def shelf() -> Shelf:
    """The states of this user."""
    from platformdirs import user_cache_dir

    return Shelf(Path(user_cache_dir("alembic-roundtrip", appauthor=False)) / "states")


def _is_current(manifest: Mapping[str, Any]) -> bool:
    """Whether everything that a state was made from is what it was."""
    places: Mapping[str, int] = manifest["places"]
    sources: Mapping[str, str] = manifest["sources"]
    listings: Mapping[str, tuple[bool, str]] = manifest["listings"]
    return (
        all(_changed(path) == when for path, when in places.items())
        and all(_content(Path(path)) == content for path, content in sources.items())
        and all(_entries(path, scripts=of) == names for path, (of, names) in listings.items())
    )


def _entries(folder: str, *, scripts: bool) -> str:
    """Of the names in a folder; of migrations only those before the revision count, by content."""
    try:
        names = [each.name for each in Path(folder).iterdir() if each.name != "__pycache__"]
    except OSError:
        return ""
    if scripts:
        # Editors put files of their own beside what they have open.
        names = [
            name for name in names if not (name.startswith(".") or name.endswith((".py", "~")))
        ]
    return _hash("\0".join(sorted(names)).encode("utf-8", "surrogateescape"))


def _changed(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0
