"""Print, or write, a downgrade for a migration, or a change that keeps its data."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from alembic_roundtrip.cli import _workspace
from alembic_roundtrip.cli._workspace import CANNOT_RUN, NothingToReadError, say
from alembic_roundtrip.cli.reports._linting import plural
from alembic_roundtrip.cli.reports._paths import relative
from alembic_roundtrip.context import Context
from alembic_roundtrip.history import History
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.rehearsal.plan import CannotRun
from alembic_roundtrip.restoration import Restoration
from alembic_roundtrip.workspace import Workspace


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument("revision", metavar="REVISION", help="an id, a partial id or `head`")
    parser.add_argument("--write", action="store_true", help="change the file")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--from-database",
        action="store_true",
        help="run the upgrade on a scratch database, and write what restores the parent's schema",
    )
    source.add_argument(
        "--pattern",
        nargs="?",
        const="",
        metavar="NAME",
        help="a change that keeps data instead; without a name, which there are for the revision",
    )
    _workspace.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Scaffold; gives the exit status: 0, or 2 where it could not be done."""
    try:
        workspace = _workspace.here(_workspace.overrides(arguments))
        context = _context(workspace, arguments.revision)
        if arguments.pattern is not None:
            return _pattern(workspace, context, arguments.pattern, write=arguments.write)
        found = _restoration(workspace, context) if arguments.from_database else None
        return _scaffold(context, found, write=arguments.write)
    except (*CANNOT_RUN, CannotRun, NothingToReadError) as error:
        return say(error)


def _migration(workspace: Workspace, name: str) -> Migration:
    problem = None
    for environment in _workspace.environments(workspace):
        problem = problem or next(iter(environment.problems), None)
        scripts = workspace.scripts(environment)
        found = scripts.history.resolve(name)
        problem = problem or found.problem
        for revision in found.ids:
            if len(scripts.history.named(revision)) > 1:
                raise NothingToReadError(_several(scripts.history, revision))
            migration = scripts.migration_of(revision)
            if migration is not None:
                return migration
    raise NothingToReadError(problem or f"there is no revision `{name}`")


def _several(history: History, revision: str) -> str:
    names = " and ".join(f"`{each.path.name}`" for each in history.named(revision) if each.path)
    return f"{names} have the revision `{revision}`: give all but one another identifier"


def _context(workspace: Workspace, name: str) -> Context:
    migration = _migration(workspace, name)
    context = workspace.context(migration.path)
    if context is None:
        raise NothingToReadError(f"{relative(migration.path)} is not in an Alembic environment")
    return context


def _restoration(workspace: Workspace, context: Context) -> Restoration | None:
    import asyncio

    from alembic_roundtrip.rehearsal.way_back import way_back
    from alembic_roundtrip.scaffold import can_be_written, why_nothing

    _workspace.refuse_mistakes(workspace)
    environment = workspace.environment_of(context.migration.path)
    if context.parts:
        why = why_nothing(context, from_database=True)
        raise NothingToReadError(f"{relative(context.migration.path)}: {why}")
    if environment is None or not can_be_written(context):
        return None
    return asyncio.run(way_back(environment, workspace.settings_of(environment), context))


def _scaffold(context: Context, found: Restoration | None, *, write: bool) -> int:
    from alembic_roundtrip.migration.editing import edits
    from alembic_roundtrip.migration.rewrite import RewriteError
    from alembic_roundtrip.scaffold import fix, fix_from_database, why_nothing
    from alembic_roundtrip.text import apply_edits

    migration = context.migration
    written = fix(context) if found is None else fix_from_database(context, found)
    if written is None:
        print(f"{relative(migration.path)}: {why_nothing(context)}", file=sys.stderr)
        return 0
    try:
        text = apply_edits(migration.text, edits(migration, written.rewrites))
    except RewriteError as error:
        raise NothingToReadError(str(error)) from error
    if text == migration.text:
        what = "the downgrade is already what would be written"
        print(f"{relative(migration.path)}: {what}", file=sys.stderr)
        return 0
    _look_at_the_old(context, text, write=write)
    return _show(migration, text, f"wrote the downgrade from the {_source(found)}", write=write)


def _look_at_the_old(context: Context, text: str, *, write: bool) -> None:
    """Tell, or refuse to write, where code of the author's gives way to placeholders."""
    from alembic_roundtrip.scaffold import PLACEHOLDER

    migration = context.migration
    left = text.count(PLACEHOLDER) - migration.text.count(PLACEHOLDER)
    if left <= 0 or not context.downgrade_operations:
        return
    told = (
        f"{relative(migration.path)}: there is a downgrade already, and this one leaves "
        f"{left} {plural('thing', left)} to be done by hand"
    )
    if write:
        raise NothingToReadError(f"{told}; empty the old one first where it is to be replaced")
    print(f"{told}; take over what is better", file=sys.stderr)


def _pattern(workspace: Workspace, context: Context, name: str, *, write: bool) -> int:
    """List the changes that keep data, or make those of one pattern."""
    from alembic_roundtrip.config import nearest
    from alembic_roundtrip.fixing import with_pattern
    from alembic_roundtrip.scaffold.patterns import names, patterns

    migration = context.migration
    found = [each for each in patterns(context) if name in {"", each.name}]
    if name and name not in names():
        near = nearest(name, names())
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(names())}"
        raise NothingToReadError(f"there is no pattern `{name}`; {hint}")
    if not found:
        what = f"`{name}` has nothing to change" if name else "no pattern has anything to change"
        print(f"{relative(migration.path)}: {what}", file=sys.stderr)
        return 0
    if not name:
        for each in found:
            place = f"{relative(migration.path)}:{each.range.start.line}"
            print(f"{place}: {each.name}: {each.fix.title} ({each.fix.description})")
        return 0
    text = with_pattern(workspace, migration.path, name)
    return _show(migration, text, f"made the changes of `{name}`", write=write)


def _show(migration: Migration, text: str, told: str, *, write: bool) -> int:
    from alembic_roundtrip.fixing import write as write_file

    if write:
        write_file(migration.path, text)
        print(f"{relative(migration.path)}: {told}")
    else:
        print(_difference(migration, text), end="")
    return 0


def _source(found: Restoration | None) -> str:
    return "upgrade" if found is None else "database"


def _difference(migration: Migration, text: str) -> str:
    from difflib import unified_diff

    name = relative(migration.path)
    old, new = (t.splitlines(keepends=True) for t in (migration.text, text))
    return "".join(unified_diff(old, new, name, name))
