"""What an editor waits for: `editing.py KIND REVISION SCRIPT`, in the project's folder.

Starts the language server, edits and saves the script and has the revision rehearsed, some times;
tells the median of the seconds from the command to its answer, and to the new diagnostics.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

_ROUNDS = 5
_PAUSE = 3.0


async def main() -> None:
    """Edit, rehearse and tell."""
    kind, revision, name = sys.argv[1:]
    script = Path(name)
    client = LanguageClient("benchmark", "1")
    await client.start_io(sys.executable, "-m", "alembic_roundtrip", "server")
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(
                text_document=types.TextDocumentClientCapabilities(
                    diagnostic=types.DiagnosticClientCapabilities()
                )
            ),
            workspace_folders=[types.WorkspaceFolder(Path.cwd().as_uri(), "benchmark")],
            initialization_options={"settings": {"database": kind}, "reportsResults": True},
        )
    )
    client.initialized(types.InitializedParams())
    document = _Document(client, script)
    seconds = []
    for number in range(_ROUNDS + 1):
        document.edit(f"\nAGAIN = {number}\n")
        seconds.append(await document.rehearsed(revision))
        await asyncio.sleep(_PAUSE)  # nobody edits faster, and the agent has loaded by then
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    answers, shown = zip(*seconds[1:], strict=True)
    found = {"answer": statistics.median(answers), "shown": statistics.median(shown)}
    sys.stdout.write(f"\n{json.dumps(found)}\n")


class _Document:
    """A script that is open in the editor."""

    def __init__(self, client: LanguageClient, path: Path) -> None:
        self._client = client
        self._path = path
        self._uri = path.as_uri()
        self._text = path.read_text(encoding="utf-8")
        self._version = 1
        item = types.TextDocumentItem(self._uri, "python", 1, self._text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def edit(self, more: str) -> None:
        """Add some text and save."""
        self._text += more
        self._version += 1
        named = types.VersionedTextDocumentIdentifier(self._version, self._uri)
        change = types.TextDocumentContentChangeWholeDocument(self._text)
        self._client.text_document_did_change(types.DidChangeTextDocumentParams(named, [change]))
        self._path.write_text(self._text, encoding="utf-8")
        saved = types.TextDocumentIdentifier(self._uri)
        self._client.text_document_did_save(types.DidSaveTextDocumentParams(saved))

    async def rehearsed(self, revision: str) -> tuple[float, float]:
        """Seconds to the answer, and to what it changes of the diagnostics."""
        begun = time.perf_counter()
        result: Any = await self._client.workspace_execute_command_async(
            types.ExecuteCommandParams(
                "alembicRoundtrip.testRevision", [{"uri": self._uri, "revision": revision}]
            )
        )
        answered = time.perf_counter()
        if not result["revisions"]:
            raise SystemExit(f"{revision} was not rehearsed")
        await self._client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(types.TextDocumentIdentifier(self._uri))
        )
        return answered - begun, time.perf_counter() - begun


asyncio.run(main())
