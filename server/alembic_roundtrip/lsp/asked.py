"""What commands have in common: their arguments, their refusals, and work on a scratch database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from alembic_roundtrip.config import Settings
from alembic_roundtrip.history.scan import text_of
from alembic_roundtrip.lsp.progress import Progress
from alembic_roundtrip.lsp.refusals import Cancelled, Refused
from alembic_roundtrip.lsp.session import UNUSABLE, path_of
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rehearsal.plan import CannotRun

if TYPE_CHECKING:
    from alembic_roundtrip.lsp.server import RoundtripServer

T = TypeVar("T")
Work = Callable[[Progress], Awaitable[tuple[T, str]]]
"""Gives its result, and what to say in the end."""


def named(params: types.ExecuteCommandParams) -> tuple[Path | None, str | None]:
    """The file and revision that arguments name: a URI, or `{"uri": …, "revision": …}`."""
    values = values_of(params)
    uri, revision = values.get("uri"), values.get("revision")
    return (
        path_of(uri) if isinstance(uri, str) else None,
        revision if isinstance(revision, str) else None,
    )


def values_of(params: types.ExecuteCommandParams) -> Mapping[str, Any]:
    """The arguments by their names."""
    given: Sequence[Any] = params.arguments or ()
    first = given[0] if given else None
    return first if isinstance(first, dict) else {"uri": first}


def refused(ls: RoundtripServer, sentence: str) -> Refused:
    """The refusal; what the user was told to correct comes first, as it may be the reason."""
    return Refused(". ".join((*ls.session.problems, sentence)))


def refuse_unsaved(ls: RoundtripServer, path: Path) -> None:
    """Raises `Refused` where a migration on disk is not the one that the user sees."""
    document = ls.session.open.get(path)
    if document is not None and document.text not in _texts_on_disk(path):
        raise Refused(f"{path.name} is not saved: a scratch database runs what is on disk")


def _texts_on_disk(path: Path) -> Iterator[str]:
    """What Python reads in a file, and what an editor shows that reads everything as UTF-8."""
    try:
        content = path.read_bytes()
    except OSError:
        return
    yield content.decode(errors="replace")
    try:
        text = text_of(content)
    except ValueError:
        return
    yield text


def settings_of(ls: RoundtripServer, environment: Environment) -> Settings:
    """The settings in force for an environment, where they can be used."""
    try:
        return ls.session.workspace.settings_of(environment)
    except UNUSABLE as error:
        raise Refused(str(error)) from error


async def on_scratch(
    ls: RoundtripServer, params: types.ExecuteCommandParams, title: str, work: Work[T]
) -> T:
    """Work that runs the project's code on a scratch database: trusted, told of, cancellable."""
    if not ls.session.trusted:
        raise Refused("a rehearsal runs the project's code: trust this workspace first")
    await ls.settled()
    return await _cancellable(ls, _alone(ls, params.work_done_token, title, work))


async def followed(
    ls: RoundtripServer, params: types.ExecuteCommandParams, title: str, work: Work[T]
) -> T:
    """Work that runs the project's code without any database: told of, cancellable."""

    async def only_the_result() -> T:
        result, _ = await _told_of(ls, params.work_done_token, title, work)
        return result

    return await _cancellable(ls, only_the_result())


async def _cancellable(ls: RoundtripServer, work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    ls.session.rehearsals.add(task)
    task.add_done_callback(ls.session.rehearsals.discard)
    try:
        return await task
    except CannotRun as error:
        raise Refused(str(error)) from error
    except asyncio.CancelledError:
        task.cancel()
        raise Cancelled("cancelled; nothing that was started is left") from None


async def _alone(
    ls: RoundtripServer, token: types.ProgressToken | None, title: str, work: Work[T]
) -> T:
    # One at a time: two would share the machine and make each other's timings meaningless.
    async with ls.session.one_rehearsal:
        try:
            result, ended = await _told_of(ls, token, title, work)
        finally:
            await ls.refresh()
        if not ls.session.reports_results:
            kind = types.MessageType.Info
            ls.window_show_message(types.ShowMessageParams(kind, f"{title}: {ended}"))
        return result


async def _told_of(
    ls: RoundtripServer, token: types.ProgressToken | None, title: str, work: Work[T]
) -> tuple[T, str]:
    """Work behind a progress bar, by which it can be cancelled."""
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
        result, ended = await work(progress)
    finally:
        progress.end(ended)
    return result, ended
