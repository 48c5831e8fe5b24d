"""The fixes of a diagnostic that can be made of its text."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.diagnostic import Diagnostic, Fix
from alembic_roundtrip.text import Edit


def written(d: Diagnostic) -> Iterator[tuple[Fix, tuple[Edit, ...]]]:
    """Each fix with its edits, but those that cannot be made of this text."""
    for fix in d.fixes:
        if fix.edits is not None:
            yield fix, fix.edits
