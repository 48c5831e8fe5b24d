"""Which databases a project is for: by its URL, what its migrations mention, and its drivers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project.dependencies import drivers
from alembic_roundtrip.project.environment import SETTING, Environment
from alembic_roundtrip.project.mentions import Mentions, known, mentions

if TYPE_CHECKING:
    from alembic_roundtrip.project.configuration import Configuration

SQLITE = "sqlite"
_SCHEME = re.compile(r"\s*([A-Za-z]\w*)(?:\+\w+)?://")


@dataclass(frozen=True, slots=True)
class Sign:
    """A dialect, and what says that the project is for it, in a few words."""

    dialect: str
    source: str


def infer_dialects(
    environment: Environment,
    configuration: Configuration | None,
    workspace: Path,
    settings: Settings,
) -> tuple[Sign, ...]:
    """The project's dialects, the surest first; none where nothing says.

    An application may speak to more databases than its migrations are for. So its drivers only
    count where migrations leave the question open: by mentioning no server, or by depending on the
    dialect without saying which others there are. Where no driver says it either, it is SQLite.
    """
    if settings.dialects:
        return tuple(Sign(name, SETTING) for name in settings.dialects)
    found = mentions(environment.env_py, _migrations(environment))
    signs = list(_of_urls(configuration.urls() if configuration else ()))
    connected = {sign.dialect for sign in signs} - {SQLITE}
    # Where nothing depends on the dialect, options for other servers are left over.
    only = bool(connected) and not found.condition
    signs += [s for s in _mentioned(found) if not only or s.dialect in {*connected, SQLITE}]
    named = {sign.dialect for sign in signs}
    servers = named - {SQLITE}
    if not servers or (found.condition and len(named) == 1):
        installed = _of_drivers(_folders(environment.folder, workspace))
        signs += [sign for sign in installed if sign.dialect != SQLITE or not signs]
    if found.batch and (found.condition or not (servers or found.not_sqlite)):
        signs.append(Sign(SQLITE, f"batch mode in {found.batch}"))
    signs = list(_distinct(signs))
    if found.condition and len(signs) == 1 and servers:
        signs.append(Sign(SQLITE, f"the condition on the dialect in {found.condition}"))
    return tuple(signs)


def dialects_of(url: str, signs: tuple[Sign, ...]) -> tuple[str, ...]:
    """The dialects of one of several databases: its URL's, with those that no URL is for."""
    own = next((sign.dialect for sign in _of_urls([url])), None)
    every = tuple(sign.dialect for sign in signs)
    if own not in every:
        return every
    others = (s.dialect for s in signs if s.source not in {_URL, SETTING} and s.dialect != own)
    return (own, *others)


def _distinct(signs: Iterable[Sign]) -> tuple[Sign, ...]:
    """One sign for each dialect; SQLite, often there for tests only, last unless a URL says so."""
    first: dict[str, Sign] = {}
    for sign in signs:
        first.setdefault(sign.dialect, sign)
    return tuple(sorted(first.values(), key=_is_doubtful))


def _is_doubtful(sign: Sign) -> bool:
    return sign.dialect == SQLITE and sign.source != _URL


_URL = "`sqlalchemy.url`"


def _of_urls(urls: Iterable[str]) -> Iterator[Sign]:
    for url in urls:
        match = _SCHEME.match(url)
        name = known(match.group(1)) if match else None
        if name:
            yield Sign(name, _URL)


def _mentioned(found: Mentions) -> Iterator[Sign]:
    for name, _ in found.counts.most_common():
        yield Sign(name, found.files[name])


def _migrations(environment: Environment) -> Iterator[str]:
    """Paths of what may be migrations: as text, because there are thousands."""
    for location in environment.version_locations:
        for folder, folders, names in os.walk(location):
            yield from (f"{folder}{os.sep}{name}" for name in names if name.endswith(".py"))
            if not environment.recursive:
                folders.clear()


def _folders(folder: Path, workspace: Path) -> list[Path]:
    """From an environment's folder up to the workspace, or the repository that it is a part of.

    Whoever runs in a folder of a project must be told the same as who runs at its top.
    """
    above = (workspace, *workspace.parents)
    top = next((p for p in above if (p / ".git").exists()), workspace)
    return [p for p in (folder, *folder.parents) if p == top or top in p.parents]


def _of_drivers(folders: Iterable[Path]) -> list[Sign]:
    """The drivers of the nearest folder that asks for a server's, else SQLite's."""
    signs: list[Sign] = []
    for folder in folders:
        found = drivers(folder)
        signs += [Sign(one.dialect, f"`{one.name}` in {one.file}") for one in found]
        if any(one.dialect != SQLITE for one in found):
            break
    return [sign for sign in signs if sign.dialect != SQLITE] or signs
