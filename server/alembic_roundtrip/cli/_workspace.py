"""What subcommands that read migrations have in common: paths in, a workspace out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from alembic_roundtrip.checker import UnknownRuleError
from alembic_roundtrip.config import SettingsError
from alembic_roundtrip.project import Environment, ProjectError
from alembic_roundtrip.workspace import Workspace

CANNOT_RUN = (SettingsError, ProjectError, UnknownRuleError)


class NothingToReadError(Exception):
    """No migration where the user pointed; one sentence with the next step."""


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments that say which Alembic environment is meant."""
    parser.add_argument("--config", metavar="FILE", help="Alembic's configuration file")
    parser.add_argument("--name", metavar="SECTION", help="section of the configuration file")


def overrides(arguments: Namespace) -> dict[str, object]:
    """Settings given on the command line."""
    given = {"config": arguments.config, "name": arguments.name}
    return {name: value for name, value in given.items() if value is not None}


def say(error: Exception) -> int:
    """One sentence on stderr, and the exit status of a run that could not be."""
    print(error, file=sys.stderr)
    return 2


def environments(workspace: Workspace) -> tuple[Environment, ...]:
    """The environments of a workspace; raises `NothingToReadError` where there is none."""
    if not workspace.environments:
        folders = ", ".join(str(folder) for folder in workspace.folders)
        raise NothingToReadError(
            f"there is no Alembic environment in {folders}; run this where `alembic` is run, name "
            "the folder, or name the configuration file with --config"
        )
    return workspace.environments


def folder_of(path: Path) -> Path:
    """The folder whose environments a path stands for: the nearest with a configuration."""
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.parents):
        if (folder / "alembic.ini").is_file() or (folder / "pyproject.toml").is_file():
            return folder
    return start
