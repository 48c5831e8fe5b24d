"""What a downgrade leaves of its upgrade, and what it does not bring back, object by object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from alembic_roundtrip.comparison import unmade
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import Kinds
from alembic_roundtrip.migration.mentions import checks, is_on
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Table
from alembic_roundtrip.migration.sql import has_column
from alembic_roundtrip.migration.sql.ownership import owned
from alembic_roundtrip.schema import Key, Schema, keys_of

MAKING: Mapping[str, Kinds] = MappingProxyType(
    {
        "table": (c.CreateTable, c.RenameTable),
        "column": (c.AddColumn, c.AlterColumn, c.CreateTable, c.RenameTable),
        "index": (c.CreateIndex, c.CreateTable, c.RenameIndex, c.RenameTable),
        "constraint": (
            *(c.AddConstraint, c.AddColumn, c.CreateTable),
            *(c.RenameConstraint, c.RenameIndex, c.RenameTable),
        ),
        "enum": (c.CreateEnum, c.RenameEnum, c.CreateTable),
        "object": (c.CreateObject,),
    }
)
"""The changes that leave an object of a kind behind."""

TAKING: Mapping[str, Kinds] = MappingProxyType(
    {
        "table": (c.DropTable,),
        "column": (c.DropColumn, c.DropTable),
        "index": (c.DropIndex, c.DropColumn, c.DropTable, c.AddConstraint),
        "constraint": (c.DropConstraint, c.DropIndex, c.DropColumn, c.DropTable),
        "object": (c.DropObject, c.DropEnum),
    }
)
"""The changes that take an object of a kind away."""

NAMED_DROPS: Kinds = (c.DropTable, c.DropColumn, c.DropIndex, c.DropConstraint)
"""The changes that `dropped_key` has a key for."""


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
    seen: set[Key] = set()
    for leftover in context.memory("leftovers", _leftovers):
        if only is not None and leftover.trip.dialect != only:
            continue
        if leftover.key.kind == kind and leftover.key not in seen:
            seen.add(leftover.key)
            yield leftover


def _leftovers(context: Context) -> tuple[Leftover, ...]:
    downgrade = context.written_downgrade
    if downgrade is None:
        return ()
    return tuple(each for trip in context.round_trips for each in _on(trip, downgrade, context))


def _on(trip: RoundTrip, downgrade: Direction, context: Context) -> Iterator[Leftover]:
    if trip.down.unread:
        return
    for key, operation in unmade.left(trip, context.upgrade_operations):
        yield Leftover(key, operation, downgrade, trip)
    for key, operation in trip.up.origins.items():
        if trip.before.has(key) or not trip.down.schema.has(key):
            continue
        # What the downgrade makes again is its own, not left by the upgrade.
        if key in trip.down.origins or key.table in trip.down.schema.unknown:
            continue
        if _is_owned(key, context, trip):
            continue
        if not (operation.doubtful or _inside_leftover(key, trip) or _may_go(key, downgrade, trip)):
            yield Leftover(key, operation, downgrade, trip)


@dataclass(frozen=True, slots=True)
class Missing:
    """An object that the upgrade dropped or renamed and the downgrade does not bring back."""

    key: Key
    operation: Operation
    downgrade: Direction
    trip: RoundTrip


def missing(context: Context, kind: str) -> Iterator[Missing]:
    """Objects of a kind that are gone after the downgrade, each once.

    Parts of a table that is gone itself are not named, nor what an equivalent came back for.
    """
    seen: set[Key] = set()
    for gone in context.memory("missing", _missing):
        if gone.key.kind == kind and gone.key not in seen:
            seen.add(gone.key)
            yield gone


def _missing(context: Context) -> tuple[Missing, ...]:
    downgrade = context.written_downgrade
    if downgrade is None:
        return ()
    return tuple(
        Missing(key, operation, downgrade, trip)
        for trip in context.round_trips
        if not trip.down.unread
        for key, operation in _gone(context, trip)
    )


def _gone(context: Context, trip: RoundTrip) -> Iterator[tuple[Key, Operation]]:
    for key, operation in _dropped(context, trip):
        if _is_missing(key, operation, trip):
            yield key, operation
    yield from unmade.lost(trip, context.upgrade_operations)
    yield from unmade.lost_tables(trip, context.upgrade_operations)


def _dropped(context: Context, trip: RoundTrip) -> Iterator[tuple[Key, Operation]]:
    """What the upgrade takes away, by the operation that does it."""
    for operation in context.upgrade_operations:
        if not operation.runs_on(trip.dialect):
            continue
        for change in operation.changes:
            if isinstance(change, c.DropTable):
                table = trip.before.table(change.table)
                yield from ((key, operation) for key in (keys_of(table) if table else ()))
            elif isinstance(change, c.DropColumn):
                yield Key("column", change.table, change.column), operation
                for key in _parts_with(change.column, trip.before.table(change.table), trip):
                    yield key, operation
            elif isinstance(change, c.DropIndex) and change.name is not None:
                gone = _index_key(change.name, change.table, trip)
                if gone is not None:
                    yield gone, operation
            elif isinstance(change, c.DropConstraint) and change.name is not None:
                yield Key("constraint", change.table, change.name), operation
            elif isinstance(change, c.AddConstraint) and change.index is not None:
                yield Key("index", change.table, change.index), operation
            elif isinstance(change, c.DropObject):
                yield Key(change.kind, change.name), operation
            elif isinstance(change, c.DropEnum):
                kind = "enum" if change.name in trip.before.enums else "type"
                yield Key(kind, change.name), operation


def _index_key(name: str, table: Name | None, trip: RoundTrip) -> Key | None:
    """An index, or the unique constraint that is nothing but its index on MySQL."""
    index = trip.before.index(name, table)
    if index is not None:
        return Key("index", index.table, name)
    constraint = Key("constraint", table, name) if table and trip.dialect in MYSQL else None
    return constraint if constraint and trip.before.has(constraint) else None


def _parts_with(column: str, table: Table | None, trip: RoundTrip) -> Iterator[Key]:
    """The indexes and constraints that go with a column."""
    if table is None:
        return
    for index in table.indexes:
        if index.name and is_on(index, column, trip.dialects):
            yield Key("index", table.name, index.name)
    for part in table.constraints:
        with_it = column in part.columns and part.kind != "primary"
        if part.name and (with_it or _is_condition_of(part, column, trip)):
            yield Key("constraint", table.name, part.name)


def _is_condition_of(part: Constraint, column: str, trip: RoundTrip) -> bool:
    """Whether a CHECK certainly names a column: PostgreSQL drops it along."""
    if part.kind != "check" or trip.dialect != "postgresql":
        return False
    texts = [argument.sql for argument in part.arguments]
    return any(text and has_column(text, column, ("postgresql",)) for text in texts)


def _is_missing(key: Key, operation: Operation, trip: RoundTrip) -> bool:
    down = trip.down.schema
    # A table or column that the upgrade makes anew is dropped all the same.
    stays = trip.up.schema.has(key) and key.kind not in {"table", "column"}
    if not trip.before.has(key) or stays or down.has(key):
        return False
    if operation.doubtful or key.table in down.unknown or key.table in trip.before.unknown:
        return False
    if key.kind not in {"column", "index", "constraint"}:
        return True
    table = down.table(key.table)
    if table is None or not table.complete or _equivalent(key, trip):
        return False
    return not _inside_missing(key, trip.before.tables[key.table], table, trip)


def _inside_missing(key: Key, before: Table, after: Table, trip: RoundTrip) -> bool:
    """Whether a column that it is made of is missing itself."""
    there = {column.name for column in after.columns}
    gone = [column.name for column in before.columns if column.name not in there]
    if key.kind == "index":
        index = next(index for index in before.indexes if index.name == key.name)
        return any(is_on(index, name, trip.dialects) for name in gone)
    if key.kind == "constraint":
        part = next(part for part in before.constraints if part.is_known_as(key.name))
        return any(name in part.columns or checks(part, name, trip.dialects) for name in gone)
    return False


def _equivalent(key: Key, trip: RoundTrip) -> bool:
    """Whether an index or constraint on the same columns is there under another name."""
    before, after = trip.before.table(key.table), trip.down.schema.table(key.table)
    if before is None or after is None or key.kind == "column":
        return False
    if key.kind == "index":
        index = next(i for i in before.indexes if i.name == key.name)
        return any(index_shape(i) == index_shape(index) for i in after.indexes) or any(
            p.kind == "unique" and index.unique and _names(index) == p.columns
            for p in after.constraints
        )
    part = next(p for p in before.constraints if p.is_known_as(key.name))
    return any(
        p.kind == part.kind and p.columns == part.columns and p.referent == part.referent
        for p in after.constraints
    ) or any(
        part.kind == "unique" and i.unique and _names(i) == part.columns for i in after.indexes
    )


def index_shape(index: Index) -> tuple[object, ...]:
    """What an index is, whatever its name."""
    return index.unique, tuple(part.value if part.known else part.text for part in index.columns)


def _names(index: Index) -> tuple[object, ...]:
    return tuple(part.value for part in index.columns)


def _may_go(key: Key, downgrade: Direction, trip: RoundTrip) -> bool:
    """Whether a CHECK may go with a column that it is about; one made by SQL is not read."""
    table = trip.down.schema.table(key.table)
    parts = [p for p in table.constraints if p.is_known_as(key.name)] if table else []
    if key.kind != "constraint" or not parts or parts[0].columns:
        return False
    texts = [argument.text for argument in parts[0].arguments]
    return any(
        isinstance(change, c.DropColumn)
        and change.table == key.table
        and (not texts or any(change.column in text for text in texts))
        for operation in downgrade.operations
        for change in operation.changes
    )


def _is_owned(key: Key, context: Context, trip: RoundTrip) -> bool:
    """Whether it is a sequence of a column that is gone, and so is gone with it."""
    if key.kind != "sequence":
        return False
    owners = [
        Key("column", table._replace(schema=table.schema or key.table.schema), column)
        for operation in context.upgrade_operations
        for sequence, table, column in owned(operation.sql)
        if sequence.name == key.table.name
    ]
    return bool(owners) and not trip.down.schema.has(owners[-1])


def _inside_leftover(key: Key, trip: RoundTrip) -> bool:
    """Whether its table, or a column it is made of, is a leftover itself."""
    if key.kind not in {"column", "index", "constraint"}:
        return False
    if not trip.before.has(Key("table", key.table)):
        return True
    if key.kind != "index":
        return False
    index = trip.down.schema.index(key.name, key.table)
    table = trip.down.schema.table(key.table)
    return index is not None and any(
        is_on(index, column.name, trip.dialects)
        and not trip.before.has(Key("column", key.table, column.name))
        for column in (table.columns if table else ())
    )


def unrelated_drops(context: Context) -> Iterator[tuple[Key, Operation]]:
    """What only the downgrade takes away, by the operation that does it; each key once.

    Parts of a table that goes as a whole are not named.
    """
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Key] = set()
    for trip in context.round_trips:
        if any(o.may_do_anything for o in context.upgrade_operations) or trip.down.unread:
            continue
        for operation, change, schema in trip.down.steps:
            key = dropped_key(change, schema)
            if key is None or key in seen or operation.doubtful or _made_in(context, key):
                continue
            stays_in_upgrade = trip.before.has(key) and trip.up.schema.has(key)
            if stays_in_upgrade and not trip.down.schema.has(key) and not _equivalent(key, trip):
                seen.add(key)
                yield key, operation


def dropped_key(change: c.Change, schema: Schema) -> Key | None:
    """What a change drops, by its key; None where it drops nothing that has a name."""
    if isinstance(change, c.DropTable):
        return Key("table", change.table)
    if isinstance(change, c.DropColumn):
        return Key("column", change.table, change.column)
    if isinstance(change, c.DropIndex) and change.name is not None:
        index = schema.index(change.name, change.table)
        return Key("index", index.table, change.name) if index else None
    if isinstance(change, c.DropConstraint) and change.name is not None:
        return Key("constraint", change.table, change.name)
    return None


def _made_in(context: Context, key: Key) -> bool:
    """Whether the upgrade makes it, perhaps again, or something by a condition."""
    return any(
        key in trip.up.origins or key.table in trip.up.schema.unknown
        for trip in context.round_trips
    )
