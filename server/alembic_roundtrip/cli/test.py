"""Rehearse revisions: upgrade, downgrade, upgrade on a scratch database, with rows in it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

from alembic_roundtrip.cli import _workspace
from alembic_roundtrip.cli._changed import changed_files
from alembic_roundtrip.cli._workspace import NothingToReadError, only_environment
from alembic_roundtrip.cli.reports import formats
from alembic_roundtrip.cli.reports._judged import Judged, Report, documented
from alembic_roundtrip.config import SettingsError
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.project import ProjectError
from alembic_roundtrip.rehearsal.events import Finished, FromModels, RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.scripts import Scripts

FAIL_ON = ("failed", "residue", "lossy", "undocumented")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this subcommand's arguments to its parser."""
    parser.add_argument(
        "revisions",
        nargs="*",
        metavar="REVISION",
        help="what to rehearse: ids, partial ids, `head`, ranges `a:b`; all revisions if none",
    )
    parser.add_argument(
        "--changed-since",
        metavar="GIT_REF",
        help="only revisions whose files changed against a branch or commit",
    )
    parser.add_argument("--database", help="kind of scratch database (default: the project's own)")
    parser.add_argument(
        "--rows", type=_count, help="made-up rows a table (default: 100); 0: schema only"
    )
    parser.add_argument(
        "--jobs", type=_jobs, default=1, metavar="N", help="agents at a time (0: one a processor)"
    )
    parser.add_argument(
        "--shard", type=_shard, metavar="I/N", help="only the I-th of N parts of the revisions"
    )
    parser.add_argument("--timeout", type=_seconds, metavar="SECONDS", help="for one revision")
    parser.add_argument(
        "--full-cycle", action="store_true", help="also base → heads → base: nothing may be left"
    )
    parser.add_argument(
        "--format",
        choices=tuple(formats.TEST),
        default="text",
        help=f"default: text. {formats.described(formats.TEST)}",
    )
    _workspace.add_arguments(parser)
    _workspace.add_env_py_arguments(parser)
    parser.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default="residue",
        help="from which verdict on the exit status is 1 (default: residue)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Rehearse; gives the exit status: 0 nothing found, 1 findings, 2 could not run."""
    report = formats.rehearsal_report(arguments.format)
    try:
        plan = _plan(arguments)
        if arguments.changed_since is not None:
            plan = _only_changed(plan, arguments.changed_since)
            if not plan.revisions:
                sys.stderr.write(f"no migration changed since {arguments.changed_since}\n")
                report.finished(Finished({}, 0.0))
                return 0
        return asyncio.run(_rehearse(plan, report, arguments))
    except (CannotRun, NothingToReadError, ProjectError, SettingsError) as error:
        return _stopped(report, str(error))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return _stopped(report, "stopped before the end; nothing of the rehearsal is left")


def _stopped(report: Report, sentence: str) -> int:
    """Say it to people, and to the program that reads the report: it must be whole all the same."""
    sys.stderr.write(f"{sentence}\n")
    report.stopped(sentence)
    return 2


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows")
    return int(text)


def _jobs(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of agents")
    return int(text) or os.cpu_count() or 1


def _shard(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a part of a whole, as in 1/4")
    return int(number), int(of)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return number


def _plan(arguments: argparse.Namespace) -> Plan:
    workspace = _workspace.here(_overrides(arguments))
    environment = only_environment(workspace)
    return Plan(
        environment=environment,
        settings=workspace.settings_of(environment),
        revisions=tuple(arguments.revisions),
        full_cycle=arguments.full_cycle,
        parts=() if arguments.shard is None else (arguments.shard,),
        jobs=arguments.jobs,
    )


def _only_changed(plan: Plan, ref: str) -> Plan:
    """The plan with the revisions whose files changed; those it names must be among them."""
    if plan.revisions:
        raise CannotRun("--changed-since chooses the revisions: name none beside it")
    scripts = Scripts(plan.environment)
    changed = changed_files(plan.environment.version_locations, scripts.paths, ref)
    ids = (scripts.migration(path).id for path in scripts.paths if path in changed)
    return replace(plan, revisions=tuple(filter(None, ids)))


def _overrides(arguments: argparse.Namespace) -> dict[str, object]:
    named = {
        name: getattr(arguments, name)
        for name in ("database", "rows", "timeout")
        if getattr(arguments, name) is not None
    }
    return _workspace.overrides(arguments) | named


async def _rehearse(plan: Plan, report: Report, arguments: argparse.Namespace) -> int:
    findings = 0
    with _terminable():
        async with aclosing(rehearse(plan)) as events:
            async for event in events:
                if isinstance(event, Started):
                    if not event.revisions and not plan.parts:
                        raise CannotRun(_nothing(plan))
                    report.started(event, plan.settings.rows)
                elif isinstance(event, FromModels):
                    report.from_models()
                elif isinstance(event, RevisionFinished):
                    finding = is_finding(event.evidence, arguments.fail_on)
                    report.revision(Judged(event.evidence, finding))
                    findings += finding
                elif isinstance(event, Finished):
                    report.finished(event)
    return 1 if findings else 0


def _nothing(plan: Plan) -> str:
    """Why there is nothing to rehearse: no green result for a folder that was forgotten."""
    folders = ", ".join(str(folder) for folder in plan.environment.version_locations)
    return f"no rehearsal: there are no migrations in {folders}; is that the right folder?"


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a rehearsal as Ctrl-C does: with its agent and its folder."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    assert task is not None
    ending = [signal.SIGTERM]
    # Who starts it with `nohup` wants it to outlive the terminal.
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    try:
        for each in ending:
            loop.add_signal_handler(each, task.cancel)
    except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
        yield
        return
    try:
        yield
    finally:
        for each in ending:
            loop.remove_signal_handler(each)


def is_finding(evidence: RevisionEvidence, fail_on: str) -> bool:
    """Whether a verdict is at or above a threshold; what could not be rehearsed always is."""
    verdict = evidence.verdict
    if verdict in (Verdict.FAILED, Verdict.SKIPPED):
        return True
    if verdict is Verdict.RESIDUE:
        return fail_on != "failed"
    if not evidence.old_losses():
        return False
    return fail_on == "lossy" or (fail_on == "undocumented" and not documented(evidence))
