"""What an upgrade renames, and what becomes of it in the downgrade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.comparison import unmade
from alembic_roundtrip.comparison.symmetry import dropped_key
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import Kinds
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.schema import Key, Schema

RENAMING: Kinds = (c.RenameTable, c.AlterColumn, c.RenameIndex, c.RenameConstraint)
"""The changes that give something another name."""
_Parts = c.RenameIndex | c.RenameConstraint


@dataclass(frozen=True, slots=True)
class Rename:
    """What the upgrade renames, and what the downgrade makes of it.

    `stays` says that it still has its new name after the downgrade; `dropped_by` is the operation
    that drops it where the old name is made anew, which `made_by` does.
    """

    old: Key
    new: Key
    operation: Operation
    downgrade: Direction
    stays: bool
    dropped_by: Operation | None
    made_by: Operation | None

    @property
    def old_name(self) -> str:
        """The old name without its table."""
        return self.old.name or str(self.old.table)


def renames(context: Context) -> tuple[Rename, ...]:
    """What the upgrade renames and leaves under the new name, each once."""
    return context.memory("renames", lambda context: tuple(_renames(context)))


def _renames(context: Context) -> Iterator[Rename]:
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Key] = set()
    for trip in context.round_trips:
        if trip.down.unread:
            continue
        owners: tuple[dict[str, Name], dict[str, Name]] | None = None
        for operation in context.upgrade_operations:
            for change in operation.changes if operation.runs_on(trip.dialect) else ():
                if isinstance(change, _Parts) and not operation.doubtful:
                    owners = owners or (_owners(trip.before), _owners(trip.down.schema))
                    yield from _part_left(change, operation, downgrade, trip, owners)
                keys = _renamed(change)
                if keys is None or keys[1] in seen or operation.doubtful:
                    continue
                old, new = keys
                if old.table not in trip.before.tables:
                    whole = unmade.is_remade(trip, context.upgrade_operations, old.table)
                    if old.kind == "column" and whole:
                        continue
                    stays = unmade.keeps_name(trip, context.upgrade_operations, old, new)
                elif trip.before.has(old) and trip.up.schema.has(new):
                    down = trip.down.schema
                    stays = down.has(new) and not down.has(old) and new.table not in down.unknown
                else:
                    continue
                seen.add(new)
                pair = _dropped_for(old, new, trip)
                yield Rename(old, new, operation, downgrade, stays, *pair)


def _part_left(
    change: _Parts,
    operation: Operation,
    downgrade: Direction,
    trip: RoundTrip,
    owners: tuple[dict[str, Name], dict[str, Name]],
) -> Iterator[Rename]:
    """An index or constraint that has its new name to the end, by who has it before and then."""
    kind = "index" if isinstance(change, c.RenameIndex) else "constraint"
    before, after = owners
    was, now = before.get(change.name), after.get(change.new_name)
    back = after.get(change.name) or before.get(change.new_name)
    unknown = trip.down.schema.unknown
    if was is not None and now is not None and back is None and now not in unknown:
        old, new = Key(kind, was, change.name), Key(kind, now, change.new_name)
        yield Rename(old, new, operation, downgrade, True, None, None)  # noqa: FBT003


def _owners(schema: Schema) -> dict[str, Name]:
    """The tables that have an index or constraint, by its name; the first of several."""
    found: dict[str, Name] = {}
    for table in schema.tables.values():
        names = [name for part in table.constraints for name in (part.name, part.generated)]
        for name in (*names, *(index.name for index in table.indexes)):
            if name is not None:
                found.setdefault(name, table.name)
    return found


def _renamed(change: c.Change) -> tuple[Key, Key] | None:
    if isinstance(change, c.RenameTable):
        return Key("table", change.table), Key("table", change.new)
    if isinstance(change, c.AlterColumn):
        name = dict(change.options).get("new_column_name")
        if name is not None and name.string and name.string != change.column:
            return (
                Key("column", change.table, change.column),
                Key("column", change.table, name.string),
            )
    return None


def _dropped_for(
    old: Key, new: Key, trip: RoundTrip
) -> tuple[Operation, Operation] | tuple[None, None]:
    """The operation that drops the new name, and that which makes the old, with nothing moved."""
    made: Operation | None = None
    dropped: Operation | None = None
    for operation, change, schema in trip.down.steps:
        if isinstance(change, c.WriteRows) and change.table in {None, old.table, new.table}:
            return None, None
        if dropped_key(change, schema) == new and not operation.doubtful:
            dropped = operation
        elif isinstance(change, c.CreateTable) and Key("table", change.table.name) == old:
            made = operation
        elif isinstance(change, c.AddColumn) and change.column.name == old.name:
            made = operation if change.table == old.table else made
    return (dropped, made) if dropped is not None and made is not None else (None, None)
