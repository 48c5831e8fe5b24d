"""What a downgrade leaves of what its upgrade made, object by object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration.changes import Unknown
from alembic_roundtrip.migration.model import Direction, GuardKind, Operation
from alembic_roundtrip.schema import Key


@dataclass(frozen=True, slots=True)
class Leftover:
    """An object that the upgrade made and the downgrade does not drop."""

    key: Key
    operation: Operation
    downgrade: Direction
    trip: RoundTrip


def leftovers(context: Context, kind: str, only: str | None = None) -> Iterator[Leftover]:
    """Objects of a kind that stay after the downgrade, each once; silent where reading is unsure.

    `only` is the dialect to look at, where the kind exists on no other.
    What goes away with its table or column, or stays only because its table does, is not named.
    """
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Key] = set()
    for trip in context.round_trips:
        if only is not None and trip.dialect != only:
            continue
        for leftover in _on(trip, downgrade, kind):
            if leftover.key not in seen:
                seen.add(leftover.key)
                yield leftover


def _on(trip: RoundTrip, downgrade: Direction, kind: str) -> Iterator[Leftover]:
    if _unsure(downgrade, trip):
        return
    for key, operation in trip.up.origins.items():
        if key.kind != kind or trip.before.has(key) or not trip.down.schema.has(key):
            continue
        # What the downgrade makes again is its own, not left by the upgrade.
        if key in trip.down.origins or key.table in trip.down.schema.unknown:
            continue
        if not _doubtful(operation) and not _inside_leftover(key, trip):
            yield Leftover(key, operation, downgrade, trip)


def _unsure(downgrade: Direction, trip: RoundTrip) -> bool:
    """Whether an operation of the downgrade could have dropped anything."""
    return any(
        isinstance(change, Unknown) and change.tables is None
        for operation in downgrade.operations
        if operation.runs_on(trip.dialect)
        for change in operation.changes
    )


def _doubtful(operation: Operation) -> bool:
    return any(g.kind in {GuardKind.OTHER, GuardKind.EXCEPTION} for g in operation.guards)


def _inside_leftover(key: Key, trip: RoundTrip) -> bool:
    """Whether its table, or a column it is made of, is a leftover itself."""
    if key.kind in {"table", "enum"}:
        return False
    if not trip.before.has(Key("table", key.table)):
        return True
    if key.kind != "index":
        return False
    index = trip.down.schema.index(key.name, key.table)
    table = trip.down.schema.table(key.table)
    return index is not None and any(
        index.mentions(column.name) and not trip.before.has(Key("column", key.table, column.name))
        for column in (table.columns if table else ())
    )
