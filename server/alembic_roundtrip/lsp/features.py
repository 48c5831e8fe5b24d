"""What the language server answers and listens to: every feature, registered."""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import threading
from collections.abc import Mapping
from typing import Any

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol, lsp_method

from alembic_roundtrip.lsp import code_actions, code_lens, commands, diagnostics, hover, symbols
from alembic_roundtrip.lsp import settings as editor_settings
from alembic_roundtrip.lsp.client import Client
from alembic_roundtrip.lsp.convert import Encoding
from alembic_roundtrip.lsp.document import Documents
from alembic_roundtrip.lsp.refusals import Refused
from alembic_roundtrip.lsp.server import RoundtripServer, quietly
from alembic_roundtrip.lsp.session import OpenDocument, folder_around, folders_of, path_of
from alembic_roundtrip.migration.rewrite import RewriteError

logger = logging.getLogger(__name__)

_WATCHED = (
    "**/*.py",
    "**/*.sql",
    "**/*.ini",
    "**/pyproject.toml",
    "**/.git/HEAD",
    "**/.git/logs/HEAD",
)
_CONFIGURATION = frozenset({".ini", ".toml"})
_IDLE_SECONDS = 2.0
_OBJECTS = 20_000
"""New objects before the search for garbage, instead of Python's 700."""


class Protocol(LanguageServerProtocol):
    """pygls' protocol, with commands that end when their request is cancelled."""

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """Run a command as one task, which `$/cancelRequest` reaches."""
        handler = commands.HANDLERS.get(params.command)
        if handler is None:
            raise Refused(f"there is no command {params.command}")
        assert isinstance(self._server, RoundtripServer)
        return await handler(self._server, params)


server = RoundtripServer(Protocol)


@server.feature(types.INITIALIZE)
def initialize(ls: RoundtripServer, params: types.InitializeParams) -> None:
    """Learn what the client can do, which folders are open and whether they are trusted."""
    workspace = ls.workspace
    ls.protocol._workspace = Documents.like(workspace, types.TextDocumentSyncKind.Incremental)  # noqa: SLF001 - pygls has no other way
    encoding = workspace.position_encoding or types.PositionEncodingKind.Utf16
    name = str(getattr(encoding, "value", encoding))
    options = params.initialization_options
    options = options if isinstance(options, Mapping) else {}
    roots = [folder.uri for folder in params.workspace_folders or ()]
    ls.session.client = Client.of(params.capabilities, Encoding(name))
    ls.session.folders = folders_of(roots or ([params.root_uri] if params.root_uri else []))
    ls.session.trusted = options.get("trusted") is not False
    ls.session.reports_results = options.get("reportsResults") is True
    ls.session.overrides = editor_settings.read(options.get("settings")).values


@server.feature(types.INITIALIZED)
async def initialized(ls: RoundtripServer, _: types.InitializedParams) -> None:
    """Look around, and ask to be told of changes."""
    # An edit makes some 50,000 objects, few of them garbage that counting does not find.
    gc.set_threshold(_OBJECTS)
    ls.rebuild()
    client = ls.session.client
    registrations = []
    if client.registers_watchers:
        watchers = [types.FileSystemWatcher(glob_pattern=pattern) for pattern in _WATCHED]
        options: Any = types.DidChangeWatchedFilesRegistrationOptions(watchers)
        method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
        registrations.append(types.Registration("watched-files", method, options))
    if client.registers_settings:
        method = types.WORKSPACE_DID_CHANGE_CONFIGURATION
        section = {"section": editor_settings.SECTION}
        registrations.append(types.Registration("settings", method, section))
    if registrations:
        request = ls.client_register_capability_async(types.RegistrationParams(registrations))
        ls.start(quietly(request))
    if client.has_settings:
        ls.reading = ls.start(quietly(ls.read_settings()))
    ls.start(_preload(ls))


async def _preload(ls: RoundtripServer) -> None:
    """Load what the first fix needs while nobody is typing."""
    await asyncio.sleep(_IDLE_SECONDS)
    await ls.session.quiet()
    # Not in the loop's pool: the end of the server would wait for it.
    threading.Thread(target=_import_libcst, daemon=True).start()


def _import_libcst() -> None:
    try:
        for name in ("libcst", "libcst.native"):
            importlib.import_module(name)
    except ImportError as error:
        logger.warning("no fixes without LibCST: %s", error)


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
async def did_open(ls: RoundtripServer, params: types.DidOpenTextDocumentParams) -> None:
    """A document is the editor's from now on."""
    document = params.text_document
    path = path_of(document.uri)
    if path is not None and not ls.session.holds(path):
        ls.session.visited += (folder_around(path),)
        ls.rebuild()
    ls.session.set_document(OpenDocument(document.uri, document.version, document.text))
    if path is not None:
        ls.start(ls.session.fetch(path))
    await ls.publish_latest(document.uri, document.version)


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
async def did_change(ls: RoundtripServer, params: types.DidChangeTextDocumentParams) -> None:
    """A document was edited; of several edits in a row only the last is answered."""
    uri, version = params.text_document.uri, params.text_document.version
    text = ls.workspace.get_text_document(uri).source
    ls.session.set_document(OpenDocument(uri, version, text))
    ls.session.standby.agent.renew()
    await asyncio.sleep(0)
    await ls.publish_latest(uri, version)


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
async def did_close(ls: RoundtripServer, params: types.DidCloseTextDocumentParams) -> None:
    """A document is the disk's again."""
    uri = params.text_document.uri
    ls.session.close_document(uri)
    if not ls.session.client.pulls_diagnostics:
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))
    ls.session.ring()


@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
async def did_save(ls: RoundtripServer, _: types.DidSaveTextDocumentParams) -> None:
    """What other files say of this one may have changed, and what is deployed."""
    ls.start(ls.look_around(again=True))
    await ls.refresh()


@server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
async def did_change_files(ls: RoundtripServer, params: types.DidChangeWatchedFilesParams) -> None:
    """Files changed on disk."""
    paths = [path for change in params.changes if (path := path_of(change.uri))]
    if any(path.suffix in _CONFIGURATION or path.name == "env.py" for path in paths):
        ls.rebuild()
    else:
        ls.session.changed_on_disk(paths)
        changed = types.FileChangeType.Changed
        git = any(".git" in path.parts for path in paths)
        ls.start(ls.look_around(again=git or all(c.type == changed for c in params.changes)))
    await ls.refresh()


@server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
async def did_change_folders(
    ls: RoundtripServer, params: types.DidChangeWorkspaceFoldersParams
) -> None:
    """Folders were added to the workspace or taken from it."""
    gone = folders_of(folder.uri for folder in params.event.removed)
    new = folders_of(folder.uri for folder in params.event.added)
    kept = [folder for folder in ls.session.folders if folder not in gone]
    ls.session.folders = tuple(dict.fromkeys((*kept, *new)))
    ls.rebuild()
    await ls.refresh()


@server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
async def did_change_configuration(
    ls: RoundtripServer, params: types.DidChangeConfigurationParams
) -> None:
    """The editor's settings changed."""
    if ls.session.client.has_settings:
        ls.reading = ls.start(quietly(ls.read_settings()))
    elif isinstance(params.settings, Mapping) and ls.take_settings(
        params.settings.get(editor_settings.SECTION)
    ):
        await ls.refresh()


@server.feature(
    types.TEXT_DOCUMENT_DIAGNOSTIC,
    types.DiagnosticOptions(
        identifier=diagnostics.SOURCE, inter_file_dependencies=False, workspace_diagnostics=True
    ),
)
async def document_diagnostic(
    ls: RoundtripServer, params: types.DocumentDiagnosticParams
) -> types.DocumentDiagnosticReport:
    """The diagnostics of one document."""
    await asyncio.sleep(0)
    await ls.session.prepare(path_of(params.text_document.uri))
    return diagnostics.document_report(
        ls.session, params.text_document.uri, params.previous_result_id
    )


@server.feature(types.WORKSPACE_DIAGNOSTIC)
async def workspace_diagnostic(
    ls: RoundtripServer, params: types.WorkspaceDiagnosticParams
) -> types.WorkspaceDiagnosticReport:
    """The diagnostics of every migration, once they are not as the client knows them."""
    token = params.partial_result_token

    def send(reports: list[types.WorkspaceDocumentDiagnosticReport]) -> None:
        value = types.WorkspaceDiagnosticReportPartialResult(reports)
        ls.progress(types.ProgressParams(token or "", value))

    previous = {known.uri: known.value for known in params.previous_result_ids}
    found = await diagnostics.workspace_report(ls.session, previous, send if token else None)
    return types.WorkspaceDiagnosticReport(found)


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions(
        code_action_kinds=[
            types.CodeActionKind.QuickFix,
            types.CodeActionKind.RefactorRewrite,
            code_actions.FIX_ALL,
        ],
        resolve_provider=True,
    ),
)
async def code_action(
    ls: RoundtripServer, params: types.CodeActionParams
) -> list[types.CodeAction] | list[types.Command]:
    """The fixes at a place."""
    return code_actions.offered(ls.session, params)


@server.feature(types.CODE_ACTION_RESOLVE)
async def code_action_resolve(ls: RoundtripServer, action: types.CodeAction) -> types.CodeAction:
    """The edit of a fix that was chosen."""
    try:
        return code_actions.resolved(ls.session, action)
    except (code_actions.StaleActionError, RewriteError) as error:
        raise Refused(str(error)) from error


@server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
async def code_lenses(ls: RoundtripServer, params: types.CodeLensParams) -> list[types.CodeLens]:
    """What was measured, over `downgrade()`."""
    return code_lens.listed(ls.session, params.text_document.uri)


@server.feature(types.TEXT_DOCUMENT_HOVER)
async def hovers(ls: RoundtripServer, params: types.HoverParams) -> types.Hover | None:
    """What stands under the pointer."""
    return hover.at(ls.session, params)


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
async def document_symbols(
    ls: RoundtripServer, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
    """The outline of a migration."""
    return symbols.listed(ls.session, params.text_document.uri)


def _announce(name: str) -> None:
    # `Protocol` runs commands; registering their names is what announces them to the client.
    server.command(name)(lambda *_: None)


for _name in commands.HANDLERS:
    _announce(_name)
