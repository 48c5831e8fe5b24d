"""Finds Alembic environments and what they say of themselves, without running them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Environment:
    """One Alembic environment: a configuration, a folder with env.py, folders of migrations."""

    folder: Path
    """Where Alembic's commands would be run: the configuration's folder."""
    config: Path | None
    """`alembic.ini` or `pyproject.toml`; None for a bare folder of migrations."""
    section: str
    script_location: Path
    """The folder that holds env.py."""
    version_locations: tuple[Path, ...]
    recursive: bool = False
    dialects: tuple[str, ...] = ()
    """SQLAlchemy dialect names the project is for, as far as they could be inferred."""
    problems: tuple[str, ...] = ()
    """What could not be used, a sentence each, with the next step."""

    @property
    def env_py(self) -> Path | None:
        """The project's env.py, where there is one."""
        file = self.script_location / "env.py"
        return file if file.is_file() else None
