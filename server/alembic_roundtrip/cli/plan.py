"""Say what a rollback would do, lose and stop at; it runs nothing on a database."""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser, Namespace

from alembic_roundtrip.cli import _workspace
from alembic_roundtrip.cli._workspace import CANNOT_RUN, NothingToReadError, only_environment, say
from alembic_roundtrip.cli.reports import formats
from alembic_roundtrip.planning import NoPlanError, plan_rollback


def add_arguments(parser: ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="as `alembic downgrade` takes it: an id, a partial id, `base`, `-2`, `label@base`",
    )
    parser.add_argument(
        "--from",
        dest="current",
        action="append",
        default=[],
        metavar="REVISION",
        help="what the database is at, several times where it is at several (default: the heads)",
    )
    parser.add_argument(
        "--no-sql", action="store_true", help="do not have env.py write the SQL: only read"
    )
    parser.add_argument(
        "--format",
        choices=tuple(formats.PLAN),
        default="text",
        help=f"default: text. {formats.described(formats.PLAN)}",
    )
    _workspace.add_env_py_arguments(parser)
    _workspace.add_arguments(parser)


def run(arguments: Namespace) -> int:
    """Plan; gives the exit status: 0, 1 where the rollback would stop, 2 for no plan."""
    try:
        workspace = _workspace.here(_workspace.overrides(arguments))
        environment = only_environment(workspace)
        plan = plan_rollback(workspace, environment, arguments.target, arguments.current)
        if not arguments.no_sql:
            from alembic_roundtrip.planning.sql import with_sql

            plan = asyncio.run(with_sql(plan, environment, workspace.settings_of(environment)))
    except (*CANNOT_RUN, NothingToReadError, NoPlanError) as error:
        return say(error)
    formats.plan_report(arguments.format)(plan)
    return int(plan.blocked)
