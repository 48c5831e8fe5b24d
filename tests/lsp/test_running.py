"""Commands that take their time: progress, cancelling, and what is answered meanwhile."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from lsp.editor import WITHIN, Editor
from lsp.processes import agents_of, alive
from lsp.project import EMPTY, LOSSY, Project

SLEEPY = EMPTY.replace('"😋"; op.add_column', '__import__("time").sleep(60); op.add_column')


async def agents(editor: Editor) -> dict[int, Path]:
    """The agents of the editor's server, once there is one, by process id, with their folders."""
    found: dict[int, Path] = {}

    def running() -> bool:
        found.update(agents_of(editor.process.pid))
        return bool(found)

    await editor.until(running)
    return found


async def ended(editor: Editor, found: dict[int, Path]) -> None:
    """Wait until nothing is left of the agents."""
    await editor.until(
        lambda: (
            not any(alive(pid) for pid in found)
            and not any(folder.exists() for folder in found.values())
        ),
    )


async def test_progress_is_told_under_the_clients_own_token(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    await editor.command("testAll", uri, under="mine 😋")
    assert list(editor.progress) == ["mine 😋"]
    expect_progress(editor.progress["mine 😋"])


async def test_progress_is_told_under_a_token_of_the_servers(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    await editor.command("testAll", uri)
    (reports,) = editor.progress.values()
    expect_progress(reports)


def expect_progress(reports: list[dict[str, Any]]) -> None:
    assert [report["kind"] for report in (reports[0], reports[-1])] == ["begin", "end"]
    assert reports[0]["cancellable"]
    between = reports[1:-1]
    assert between
    assert {report["kind"] for report in between} == {"report"}
    percentages = [report["percentage"] for report in between]
    assert percentages == sorted(percentages)
    assert percentages[-1] == 100
    assert "lossy" in reports[-1]["message"]


async def running(editor: Editor, project: Project, token: Any = None):
    """A rehearsal in its middle: its request's id, the answer to come, the agents at work."""
    uri = editor.open(project.write("bbbb", SLEEPY))
    answer = asked(editor, project, "testRevision", uri, token)
    found = await agents(editor)
    await editor.until(lambda: any("bbbb: upgrade" in said for said in said_by(editor)))
    return uri, answer, found


def asked(
    editor: Editor, project: Project, name: str, uri: str, token: Any = None
) -> asyncio.Future[Any]:
    """The answer to come, to a request whose id is known."""
    params = types.ExecuteCommandParams(f"alembicRoundtrip.{name}", [uri], work_done_token=token)
    return asyncio.ensure_future(
        editor.client.protocol.send_request_async(
            types.WORKSPACE_EXECUTE_COMMAND, params, msg_id=f"run-{project.folder}"
        )
    )


def said_by(editor: Editor) -> list[str]:
    return [str(r.get("message")) for reports in editor.progress.values() for r in reports]


async def by_request(editor: Editor, project: Project) -> None:
    editor.client.cancel_request(types.CancelParams(f"run-{project.folder}"))


async def by_progress(editor: Editor, _: Project) -> None:
    (token,) = editor.progress
    editor.client.window_work_done_progress_cancel(types.WorkDoneProgressCancelParams(token))


async def by_command(editor: Editor, _: Project) -> None:
    assert await editor.command("cancel") == {"cancelled": 1}


@pytest.mark.parametrize("cancel", [by_request, by_progress, by_command])
@pytest.mark.parametrize("token", [None, "mine"])
async def test_a_cancelled_rehearsal_leaves_nothing(
    editor: Editor, project: Project, cancel: Any, token: str | None
) -> None:
    uri, answer, found = await running(editor, project, token)
    await cancel(editor, project)
    with pytest.raises(JsonRpcException) as refused:
        await asyncio.wait_for(answer, WITHIN)
    assert not any(alive(pid) for pid in found), "the answer says that nothing is left"
    assert not any(folder.exists() for folder in found.values())
    assert "Traceback" not in f"{refused.value.message}{refused.value.data}"
    expected = {types.LSPErrorCodes.RequestCancelled, types.LSPErrorCodes.RequestFailed}
    assert refused.value.code in {code.value for code in expected}
    (reports,) = editor.progress.values()
    await editor.until(lambda: reports[-1]["kind"] == "end")
    assert await editor.lenses(uri), "the next request is answered"


async def test_a_second_rehearsal_waits_and_can_be_cancelled_too(
    editor: Editor, project: Project
) -> None:
    uri, first, found = await running(editor, project)
    second = asyncio.ensure_future(editor.command("testRevision", uri))
    await editor.lenses(uri)
    assert len(agents_of(editor.process.pid)) == len(found) == 1
    assert await editor.command("cancel") == {"cancelled": 2}
    for answer in (first, second):
        with pytest.raises(JsonRpcException):
            await asyncio.wait_for(answer, WITHIN)
    await ended(editor, found)
    editor.rewrite(uri, EMPTY.format(revision="bbbb", down="aaaa"))
    editor.save(uri, project.versions / "bbbb_😋.py")
    result = await editor.command("testRevision", uri)
    assert result["revisions"][0]["verdict"] == "failed"


async def test_requests_are_answered_while_a_rehearsal_runs(
    editor: Editor, project: Project
) -> None:
    uri, answer, found = await running(editor, project)
    for _ in range(5):
        editor.edit(uri, "pass", 'op.drop_column("customers", "phone")')
        codes = [i.code for i in await asyncio.wait_for(editor.diagnostics(uri), 2)]
        assert "empty-downgrade" not in codes
        editor.edit(uri, 'op.drop_column("customers", "phone")', "pass")
        codes = [i.code for i in await asyncio.wait_for(editor.diagnostics(uri), 2)]
        assert "empty-downgrade" in codes
    assert not answer.done()
    await editor.command("cancel")
    with pytest.raises(JsonRpcException):
        await asyncio.wait_for(answer, WITHIN)
    await ended(editor, found)


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
async def test_requests_are_answered_while_a_server_says_nothing(
    alone: Editor, project: Project, cache: dict[str, str], scheme: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as dead:
        url = f"{scheme}://app:secret@127.0.0.1:{dead.getsockname()[1]}/app"
        await alone.start(project.folder, environment=cache, settings={"database": url})
        uri = alone.open(project.write("bbbb", LOSSY))
        answer = asyncio.ensure_future(alone.command("testRevision", uri))
        place = alone.under(alone.texts[uri], "op.drop_column").start
        connection, _ = await asyncio.to_thread(dead.accept)
        with connection:
            for _ in range(3):
                hover = alone.hover(uri, place)
                assert await asyncio.wait_for(hover, WITHIN)
            assert not answer.done()
            assert await alone.command("cancel") == {"cancelled": 1}
            with pytest.raises(JsonRpcException):
                await asyncio.wait_for(answer, WITHIN)


OFFLINE = """
from alembic import context
context.configure(dialect_name="sqlite")
with context.begin_transaction():
    context.run_migrations()
"""


async def test_the_sql_of_a_plan_is_told_of_as_it_comes(editor: Editor, project: Project) -> None:
    (project.folder / "migrations" / "env.py").write_text(OFFLINE)
    uri = editor.open(project.write("bbbb", LOSSY))
    result = await editor.command("planRollback", {"uri": uri, "target": "base"}, under="plan")
    assert [len(each["sql"]) for each in result["revisions"]] == [1, 1]
    begin, first, second, end = editor.progress["plan"]
    assert (begin["kind"], begin["cancellable"]) == ("begin", True)
    assert (first["message"], first["percentage"]) == ("SQL of bbbb", 50)
    assert (second["message"], second["percentage"]) == ("SQL of aaaa", 100)
    assert (end["kind"], end["message"]) == ("end", "planned")


@pytest.mark.parametrize("cancel", [by_request, by_progress, by_command])
async def test_a_cancelled_plan_leaves_nothing(
    editor: Editor, project: Project, cancel: Any
) -> None:
    (project.folder / "migrations" / "env.py").write_text("import time\ntime.sleep(60)\n")
    uri = editor.open(project.write("bbbb", LOSSY))
    answer = asked(editor, project, "planRollback", uri)
    found = await agents(editor)
    await editor.until(lambda: bool(editor.progress))
    await cancel(editor, project)
    with pytest.raises(JsonRpcException) as refused:
        await asyncio.wait_for(answer, WITHIN)
    assert "Traceback" not in f"{refused.value.message}{refused.value.data}"
    await ended(editor, found)
    assert await editor.lenses(uri), "the next request is answered"
