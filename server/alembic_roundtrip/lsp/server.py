"""The server and what it knows of its editor: what it says to it, and when."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from lsprotocol import types
from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol

from alembic_roundtrip import __version__
from alembic_roundtrip.lsp import diagnostics
from alembic_roundtrip.lsp import settings as editor_settings
from alembic_roundtrip.lsp.refusals import Refused
from alembic_roundtrip.lsp.session import Session, path_of

logger = logging.getLogger(__name__)

_SETTINGS_SECONDS = 2.0


class _Foreseen(logging.Filter):
    """Keeps refusals out of the log: they are answers, and the editor shows them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log a record."""
        return not (record.exc_info and isinstance(record.exc_info[1], Refused))


logging.getLogger("pygls.protocol.json_rpc").addFilter(_Foreseen())


class RoundtripServer(LanguageServer):
    """The server and what it knows of its editor."""

    def __init__(self, protocol: type[LanguageServerProtocol]) -> None:
        super().__init__(
            "alembic-roundtrip", __version__, protocol_cls=protocol, converter_factory=get_converter
        )
        self.session = Session()
        self.background: set[asyncio.Task[Any]] = set()
        self.reading: asyncio.Task[Any] | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that handlers run on."""
        return asyncio.get_running_loop()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log what went wrong: a message box would only interrupt."""
        if isinstance(error, Refused):
            return
        self.session.log_once(f"handling a message ({getattr(source, '__name__', source)})", error)

    def start(self, work: Any) -> asyncio.Task[Any]:
        """Run work beside the messages, until it ends or the server does."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self.background.add(task)
        task.add_done_callback(self.background.discard)
        return task

    def tell(self, subject: str, sentences: Sequence[str]) -> None:
        """Say to the user what is new since the last time the subject came up."""
        known = self.session.told.get(subject, ())
        self.session.told[subject] = tuple(sentences)
        for sentence in sentences:
            if sentence not in known:
                kind = types.MessageType.Warning
                self.window_show_message(types.ShowMessageParams(kind, sentence))

    def publish(self, uri: str) -> None:
        """Push a document's diagnostics to a client that does not ask for them."""
        path = path_of(uri)
        if path is None or self.session.client.pulls_diagnostics:
            return
        version = self.session.version(path)
        found = diagnostics.items(self.session, path)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    async def publish_latest(self, uri: str, version: int) -> None:
        """Push a document's diagnostics unless it has moved on by the time they can be known."""
        path = path_of(uri)
        if path is None or self.session.client.pulls_diagnostics:
            return
        await self.session.prepare(path)
        if self.session.version(path) == version:
            self.publish(uri)

    async def refresh(self) -> None:
        """What was measured or what other files say has changed."""
        self.session.ring()
        client = self.session.client
        for document in list(self.session.open.values()):
            self.publish(document.uri)
        if client.refreshes_diagnostics and client.pulls_diagnostics:
            self.start(quietly(self.workspace_diagnostic_refresh_async(None)))
        if client.refreshes_lenses:
            self.start(quietly(self.workspace_code_lens_refresh_async(None)))

    def rebuild(self) -> None:
        """Read everything anew; say which settings cannot be used."""
        self.session.rebuild()
        self.session.looking = self.start(self.look_around())
        self.tell("workspace", self.session.problems)

    async def look_around(self, *, again: bool = False) -> None:
        """Look at what git knows, and at everything anew where that is news."""
        if await self.session.look_around(again=again):
            await self.refresh()

    async def read_settings(self) -> None:
        """Ask the editor for its settings, take them over and look at everything again."""
        item = types.ConfigurationItem(section=editor_settings.SECTION)
        answer = await self.workspace_configuration_async(types.ConfigurationParams([item]))
        if self.take_settings(answer[0] if answer else {}):
            await self.refresh()

    async def settled(self) -> None:
        """Wait for the editor's settings, which come some time after the start."""
        if self.reading is not None:
            await asyncio.wait([self.reading], timeout=_SETTINGS_SECONDS)

    def take_settings(self, values: Any) -> bool:
        """Use settings of the editor where they can be used; gives whether any changed."""
        read = editor_settings.read(values)
        self.tell("settings", read.problems)
        changed = dict(read.values) != dict(self.session.overrides)
        if changed:
            self.session.overrides = read.values
            self.rebuild()
        return changed


async def quietly(request: Any) -> None:
    """Wait for a client's answer that may be an error or never come."""
    try:
        await request
    except Exception as error:  # noqa: BLE001 - a refresh is a hint, not a need
        logger.info("the client did not refresh: %r", error)
