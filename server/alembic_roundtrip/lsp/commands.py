"""What `workspace/executeCommand` runs; any client can: plain JSON in, plain JSON out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from alembic_roundtrip.evidence import evidence_store
from alembic_roundtrip.lsp.asked import (
    followed,
    named,
    on_scratch,
    refuse_unsaved,
    refused,
    settings_of,
    values_of,
)
from alembic_roundtrip.lsp.code_actions import APPLY_ACTION, SCAFFOLD_FROM_DATABASE
from alembic_roundtrip.lsp.progress import Progress
from alembic_roundtrip.lsp.scaffolding import (
    apply_action,
    scaffold_downgrade,
    scaffold_from_database,
)
from alembic_roundtrip.lsp.session import UNUSABLE, in_slices
from alembic_roundtrip.measurements import subject_of
from alembic_roundtrip.project import Environment
from alembic_roundtrip.prose import documentation, documents
from alembic_roundtrip.rehearsal.document import Document
from alembic_roundtrip.rehearsal.events import (
    Event,
    Finished,
    FromModels,
    RevisionFinished,
    Started,
    StepStarted,
)
from alembic_roundtrip.rehearsal.plan import CannotRun, Plan
from alembic_roundtrip.rehearsal.runner import rehearse

if TYPE_CHECKING:
    from alembic_roundtrip.lsp.server import RoundtripServer
    from alembic_roundtrip.planning import RollbackPlan

PREFIX = "alembicRoundtrip."
Handler = Callable[["RoundtripServer", types.ExecuteCommandParams], Awaitable[Any]]


async def test_revision(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Rehearse the migration that is named, or the file's."""
    path, revision = named(params)
    migration = ls.session.migration(path)
    environment = ls.session.environment_of(path)
    revision = revision or (migration.id if migration else None)
    if environment is None or not revision:
        name = path.name if path else "this"
        raise refused(ls, f"{name} is not a migration of an environment here")
    if path is not None and migration is not None and migration.id == revision:
        refuse_unsaved(ls, path)
    return await _rehearse(ls, params, environment, (revision,), f"Round trip of {revision}")


async def test_all(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Rehearse every revision of the environment a file is in, or of the only one there is."""
    path, _ = named(params)
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


async def plan_rollback(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Say what a rollback would do: to the target that is named, or past the file's migration."""
    from alembic_roundtrip.planning import NoPlanError, planning, target_below
    from alembic_roundtrip.planning.document import document
    from alembic_roundtrip.planning.markdown import markdown
    from alembic_roundtrip.planning.sentences import headline

    path, revision = named(params)
    environment = _environment(ls, path)
    await ls.settled()
    migration = ls.session.migration(path)
    revision = revision or (migration.id if migration else None)
    values = values_of(params)
    target = next(iter(_texts(values.get("target"))), None)
    if target is None and not revision:
        raise refused(ls, "name a target, or open the migration that is to be undone")
    workspace = ls.session.workspace
    try:
        if target is None:
            target = target_below(workspace.scripts(environment).history, str(revision))
        steps = planning(workspace, environment, target, _texts(values.get("from")))
        plan = await _with_sql(ls, params, environment, await in_slices(steps))
    except (NoPlanError, *UNUSABLE) as error:
        raise refused(ls, str(error)) from error
    if not ls.session.reports_results:
        told = f"Rollback {headline(plan)}"
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Info, told))
    return {**document(plan), "headline": headline(plan), "markdown": markdown(plan)}


async def _with_sql(
    ls: RoundtripServer,
    params: types.ExecuteCommandParams,
    environment: Environment,
    plan: RollbackPlan,
) -> RollbackPlan:
    if not plan.revisions:
        return plan
    if not ls.session.trusted:
        told = "no SQL: the project's env.py writes it, and this workspace is not trusted"
        return replace(plan, no_sql=told)
    from alembic_roundtrip.planning.sql import with_sql

    settings = ls.session.workspace.settings_of(environment)

    async def work(progress: Progress) -> tuple[RollbackPlan, str]:
        def written(number: int, revision: str) -> None:
            progress.report(f"SQL of {revision}", 100 * number // max(number, len(plan.revisions)))

        found = await with_sql(plan, environment, settings, written)
        return found, found.no_sql or "planned"

    return await followed(ls, params, f"Rollback to {plan.target}", work)


HANDLERS: Mapping[str, Handler] = MappingProxyType(
    {
        f"{PREFIX}testRevision": test_revision,
        f"{PREFIX}testFile": test_revision,
        f"{PREFIX}testAll": test_all,
        f"{PREFIX}cancel": cancel,
        f"{PREFIX}clearEvidence": clear_evidence,
        f"{PREFIX}scaffoldDowngrade": scaffold_downgrade,
        SCAFFOLD_FROM_DATABASE: scaffold_from_database,
        APPLY_ACTION: apply_action,
        f"{PREFIX}planRollback": plan_rollback,
    }
)


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
        raise refused(
            ls,
            f"there are {len(environments)} Alembic environments: open a migration of the one "
            "that is meant"
            if environments
            else "there is no Alembic environment in this workspace",
        )
    return environment


async def _rehearse(
    ls: RoundtripServer,
    params: types.ExecuteCommandParams,
    environment: Environment,
    revisions: tuple[str, ...],
    title: str,
) -> dict[str, Any]:
    async def work(progress: Progress) -> tuple[dict[str, Any], str]:
        settings = settings_of(ls, environment)
        result = await _relay(ls, Plan(environment, settings, revisions), progress)
        ls.session.standby.agent.renew()
        return result, _summary(result)

    return await on_scratch(ls, params, title, work)


async def _relay(ls: RoundtripServer, plan: Plan, progress: Progress) -> dict[str, Any]:
    """Run the plan; gives its JSON document."""
    document = Document(plan.settings.rows)
    wanted: tuple[str, ...] = ()
    done = 0
    async with aclosing(rehearse(plan, ls.session.standby)) as events:
        async for event in events:
            if isinstance(event, Started):
                wanted = event.revisions
                document.started(event)
            elif isinstance(event, FromModels):
                document.from_models()
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
    lost = map(subject_of, event.evidence.old_losses())
    return migration is not None and documents(documentation(migration), lost)


def _summary(result: Mapping[str, Any]) -> str:
    revisions = result["revisions"]
    if len(revisions) == 1:
        verdict, reason = str(revisions[0]["verdict"]), revisions[0]["reason"]
        return f"{verdict}: {reason}" if reason else verdict
    counts = {name: n for name, n in result["summary"].items() if name != "seconds" and n}
    return ", ".join(f"{number} {verdict}" for verdict, number in counts.items())
