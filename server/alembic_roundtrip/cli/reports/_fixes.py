"""The fixes of a diagnostic as the edits they are."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.rewrite import RewriteError, edits
from alembic_roundtrip.rule import Diagnostic, Fix
from alembic_roundtrip.text import Edit
from alembic_roundtrip.textfile import TextFile


def written(
    d: Diagnostic, document: Migration | TextFile | None
) -> Iterator[tuple[Fix, tuple[Edit, ...]]]:
    """Each fix with its edits, but those that cannot be made of this text."""
    if document is None:
        return
    for fix in d.fixes:
        try:
            changes = edits(document, fix.rewrites)
        except RewriteError:
            continue
        yield fix, changes
