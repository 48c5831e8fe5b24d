"""One Alembic environment: where it lies, and what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from alembic_roundtrip.project import folders

SETTING = "the setting `dialects`"


@dataclass(frozen=True, slots=True)
class Environment:
    """One Alembic environment: a configuration, a folder with env.py, folders of migrations."""

    folder: Path
    """Where Alembic's commands would be run: relative locations start here."""
    config: Path | None
    """`alembic.ini` or `pyproject.toml`; None for a bare folder of migrations."""
    section: str
    script_location: Path
    """The folder that holds env.py."""
    version_locations: tuple[Path, ...]
    recursive: bool = False
    dialects: tuple[str, ...] = ()
    """SQLAlchemy dialect names the project is for, as far as they could be inferred."""
    dialect_sources: tuple[str, ...] = ()
    """What says so of each of them, in a few words."""
    problems: tuple[str, ...] = ()
    """What could not be used, a sentence each, with the next step."""
    compiled: tuple[Path, ...] = ()
    """Migrations that are there as bytecode only, which nothing is known of."""
    engines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The databases that env.py migrates where the configuration tells several, by their names,
    each with its dialects."""
    toml: Path | None = None
    """`pyproject.toml` whose `[tool.alembic]` Alembic reads beside, or instead of, an ini file."""

    def __hash__(self) -> int:
        """By its place: the rest is long, and seldom another at the same place."""
        return hash((self.script_location, self.section))

    @property
    def places(self) -> frozenset[Path]:
        """The folders of a usable environment, where they really are: links may lead to them."""
        if not self.version_locations:
            return frozenset()
        return frozenset(map(folders.real, (self.script_location, *self.version_locations)))

    @property
    def env_py(self) -> Path | None:
        """The project's env.py, where there is one."""
        file = self.script_location / "env.py"
        return file if file.is_file() else None

    @property
    def told_at(self) -> Path | None:
        """The file that shows what concerns it as a whole; None for migrations and nothing else."""
        return self.config or self.env_py

    @property
    def left_out(self) -> tuple[Path, ...]:
        """Folders of migrations below its version locations that Alembic does not read."""
        if self.recursive:
            return ()
        below = (f for place in self.version_locations for f in folders.migrations_below(place))
        return tuple(f for f in dict.fromkeys(below) if f not in self.version_locations)

    def set_to(self, dialects: tuple[str, ...]) -> Environment:
        """The environment with the dialects that a setting names."""
        engines = {
            name: tuple(each for each in dialects if each in known) or dialects
            for name, known in self.engines.items()
        }
        sources = (SETTING,) * len(dialects)
        return replace(self, dialects=dialects, dialect_sources=sources, engines=engines)

    def location_of(self, file: Path) -> Path | None:
        """The version location that a file lies in."""
        holders = [v for v in self.version_locations if self._holds(v, file)]
        return max(holders, key=lambda v: len(v.parts), default=None)

    def concerns(self, path: Path) -> bool:
        """Whether a file or folder is of this environment, or holds some of it."""
        own = (self.script_location, *self.version_locations)
        return path == self.config or any(path in p.parents for p in own) or self.holds(path)

    def holds(self, path: Path) -> bool:
        """Whether a file or folder is of this environment."""
        own = (self.script_location, *self.version_locations)
        return any(place == path or place in path.parents for place in own)

    def has_beside(self, file: Path) -> bool:
        """Whether a file lies where migrations may read it."""
        return any(location.parent in file.parents for location in self.version_locations)

    def _holds(self, location: Path, file: Path) -> bool:
        return location in file.parents if self.recursive else location == file.parent
