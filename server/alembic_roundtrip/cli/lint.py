"""Report what reading the migrations shows; nothing is run."""

from __future__ import annotations

import gc
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from alembic_roundtrip.cli import _workspace
from alembic_roundtrip.cli._workspace import CANNOT_RUN, NothingToReadError, say
from alembic_roundtrip.cli.reports import formats
from alembic_roundtrip.cli.reports._linting import Linting
from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.config import nearest
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.linting import diagnostics
from alembic_roundtrip.linting.records import Detail
from alembic_roundtrip.project import Environment
from alembic_roundtrip.severity import SEVERITIES
from alembic_roundtrip.workspace import Workspace


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument(
        "--format",
        choices=tuple(formats.LINT),
        default="text",
        help=f"default: text, on a terminal or not. {formats.described(formats.LINT)}",
    )
    for name, what in (("--select", "only these rules"), ("--ignore", "all but these rules")):
        parser.add_argument(
            name, action="extend", type=_names, metavar="RULE", help=f"{what}, with commas or again"
        )
    parser.add_argument(
        "--since", metavar="REVISION", help="nothing of this revision and those before it"
    )
    parser.add_argument(
        "--changed-since", metavar="GIT_REF", help="only files changed against a branch or commit"
    )
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES[:3],
        default="warning",
        help="from which severity on the exit status is 1 (default: warning)",
    )
    parser.add_argument(
        "--hints", action="store_true", help="report hints as well (json always has them)"
    )
    parser.add_argument("--fix", action="store_true", help="apply the safe fixes")
    parser.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="apply all fixes, those that change what a rollback does too",
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="neither use nor keep what is known from last time"
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="processes that read (default: one a processor)"
    )
    _workspace.add_arguments(parser)


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def run(arguments: Namespace) -> int:
    """Lint; gives the exit status: 0 nothing found, 1 findings, 2 could not run."""
    # A syntax tree has no cycles; looking for them among all migrations takes a third of the time.
    gc.disable()
    try:
        workspace = _open(arguments)
        # Several configurations may run the same migrations.
        wanted = [path.resolve() for path in arguments.paths]
        files = list(dict.fromkeys(_files(workspace, wanted)))
        if arguments.since is not None:
            _check_since(workspace, arguments.since)
        others = [file for file in workspace.files if _is_wanted(file, wanted)]
        empty = not files
        if arguments.changed_since is not None:
            changed = _changed(workspace, others, arguments.changed_since)
            files, others = ([f for f in some if f in changed] for some in (files, others))
        detail = formats.detail(arguments.format, hints=arguments.hints)
        fixing = arguments.fix or arguments.unsafe_fixes
        first = max(detail, Detail.ALL_TITLES) if fixing else detail
        found = diagnostics(workspace, [*files, *others], first, arguments.jobs)
        if empty and not found:
            _check_empty(workspace, () if others else arguments.paths)
        if fixing and _fix(workspace, found, unsafe=arguments.unsafe_fixes):
            found = diagnostics(workspace, [*files, *others], detail, arguments.jobs)
    except (*CANNOT_RUN, NothingToReadError) as error:
        return say(error)
    linting = Linting(
        found=found,
        files=files,
        environments=_counts(workspace, files, wanted),
        problems=_problems(workspace),
        hints=arguments.hints,
        fail_on=arguments.fail_on,
    )
    if arguments.format == "text":
        linting = replace(linting, notes=_notes(workspace, linting, arguments))
    else:
        _tell_unjudged(workspace)
    formats.diagnostics_report(arguments.format)(linting)
    gc.freeze()  # nor are they looked for when the process ends
    return int(any(map(linting.fails, found)))


def _notes(workspace: Workspace, linting: Linting, arguments: Namespace) -> tuple[str, ...]:
    from alembic_roundtrip.cli._notes import uncompared, way_to_start

    failing = [d for d in linting.found if linting.fails(d)]
    whole = not (arguments.paths or arguments.changed_since)
    return (*uncompared(workspace), *(way_to_start(workspace, failing) if whole else ()))


def _tell_unjudged(workspace: Workspace) -> None:
    """A report that programs read has no place for it, but a job's log has."""
    from alembic_roundtrip.cli._notes import uncompared

    for note in uncompared(workspace):
        print(note, file=sys.stderr)


def _open(arguments: Namespace) -> Workspace:
    for path in arguments.paths:
        if not path.exists():
            raise NothingToReadError(f"{path} does not exist")
    named = [path.resolve() for path in arguments.paths]
    folders = dict.fromkeys(map(_workspace.folder_of, named))
    overrides = _workspace.overrides(arguments)
    overrides |= {name: getattr(arguments, name) for name in ("select", "ignore", "since")}
    given = {name: value for name, value in overrides.items() if value is not None}
    remember = not arguments.no_cache
    if folders:
        return Workspace(list(folders), given, remember=remember, named=named)
    workspace = _workspace.here(given, remember=remember)
    if Path.cwd() not in workspace.folders:
        arguments.paths = [Path.cwd()]
    return workspace


def _files(workspace: Workspace, paths: Sequence[Path]) -> Iterator[Path]:
    for environment in _workspace.environments(workspace):
        for file in workspace.scripts(environment).paths:
            if _is_wanted(file, paths):
                yield file


def _counts(
    workspace: Workspace, files: Iterable[Path], wanted: Sequence[Path]
) -> dict[Environment, int]:
    """How many of the files are migrations of which environment, where the paths are about it."""
    read = set(files)
    found: dict[Environment, int] = {}
    for environment in workspace.environments:
        paths = workspace.scripts(environment).paths
        count = len(read.intersection(paths))
        # Of one that has none yet, it is said all the same where they are looked for.
        if count or not (paths or environment.problems or _elsewhere(environment, wanted)):
            found[environment] = count
    return found


def _elsewhere(environment: Environment, wanted: Sequence[Path]) -> bool:
    """Whether all paths lie beside an environment and its configuration."""
    places = (environment.config, environment.script_location, *environment.version_locations)
    known = [place for place in places if place is not None]
    return bool(wanted) and not any(_overlap(place, path) for place in known for path in wanted)


def _is_wanted(file: Path, paths: Sequence[Path]) -> bool:
    """Whether a file is one of the paths, or below one."""
    return not paths or any(file == path or file.is_relative_to(path) for path in paths)


def _check_empty(workspace: Workspace, paths: Iterable[Path]) -> None:
    """Raises `NothingToReadError` where nothing was read by mistake: no green for a wrong path.

    A project without migrations yet is right; so is a file that is none, as hooks name them all.
    """
    problems = _problems(workspace)
    usable = [env for env in workspace.environments if not env.problems]
    if problems and not usable:
        raise NothingToReadError(problems[0])
    locations = {location for env in usable for location in env.version_locations}
    below = [folder for env in usable for folder in env.left_out]
    if below:
        known = ", ".join(sorted(map(relative, locations)))
        raise NothingToReadError(
            f"there are no migrations in {known}, but below it, as in {relative(below[0])}: have "
            "Alembic read them with `version_locations` or `recursive_version_locations = true`"
        )
    for path in paths:
        place = path.resolve()
        if path.is_dir() and not any(_overlap(location, place) for location in locations):
            known = ", ".join(sorted(map(relative, locations)))
            raise NothingToReadError(f"there are no migrations in {path}; they are in {known}")


def _overlap(one: Path, other: Path) -> bool:
    return one == other or one in other.parents or other in one.parents


def _check_since(workspace: Workspace, since: str) -> None:
    """Raises `NothingToReadError` where no environment has the revision that was named."""
    scripts = [workspace.scripts(env) for env in workspace.environments]
    if not any(each.up_to(since) for each in scripts):
        near = nearest(since, [rev for each in scripts for rev in each.history.by_id])
        hint = f"; did you mean `{near}`?" if near else ""
        raise NothingToReadError(f"since: there is no one revision `{since}`{hint}")


def _changed(workspace: Workspace, others: Sequence[Path], ref: str) -> frozenset[Path]:
    from alembic_roundtrip.cli._changed import changed_files

    changed = changed_files(workspace.folders, others, ref) if others else frozenset()
    return changed.union(
        *(
            changed_files(env.version_locations, workspace.scripts(env).paths, ref)
            for env in workspace.environments
        )
    )


def _problems(workspace: Workspace) -> list[str]:
    return [problem for environment in workspace.environments for problem in environment.problems]


def _fix(workspace: Workspace, found: list[Diagnostic], *, unsafe: bool) -> bool:
    """Apply fixes one at a time, reading again after each, until nothing more is offered.

    Gives whether a file is another one now.
    """
    from alembic_roundtrip.fixing import fix_file

    offered = ((d.path, fix) for d in found for fix in d.fixes[:1])
    files = dict.fromkeys(path for path, fix in offered if unsafe or fix.safety == "safe")
    changed = [file for file in files if fix_file(workspace, file, unsafe=unsafe)]
    return bool(changed)
