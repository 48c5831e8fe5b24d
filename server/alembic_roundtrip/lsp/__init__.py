"""The language server; the only importer of pygls and lsprotocol."""

from __future__ import annotations
