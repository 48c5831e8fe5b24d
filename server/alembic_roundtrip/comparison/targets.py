"""What the operations of a downgrade name, held against the schema that they meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import Kinds
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.migration.objects import Name, Table, option
from alembic_roundtrip.schema import Key, Schema

_NEAR = 0.75
_INDEXES_BY_THEMSELVES = frozenset({"postgresql", "sqlite"})
"""Where the index of a constraint cannot be dropped by a name of its own."""

NEEDING: Kinds = (
    *(c.AddColumn, c.AddConstraint, c.AlterColumn, c.CreateIndex, c.DropColumn, c.DropConstraint),
    *(c.DropIndex, c.DropTable, c.RenameConstraint, c.RenameIndex, c.RenameTable, c.SetComment),
    c.WriteRows,
)
"""The changes that something has to be there for."""

MAKING: Kinds = (c.CreateTable, c.AddColumn, c.CreateIndex, c.AddConstraint)
"""The changes that something must not be there for."""


@dataclass(frozen=True, slots=True)
class Target:
    """An object that a change of the downgrade needs, and the schema at that moment."""

    key: Key
    operation: Operation
    schema: Schema
    trip: RoundTrip

    @property
    def gone_before(self) -> bool:
        """Whether it was there when the downgrade began."""
        return self.trip.up.schema.has(self.key)


def absent_targets(context: Context) -> tuple[Target, ...]:
    """What a downgrade works on though it certainly is not there then, each once."""
    return context.memory("absent targets", lambda context: tuple(_absent(context)))


def _absent(context: Context) -> Iterator[Target]:
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[tuple[Operation, Key]] = set()
    for trip in context.round_trips:
        if trip.down.unread or _anything_happened(context, trip):
            continue
        for operation, change, schema in trip.down.steps:
            written = isinstance(change, c.WriteRows)
            if operation.doubtful or (operation.name == "execute" and not written):
                continue
            for key in _needs(change):
                if _asks(operation) or _goes_with_a_column(key, operation, trip):
                    continue
                if not _is_absent(key, change, schema, trip, context):
                    continue
                if (operation, key) not in seen:
                    seen.add((operation, key))
                    yield Target(key, operation, schema, trip)
                    break


def _goes_with_a_column(key: Key, operation: Operation, trip: RoundTrip) -> bool:
    """Whether it is on a column dropped in its batch, which makes the table anew in the end."""
    batch = operation.batch
    if batch is None or trip.dialect != "sqlite" or key.kind not in {"index", "constraint"}:
        return False
    recreate = option(batch.options, "recreate")
    if recreate is not None and recreate.value == "never":
        return False
    before = takewhile(lambda step: step[0] is not operation, trip.down.steps)
    same = [(change, schema) for other, change, schema in before if other.batch == batch]
    if any(not isinstance(change, c.DropColumn) and key in _needs(change) for change, _ in same):
        return False  # dropped by its name already
    return any(schema.has(key) for _, schema in same)


def _anything_happened(context: Context, trip: RoundTrip) -> bool:
    """Whether the upgrade did something that is not read: it may have made the object."""
    return any(o.may_do_anything for o in context.upgrade_operations if o.runs_on(trip.dialect))


def _asks(operation: Operation) -> bool:
    """Whether it only runs where the object is there."""
    existing = any(guard.kind is GuardKind.EXISTENCE for guard in operation.guards)
    return existing or any(name == "if_exists" for name, _ in operation.arguments)


_NEEDLESS = (c.CreateTable, c.Unknown)
_ON_COLUMNS = (c.DropColumn, c.AlterColumn)


def _needs(change: c.Change) -> list[Key]:
    """What has to be there for a change, the larger first."""
    if isinstance(change, c.WriteRows):
        table = change.table if change.verb == "insert" else None
        return [] if table is None else [Key("column", table, name) for name in change.columns]
    if isinstance(change, _NEEDLESS):
        return []
    names = (change.table,) if isinstance(change, c.RenameTable) else c.tables_of(change)
    keys = [Key("table", name) for name in names]
    if isinstance(change, _ON_COLUMNS):
        keys.append(Key("column", change.table, change.column))
    elif isinstance(change, c.DropIndex) and change.name and change.table:
        keys.append(Key("index", change.table, change.name))
    elif isinstance(change, c.DropConstraint) and change.name:
        keys.append(Key("constraint", change.table, change.name))
    elif isinstance(change, c.AddColumn):
        # Alembic makes enum types with tables only.
        keys += [Key("enum", enum.name) for enum in change.enums]
    return keys


def _is_absent(
    key: Key, change: c.Change, schema: Schema, trip: RoundTrip, context: Context
) -> bool:
    if schema.has(key) or key.table in schema.unknown:
        return False
    if key.kind == "enum" and trip.dialect != "postgresql":
        return False
    if trip.up.schema.has(key):
        return True  # the downgrade itself has taken it away
    if key.kind == "table":
        known = key.table in trip.before.tables or nearest(key, schema) is not None
        return known or context.owner(key.table) is not None
    if key.kind == "enum":
        return trip.before.has(key) and ("type", key.table) not in schema.objects
    table = schema.table(key.table)
    if table is None or not schema.knows(key.table):
        return False
    if key.kind == "column":
        return True
    if key.kind == "index":
        return not _may_be_named(key.name, table, schema.dialect)
    kind = change.kind if isinstance(change, c.DropConstraint) else None
    same = [part for part in table.constraints if kind is None or part.kind == kind]
    # One without a name has a name of the database's own, or a convention's.
    generated = schema.dialect == "postgresql"
    named = all(part.sure and (part.name or (generated and part.generated)) for part in same)
    return named and not any(index.name == key.name for index in table.indexes)


def _may_be_named(name: str, table: Table, dialect: str | None) -> bool:
    """Whether an index may have that name: a convention's, UNIQUE's or a foreign key's own."""
    generated = any(index.name is None or not index.sure for index in table.indexes)
    own = dialect not in _INDEXES_BY_THEMSELVES
    unnamed = any(p.name is None and own for p in table.constraints if p.kind != "check")
    return generated or unnamed or any(part.is_known_as(name) for part in table.constraints)


def nearest(key: Key, schema: Schema) -> str | None:
    """What was probably meant: a name of the same kind that is there and looks alike."""
    if key.kind == "table":
        names = [name.name for name in schema.tables if name.schema == key.table.schema]
        wanted = key.table.name
    else:
        table = schema.table(key.table)
        wanted, names = key.name, _names(key.kind, table) if table else []
    return next(iter(get_close_matches(wanted, names, 1, _NEAR)), None)


def _names(kind: str, table: Table) -> list[str]:
    if kind == "column":
        return [column.name for column in table.columns]
    parts = table.indexes if kind == "index" else table.constraints
    return [part.name for part in parts if part.name]


def referring(table: Name, schema: Schema) -> Iterator[tuple[Name, str | None]]:
    """Tables whose foreign keys refer to a table, with the foreign keys' names."""
    for name in schema.tables.having(_referents, table):
        for part in schema.tables[name].constraints:
            if part.kind == "foreignkey" and part.referent == table and name != table:
                yield name, part.name


def _referents(table: Table) -> list[Name | None]:
    return [part.referent for part in table.constraints]


@dataclass(frozen=True, slots=True)
class Present:
    """An object that the downgrade makes though it is there already."""

    key: Key
    operation: Operation


def present_already(context: Context) -> Iterator[Present]:
    """What a downgrade makes though it certainly is there then, each once."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return
    seen: set[Key] = set()
    for trip in context.round_trips:
        if trip.down.unread or _anything_happened(context, trip):
            continue
        for operation, change, schema in trip.down.steps:
            if operation.doubtful or _asks_absence(operation, change):
                continue
            key = _made(change, schema, trip.dialect)
            known = key is not None and schema.knows(key.table)
            if key is not None and known and key not in seen and schema.has(key):
                seen.add(key)
                yield Present(key, operation)
            for enum in _types_again(change, schema, trip.dialect):
                if enum not in seen:
                    seen.add(enum)
                    yield Present(enum, operation)


def _types_again(change: c.Change, schema: Schema, dialect: str | None) -> list[Key]:
    """Enum types that Alembic makes with a table, without looking, though PostgreSQL has them."""
    if not isinstance(change, c.CreateTable) or dialect != "postgresql" or schema.opaque:
        return []
    return [Key("enum", enum.name) for enum in change.enums if enum.name in schema.enums]


def _asks_absence(operation: Operation, change: c.Change) -> bool:
    if isinstance(change, c.CreateTable | c.AddColumn | c.CreateIndex) and change.if_not_exists:
        return True
    if operation.says("OR", "REPLACE"):
        return True
    existing = any(guard.kind is GuardKind.EXISTENCE for guard in operation.guards)
    return existing or any(name == "if_not_exists" for name, _ in operation.arguments)


def _made(change: c.Change, schema: Schema, dialect: str | None) -> Key | None:
    """What a change makes, by its key; an index by that of the table which has its name."""
    if isinstance(change, c.CreateTable):
        return Key("table", change.table.name)
    if isinstance(change, c.AddColumn):
        return Key("column", change.table, change.column.name)
    if isinstance(change, c.CreateIndex) and change.index.name:
        # MySQL and MariaDB have names of indexes for each table.
        everywhere = dialect in {"postgresql", "sqlite"}
        there = schema.index(change.index.name, None if everywhere else change.index.table)
        if there is not None and there.table.schema == change.index.table.schema:
            return Key("index", there.table, change.index.name)
    if isinstance(change, c.AddConstraint) and change.constraint.name:
        return Key("constraint", change.table, change.constraint.name)
    return None
