"""The main job on a published history: see, write and try, through the server and the shell.

A copy of meltano's migrations is opened in the real language server, as an editor would do it, and
then linted and rehearsed from the command line. Everything happens in a temporary folder.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from alembic_roundtrip.text import Edit, Position, Range, apply_edits  # noqa: E402
from corpus.install import CannotInstallError, install  # noqa: E402 - found by the line above
from corpus.projects import MELTANO  # noqa: E402

REVISION = "c0efb3c314eb"
SHOWN_LINES = 14


def main() -> int:
    say("# Installing meltano, whose 16 migrations are the example", "")
    try:
        installed = install(MELTANO)
    except CannotInstallError as error:
        say(str(error))
        return 2
    with tempfile.TemporaryDirectory(prefix="roundtrip-demo-") as name:
        workspace = Path(name)
        MELTANO.write(workspace, installed.python)
        shutil.copytree(installed.migrations, workspace / "migrations")
        ini = workspace / "alembic.ini"
        ini.write_text(ini.read_text().replace(MELTANO.location, "migrations"))
        (file,) = (workspace / "migrations" / "versions").glob(f"{REVISION}*.py")
        os.environ["XDG_CACHE_HOME"] = str(workspace / "cache")
        asyncio.run(in_the_editor(workspace, file))
        in_the_shell(workspace)
    return 0


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - a demo shows something


class Editor(LanguageClient):
    """What an editor does for its user, printed."""

    def __init__(self) -> None:
        super().__init__("demo", "1")
        self.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)(lambda _: None)
        self.feature(types.PROGRESS)(progressed)
        self.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: say(f"  message: {params.message}"))
        self.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
        self.feature(types.WORKSPACE_CONFIGURATION)(lambda params: [None for _ in params.items])


def progressed(params: Any) -> None:
    value = params.value
    value = value if isinstance(value, dict) else vars(value)
    text = value.get("message") or value.get("title")
    percentage = value.get("percentage")
    if text:
        say(f"  {'' if percentage is None else f'{percentage:3d} %'}  {text}")


async def in_the_editor(workspace: Path, file: Path) -> None:
    editor = Editor()
    say("# The language server, over stdio, as an editor starts it", "")
    await editor.start_io(sys.executable, "-m", "alembic_roundtrip", "server")
    await editor.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                general=types.GeneralClientCapabilities(
                    position_encodings=[types.PositionEncodingKind.Utf32]
                ),
                text_document=types.TextDocumentClientCapabilities(
                    diagnostic=types.DiagnosticClientCapabilities(),
                    code_action=types.CodeActionClientCapabilities(
                        code_action_literal_support=types.ClientCodeActionLiteralOptions(
                            types.ClientCodeActionKindOptions([types.CodeActionKind.QuickFix])
                        ),
                        data_support=True,
                        resolve_support=types.ClientCodeActionResolveOptions(["edit"]),
                    ),
                ),
                window=types.WindowClientCapabilities(work_done_progress=True),
            ),
            workspace_folders=[types.WorkspaceFolder(workspace.as_uri(), "demo")],
        )
    )
    editor.initialized(types.InitializedParams())
    uri = file.as_uri()
    text = file.read_text(encoding="utf-8")
    editor.text_document_did_open(
        types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, "python", 1, text))
    )
    await show_diagnostics(editor, uri, text)
    await rehearse(editor, uri, "before")
    fixed = await apply_fix(editor, uri, text)
    file.write_text(fixed, encoding="utf-8")
    change = types.TextDocumentContentChangeWholeDocument(fixed)
    editor.text_document_did_change(
        types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, uri), [change])
    )
    await rehearse(editor, uri, "after")
    await editor.shutdown_async(None)
    editor.exit(None)
    await editor.stop()


async def show_diagnostics(editor: Editor, uri: str, text: str) -> None:
    say(f"# Diagnostics of {uri.rpartition('/')[2]}", "")
    report = await editor.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    )
    lines = text.split("\n")
    for item in report.items:
        if item.severity == types.DiagnosticSeverity.Hint:
            continue
        start = item.range.start
        say(f"  {start.line + 1:3d} | {lines[start.line]}")
        say(f"      | {' ' * start.character}^ {item.code}: {item.message}", "")


async def apply_fix(editor: Editor, uri: str, text: str) -> str:
    report = await editor.text_document_diagnostic_async(
        types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    )
    (found,) = [item for item in report.items if item.code == "empty-downgrade"]
    actions = await editor.text_document_code_action_async(
        types.CodeActionParams(
            types.TextDocumentIdentifier(uri), found.range, types.CodeActionContext([found])
        )
    )
    action = await editor.code_action_resolve_async(actions[0])
    say("", f"# Code action: {action.title}", "")
    edits = [
        Edit(Range(place(edit.range.start), place(edit.range.end)), edit.new_text)
        for edit in action.edit.changes[uri]
    ]
    new = [line for edit in edits for line in edit.text.strip("\n").split("\n")]
    say(*(f"  + {line}" for line in new[:SHOWN_LINES]))
    if len(new) > SHOWN_LINES:
        say(f"  … and {len(new) - SHOWN_LINES} lines more")
    return apply_edits(text, edits)


def place(position: types.Position) -> Position:
    return Position(position.line + 1, position.character + 1)


async def rehearse(editor: Editor, uri: str, when: str) -> None:
    say("", f"# Round trip {when} the fix, by command, with live progress", "")
    result = await editor.workspace_execute_command_async(
        types.ExecuteCommandParams("alembicRoundtrip.testRevision", [uri])
    )
    (revision,) = result["revisions"]
    say("", f"  verdict: {revision['verdict']}")
    counts = [
        (len(revision["residue"]), "objects not restored"),
        (len(revision["losses"]), "losses of rows or values"),
    ]
    say(*(f"  {number} {what}" for number, what in counts if number))


def in_the_shell(workspace: Path) -> None:
    for arguments in (["lint", "--select", "column-not-dropped"], ["test", f"{REVISION}"]):
        say("", f"# $ alembic-roundtrip {' '.join(arguments)}", "")
        command = [sys.executable, "-m", "alembic_roundtrip", *arguments]
        done = subprocess.run(command, cwd=workspace, capture_output=True, text=True, check=False)
        say(*(f"  {line}" for line in (done.stdout + done.stderr).splitlines()))


if __name__ == "__main__":
    sys.exit(main())
