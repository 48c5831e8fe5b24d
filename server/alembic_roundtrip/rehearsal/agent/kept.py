"""States of the database that outlive a rehearsal: handed on to later ones, taken over from them.

What a state was made from is told with it; whether it still is the same is for the runner to see.
"""

from __future__ import annotations

import os
import pickle
import sys
import sysconfig
from contextlib import suppress
from importlib.util import source_from_cache
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple

import alembic
import sqlalchemy
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import Revision, RevisionMap
from alembic.util import load_python_file

from .dialects import Room, Unusable
from .project.declared import Declared
from .project.scripts import Scripts

_TYPES = "types.pickle"


class Later(Scripts):
    """Revisions behind parents that are applied: no other script is loaded."""

    def __init__(self, directory: ScriptDirectory, taken: Mapping[str, Any]) -> None:
        super().__init__(directory)
        scripts = [_loaded(*place) for place in taken["revisions"]]
        self.chosen = {script.revision for script in scripts}
        above = {parent for _, _, parents in taken["revisions"] for parent in parents}
        applied = [Revision(name, None) for name in sorted(above - self.chosen)]
        self._map = RevisionMap(lambda: [*applied, *scripts])
        order = self._map.iterate_revisions("heads", "base", implicit_base=True)
        found = [each.revision for each in order if each.revision in self.chosen]
        self.order = self.selected = tuple(found[::-1])


def _loaded(revision: str, path: str, parents: Sequence[str]) -> Script:
    module = load_python_file(*os.path.split(path))
    says = module.revision, _names(module.down_revision), _names(_depends_on(module))
    if says != (revision, sorted(parents), []):
        raise Unusable("a migration has another place in the history than reading says")
    return Script(module, revision, path)


def _depends_on(module: Any) -> Any:
    return getattr(module, "depends_on", None)


def _names(said: Any) -> List[str]:
    return sorted([said] if isinstance(said, str) else said or ())


def hand_on(room: Room, to: Mapping[str, str], declared: Declared) -> None:
    """Copy the state of a database to a place, and what is known of its types into a folder."""
    try:
        # Before the copy: types that are made inside a migration cannot be kept.
        text = pickle.dumps(declared.types)
    except Exception as error:
        raise Unusable(f"a declared type cannot be kept: {error}") from error
    with open(os.path.join(to["folder"], _TYPES), "wb") as file:
        file.write(text)
    room.hand_on(to["place"])


def take_over(room: Room, taken: Mapping[str, Any], declared: Declared) -> None:
    """Make a database what was handed on; raises `Unusable`.

    To be called once env.py has run: types may be of modules that it lets be imported.
    """
    try:
        with open(os.path.join(taken["folder"], _TYPES), "rb") as file:
            # Written by an agent like this one, and read where the project's own code runs.
            types = pickle.load(file)  # noqa: S301
        room.take_over(taken["place"])
    except Exception as error:
        raise Unusable(f"{type(error).__name__}: {error}") from error
    declared.types.update(types)


def versions(dialect: Any) -> Dict[str, str]:
    """What must be the same where a state is taken over."""
    return {
        "python": sys.version,
        "alembic": alembic.__version__,
        "sqlalchemy": sqlalchemy.__version__,
        dialect.name: dialect.version,
    }


def sources(reads: Iterable[str], scripts: Iterable[str], scratch: str) -> List[str]:
    """The files a state was made from, beside the scripts: modules of the project, what they read.

    Installed packages are not among them: they change together with the folder they are in.
    """
    ours = {os.path.realpath(script) for script in scripts}
    skipped = _elsewhere(scratch)
    found = set()
    for path in reads:
        real = os.path.realpath(path)
        if real.endswith(".pyc"):
            with suppress(ValueError):  # a file of that name which is no cache
                real = source_from_cache(real)
        # What was looked for and is not there decides as well, until it is.
        if real not in ours and not real.startswith(skipped) and not os.path.isdir(real):
            found.add(real)
    return sorted(found)


def listed(folders: Iterable[str], scratch: str) -> List[str]:
    """The folders whose entries a state may depend on."""
    found = {os.path.realpath(folder) for folder in folders}
    return sorted(
        folder for folder in found if not f"{folder}{os.sep}".startswith(_elsewhere(scratch))
    )


def _elsewhere(scratch: str) -> Tuple[str, ...]:
    """The beginnings of paths that are not the project's."""
    installed = (os.path.realpath(path) + os.sep for path in _installed())
    return (*installed, os.path.realpath(scratch) + os.sep, "/proc/", "/dev/", "/sys/")


def places() -> Dict[str, int]:
    """The folders of installed packages, and when something was last put into or out of them."""
    found = {}
    for path in {*sys.path, *_installed()}:
        if os.path.isdir(path) and os.path.realpath(path) != os.path.realpath(os.getcwd()):
            found[os.path.realpath(path)] = os.stat(path).st_mtime_ns
    return found


def _installed() -> List[str]:
    paths = sysconfig.get_paths()
    return [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
