"""Commands that change a migration through the editor: write its downgrade, apply an action."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.lsp import code_actions
from alembic_roundtrip.lsp.asked import named, on_scratch, refuse_unsaved, refused, settings_of
from alembic_roundtrip.lsp.progress import Progress
from alembic_roundtrip.lsp.refusals import Refused
from alembic_roundtrip.migration.rewrite import RewriteError
from alembic_roundtrip.rehearsal.way_back import way_back
from alembic_roundtrip.restoration import Restoration

if TYPE_CHECKING:
    from alembic_roundtrip.lsp.server import RoundtripServer


async def scaffold_downgrade(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Write the downgrade of a migration from its upgrade, through the editor."""
    from alembic_roundtrip.scaffold import fix

    path, context = _context(ls, params)
    return await _written(ls, path, context, fix(context))


async def scaffold_from_database(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Write the downgrade of a migration from what leads back on a scratch database."""
    from alembic_roundtrip.scaffold import can_be_written, fix_from_database, why_nothing

    path, context = _context(ls, params)
    environment = ls.session.environment_of(path)
    if environment is None or not can_be_written(context):
        raise Refused(f"{path.name}: {why_nothing(context, from_database=True)}")
    text = context.migration.text
    refuse_unsaved(ls, path)

    async def work(progress: Progress) -> tuple[Restoration, str]:
        progress.report(f"the way back from {context.migration.id}", 0)
        found = await way_back(environment, settings_of(ls, environment), context)
        return found, _told(found)

    title = f"Downgrade of {context.migration.id} from the database"
    found = await on_scratch(ls, params, title, work)
    now = ls.session.context(path)
    if now is None or now.migration.text != text:
        raise Refused(f"{path.name} was edited meanwhile; ask once more")
    return await _written(ls, path, now, fix_from_database(now, found))


async def apply_action(ls: RoundtripServer, params: types.ExecuteCommandParams) -> Any:
    """Make the change of a code action, for editors that are given commands only."""
    data = next(iter(params.arguments or ()), None)
    try:
        action = code_actions.resolved(ls.session, types.CodeAction("this", data=data))
    except (code_actions.StaleActionError, RewriteError) as error:
        raise Refused(str(error)) from error
    if action.edit is None:
        raise Refused("there is nothing to change any more")
    answer = await ls.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(action.edit))
    return {"applied": answer.applied}


def _context(ls: RoundtripServer, params: types.ExecuteCommandParams) -> tuple[Path, Context]:
    path, _ = named(params)
    context = ls.session.context(path)
    if path is None or context is None:
        raise refused(ls, "open a migration first: there is nothing to write a downgrade for")
    return path, context


def _told(found: Restoration) -> str:
    left = len(found.residue)
    if not left:
        return "the schema of the parent is restored"
    return f"{left} difference{'s' * (left > 1)} from the parent's schema left to do by hand"


async def _written(
    ls: RoundtripServer, path: Path, context: Context, written: Fix | None
) -> dict[str, Any]:
    from alembic_roundtrip.scaffold import why_nothing

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
