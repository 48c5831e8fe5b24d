"""What the connected client can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lsprotocol import types
from pygls.capabilities import get_capability

from alembic_roundtrip.lsp.convert import Encoding


@dataclass(frozen=True, slots=True)
class Client:
    """The capabilities that decide how we answer, each false unless the client said so."""

    encoding: Encoding = field(default_factory=Encoding)
    pulls_diagnostics: bool = False
    refreshes_diagnostics: bool = False
    refreshes_lenses: bool = False
    shows_related: bool = False
    shows_code_pages: bool = False
    reads_actions: bool = False
    resolves_edits: bool = False
    versions_edits: bool = False
    confirms_edits: bool = False
    creates_files: bool = False
    applies_edits: bool = False
    shows_progress: bool = False
    registers_watchers: bool = False
    registers_settings: bool = False
    has_settings: bool = False
    nests_symbols: bool = False

    @classmethod
    def of(cls, capabilities: types.ClientCapabilities, encoding: Encoding) -> Client:
        """Read the capabilities of an `initialize` request."""

        def can(path: str) -> bool:
            return bool(get_capability(capabilities, path, default=False))

        def resolves(feature: str) -> Any:
            path = f"text_document.{feature}.resolve_support.properties"
            return get_capability(capabilities, path, default=()) or ()

        actions = "text_document.code_action"
        publish = "text_document.publish_diagnostics"
        documents = can("workspace.workspace_edit.document_changes")
        return cls(
            encoding=encoding,
            pulls_diagnostics=get_capability(capabilities, "text_document.diagnostic", default=None)
            is not None,
            refreshes_diagnostics=can("workspace.diagnostics.refresh_support"),
            refreshes_lenses=can("workspace.code_lens.refresh_support"),
            shows_related=can(f"{publish}.related_information")
            or can("text_document.diagnostic.related_information"),
            shows_code_pages=can(f"{publish}.code_description_support")
            or can("text_document.diagnostic.code_description_support"),
            reads_actions=can(f"{actions}.code_action_literal_support"),
            resolves_edits=can(f"{actions}.data_support") and "edit" in resolves("code_action"),
            versions_edits=documents,
            confirms_edits=documents
            and can(f"{actions}.honors_change_annotations")
            and get_capability(
                capabilities, "workspace.workspace_edit.change_annotation_support", default=None
            )
            is not None,
            creates_files=documents
            and types.ResourceOperationKind.Create
            in get_capability(
                capabilities, "workspace.workspace_edit.resource_operations", default=()
            ),
            applies_edits=can("workspace.apply_edit"),
            shows_progress=can("window.work_done_progress"),
            registers_watchers=can("workspace.did_change_watched_files.dynamic_registration"),
            registers_settings=can("workspace.did_change_configuration.dynamic_registration"),
            has_settings=can("workspace.configuration"),
            nests_symbols=can("text_document.document_symbol.hierarchical_document_symbol_support"),
        )
