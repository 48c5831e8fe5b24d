"""An editor for tests: drives the real server process with recorded capabilities of editors."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES, register_lsp_features

from alembic_roundtrip.text import Edit, Position, Range, apply_edits

SERVER = (sys.executable, "-m", "alembic_roundtrip", "server")
WITHIN = 20.0
"""Seconds that anything may take on a busy machine before the test gives up."""


def vscode() -> types.ClientCapabilities:
    """Visual Studio Code as it was recorded, before it pulled diagnostics."""
    return client_capabilities("visual-studio-code")


def vscode_pulling() -> types.ClientCapabilities:
    """Visual Studio Code with what it says since: pulls, refreshes, confirms edits."""
    capabilities = client_capabilities("visual-studio-code")
    assert capabilities.text_document is not None
    assert capabilities.workspace is not None
    assert capabilities.text_document.code_action is not None
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities(
        dynamic_registration=True, related_document_support=False
    )
    capabilities.text_document.code_action.honors_change_annotations = True
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(
        refresh_support=True
    )
    return capabilities


def neovim() -> types.ClientCapabilities:
    """Neovim as it was recorded: it pulls, counts bytes and cannot register watchers."""
    return client_capabilities("neovim")


def plain() -> types.ClientCapabilities:
    """A client that can nothing but pull, and read code actions."""
    literals = types.ClientCodeActionLiteralOptions(types.ClientCodeActionKindOptions([]))
    return types.ClientCapabilities(
        text_document=types.TextDocumentClientCapabilities(
            diagnostic=types.DiagnosticClientCapabilities(),
            code_action=types.CodeActionClientCapabilities(code_action_literal_support=literals),
        )
    )


EDITORS = {
    "vscode": vscode,
    "vscode-pulling": vscode_pulling,
    "neovim": neovim,
    "plain": plain,
}
_WIDTHS = {
    "utf-8": lambda character: len(character.encode()),
    "utf-16": lambda character: len(character.encode("utf-16-le")) // 2,
}


def _converter() -> Any:
    """As pygls has it, but telling a code action with a command from a command."""
    converter = default_converter()

    def structured(given: Any, _: Any) -> types.Command | types.CodeAction:
        bare = isinstance(given.get("command"), str)
        return converter.structure(given, types.Command if bare else types.CodeAction)

    converter.register_structure_hook(types.Command | types.CodeAction, structured)
    return converter


class Editor:
    """One editor, connected to a server process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.capabilities = EDITORS[name]()
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.progress: dict[Any, list[dict[str, Any]]] = {}
        self.partial: list[Any] = []
        self.applied: list[types.ApplyWorkspaceEditParams] = []
        self.accepts_edits = True
        self.registered: list[types.Registration] = []
        self.refreshed = 0
        self.published: dict[str, list[types.PublishDiagnosticsParams]] = {}
        self.log: list[str] = []
        self._something = asyncio.Event()
        self.client = self._client()

    def _client(self) -> LanguageClient:
        features: dict[str, Any] = {
            **DEFAULT_CLIENT_FEATURES,
            types.PROGRESS: partial(self._on_progress),
            types.WORKSPACE_APPLY_EDIT: partial(self._on_edit),
            types.CLIENT_REGISTER_CAPABILITY: partial(self._on_register),
            types.WORKSPACE_CODE_LENS_REFRESH: partial(self._on_refresh),
            types.WORKSPACE_DIAGNOSTIC_REFRESH: partial(self._on_refresh),
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: partial(self._on_publish),
        }
        client = LanguageClient(converter_factory=_converter)
        register_lsp_features(client, features)
        return client

    async def start(
        self,
        *folders: Path,
        options: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        command: tuple[str, ...] = SERVER,
    ) -> types.InitializeResult:
        if settings is not None:
            self.client.set_configuration({"alembicRoundtrip": dict(settings)})
        env = {**os.environ, **(environment or {})}
        await self.client.start_io(*command, env=env)
        # What the server logs is part of what is tested.
        forwarder = self.client._stderr_forwarder
        assert forwarder is not None
        forwarder.cancel()
        await asyncio.gather(forwarder, return_exceptions=True)
        self._reader = asyncio.create_task(self._read_log())
        roots = [types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in folders]
        return await self.client.initialize_session(
            types.InitializeParams(
                capabilities=self.capabilities,
                workspace_folders=roots,
                initialization_options=dict(options or {}),
            )
        )

    async def stop(self) -> None:
        await asyncio.wait_for(self.client.shutdown_session(), WITHIN)
        self._reader.cancel()
        await self.client.stop()

    @property
    def process(self) -> asyncio.subprocess.Process:
        process = self.client._server
        assert process is not None
        return process

    async def _read_log(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.log.append(line.decode(errors="replace"))

    @property
    def logged(self) -> str:
        return "".join(self.log)

    @property
    def messages(self) -> list[str]:
        return [message.message for message in self.client.messages]

    @property
    def pulls(self) -> bool:
        text_document = self.capabilities.text_document
        return text_document is not None and text_document.diagnostic is not None

    @property
    def encoding(self) -> str:
        return "utf-8" if self.name == "neovim" else "utf-16"

    # What the server asks or tells

    def _on_progress(self, params: types.ProgressParams) -> None:
        value: Any = params.value
        if isinstance(value, dict) and "kind" in value:
            self.progress.setdefault(params.token, []).append(value)
        else:
            self.partial.append(jsonable(value))
        self._something.set()

    def _on_edit(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        self.applied.append(params)
        return types.ApplyWorkspaceEditResult(applied=self.accepts_edits)

    def _on_register(self, params: types.RegistrationParams) -> None:
        self.registered += params.registrations

    def _on_refresh(self, _: None) -> None:
        self.refreshed += 1
        self._something.set()

    def _on_publish(self, params: types.PublishDiagnosticsParams) -> None:
        self.published.setdefault(params.uri, []).append(params)
        self._something.set()

    async def until(self, condition: Any, within: float = WITHIN) -> None:
        """Wait until a condition holds; what the server sends makes it looked at again."""

        async def wait() -> None:
            while not condition():
                self._something.clear()
                try:
                    await asyncio.wait_for(self._something.wait(), 0.05)
                except TimeoutError:
                    continue
                except asyncio.TimeoutError:
                    continue

        await asyncio.wait_for(wait(), within)

    # What a user does

    def open(self, path: Path, text: str | None = None, *, uri: str | None = None) -> str:
        uri = uri or path.as_uri()
        self.texts[uri] = path.read_bytes().decode() if text is None else text
        self.versions[uri] = 1
        self.client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(uri, "python", 1, self.texts[uri])
            )
        )
        return uri

    def edit(self, uri: str, old: str, new: str) -> None:
        """Replace the first place of a piece of text, as an incremental change."""
        text = self.texts[uri]
        start = text.index(old)
        change = types.TextDocumentContentChangePartial(
            range=types.Range(self.place(text, start), self.place(text, start + len(old))),
            text=new,
        )
        self._change(uri, text[:start] + new + text[start + len(old) :], change)

    def rewrite(self, uri: str, text: str) -> None:
        """Replace the whole text."""
        self._change(uri, text, types.TextDocumentContentChangeWholeDocument(text))

    def _change(self, uri: str, text: str, change: Any) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(self.versions[uri], uri), [change]
            )
        )

    def save(self, uri: str, path: Path) -> None:
        path.write_bytes(self.texts[uri].encode())
        self.client.text_document_did_save(
            types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri))
        )

    def close(self, uri: str) -> None:
        del self.texts[uri]
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )

    def watched(self, *changes: tuple[Path, types.FileChangeType]) -> None:
        self.client.workspace_did_change_watched_files(
            types.DidChangeWatchedFilesParams(
                [types.FileEvent(path.as_uri(), kind) for path, kind in changes]
            )
        )

    def folders(self, *, added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> None:
        event = types.WorkspaceFoldersChangeEvent(
            added=[types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in added],
            removed=[types.WorkspaceFolder(folder.as_uri(), folder.name) for folder in removed],
        )
        self.client.workspace_did_change_workspace_folders(
            types.DidChangeWorkspaceFoldersParams(event)
        )

    # What an editor asks

    async def report(self, uri: str, previous: str | None = None) -> Any:
        params = types.DocumentDiagnosticParams(
            types.TextDocumentIdentifier(uri), previous_result_id=previous
        )
        return await self.client.text_document_diagnostic_async(params)

    async def diagnostics(self, uri: str) -> list[types.Diagnostic]:
        """The document's diagnostics as they are now, pulled or pushed."""
        if self.pulls:
            return list((await self.report(uri)).items)
        await self.until(
            lambda: any(p.version == self.versions[uri] for p in self.published.get(uri, ()))
        )
        return list(self.published[uri][-1].diagnostics)

    async def actions(
        self,
        uri: str,
        place: types.Range,
        only: list[types.CodeActionKind | str] | None = None,
        found: list[types.Diagnostic] | None = None,
    ) -> list[types.CodeAction]:
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri),
            place,
            types.CodeActionContext(found or [], only=only),
        )
        return list(await self.client.text_document_code_action_async(params) or ())

    async def resolved(self, action: types.CodeAction) -> types.CodeAction:
        """The action with its edit, resolved where that is still to do."""
        if action.edit is not None:
            return action
        return await self.client.code_action_resolve_async(action)

    def apply(self, edit: types.WorkspaceEdit | None) -> None:
        """Apply a workspace edit and tell the server, as an editor would."""
        assert edit is not None
        for uri, edits in edits_of(edit).items():
            text = apply_edits(
                self.texts[uri],
                [Edit(self.range(self.texts[uri], one.range), one.new_text) for one in edits],
            )
            self.rewrite(uri, text)

    async def hover(self, uri: str, position: types.Position) -> types.Hover | None:
        params = types.HoverParams(types.TextDocumentIdentifier(uri), position)
        return await self.client.text_document_hover_async(params)

    async def lenses(self, uri: str) -> list[types.CodeLens]:
        params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
        return list(await self.client.text_document_code_lens_async(params) or ())

    async def symbols(self, uri: str) -> list[types.DocumentSymbol]:
        params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
        return list(await self.client.text_document_document_symbol_async(params) or ())

    async def command(self, name: str, *arguments: Any, under: Any = None) -> Any:
        params = types.ExecuteCommandParams(
            f"alembicRoundtrip.{name}", list(arguments), work_done_token=under
        )
        return jsonable(await self.client.workspace_execute_command_async(params))

    async def round_trip(self) -> None:
        """Wait until the server has seen everything sent so far."""
        await self.command("cancel")

    # Columns, counted here without the code under test

    def place(self, text: str, offset: int) -> types.Position:
        line = text[:offset].replace("\r\n", "\n").replace("\r", "\n").count("\n")
        begin = max(text[:offset].rfind("\n"), text[:offset].rfind("\r")) + 1
        return types.Position(line, sum(map(_WIDTHS[self.encoding], text[begin:offset])))

    def under(self, text: str, piece: str) -> types.Range:
        """The range of a piece of the text, in the client's units."""
        start = text.index(piece)
        return types.Range(self.place(text, start), self.place(text, start + len(piece)))

    def code(self, text: str, place: types.Range) -> str:
        """The text in a range of the client's."""
        return text[self.offset(text, place.start) : self.offset(text, place.end)]

    def offset(self, text: str, position: types.Position) -> int:
        lines = text.replace("\r\n", "\n\0").replace("\r", "\n").split("\n")
        offset = 0
        for number, line in enumerate(lines):
            body = line.removeprefix("\0")
            offset += len(line) - len(body)
            if number == position.line:
                units = position.character
                for index, character in enumerate(body):
                    if units <= 0:
                        return offset + index
                    units -= _WIDTHS[self.encoding](character)
                return offset + len(body)
            offset += len(body) + 1
        return len(text)

    def range(self, text: str, place: types.Range) -> Range:
        return Range(*(self._position(text, one) for one in (place.start, place.end)))

    def _position(self, text: str, position: types.Position) -> Position:
        begin = self.offset(text, types.Position(position.line, 0))
        return Position(position.line + 1, self.offset(text, position) - begin + 1)


def edits_of(edit: types.WorkspaceEdit) -> dict[str, list[Any]]:
    """The text edits of a workspace edit, by document."""
    if edit.changes is not None:
        return {uri: list(edits) for uri, edits in edit.changes.items()}
    found = {}
    for change in edit.document_changes or ():
        assert isinstance(change, types.TextDocumentEdit)
        found[change.text_document.uri] = list(change.edits)
    return found


def jsonable(value: Any) -> Any:
    """A result as plain JSON values, whatever the client made of it."""
    if hasattr(value, "_asdict"):
        return {name: jsonable(item) for name, item in value._asdict().items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    if isinstance(value, dict):
        return {name: jsonable(item) for name, item in value.items()}
    json.dumps(value)
    return value
