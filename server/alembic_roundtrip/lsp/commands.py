"""What `workspace/executeCommand` runs; any client can: plain JSON in, plain JSON out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from alembic_roundtrip.evidence import evidence_store
from alembic_roundtrip.losses import documentation, says_loss
from alembic_roundtrip.lsp import code_actions
from alembic_roundtrip.lsp.progress import Progress
from alembic_roundtrip.lsp.session import UNUSABLE, in_slices, path_of
from alembic_roundtrip.migration.rewrite import RewriteError
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.document import Document
from alembic_roundtrip.rehearsal.events import (
    Event,
    Finished,
    RevisionFinished,
    Started,
    StepStarted,
)
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from alembic_roundtrip.rehearsal.sql import rollback_sql

if TYPE_CHECKING:
    from alembic_roundtrip.lsp.server import RoundtripServer
    from alembic_roundtrip.planning import RollbackPlan

PREFIX = "alembicRoundtrip."
Handler = Callable[["RoundtripServer", types.ExecuteCommandParams], Awaitable[Any]]


class Refused(JsonRpcException):
    """A command that cannot be carried out; the editor shows the sentence."""

    CODE = types.LSPErrorCodes.RequestFailed.value
    MESSAGE = "the command cannot be carried out"


class Cancelled(Refused):
    """A command that somebody cancelled: nothing to worry about."""

    CODE = types.LSPErrorCodes.RequestCancelled.value


async def test_revision(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Rehearse the migration that is named, or the file's."""
    path, revision = _target(params)
    migration = ls.session.migration(path)
    environment = ls.session.environment_of(path)
    revision = revision or (migration.id if migration else None)
    if environment is None or not revision:
        name = path.name if path else "this"
        raise _refused(ls, f"{name} is not a migration of an environment here")
    return await _rehearse(ls, params, environment, (revision,), f"Round trip of {revision}")


async def test_all(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Rehearse every revision of the environment a file is in, or of the only one there is."""
    path, _ = _target(params)
    environment = _environment(ls, path)
    return await _rehearse(ls, params, environment, (), "Round trips of all revisions")


async def cancel(ls: RoundtripServer, _: types.ExecuteCommandParams) -> Any:
    """Stop the rehearsals that are under way."""
    running = [task for task in ls.session.rehearsals if not task.done()]
    for task in running:
        task.cancel()
    return {"cancelled": len(running)}


async def clear_evidence(ls: RoundtripServer, _: types.ExecuteCommandParams) -> Any:
    """Forget what was measured."""
    cleared = sum(evidence_store(found).clear() for found in ls.session.environments)
    await ls.refresh()
    return {"cleared": cleared}


async def scaffold_downgrade(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Write the downgrade of a migration from its upgrade, through the editor."""
    from alembic_roundtrip.scaffold import fix, why_nothing

    path, _ = _target(params)
    context = ls.session.context(path)
    if path is None or context is None:
        raise _refused(ls, "open a migration first: there is nothing to write a downgrade for")
    written = fix(context)
    if written is None:
        raise Refused(f"{path.name}: {why_nothing(context)}")
    try:
        edit = code_actions.edit_for(ls.session, path, written)
    except RewriteError as error:
        raise Refused(str(error)) from error
    if edit is None or not ls.session.client.applies_edits:
        raise Refused("this editor does not let a server edit; use `alembic-roundtrip scaffold`")
    answer = await ls.workspace_apply_edit_async(
        types.ApplyWorkspaceEditParams(edit, written.title)
    )
    return {"applied": answer.applied, "title": written.title}


async def plan_rollback(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Say what a rollback would do: to the target that is named, or past the file's migration."""
    from alembic_roundtrip.planning import NoPlanError, planning, target_below
    from alembic_roundtrip.planning.document import document
    from alembic_roundtrip.planning.markdown import markdown
    from alembic_roundtrip.planning.sentences import headline

    path, revision = _target(params)
    environment = _environment(ls, path)
    await ls.settled()
    migration = ls.session.migration(path)
    revision = revision or (migration.id if migration else None)
    values = _values(params)
    target = next(iter(_texts(values.get("target"))), None)
    if target is None and not revision:
        raise _refused(ls, "name a target, or open the migration that is to be undone")
    workspace = ls.session.workspace
    try:
        if target is None:
            target = target_below(workspace.scripts(environment).history, str(revision))
        steps = planning(workspace, environment, target, _texts(values.get("from")))
        plan = await _with_sql(ls, environment, await in_slices(steps))
    except (NoPlanError, *UNUSABLE) as error:
        raise _refused(ls, str(error)) from error
    if not ls.session.reports_results:
        told = f"Rollback {headline(plan)}"
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, told))
    return {**document(plan), "headline": headline(plan), "markdown": markdown(plan)}


async def _with_sql(
    ls: RoundtripServer, environment: Environment, plan: RollbackPlan
) -> RollbackPlan:
    if not plan.revisions:
        return plan
    if not ls.session.trusted:
        told = "no SQL: the project's env.py writes it, and this workspace is not trusted"
        return replace(plan, no_sql=told)
    settings = ls.session.workspace.settings_of(environment)
    try:
        return plan.with_sql(await rollback_sql(environment, settings, plan.current, plan.target))
    except CannotRun as error:
        return replace(plan, no_sql=str(error))


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        f"{PREFIX}testRevision": test_revision,
        f"{PREFIX}testFile": test_revision,
        f"{PREFIX}testAll": test_all,
        f"{PREFIX}cancel": cancel,
        f"{PREFIX}clearEvidence": clear_evidence,
        f"{PREFIX}scaffoldDowngrade": scaffold_downgrade,
        f"{PREFIX}planRollback": plan_rollback,
    }
)


def _target(params: types.ExecuteCommandParams) -> tuple[Path | None, str | None]:
    """The file and revision that arguments name: a URI, or `{"uri": …, "revision": …}`."""
    values = _values(params)
    uri, revision = values.get("uri"), values.get("revision")
    return (
        path_of(uri) if isinstance(uri, str) else None,
        revision if isinstance(revision, str) else None,
    )


def _values(params: types.ExecuteCommandParams) -> Mapping[str, Any]:
    given: Sequence[Any] = params.arguments or ()
    first = given[0] if given else None
    return first if isinstance(first, dict) else {"uri": first}


def _texts(value: Any) -> tuple[str, ...]:
    """A text, or several in a list, as clients write what may be one or more."""
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str) and each)


def _environment(ls: RoundtripServer, path: Path | None) -> Environment:
    """The environment a file is in, or the only one there is."""
    environment = ls.session.environment_of(path)
    environments = ls.session.environments
    if environment is None and len(environments) == 1:
        (environment,) = environments
    if environment is None:
        raise _refused(
            ls,
            f"there are {len(environments)} Alembic environments: open a migration of the one "
            "that is meant"
            if environments
            else "there is no Alembic environment in this workspace",
        )
    return environment


def _refused(ls: RoundtripServer, sentence: str) -> Refused:
    """The refusal; what the user was told to correct comes first, as it may be the reason."""
    return Refused(". ".join((*ls.session.problems, sentence)))


async def _rehearse(
    ls: RoundtripServer,
    params: types.ExecuteCommandParams,
    environment: Environment,
    revisions: tuple[str, ...],
    title: str,
) -> dict[str, Any]:
    if not ls.session.trusted:
        raise Refused("a rehearsal runs the project's code: trust this workspace first")
    await ls.settled()
    try:
        settings = ls.session.workspace.settings_of(environment)
    except UNUSABLE as error:
        raise Refused(str(error)) from error
    plan = Plan(environment, settings, revisions)
    task = asyncio.ensure_future(_run(ls, plan, params.work_done_token, title))
    ls.session.rehearsals.add(task)
    task.add_done_callback(ls.session.rehearsals.discard)
    try:
        return await task
    except CannotRun as error:
        raise Refused(str(error)) from error
    except asyncio.CancelledError:
        task.cancel()
        raise Cancelled("cancelled; nothing of the rehearsal is left") from None


async def _run(
    ls: RoundtripServer, plan: Plan, token: types.ProgressToken | None, title: str
) -> dict[str, Any]:
    # One at a time: two would share the machine and make each other's timings meaningless.
    async with ls.session.one_rehearsal:
        task = asyncio.current_task()
        assert task is not None
        progress = await Progress.begin(
            ls.work_done_progress,
            title,
            token=token,
            create=ls.session.client.shows_progress,
            on_cancel=lambda: ls.loop.call_soon_threadsafe(task.cancel),
        )
        ended = "stopped"
        try:
            result = await _relay(ls, plan, progress)
            ended = _summary(result)
        finally:
            progress.end(ended)
            await ls.refresh()
        if not ls.session.reports_results:
            kind = types.MessageType.Info
            ls.window_show_message(types.ShowMessageParams(kind, f"{title}: {ended}"))
        return result


async def _relay(ls: RoundtripServer, plan: Plan, progress: Progress) -> dict[str, Any]:
    """Run the plan; gives its JSON document."""
    document = Document(plan.settings.rows)
    wanted: tuple[str, ...] = ()
    done = 0
    async with aclosing(rehearse(plan)) as events:
        async for event in events:
            if isinstance(event, Started):
                wanted = event.revisions
                document.started(event)
            elif isinstance(event, RevisionFinished):
                done += 1
                document.revision(event.evidence, documented=_documented(ls, event))
            elif isinstance(event, Finished):
                return document.finished(event)
            message = _message(event, wanted, done)
            if message:
                progress.report(message, 100 * done // max(1, len(wanted)))
    raise CannotRun("the rehearsal ended without a result; the log says more")


def _message(event: Event, wanted: tuple[str, ...], done: int) -> str | None:
    """What an event says to somebody who waits; None for nothing new."""
    if isinstance(event, RevisionFinished):
        return f"{event.evidence.revision}: {event.evidence.verdict.value}"
    if not isinstance(event, StepStarted):
        return None
    if event.revision not in wanted:
        return f"on the way: {event.step} of {event.revision}"
    of = f" ({done + 1} of {len(wanted)})" if len(wanted) > 1 else ""
    return f"{event.revision}: {event.step}{of}"


def _documented(ls: RoundtripServer, event: RevisionFinished) -> bool:
    path = event.evidence.path
    migration = ls.session.migration(Path(path)) if path else None
    return migration is not None and says_loss(documentation(migration))


def _summary(result: Mapping[str, Any]) -> str:
    revisions = result["revisions"]
    if len(revisions) == 1:
        verdict, reason = str(revisions[0]["verdict"]), revisions[0]["reason"]
        return f"{verdict}: {reason}" if reason else verdict
    counts = {name: n for name, n in result["summary"].items() if name != "seconds" and n}
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
