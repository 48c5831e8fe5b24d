"""Conditions around what one direction makes and not around what the other drops."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import dropped_key
from alembic_roundtrip.context import Context
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.schema import Key, replay


def one_sided(context: Context, kind: GuardKind) -> Iterator[tuple[Key, Operation, Operation]]:
    """Objects made under a kind of guard and dropped under none: key, maker, dropper; each once."""
    if not any(guard.kind is kind for o in context.upgrade_operations for guard in o.guards):
        return
    seen: set[Key] = set()
    for trip in context.round_trips:
        for operation, change, schema in trip.down.steps:
            key = dropped_key(change, schema)
            made = trip.up.origins.get(key) if key is not None else None
            if key is None or made is None or key in seen or trip.before.has(key):
                continue
            asked = any(guard.kind is kind for guard in made.guards)
            if (
                asked
                and len(_makers(context, key)) == 1
                and not operation.guards
                and not _if_exists(operation)
            ):
                seen.add(key)
                yield key, made, operation


def _makers(context: Context, key: Key) -> list[Operation]:
    """The operations that make an object, under whatever guard."""
    before = context.before
    return [
        operation
        for operation in context.upgrade_operations
        if key in replay(before, (operation,)).origins
    ]


def _if_exists(operation: Operation) -> bool:
    named = any(name == "if_exists" for name, _ in operation.arguments)
    return named or operation.says("IF", "EXISTS")
