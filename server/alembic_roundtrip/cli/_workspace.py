"""What subcommands that read migrations have in common: paths in, a workspace out."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from alembic_roundtrip.config import Settings, SettingsError
from alembic_roundtrip.project import Environment, ProjectError, find_environments
from alembic_roundtrip.rulenames import UnknownRuleError
from alembic_roundtrip.workspace import Workspace

_FILES = ("alembic.ini", "pyproject.toml")
CANNOT_RUN = (SettingsError, ProjectError, UnknownRuleError)


class NothingToReadError(Exception):
    """No migration where the user pointed; one sentence with the next step."""


def add_arguments(parser: ArgumentParser) -> None:
    """Arguments that say which Alembic environment is meant."""
    parser.add_argument("--config", metavar="FILE", help="Alembic's configuration file")
    parser.add_argument("--name", metavar="SECTION", help="section of the configuration file")


def add_env_py_arguments(parser: ArgumentParser) -> None:
    """Arguments of subcommands that have env.py run."""
    parser.add_argument("--python", metavar="PATH", help="the project's Python")
    parser.add_argument(
        "-x", action="append", default=[], dest="x", metavar="ARG", help="passed on to env.py"
    )


def overrides(arguments: Namespace) -> dict[str, object]:
    """Settings given on the command line."""
    config = arguments.config and str(Path.cwd() / arguments.config)
    given = {"config": config, "name": arguments.name}
    given |= {"python": getattr(arguments, "python", None)}
    given |= {"x-arguments": getattr(arguments, "x", None) or None}
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


def here(overrides: Mapping[str, object], *, remember: bool = False) -> Workspace:
    """The workspace to work in; where nothing configures Alembic here, that of a folder above.

    So the tool can be called from within the folder of migrations, too.
    """
    folder = Path.cwd()
    workspace = Workspace([folder], overrides, remember=remember)
    if "config" in overrides or any(env.config for env in workspace.environments):
        return workspace
    above = folder_of(folder)
    if above == folder:
        return workspace
    return Workspace([above], overrides, remember=remember, named=[folder])


def refuse_mistakes(workspace: Workspace) -> None:
    """Raises `NothingToReadError` where a setting cannot be used: nothing is to run by another."""
    for mistake in workspace.mistakes:
        raise NothingToReadError(mistake)


def only_environment(workspace: Workspace) -> Environment:
    """The one environment that is meant; raises `NothingToReadError` where that is not clear."""
    refuse_mistakes(workspace)
    found = environments(workspace)
    # Folders of migrations alone can be read, not run.
    found = tuple(environment for environment in found if environment.env_py) or found
    if len(found) == 1:
        return found[0]
    (folder,) = workspace.folders
    usual = [each for each in found if each.config == folder / "alembic.ini"]
    if len(usual) == 1 and len({each.script_location for each in found}) == 1:
        # Others of the same migrations, for tests perhaps: `alembic` takes this one too.
        return usual[0]
    around = [each for each in found if each.holds(Path.cwd())]
    if len(around) == 1:
        return around[0]
    raise NothingToReadError(f"there are {len(found)} Alembic environments: {_choice(found)}")


def _choice(found: Sequence[Environment]) -> str:
    """What there is to choose from, and how that is done."""
    configs = [each.config for each in found if each.config is not None]
    several = {config for config in configs if configs.count(config) > 1}
    names = sorted(
        f"{each.config} [{each.section}]"
        if each.config in several
        else str(each.config or each.script_location)
        for each in found
    )
    options = ["--config"] * (len(configs) < len(found) or len({*configs}) > 1)
    options += ["--name"] * bool(several)
    how = f"name one with {' and '.join(options)}" if configs else "run this in the folder of one"
    if 0 < len(configs) < len(found):
        how += ", or run this in its folder"
    return f"{', '.join(names)}; {how}"


def folder_of(path: Path) -> Path:
    """The folder whose environments a path stands for: the nearest that configures the path's own.

    Without one, the nearest with a configuration of any kind.
    """
    start = path if path.is_dir() else path.parent
    within = list(_within_repository(start))
    for folder in within:
        if any(environment.concerns(path) for environment in _configured_in(folder)):
            return folder
    configured = (folder for folder in within if any((folder / name).is_file() for name in _FILES))
    return next(configured, start)


def _within_repository(start: Path) -> Iterator[Path]:
    """A folder and those above that may have a configuration, up to the top of its repository."""
    for folder in (start, *start.parents):
        if any((folder / name).exists() for name in (*_FILES, ".git")):
            yield folder
        if (folder / ".git").exists() or folder == Path.home():
            return


@cache
def _configured_in(folder: Path) -> tuple[Environment, ...]:
    found = find_environments(folder, Settings())
    return tuple(environment for environment in found if environment.config is not None)
