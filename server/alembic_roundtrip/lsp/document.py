"""Open documents whose lines end where the protocol says.

pygls splits lines with `str.splitlines`, which also ends them at form feeds and seven more
characters: after one of these every edit would land a line too high.
"""

from __future__ import annotations

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from alembic_roundtrip.lsp.convert import Converter, Encoding
from alembic_roundtrip.text import Source, split_lines


class Document(TextDocument):
    """A text document with the protocol's three line ends."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines with their ends."""
        return tuple(split_lines(self.source))

    def _apply_incremental_change(self, change: types.TextDocumentContentChangePartial) -> None:
        source = Source(self.source)
        encoding = self.position_codec.encoding or types.PositionEncodingKind.Utf16
        converter = Converter(source, Encoding(str(getattr(encoding, "value", encoding))))
        place = converter.range(change.range)
        start, end = source.offset(place.start), source.offset(place.end)
        self._source = source.text[:start] + change.text + source.text[end:]


class Documents(Workspace):
    """pygls' workspace, made of our documents."""

    @classmethod
    def like(cls, workspace: Workspace, sync_kind: types.TextDocumentSyncKind) -> Documents:
        """The same folders and encoding as a workspace that holds no documents yet."""
        folders = list(workspace.folders.values())
        return cls(workspace.root_uri, sync_kind, folders, workspace.position_encoding)

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> Document:
        return Document(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self._position_codec,
        )
