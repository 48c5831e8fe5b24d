from __future__ import annotations

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from alembic_roundtrip.fixing import fixed_text
from alembic_roundtrip.lsp import code_actions
from alembic_roundtrip.lsp.client import Client
from alembic_roundtrip.lsp.session import Session
from alembic_roundtrip.workspace import Workspace
from lsp.editor import Editor, edits_of
from lsp.project import EMPTY, LOSSY, Project

FIX_ALL = "source.fixAll.alembicRoundtrip"
TWO_LOSSES = LOSSY.replace(
    '    "😋"; op.drop_column("customers", "nick")\n',
    '    "😋"; op.drop_column("customers", "nick")\n    "😋"; op.drop_table("customers")\n',
)
NOT_DROPPED = EMPTY.replace("pass", 'op.execute("SELECT 1")')


async def offered(editor: Editor, uri: str, code: str) -> list[types.CodeAction]:
    found = [item for item in await editor.diagnostics(uri) if item.code == code]
    assert found, code
    actions = await editor.actions(uri, found[0].range, found=found)
    return [a for a in actions if a.diagnostics and next(iter(a.diagnostics)).code == code]


async def test_a_fix_is_listed_resolved_and_applied_and_then_rests(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    (action, *_) = await offered(editor, uri, "unmarked-destructive-operation")
    assert action.kind == types.CodeActionKind.QuickFix
    assert action.edit is None, "computed when it is chosen"
    chosen = await editor.resolved(action)
    before = editor.texts[uri]
    editor.apply(chosen.edit)
    assert "# DESTRUCTIVE" in editor.texts[uri]
    assert editor.texts[uri].replace("😋", "").isascii()
    assert len(editor.texts[uri].splitlines()) == len(before.splitlines()) + 1
    after = await editor.diagnostics(uri)
    assert "unmarked-destructive-operation" not in [item.code for item in after]
    with pytest.raises(JsonRpcException, match="no longer applies"):
        await editor.resolved(action)


async def test_a_scaffold_is_written_behind_wide_characters(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", EMPTY))
    (action, *_) = await offered(editor, uri, "empty-downgrade")
    editor.apply((await editor.resolved(action)).edit)
    assert 'op.drop_column("customers", "phone")' in editor.texts[uri].replace("'", '"')
    compile(editor.texts[uri], "migration", "exec")
    assert "empty-downgrade" not in [item.code for item in await editor.diagnostics(uri)]


async def test_an_edit_is_for_the_version_it_was_made_for(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    editor.edit(uri, "Nicknames", "Nicknames again")
    (action, *_) = await offered(editor, uri, "unmarked-destructive-operation")
    edit = (await editor.resolved(action)).edit
    assert edit is not None
    if editor.name == "neovim":
        assert list(edit.changes or {}) == [uri]
        return
    (change,) = edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert change.text_document.version == editor.versions[uri]


async def test_a_fix_for_a_text_that_has_changed_is_refused_in_one_sentence(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    (action, *_) = await offered(editor, uri, "unmarked-destructive-operation")
    editor.edit(uri, 'op.drop_column("customers", "nick")', "pass")
    with pytest.raises(JsonRpcException) as refused:
        await editor.resolved(action)
    assert refused.value.message.startswith("bbbb_😋.py changed: `")
    assert "Traceback" not in str(refused.value.data)


async def test_an_action_of_somebody_else_is_refused(editor: Editor, project: Project) -> None:
    for data in (None, {"uri": 1}, {"uri": project.first.as_uri(), "fix": "nonsense"}, [1]):
        with pytest.raises(JsonRpcException) as refused:
            await editor.client.code_action_resolve_async(types.CodeAction("x", data=data))
        assert refused.value.code == types.LSPErrorCodes.RequestFailed.value


async def test_an_unsafe_fix_asks_first_where_the_client_can_ask(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", NOT_DROPPED))
    (action, *_) = await offered(editor, uri, "column-not-dropped")
    edit = (await editor.resolved(action)).edit
    assert edit is not None
    if editor.name == "vscode-pulling":
        (name,) = edit.change_annotations or {}
        assert (edit.change_annotations or {})[name].needs_confirmation
        (edits,) = edits_of(edit).values()
        assert {one.annotation_id for one in edits} == {name}
    else:
        assert edit.change_annotations is None
    editor.apply(edit)
    assert "column-not-dropped" not in [item.code for item in await editor.diagnostics(uri)]


async def test_fixing_everything_gives_what_the_command_line_gives(
    editor: Editor, project: Project
) -> None:
    file = project.write("bbbb", TWO_LOSSES)
    expected = fixed_text(Workspace([project.folder]), file)
    uri = editor.open(file)
    (action,) = await editor.actions(uri, editor.under(editor.texts[uri], "import"), [FIX_ALL])
    assert action.kind == FIX_ALL
    editor.apply((await editor.resolved(action)).edit)
    assert editor.texts[uri] == expected
    assert editor.texts[uri].count("WARNING") == 1
    assert editor.texts[uri].count("# DESTRUCTIVE") == 2
    found = [item.code for item in await editor.diagnostics(uri)]
    assert "undocumented-data-loss" not in found
    assert await editor.actions(uri, editor.under(editor.texts[uri], "import"), [FIX_ALL]) == []
    assert [item.code for item in await editor.diagnostics(uri)] == found, "nothing was kept"


async def test_fixing_everything_changes_nothing_in_the_server_until_it_is_applied(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", TWO_LOSSES))
    before = await editor.diagnostics(uri)
    place = editor.under(editor.texts[uri], "import")
    (action,) = await editor.actions(uri, place, [FIX_ALL])
    await editor.resolved(action)
    assert await editor.diagnostics(uri) == before or not editor.pulls
    editor.edit(uri, "import", "import")
    assert await editor.diagnostics(uri) == before


async def test_fixing_everything_leaves_unsafe_fixes_alone(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", NOT_DROPPED))
    for only in ([FIX_ALL], ["source.fixAll"], ["source"]):
        for action in await editor.actions(uri, editor.under(editor.texts[uri], "import"), only):
            editor.apply((await editor.resolved(action)).edit)
    assert "column-not-dropped" in [item.code for item in await editor.diagnostics(uri)]


async def test_only_kinds_that_were_asked_for_are_listed(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", TWO_LOSSES))
    whole = editor.under(editor.texts[uri], editor.texts[uri])
    kinds = {a.kind for a in await editor.actions(uri, whole)}
    rewrite = types.CodeActionKind.RefactorRewrite
    assert kinds == {types.CodeActionKind.QuickFix, rewrite, FIX_ALL}
    assert {a.kind for a in await editor.actions(uri, whole, [rewrite])} == {rewrite}
    quick = await editor.actions(uri, whole, [types.CodeActionKind.QuickFix])
    assert {a.kind for a in quick} == {types.CodeActionKind.QuickFix}
    assert await editor.actions(uri, whole, [types.CodeActionKind.RefactorExtract]) == []
    assert await editor.actions(uri, whole, ["source.organizeImports"]) == []


async def test_away_from_diagnostics_nothing_is_offered(editor: Editor, project: Project) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    place = editor.under(editor.texts[uri], "import sqlalchemy")
    assert [
        a for a in await editor.actions(uri, place) if a.kind == types.CodeActionKind.QuickFix
    ] == []


@pytest.mark.parametrize("end", ["\r\n", "\n"])
async def test_an_edit_keeps_the_line_ends(editor: Editor, project: Project, end: str) -> None:
    uri = editor.open(project.write("bbbb", EMPTY.replace("\n", end)))
    (action, *_) = await offered(editor, uri, "empty-downgrade")
    editor.apply((await editor.resolved(action)).edit)
    text = editor.texts[uri]
    assert text.count("\n") == text.count(end)


async def test_a_file_with_a_syntax_error_refuses_fixes_in_one_sentence(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", LOSSY))
    (action, *_) = await offered(editor, uri, "unmarked-destructive-operation")
    editor.edit(uri, "def downgrade():", "def downgrade(:")
    with pytest.raises(JsonRpcException) as refused:
        await editor.resolved(action)
    assert refused.value.code == types.LSPErrorCodes.RequestFailed.value
    assert "Traceback" not in f"{refused.value.message}{refused.value.data}"
    whole = editor.under(editor.texts[uri], editor.texts[uri])
    await editor.actions(uri, whole)


async def test_a_client_that_cannot_resolve_gets_edits_at_once(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("plain")
    await editor.start(project.folder, environment=cache)
    uri = editor.open(project.write("bbbb", TWO_LOSSES))
    whole = editor.under(editor.texts[uri], editor.texts[uri])
    actions = await editor.actions(uri, whole)
    assert actions
    assert all(action.edit is not None for action in actions)
    assert all(action.edit.changes for action in actions if action.edit), "it has no versions"
    # One fix that cannot be made takes none of the others away.
    editor.edit(uri, "def downgrade():", "def downgrade(:")
    await editor.actions(uri, whole)
    await editor.stop()


async def test_a_client_that_knows_commands_only_gets_the_same_changes(
    project: Project, cache: dict[str, str]
) -> None:
    editor = Editor("plain")
    assert editor.capabilities.text_document is not None
    editor.capabilities.text_document.code_action = None
    editor.capabilities.workspace = types.WorkspaceClientCapabilities(apply_edit=True)
    await editor.start(project.folder, environment=cache)
    file = project.write("bbbb", TWO_LOSSES)
    uri = editor.open(file)
    place = editor.under(editor.texts[uri], editor.texts[uri])
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(uri), place, types.CodeActionContext([], only=[FIX_ALL])
    )
    (command,) = await editor.client.text_document_code_action_async(params) or ()
    assert isinstance(command, types.Command)
    await editor.command(command.command.rpartition(".")[2], *(command.arguments or ()))
    editor.apply(editor.applied[-1].edit)
    assert editor.texts[uri] == fixed_text(Workspace([project.folder]), file)
    with pytest.raises(JsonRpcException, match="no longer applies"):
        await editor.command("applyAction", {"uri": uri, "fix": ["park", 1, 1, 1, 1, "gone"]})
    await editor.stop()


def test_what_a_command_would_change_is_made_when_it_is_called(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = project.write("bbbb", TWO_LOSSES)
    session = Session(Client(applies_edits=True), (project.folder,))
    session.rebuild()
    everywhere = types.Range(types.Position(0, 0), types.Position(99, 0))
    params = types.CodeActionParams(
        types.TextDocumentIdentifier(path.as_uri()), everywhere, types.CodeActionContext([])
    )
    made: list[types.CodeAction] = []
    monkeypatch.setattr(code_actions, "resolved", lambda _, action: made.append(action))
    commands = code_actions.offered(session, params)
    assert len([each for each in commands if isinstance(each, types.Command)]) > 2
    assert made == []
    session.client = Client(reads_actions=True)
    code_actions.offered(session, params)
    assert made, "an editor that asks for no edit later gets it now"


async def test_a_fix_that_makes_a_file_is_for_editors_that_can(
    editor: Editor, project: Project
) -> None:
    path = project.write("bbbb", LOSSY)
    project.write("cccc", LOSSY)
    uri = editor.open(path)
    actions = await offered(editor, uri, "multiple-heads")
    if not editor.name.startswith("vscode"):
        assert actions == []
        return
    (action,) = actions
    edit = (await editor.resolved(action)).edit
    assert edit is not None
    created, written = edit.document_changes or ()
    assert isinstance(created, types.CreateFile)
    assert isinstance(written, types.TextDocumentEdit)
    assert created.uri == written.text_document.uri
    assert created.uri.startswith(uri.rpartition("/")[0])
    assert written.text_document.version is None
    (text,) = written.edits
    assert isinstance(text, types.TextEdit)
    assert 'down_revision = ("bbbb", "cccc")' in text.new_text


UNIQUE = '''"""Nicknames 😋; the loss of order is known"""
import sqlalchemy as sa
from alembic import op
revision = "{revision}"; down_revision = {down!r}


def upgrade():
    op.drop_index("ux_nick", "customers")


def downgrade():
    "😋"; op.create_index("ux_nick", "customers", ["nick"], unique=True)
'''


async def rewriting(editor: Editor, uri: str, piece: str) -> list[types.CodeAction]:
    """The actions at a piece of code that answer no diagnostic."""
    place = editor.under(editor.texts[uri], piece)
    kind = types.CodeActionKind.RefactorRewrite
    return await editor.actions(uri, place, only=[kind])


async def test_a_change_that_keeps_data_is_offered_at_its_operation_and_shown_first(
    editor: Editor, project: Project
) -> None:
    uri = editor.open(project.write("bbbb", UNIQUE))
    assert await rewriting(editor, uri, "import sqlalchemy") == []
    (action,) = await rewriting(editor, uri, "op.create_index")
    assert action.title == "Refuse the downgrade while there are duplicates in `customers.nick`"
    assert action.kind == types.CodeActionKind.RefactorRewrite
    assert not action.diagnostics
    chosen = await editor.resolved(action)
    assert chosen.edit is not None
    annotations = chosen.edit.change_annotations
    if annotations is not None:
        (annotation,) = annotations.values()
        assert annotation.needs_confirmation
        assert annotation.label == action.title
        assert annotation.description == "counts them first, and stops before anything is changed"
    editor.apply(chosen.edit)
    assert "raise RuntimeError(" in editor.texts[uri]
    assert await rewriting(editor, uri, "op.create_index") == []
    with pytest.raises(JsonRpcException, match="no longer applies"):
        await editor.resolved(action)
