"""The project's configuration and its revisions, in the order they are to be applied."""

from __future__ import annotations

import os
import re
import traceback
import warnings
from argparse import Namespace
from contextlib import contextmanager
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from alembic import __version__ as alembic_version
from alembic.config import Config
from alembic.runtime.migration import RevisionStep
from alembic.script import ScriptDirectory
from alembic.script import revision as alembic_map
from alembic.util import CommandError

_MISSING = re.compile(r"Revision \S+ referenced from (?:.*? -> )?([^\s,]+).* is not present")
_SYMBOLS = ("base", "head", "heads")
_PLACEHOLDER = re.compile(r"\{\w*\}")


def configuration(plan: Mapping[str, Any]) -> Config:
    """Alembic's configuration as its command line would make it."""
    path = plan["config"]
    options = Namespace(
        config=path,
        name=plan["section"],
        x=list(plan["x_arguments"]) or None,
        raiseerr=False,
        cmd=None,
        revision="heads",
        sql=False,
        tag=None,
        verbose=False,
        quiet=False,
    )
    files: Dict[str, Any] = {}
    if path and path.endswith(".toml"):
        if not _has_toml():
            raise CommandError(f"Alembic {alembic_version} cannot read its settings from {path}")
        files["toml_file"] = path
        # As on the command line, an alembic.ini beside it still holds URL and logging.
        beside = os.path.join(os.path.dirname(path), "alembic.ini")
        files["file_"] = beside if os.path.isfile(beside) else None
    elif path:
        files["file_"] = path
        # Alembic's command line reads `[tool.alembic]` beside an ini file as well.
        if plan["toml"] and _has_toml():
            files["toml_file"] = plan["toml"]
    config = Config(ini_section=plan["section"], cmd_opts=options, **files)
    location = _script_location(config)
    elsewhere = location and os.path.isabs(location) and not os.path.isdir(location)
    if not location or elsewhere or _PLACEHOLDER.search(location):
        # It is passed by Flask-Migrate, put in by the application, or is where the project is
        # deployed to: found here instead.
        config.set_main_option("script_location", plan["script_location"].replace("%", "%%"))
    return config


def _has_toml() -> bool:
    return hasattr(Config, "toml_alembic_config")


def _script_location(config: Config) -> Optional[str]:
    read = getattr(config, "get_alembic_option", config.get_main_option)
    location = read("script_location")
    return None if location is None else str(location)


class NoParent(CommandError):
    """A revision follows one that no migration has."""


@contextmanager
def _told() -> Iterator[List[str]]:
    """What Alembic warns of while it puts the revisions in order, which warns others as well."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        said: List[str] = []
        try:
            yield said
        finally:
            said += [str(each.message) for each in caught]
    for each in caught:
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def _by_alembic(error: KeyError) -> bool:
    """Whether it is the revision that Alembic's map of them lacks, and no script's own error."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return os.path.realpath(last.filename) == os.path.realpath(str(alembic_map.__file__))


class Scripts:
    """The revisions of a project, loaded; which of them to rehearse and what to apply before."""

    def __init__(self, directory: ScriptDirectory) -> None:
        self._directory = directory
        self._files: Dict[str, List[str]] = {}
        self._map = directory.revision_map = alembic_map.RevisionMap(self._listed)
        self.selected: Tuple[str, ...] = ()
        self.chosen: Set[str] = set()
        """Those that were asked for, of which a part is selected."""
        self.order: Tuple[str, ...] = ()
        self.made: Set[str] = set()
        """Those whose schema is there before anything is applied."""

    def select(
        self, wanted: Sequence[str], parts: Sequence[Sequence[int]] = (), *, full: bool = False
    ) -> None:
        """Choose revisions by id, partial id, symbol or range `a:b`; none wanted means all.

        Of those only a part is selected, of that part another one, and so on; with `full`, those
        that are not are applied all the same.
        """
        every = self._loaded()
        chosen: Set[str] = set() if wanted else set(every)
        for name in wanted:
            chosen |= self._range(name, every) if ":" in name else self._named(name)
        self.chosen = chosen
        selected = [revision for revision in every if revision in chosen]
        for number, of in parts:
            selected = share(selected, number, of)
        needed = self._with_ancestors(chosen if full else selected)
        self.order = tuple(revision for revision in every if revision in needed)
        self.selected = tuple(selected)

    def start_at(self, name: str) -> None:
        """Take what a revision needs, and itself, for applied from the start."""
        self.made = self._with_ancestors(self._named(name))
        needed = self.made.union(self.order)
        self.order = tuple(revision for revision in self._every() if revision in needed)

    def _listed(self) -> Iterator[Any]:
        """All scripts, as Alembic loads them, which keeps one of those with the same revision."""
        self._files.clear()
        for script in self._directory._load_revisions():  # noqa: SLF001 - nothing else has all
            name = os.path.basename(script.path)
            if script.revision in _SYMBOLS:
                raise CommandError(
                    f"`{name}` has the revision `{script.revision}`, which is Alembic's own word "
                    "for others; give it another identifier"
                )
            self._files.setdefault(script.revision, []).append(name)
            yield script

    def shared(self, revision: str) -> Optional[str]:
        """Which files have a revision that only one may have; a sentence."""
        files = self._files.get(revision, ())
        if not files[1:]:
            return None
        names = " and ".join(f"`{name}`" for name in sorted(files))
        return (
            f"{names} have the revision `{revision}`, and Alembic takes one of them; give all but "
            "one another identifier"
        )

    def _loaded(self) -> List[str]:
        """All revisions; raises `NoParent`, where Alembic has a warning and the name only."""
        said: List[str] = []
        try:
            with _told() as said:
                return self._every()
        except KeyError as error:
            if not _by_alembic(error):
                raise
            found = next(filter(None, map(_MISSING.fullmatch, said)), None)
            child = f"`{found.group(1)}`" if found else "a revision"
            raise NoParent(
                f"{child} follows or depends on `{error.args[0]}`, "
                "and no migration has that revision"
            ) from error

    def _every(self) -> List[str]:
        walk = self._directory.iterate_revisions("heads", "base", implicit_base=True)
        return [script.revision for script in walk][::-1]

    def _named(self, name: str) -> Set[str]:
        scripts = self._directory.get_revisions(name)
        found = {script.revision for script in scripts if script is not None}
        if not found:
            raise CommandError(f"`{name}` names no revision")
        return found

    def _range(self, name: str, every: Sequence[str]) -> Set[str]:
        lower, _, upper = name.partition(":")
        found = self._with_ancestors(self._named(upper or "heads"))
        if lower not in ("", "base"):
            above = self._named(lower)
            for revision in every:
                if not above.isdisjoint(self.parents(revision)):
                    above.add(revision)
            found &= above
        if not found:
            raise CommandError(f"there is no revision in the range `{name}`")
        return found

    def _with_ancestors(self, revisions: Iterable[str]) -> Set[str]:
        found: Set[str] = set()
        pending = list(revisions)
        while pending:
            revision = pending.pop()
            if revision not in found:
                found.add(revision)
                pending += self.parents(revision)
        return found

    def _script(self, revision: str) -> Any:
        return self._map.get_revision(revision)

    def parents(self, revision: str) -> List[str]:
        """The revisions that must be applied first: ancestors and dependencies."""
        return list(self._script(revision)._normalized_down_revisions)  # noqa: SLF001

    def common_ancestors(self) -> Set[str]:
        """The revisions on which all that come later in the order depend."""
        place = {revision: number for number, revision in enumerate(self.order)}
        found = set()
        # Each later one has a parent at least so late, so that all ways from it lead here.
        latest = len(self.order)
        for revision in reversed(self.order):
            if place[revision] <= latest:
                found.add(revision)
            parents = (place.get(parent, -1) for parent in self.parents(revision))
            latest = min(latest, max(parents, default=-1))
        return found

    def ancestors(self, revision: str) -> List[str]:
        """What `down_revision` and `depends_on` name, also where one implies another."""
        return list(self._script(revision)._all_down_revisions)  # noqa: SLF001

    def path(self, revision: str) -> str:
        """The file of a revision."""
        return str(self._script(revision).path)

    def folders(self) -> List[str]:
        """Where the files of these revisions are, and those of others."""
        return sorted({os.path.dirname(self.path(revision)) for revision in self.order})

    def names(self, revision: str) -> Dict[str, Any]:
        """The names that a revision's module binds."""
        return dict(vars(self._script(revision).module))

    def function(self, revision: str, name: str) -> Any:
        """The script's function `upgrade` or `downgrade`; None where it has none."""
        return getattr(self._script(revision).module, name, None)

    def step(self, revision: str, upgrade: bool, function: Any) -> RevisionStep:
        """A step of Alembic's that runs our function in place of the script's."""
        return _Step(self._map, self._script(revision), upgrade, function)


def share(items: List[str], number: int, of: int) -> List[str]:
    """One of several parts, counted from 1; each item is in exactly one of them.

    Later parts are smaller: what comes before them has to be applied first.
    """
    total = sum(_SMALLER**each for each in range(of))

    def bound(parts: int) -> int:
        before = sum(_SMALLER**each for each in range(parts))
        return len(items) if parts == of else round(len(items) * before / total)

    return items[bound(number - 1) : bound(number)]


_SMALLER = 5 / 6
"""Applying a revision takes about a sixth of what rehearsing it does."""


class _Step(RevisionStep):
    """A revision step whose script need not have both functions."""

    def __init__(self, revision_map: Any, revision: Any, upgrade: bool, function: Any) -> None:
        self.revision_map = revision_map
        self.revision = revision
        self.is_upgrade = upgrade
        self.migration_fn = function

    def _unmerge_to_revisions(self, heads: Set[str]) -> Tuple[str, ...]:
        """Where a downgrade leads: the parents that no other head or parent implies.

        For that Alembic walks through all ancestors, also of an only parent.
        """
        if heads == {self.revision.revision} and len(self.to_revisions) == 1:
            return tuple(self.to_revisions)
        found: Tuple[str, ...] = super()._unmerge_to_revisions(heads)
        return found
