from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from alembic_roundtrip.links import rule_page
from lsp.editor import WITHIN, Editor
from lsp.project import EMPTY, LOSSY, Project


def by_rule(found: list[types.Diagnostic]) -> dict[str, types.Diagnostic]:
    return {str(item.code): item for item in found}


async def test_a_diagnostic_stands_exactly_under_its_code(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    found = by_rule(await editor.diagnostics(uri))["unmarked-destructive-operation"]
    assert found.range == editor.under(editor.texts[uri], 'op.drop_column("customers", "nick")')
    assert found.source == "alembic-roundtrip"
    assert found.severity == types.DiagnosticSeverity.Hint
    if editor.name.startswith("vscode"):
        assert found.code_description == types.CodeDescription(
            rule_page("unmarked-destructive-operation")
        )


async def test_a_diagnostic_names_the_other_place_it_is_about(
    editor: Editor, project: Project
) -> None:
    project.write("bbbb", LOSSY)
    other = project.versions / "cccc_😋.py"
    other.write_bytes(LOSSY.format(revision="bbbb", down="aaaa").encode())
    uri = editor.open(other)
    found = by_rule(await editor.diagnostics(uri))["duplicate-revision"]
    assert found.related_information
    assert found.related_information[0].location.uri.endswith("bbbb_%F0%9F%98%8B.py")
    editor.close(uri)
    uri = editor.open(project.write("dddd", LOSSY))
    found = by_rule(await editor.diagnostics(uri))["undocumented-data-loss"]
    assert found.related_information
    (there,) = found.related_information
    assert there.location.uri == uri
    code = editor.code(editor.texts[uri], there.location.range)
    assert code == 'op.drop_column("customers", "nick")'


async def test_an_edit_changes_what_is_found(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    assert "empty-downgrade" in by_rule(await editor.diagnostics(uri))
    editor.edit(uri, "pass", 'op.drop_column("customers", "phone")')
    assert "empty-downgrade" not in by_rule(await editor.diagnostics(uri))
    editor.edit(uri, 'op.drop_column("customers", "phone")', "return")
    assert "empty-downgrade" in by_rule(await editor.diagnostics(uri))


async def test_a_pull_for_what_is_known_is_answered_with_unchanged(
    editor: Editor, project: Project
) -> None:
    if not editor.pulls:
        pytest.skip("it is pushed to")
    uri = editor.open(project.write("bbbb", LOSSY))
    full = await editor.report(uri)
    assert full.kind == "full"
    assert full.result_id
    again = await editor.report(uri, full.result_id)
    assert again.kind == "unchanged"
    assert again.result_id == full.result_id
    editor.edit(uri, "def upgrade", "\n\ndef upgrade")
    moved = await editor.report(uri, full.result_id)
    assert moved.kind == "full"
    lines = [
        by_rule(report.items)["unmarked-destructive-operation"].range.start.line
        for report in (full, moved)
    ]
    assert lines[1] == lines[0] + 2


async def test_only_a_client_that_does_not_pull_is_pushed_to(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    await editor.diagnostics(uri)
    await editor.round_trip()
    assert bool(editor.published.get(uri)) is not editor.pulls


async def test_closing_a_document_takes_pushed_diagnostics_away(
    editor: Editor, project: Project
) -> None:
    if editor.pulls:
        pytest.skip("it pulls")
    uri = editor.open(project.write("bbbb", LOSSY))
    assert await editor.diagnostics(uri)
    editor.close(uri)
    await editor.until(lambda: not editor.published[uri][-1].diagnostics)


async def test_of_edits_in_a_row_the_last_counts(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    for number in range(10):
        editor.edit(uri, "def upgrade", f"# {number}\ndef upgrade")
    (found,) = [item for item in await editor.diagnostics(uri) if item.code == "empty-downgrade"]
    assert found.range.start.line == editor.under(editor.texts[uri], "pass").start.line


# Files that come, go and change on disk


async def test_a_deleted_parent_is_missed_once_the_editor_says_so(
    editor: Editor, project: Project
) -> None:
    parent = project.write("bbbb", EMPTY)
    uri = editor.open(project.write("cccc", LOSSY, "bbbb"))
    assert "unknown-down-revision" not in by_rule(await editor.diagnostics(uri))
    content = parent.read_bytes()
    parent.unlink()
    editor.watched((parent, types.FileChangeType.Deleted))
    await editor.round_trip()
    found = by_rule(await editor.diagnostics(uri))["unknown-down-revision"]
    assert editor.code(editor.texts[uri], found.range) == "'bbbb'"
    parent.with_name("renamed.py").write_bytes(content)
    editor.watched((parent.with_name("renamed.py"), types.FileChangeType.Created))
    await editor.round_trip()
    assert "unknown-down-revision" not in by_rule(await editor.diagnostics(uri))


async def test_a_changed_parent_changes_its_children(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("cccc", LOSSY, "bbbb"))
    assert "unknown-down-revision" in by_rule(await editor.diagnostics(uri))
    parent = project.write("dddd", EMPTY)
    parent.write_text(EMPTY.format(revision="bbbb", down="aaaa"), encoding="utf-8")
    editor.watched((parent, types.FileChangeType.Changed))
    await editor.round_trip()
    assert "unknown-down-revision" not in by_rule(await editor.diagnostics(uri))


async def test_an_open_document_goes_before_its_file(editor: Editor, project: Project) -> None:
    file = project.write("bbbb", EMPTY)
    uri = editor.open(file)
    editor.edit(uri, "pass", 'op.drop_column("customers", "phone")')
    file.write_text(EMPTY.format(revision="bbbb", down="aaaa") + "# saved\n", encoding="utf-8")
    editor.watched((file, types.FileChangeType.Changed))
    await editor.round_trip()
    assert "empty-downgrade" not in by_rule(await editor.diagnostics(uri))


async def test_files_that_are_no_migrations_have_no_diagnostics(
    editor: Editor, project: Project
) -> None:
    for path in (
        project.folder / "migrations" / "env.py",
        project.folder / "alembic.ini",
    ):
        uri = editor.open(path)
        assert await editor.diagnostics(uri) == []


# Pulling for the workspace


async def pulled(editor: Editor, previous: dict[str, str], parts: str | None = None):
    params = types.WorkspaceDiagnosticParams(
        [types.PreviousResultId(uri, value) for uri, value in previous.items()],
        partial_result_token=parts,
    )
    return await editor.client.workspace_diagnostic_async(params)


def pulling(editor: Editor) -> Editor:
    if editor.name != "vscode-pulling":
        pytest.skip("only Visual Studio Code pulls for the workspace")
    return editor


async def test_a_pull_for_the_workspace_waits_until_there_is_something_new(
    editor: Editor, project: Project
) -> None:
    pulling(editor)
    file = project.write("bbbb", LOSSY)
    editor.folders(removed=(project.folder,))
    editor.folders(added=(project.folder,))
    first = await pulled(editor, {})
    (report,) = [item for item in first.items if item.uri == file.as_uri()]
    assert report.kind == "full"
    assert report.version is None
    known = {item.uri: item.result_id for item in first.items}
    waiting = asyncio.create_task(pulled(editor, known))
    done, _ = await asyncio.wait([waiting], timeout=1.0)
    assert not done, "nothing changed: the answer is held back"
    file.write_text(EMPTY.format(revision="bbbb", down="aaaa"), encoding="utf-8")
    editor.watched((file, types.FileChangeType.Changed))
    second = await asyncio.wait_for(waiting, WITHIN)
    assert [item.uri for item in second.items] == [file.as_uri()]
    assert "empty-downgrade" in by_rule(second.items[0].items)


async def test_a_file_that_goes_loses_its_diagnostics_in_the_workspace(
    editor: Editor, project: Project
) -> None:
    pulling(editor)
    file = project.write("bbbb", LOSSY)
    first = await pulled(editor, {})
    known = {item.uri: item.result_id for item in first.items}
    assert file.as_uri() in known
    waiting = asyncio.create_task(pulled(editor, known))
    file.unlink()
    editor.watched((file, types.FileChangeType.Deleted))
    second = await asyncio.wait_for(waiting, WITHIN)
    assert {item.uri: list(item.items) for item in second.items}[file.as_uri()] == []


async def test_a_pull_for_the_workspace_comes_in_parts_where_the_client_wants_them(
    editor: Editor, project: Project
) -> None:
    pulling(editor)
    files = [project.write(f"b{number:03d}", LOSSY) for number in range(120)]
    first = await asyncio.wait_for(pulled(editor, {}, parts="parts"), WITHIN)
    assert not first.items
    assert len(editor.partial) >= 2
    reported = {item["uri"] for part in editor.partial for item in part["items"]}
    assert {file.as_uri() for file in files} <= reported


async def test_a_waiting_pull_can_be_cancelled(editor: Editor, project: Project) -> None:
    pulling(editor)
    project.write("bbbb", LOSSY)
    first = await pulled(editor, {})
    known = {item.uri: item.result_id for item in first.items}
    params = types.WorkspaceDiagnosticParams(
        [types.PreviousResultId(uri, value) for uri, value in known.items()]
    )
    request = asyncio.ensure_future(
        editor.client.protocol.send_request_async(
            types.WORKSPACE_DIAGNOSTIC, params, msg_id="parked"
        )
    )
    await asyncio.sleep(0.2)
    editor.client.cancel_request(types.CancelParams("parked"))
    with pytest.raises(JsonRpcException) as refused:
        await asyncio.wait_for(request, WITHIN)
    assert refused.value.code == types.LSPErrorCodes.RequestCancelled.value


async def test_saving_asks_the_editor_to_look_at_other_files_again(
    editor: Editor, project: Project
) -> None:
    pulling(editor)
    file = project.write("bbbb", LOSSY)
    uri = editor.open(file)
    before = editor.refreshed
    editor.save(uri, file)
    await editor.until(lambda: editor.refreshed > before)


# Texts as they come


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"], ids=["CRLF", "CR", "LF"])
async def test_lines_end_as_the_protocol_says(editor: Editor, project: Project, end: str) -> None:
    file = project.write("bbbb", LOSSY.replace("\n", end))
    uri = editor.open(file)
    found = by_rule(await editor.diagnostics(uri))["unmarked-destructive-operation"]
    assert editor.code(editor.texts[uri], found.range) == 'op.drop_column("customers", "nick")'


@pytest.mark.parametrize(
    "odd", ["\f", "\v", "\x1c", "\x85", "\u2028"], ids=["FF", "VT", "FS", "NEL", "LS"]
)
async def test_an_edit_lands_where_it_should_behind_what_python_calls_a_line_end(
    editor: Editor, project: Project, odd: str
) -> None:
    uri = editor.open(
        project.write("bbbb", EMPTY),
        "# 😋" + odd + "\n" + EMPTY.format(revision="bbbb", down="aaaa"),
    )
    assert "empty-downgrade" in by_rule(await editor.diagnostics(uri))
    editor.edit(uri, "pass", 'op.drop_column("customers", "phone")')
    assert "empty-downgrade" not in by_rule(await editor.diagnostics(uri))
    editor.edit(uri, 'op.drop_column("customers", "phone")', "pass")
    found = by_rule(await editor.diagnostics(uri))["empty-downgrade"]
    assert found.range.start.line == editor.under(editor.texts[uri], "pass").start.line


async def test_a_form_feed_between_functions_moves_nothing(
    editor: Editor, project: Project
) -> None:
    file = project.write("bbbb", LOSSY.replace("\n\n\ndef", "\n\f\n\ndef"))
    uri = editor.open(file)
    found = by_rule(await editor.diagnostics(uri))["unmarked-destructive-operation"]
    assert editor.code(editor.texts[uri], found.range) == 'op.drop_column("customers", "nick")'


async def test_tabs_count_as_one(editor: Editor, project: Project) -> None:
    file = project.write("bbbb", LOSSY.replace("    ", "\t"))
    uri = editor.open(file)
    found = by_rule(await editor.diagnostics(uri))["unmarked-destructive-operation"]
    assert editor.code(editor.texts[uri], found.range) == 'op.drop_column("customers", "nick")'


async def test_a_byte_order_mark_in_the_document_moves_nothing(
    editor: Editor, project: Project
) -> None:
    template = LOSSY.replace('"""Nicknames 😋"""\n', "").replace(
        "import sqlalchemy as sa\nfrom alembic import op\n", "import sqlalchemy as sa; "
    )
    file = project.write("bbbb", "\ufeff" + template.replace("'aaaa'", "'nothing'"))
    uri = editor.open(file)
    found = by_rule(await editor.diagnostics(uri))["unmarked-destructive-operation"]
    assert editor.code(editor.texts[uri], found.range) == 'op.drop_column("customers", "nick")'


async def test_a_byte_order_mark_on_disk_is_not_counted(editor: Editor, project: Project) -> None:
    pulling(editor)
    header = 'import sqlalchemy as sa; revision = "bbbb"; "😋"; down_revision = "gone"\n'
    body = LOSSY.partition("{down!r}")[2].replace("{", "{{").replace("}", "}}")
    file = project.write("bbbb", "\ufeff" + header + body)
    first = await pulled(editor, {})
    (report,) = [item for item in first.items if item.uri == file.as_uri()]
    found = by_rule(report.items)["unknown-down-revision"]
    # Editors take the mark away when they read a file.
    assert editor.code(header, found.range) == '"gone"'


@pytest.mark.parametrize("text", ["", 'TABLE = "customers"  # {revision} {down}\n'])
async def test_a_file_without_revision_is_what_alembic_refuses(
    editor: Editor, project: Project, text: str
) -> None:
    file = project.write("helper", text)
    (found,) = await editor.diagnostics(editor.open(file))
    assert found.code == "refused-history"
    assert f"`{file.name}` has no `revision`" in found.message
    with pytest.raises(CommandError, match=file.name):
        list(ScriptDirectory(str(project.folder / "migrations")).walk_revisions())


async def test_a_file_that_is_not_utf8_is_reported_at_its_first_line(
    editor: Editor, project: Project
) -> None:
    pulling(editor)
    file = project.write("bbbb", LOSSY)
    file.write_bytes(file.read_bytes().replace("😋".encode(), b"\xff\xfe"))
    first = await pulled(editor, {})
    (report,) = [item for item in first.items if item.uri == file.as_uri()]
    (found,) = report.items
    assert found.code == "unreadable-migration"
    assert found.range.start == types.Position(0, 0)
    assert "Traceback" not in found.message


async def test_a_syntax_error_is_one_diagnostic_where_it_is(
    editor: Editor, project: Project
) -> None:
    text = LOSSY.format(revision="bbbb", down="aaaa") + '\n\ndef other():\n    "😋"; x = = 1\n'
    uri = editor.open(project.write("bbbb", LOSSY), text)
    found = by_rule(await editor.diagnostics(uri))
    error = found["unreadable-migration"]
    assert error.range.start.line == editor.under(text, "x = = 1").start.line
    assert "undocumented-data-loss" in found, "the rest of the file is still read"


async def test_a_document_that_is_no_file_is_left_alone(editor: Editor, project: Project) -> None:
    path = project.write("bbbb", LOSSY)
    text = path.read_text(encoding="utf-8")
    for uri in ("untitled:Untitled-1", path.as_uri().replace("file:", "git:") + "?HEAD"):
        editor.open(path, text, uri=uri)
        assert await editor.diagnostics(uri) == [] if editor.pulls else True
        await editor.round_trip()
    opened = editor.open(path, EMPTY.format(revision="bbbb", down="aaaa"))
    found = by_rule(await editor.diagnostics(opened))
    assert "empty-downgrade" in found
    assert "undocumented-data-loss" not in found


async def test_a_file_is_the_same_under_each_way_to_write_its_uri(
    editor: Editor, project: Project
) -> None:
    file = project.write("bbbb", LOSSY)
    uri = editor.open(file, uri=file.as_uri().replace("_", "%5F").replace("%20", "%20"))
    assert "undocumented-data-loss" in by_rule(await editor.diagnostics(uri))


async def test_a_folder_reached_through_a_link_is_the_folder(
    editor: Editor, project: Project, tmp_path: Path
) -> None:
    file = project.write("bbbb", LOSSY)
    link = tmp_path / "link"
    link.symlink_to(project.folder, target_is_directory=True)
    editor.folders(removed=(project.folder,), added=(link,))
    uri = editor.open(link / file.relative_to(project.folder))
    try:
        assert "undocumented-data-loss" in by_rule(await editor.diagnostics(uri))
        editor.edit(uri, 'op.drop_column("customers", "nick")', "pass")
        assert "undocumented-data-loss" not in by_rule(await editor.diagnostics(uri))
    finally:
        editor.folders(removed=(link,), added=(project.folder,))


async def test_reading_a_long_history_lets_other_requests_in(
    editor: Editor, project: Project
) -> None:
    if not editor.pulls:
        pytest.skip("it is pushed to")
    for number in range(200):
        lines = [
            f'op.add_column("customers", sa.Column("c{number}_{n}", sa.Integer))' for n in range(20)
        ]
        project.add(f"c{number:03d}", "\n".join(lines))
    uri = editor.open(project.write("bbbb", EMPTY, "c199"))
    order: list[str] = []

    async def noted(name: str, work: Awaitable[Any]) -> Any:
        result = await work
        order.append(name)
        return result

    found, _ = await asyncio.gather(
        noted("diagnostics", editor.diagnostics(uri)), noted("symbols", editor.symbols(uri))
    )
    assert order == ["symbols", "diagnostics"]
    assert found
