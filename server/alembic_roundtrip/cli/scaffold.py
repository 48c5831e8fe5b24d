"""Print, or write, a downgrade for a migration."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from alembic_roundtrip.cli import _workspace
from alembic_roundtrip.cli._workspace import CANNOT_RUN, NothingToReadError, say
from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.workspace import Workspace


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument("revision", metavar="REVISION", help="an id, a partial id or `head`")
    parser.add_argument("--write", action="store_true", help="change the file")
    _workspace.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Scaffold; gives the exit status: 0, or 2 where it could not be done."""
    try:
        workspace = _workspace.here(_workspace.overrides(arguments))
        migration = _migration(workspace, arguments.revision)
        return _scaffold(workspace, migration, write=arguments.write)
    except (*CANNOT_RUN, NothingToReadError) as error:
        return say(error)


def _migration(workspace: Workspace, name: str) -> Migration:
    problem = None
    for environment in _workspace.environments(workspace):
        problem = problem or next(iter(environment.problems), None)
        scripts = workspace.scripts(environment)
        found = scripts.history.resolve(name)
        problem = problem or found.problem
        for revision in found.ids:
            migration = scripts.migration_of(revision)
            if migration is not None:
                return migration
    raise NothingToReadError(problem or f"there is no revision `{name}`")


def _scaffold(workspace: Workspace, migration: Migration, *, write: bool) -> int:
    from alembic_roundtrip.fixing import write as write_file
    from alembic_roundtrip.migration.rewrite import RewriteError, edits
    from alembic_roundtrip.scaffold import fix, why_nothing
    from alembic_roundtrip.text import apply_edits

    context = workspace.context(migration.path)
    if context is None:
        raise NothingToReadError(f"{relative(migration.path)} is not in an Alembic environment")
    written = fix(context)
    if written is None:
        print(f"{relative(migration.path)}: {why_nothing(context)}", file=sys.stderr)
        return 0
    try:
        text = apply_edits(migration.text, edits(migration, written.rewrites))
    except RewriteError as error:
        raise NothingToReadError(str(error)) from error
    if write:
        write_file(migration.path, text)
        print(f"{relative(migration.path)}: wrote the downgrade from the upgrade")
        return 0
    print(_difference(migration, text), end="")
    return 0


def _difference(migration: Migration, text: str) -> str:
    from difflib import unified_diff

    name = relative(migration.path)
    old, new = (t.splitlines(keepends=True) for t in (migration.text, text))
    return "".join(unified_diff(old, new, name, name))
