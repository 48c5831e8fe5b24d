"""Histories beside each other, one for each dialect: `versions/sqlite` and `versions/postgresql`.

Such a project's env.py chooses the folder by the database that it is connected to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from alembic_roundtrip.project.environment import Environment
from alembic_roundtrip.project.folders import migrations_below
from alembic_roundtrip.project.mentions import known

_SOURCE = "the name of the folder"


def by_dialect(environment: Environment) -> Iterator[Environment]:
    """An environment for each of the folders that are named after dialects; itself where not."""
    folders = _named(environment.version_locations)
    if len(folders) < 2:  # noqa: PLR2004 - one history is not beside another
        yield environment
        return
    for folder, dialect in folders:
        yield replace(
            environment,
            version_locations=(folder,),
            dialects=(dialect,),
            dialect_sources=(_SOURCE,),
            recursive=False,
        )


def _named(locations: tuple[Path, ...]) -> list[tuple[Path, str]]:
    """The folders of migrations right below the only location, where all are dialects'."""
    (location,) = locations if len(locations) == 1 else (None,)
    below = migrations_below(location) if location is not None and location.is_dir() else ()
    found = [(folder, known(folder.name)) for folder in below]
    named = [(folder, dialect) for folder, dialect in found if dialect is not None]
    own = any(location.glob("[!_]*.py")) if location is not None else True
    apart = all(folder.parent == location for folder in below)
    return named if len(named) == len(found) and apart and not own else []
