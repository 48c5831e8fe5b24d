"""Everything that is found wrong with a downgrade, to hold two texts of one against each other."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.differences import differences
from alembic_roundtrip.comparison.symmetry import leftovers, missing, unrelated_drops
from alembic_roundtrip.comparison.targets import absent_targets, present_already
from alembic_roundtrip.context import Context

ASPECTS = ("type", "nullability", "server default", "primary key", "definition")
KINDS = ("table", "column", "index", "constraint")

Fault = tuple[str, object]
"""What is wrong, and with what."""


def faults(context: Context) -> frozenset[Fault]:
    """What stays, is missing, differs, is named though it is not there, or made though it is."""
    return frozenset(_faults(context))


def _faults(context: Context) -> Iterator[Fault]:
    for kind in KINDS:
        yield from (("stays", each.key) for each in leftovers(context, kind))
        yield from (("missing", each.key) for each in missing(context, kind))
    for aspect in ASPECTS:
        yield from ((aspect, each.subject) for each in differences(context, aspect))
    yield from (("absent", each.key) for each in absent_targets(context))
    yield from (("present", each.key) for each in present_already(context))
    yield from (("unrelated", key) for key, _ in unrelated_drops(context))
