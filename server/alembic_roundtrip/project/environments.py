"""Finds Alembic environments and what they say of themselves, without running them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from alembic_roundtrip.config import Settings, nearest
from alembic_roundtrip.project import folders
from alembic_roundtrip.project.configuration import (
    Configuration,
    ConfigurationError,
    read_ini,
    read_table,
    sections,
)
from alembic_roundtrip.project.dialects import Sign, dialects_of, infer_dialects
from alembic_roundtrip.project.environment import Environment
from alembic_roundtrip.project.siblings import by_dialect

DEFAULT_SECTION = "alembic"


class ProjectError(Exception):
    """What the user named cannot be used; one sentence says why and what to do.

    `setting` is the one that named it, `near` what was probably meant.
    """

    def __init__(self, message: str, setting: str, near: str = "") -> None:
        super().__init__(message)
        self.setting = setting
        self.near = near


def find_environments(
    folder: Path, settings: Settings, named: Sequence[Path] = ()
) -> tuple[Environment, ...]:
    """Every Alembic environment in a workspace folder; nothing is run.

    Folders of copies are left out, but for those that are `named` or hold what is. Raises
    `ProjectError` where `settings` names a configuration or a section that cannot be used.
    """
    folder = folder.absolute()
    found = _named(folder, settings) if settings.config else _all(folder, settings, named)
    return tuple(
        each
        if each.dialects and not settings.dialects
        else _for_dialects(
            each,
            infer_dialects(each, configuration, folder, settings),
            configuration.engines() if configuration else {},
        )
        for environment, configuration in found
        for each in by_dialect(environment)
    )


def _for_dialects(
    environment: Environment, signs: tuple[Sign, ...], engines: Mapping[str, str]
) -> Environment:
    return replace(
        environment,
        dialects=tuple(sign.dialect for sign in signs),
        dialect_sources=tuple(sign.source for sign in signs),
        engines={name: dialects_of(url, signs) for name, url in engines.items()},
    )


def environment_of(file: Path, environments: Iterable[Environment]) -> Environment | None:
    """The environment a migration file belongs to: the one with the nearest version location."""
    environments = tuple(environments)
    return _nearest(file.absolute(), environments) or _nearest(file.resolve(), environments)


def _nearest(file: Path, environments: tuple[Environment, ...]) -> Environment | None:
    best: tuple[int, Environment] | None = None
    for environment in environments:
        location = environment.location_of(file)
        if location is not None and (best is None or len(location.parts) > best[0]):
            best = len(location.parts), environment
    return best[1] if best else None


_PLACEHOLDER = re.compile(r"\{\w*\}")
_Found = tuple[Environment, Configuration | None]


def _named(folder: Path, settings: Settings) -> list[_Found]:
    file = folder / settings.config
    if not file.is_file():
        raise ProjectError(
            f"there is no configuration file {file}; set `config` to the path of alembic.ini or "
            "pyproject.toml",
            "config",
            _near_file(folder, settings.config),
        )
    try:
        configurations = _read(file, settings)
    except ConfigurationError as error:
        raise ProjectError(str(error), "config") from error
    if not configurations:
        raise ProjectError(
            f"{file}: no section [{settings.name}] with a `script_location`; add it, or set `name` "
            "to the section that has one",
            "config" if settings.name == DEFAULT_SECTION else "name",
            _near_section([file], settings),
        )
    found = [_environment(configuration, folder, settings) for configuration in configurations]
    for environment, configuration in found:
        if not environment.script_location.is_dir() or not environment.version_locations:
            raise ProjectError(environment.problems[0], "config")
        assert configuration is not None
    return found


def _near_file(folder: Path, name: str) -> str:
    there = folders.survey(folder).configurations
    return nearest(name, [file.relative_to(folder).as_posix() for file in there])


def _near_section(files: Iterable[Path], settings: Settings) -> str:
    usual, names = replace(settings, name=DEFAULT_SECTION), list[str]()
    for file in files:
        with suppress(ConfigurationError):
            names += (found.section for found in _read(file, usual))
    return nearest(settings.name, names)


def _all(folder: Path, settings: Settings, named: Sequence[Path]) -> list[_Found]:
    tree = folders.survey(folder)
    found: list[_Found] = []
    for file in tree.configurations:
        try:
            configurations = _read(file, settings)
        except ConfigurationError as error:
            if file.name == "alembic.ini":
                found.append((_unusable(file, str(error)), None))
            continue
        found += [_environment(configuration, folder, settings) for configuration in configurations]
    if settings.name != DEFAULT_SECTION:
        # Folders without a configuration file are other sections' perhaps, and not what is meant.
        if found:
            return found
        raise ProjectError(
            f"no configuration file in {folder} has a section [{settings.name}] with a "
            "`script_location`; set `config` to the file that has it",
            "name",
            _near_section(tree.configurations, settings),
        )
    known = {place for environment, _ in found for place in environment.places}
    used = [place for environment, _ in found for place in environment.version_locations]
    for bare in _bare(tree.migrations, known):
        (location,) = bare.version_locations
        meant = bare.env_py or any(path.is_relative_to(location.resolve()) for path in named)
        # What is a migration of another folder, too, and has no env.py, somebody has put aside.
        if meant or not folders.has_copies(location, used):
            found.append((bare, None))
    return found


def _read(file: Path, settings: Settings) -> list[Configuration]:
    """The sections of a file that describe environments."""
    beside = file.with_name("pyproject.toml")
    if file == beside or file.suffix == ".toml":
        table = read_table(file)
        usable = table is not None and "script_location" in table
        return [Configuration(toml=file, table=table)] if table and usable else []
    parser = read_ini(file)
    toml = beside if beside.is_file() else None
    table = read_table(beside) if toml else None
    names = sections(parser)
    if settings.name != DEFAULT_SECTION:
        names = tuple(name for name in names if name == settings.name)
    elif not names and _completes(file, table):
        names = (DEFAULT_SECTION,)
    toml = toml if table is not None else None
    return [Configuration(name, file, toml, parser, table or {}) for name in names]


def _completes(file: Path, table: object) -> bool:
    """Whether an ini file without a script location still belongs to an environment.

    Flask-Migrate keeps it beside env.py and passes the location itself; Alembic's `pyproject`
    template keeps the location in the table. Any other `alembic.ini` is told what it lacks.
    """
    if isinstance(table, dict) and "script_location" in table:
        return file.name == "alembic.ini"
    return file.name == "alembic.ini" or file.with_name("env.py").is_file()


def _environment(configuration: Configuration, folder: Path, settings: Settings) -> _Found:
    problems: list[str] = []
    base = configuration.file.parent
    try:
        written = configuration.text("script_location")
        paths = configuration.prepended_paths()
        versions = configuration.version_locations()
        recursive = configuration.flag("recursive_version_locations")
        sourceless = configuration.flag("sourceless")
    except ConfigurationError as error:
        return _unusable(configuration.file, str(error), configuration.section), configuration
    if written is None and not (base / "env.py").is_file():
        problem = (
            f"{configuration.file}: no `script_location` in [{configuration.section}]; "
            "add it, with the folder that holds env.py"
        )
        return _unusable(configuration.file, problem, configuration.section), configuration
    home = _above(base, folder) if written is None else _home(written, base, folder)
    places = folders.Places(home, folder, paths, settings.python)
    where = f"{configuration.file}: `script_location`"
    if written is None or (_has_env(base) and not places.has(written)):
        location: Path | None = base
    elif (beside := _meant_by_placeholder(written, base)) is not None:
        location = beside
    else:
        location = _located(written, places, where, problems)
    where = f"{configuration.file}: `version_locations`"
    located = [_located(version, places, where, problems) for version in versions]
    holding = tuple(f for f in located if f is not None)
    if not versions and location:
        holding = (location / "versions",)
    compiled = tuple(_compiled(configuration, holding, recursive, problems)) if sourceless else ()
    environment = Environment(
        folder=home,
        config=configuration.ini or configuration.toml,
        section=configuration.section,
        script_location=location or base,
        version_locations=holding,
        recursive=recursive,
        compiled=compiled,
        problems=tuple(problems),
        toml=configuration.toml,
    )
    return environment, configuration


def _compiled(
    configuration: Configuration, locations: Iterable[Path], recursive: bool, problems: list[str]
) -> Iterator[Path]:
    """Migrations without their source; that they are not read is said once."""
    found = [f for place in locations for f in folders.compiled(place, recursive=recursive)]
    if found:
        number = "a migration" if len(found) == 1 else f"{len(found)} migrations"
        problems.append(
            f"{configuration.file}: `sourceless` is on, and {number} such as `{found[0].name}` "
            "cannot be read: put the source beside it, or what builds on it is not judged"
        )
    yield from found


def _meant_by_placeholder(written: str, base: Path) -> Path | None:
    """The one folder beside a configuration that its application fills in when it migrates."""
    if not _PLACEHOLDER.search(written) or (base / written).is_dir():
        return None
    found = [folder for folder in base.iterdir() if folder.is_dir() and _has_env(folder)]
    return found[0] if len(found) == 1 else None


def _above(base: Path, folder: Path) -> Path:
    """Where Flask-Migrate runs, which passes the ini file's folder as script location.

    That is the folder above, or above the package that it is in: the application is imported there.
    """
    above = [p for p in base.parents if p == folder or folder in p.parents]
    return next((home for home in above if not (home / "__init__.py").is_file()), base.parent)


def _home(written: str, base: Path, folder: Path) -> Path:
    """The folder Alembic must be run in for a relative location to exist."""
    above = [p for p in base.parents if p == folder or folder in p.parents]
    return next((home for home in (base, *above) if (home / written).is_dir()), base)


def _located(written: str, places: folders.Places, where: str, problems: list[str]) -> Path | None:
    """The folder meant by a written location; what does not exist becomes a problem."""
    path = places.find(written)
    if path is not None and path.is_dir():
        return path
    told = _one_line(written)
    if path is None:
        problems.append(
            f"{where} is `{told}`, but no package `{told.partition(':')[0]}` was found in the "
            "workspace or its virtual environment; install the project in `.venv` or set `python`"
        )
    else:
        problems.append(
            f"{where} is `{told}`, but {_one_line(str(path))} is not a folder; {_advice(told)}"
        )
    return path


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _advice(written: str) -> str:
    """What to do about a location, for the usual ways to miss one."""
    if written[:1] in "\"'":
        return "leave out the quotes, which are taken for a part of the path"
    if re.search(r"\s[#;]", written):
        return "move the comment to a line of its own: it is taken for a part of the path"
    if written.startswith("~") or "$" in written:
        return "only `%(here)s` is filled in"
    return "correct the path"


def _unusable(file: Path, problem: str, section: str = DEFAULT_SECTION) -> Environment:
    return Environment(file.parent, file, section, file.parent, (), problems=(problem,))


def _bare(bare: Iterable[Path], known: set[Path]) -> Iterator[Environment]:
    """Folders of migrations that no configuration names.

    What lies inside the script location of a configuration was left out there on purpose.
    """
    groups: dict[Path, list[Path]] = {}
    for folder in bare:
        real = folders.real(folder)
        if not known.intersection((real, *real.parents)):
            top = next((p for p in (folder, *folder.parents) if _has_env(p)), folder)
            below = [p for p in (folder, *folder.parents) if top in p.parents]
            groups.setdefault(below[-1] if below else folder, []).append(folder)
    for location, members in sorted(groups.items()):
        script = location.parent if _has_env(location.parent) else location
        home = script.parent if script != location or _has_env(script) else location
        recursive = members != [location]
        yield Environment(home, None, DEFAULT_SECTION, script, (location,), recursive)


def _has_env(folder: Path) -> bool:
    """Whether a folder has Alembic's env.py, not just a module of that name."""
    try:
        return "alembic" in (folder / "env.py").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
