"""Data that an upgrade or a rollback destroys, as far as reading tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from alembic_roundtrip.comparison.origins import Origins
from alembic_roundtrip.comparison.symmetry import dropped_key
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.changes import Kinds
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, Table
from alembic_roundtrip.migration.sql import copies_of
from alembic_roundtrip.migration.vocabulary import words_of
from alembic_roundtrip.schema import Key, Schema

DESTROYING: Kinds = (c.DropTable, c.DropColumn, c.WriteRows)
"""The changes that data can go with."""

_FOLDING = MYSQL | {"sqlite"}
"""Databases that take a name in other letters for the same column."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class PredictedLoss:
    """An operation that destroys data which a rollback cannot bring back.

    `subject` names what loses its values; `direction` is where the operation stands.
    """

    operation: Operation
    direction: str
    subject: str
    sentence: str


def predicted_losses(context: Context) -> tuple[PredictedLoss, ...]:
    """Every loss that follows from the code; each operation and subject once."""
    return context.memory("predicted losses", _predicted)


def _predicted(context: Context) -> tuple[PredictedLoss, ...]:
    found: dict[tuple[object, str], PredictedLoss] = {}
    for trip in context.round_trips:
        for loss in (*_in_upgrade(context, trip), *_in_downgrade(context, trip)):
            found.setdefault((loss.operation.range, loss.subject), loss)
    return tuple(found.values())


def new_data_lost(context: Context) -> tuple[str, ...]:
    """The tables and columns of this revision that the downgrade drops with what is in them."""
    trip = context.round_trips[0]
    lost: dict[str, None] = {}
    for operation, change, schema in trip.down.steps:
        key = dropped_key(change, schema)
        made = key is not None and key in trip.up.origins and not trip.before.has(key)
        if key is not None and made and key.kind in {"table", "column"} and not operation.doubtful:
            lost[str(key)] = None
    return tuple(lost)


def _in_upgrade(context: Context, trip: RoundTrip) -> Iterator[PredictedLoss]:
    """What was there before and the upgrade destroys: no downgrade can bring it back."""
    kept: frozenset[Key] | None = None
    origins = Origins()
    for operation in context.upgrade_operations:
        if not operation.runs_on(trip.dialect):
            continue
        for change in operation.changes:
            origins.follow(change)
            if not isinstance(change, c.DropTable | c.DropColumn | c.WriteRows):
                continue
            kept = _copied_elsewhere(context) if kept is None else kept
            was = origins.formerly(change)
            subject = _destroyed(was, trip.before, origins.also(kept)) if was else None
            if subject:
                sentence = f"{_subject(subject, change)} cannot be restored."
                yield PredictedLoss(operation, "upgrade", subject, sentence)


def _in_downgrade(context: Context, trip: RoundTrip) -> Iterator[PredictedLoss]:
    """What the downgrade destroys of older data: moved into new tables, or dropped with old ones.

    Dropping what this upgrade created empty loses only what was written since, and is normal.
    """
    made = _made(trip)
    moved = set(_moved_into(context, trip, made)) - _copied_back(context)
    columns = _moved_columns(context, trip)
    kept: frozenset[Key] | None = None
    for operation in context.downgrade_operations:
        if not operation.runs_on(trip.dialect):
            continue
        for change in operation.changes:
            if not isinstance(change, DESTROYING):
                continue
            kept = (
                frozenset(_copied_by(context.downgrade_operations, context))
                if kept is None
                else kept
            )
            # Of a table made in another's place, nothing is older but what was moved into it.
            own = isinstance(change, c.DropTable) and change.table in made
            older = None if own else _destroyed(change, trip.before, kept)
            subject = older or _moved(change, moved)
            if subject is None and isinstance(change, c.DropColumn):
                subject = columns.get(Key("column", change.table, change.column))
            if subject:
                sentence = f"{_subject(subject, change)} are lost."
                yield PredictedLoss(operation, "downgrade", subject, sentence)


def _subject(subject: str, change: c.Change) -> str:
    if isinstance(change, c.DropColumn):
        return f"The values of {subject}"
    return f"The rows of {subject}"


def _destroyed(change: c.Change, before: Schema, kept: frozenset[Key]) -> str | None:
    """What a change destroys of the data that was there at the parent revision."""
    if isinstance(change, c.DropTable | c.DropColumn):
        key = table = Key("table", change.table)
        if isinstance(change, c.DropColumn):
            key = Key("column", change.table, change.column)
        if not before.has(key) or kept.intersection((key, table)):
            return None
        return None if key is table and _all_copied(before.table(change.table), kept) else str(key)
    if isinstance(change, c.WriteRows) and change.verb in {"delete", "truncate"}:
        known = change.table is not None and change.table in before.tables
        return str(change.table) if known and not change.bounded else None
    return None


def _all_copied(table: Table | None, kept: frozenset[Key]) -> bool:
    """Whether every column of a table was copied, as where it is made anew under its own name."""
    if table is None:
        return False
    copied = (Key("column", table.name, column.name) in kept for column in table.columns)
    return bool(table.columns) and all(copied)


def _moved(change: c.Change, moved: set[Name]) -> str | None:
    if isinstance(change, c.DropTable) and change.table in moved:
        return str(change.table)
    return None


def _made(trip: RoundTrip) -> frozenset[Name]:
    """Tables that the upgrade makes, those in the place of older ones as well."""
    return frozenset(
        change.table.name
        for _, change, schema in trip.up.steps
        if isinstance(change, c.CreateTable) and change.table.name not in schema.tables
    )


def _stood_for(trip: RoundTrip, made: frozenset[Name]) -> Iterator[Name]:
    """Tables made in the place of older ones that are gone after the upgrade."""
    origins = Origins()
    for _, change, _ in trip.up.steps:
        origins.follow(change)
    there = {origins.table(name) for name in trip.up.schema.tables if name not in made}
    yield from (name for name in made if name in trip.before.tables and name not in there)


def _moved_into(context: Context, trip: RoundTrip, made: frozenset[Name]) -> Iterator[Name]:
    """Tables made by this upgrade that older rows were moved into."""
    instead = frozenset(_stood_for(trip, made))
    dropped = any(
        isinstance(change, DESTROYING) and _destroyed(change, trip.before, frozenset())
        for operation in context.upgrade_operations
        for change in operation.changes
    )
    changes = [change for op in context.upgrade_operations for change in op.changes]
    for change in changes:
        if not isinstance(change, c.WriteRows) or change.verb != "insert" or change.table is None:
            continue
        if change.table in instead and not change.rows and change.read != frozenset():
            yield change.table
        if dropped and change.table not in trip.before.tables:
            yield change.table


def _moved_columns(context: Context, trip: RoundTrip) -> dict[Key, str]:
    """New columns that hold what an older one did, with its name, where nothing takes it back."""
    if trip.down.unread:
        return {}
    gone = {
        Key("column", change.table, change.column)
        for operation in context.upgrade_operations
        for change in operation.changes
        if isinstance(change, c.DropColumn) and not operation.doubtful
    }
    spelled, again = _spelling(context), _spoken_of_again(context) if gone else None
    if again is None:
        return {}
    moved = (
        (Key("column", change.table, change.columns[0]), old)
        for operation in context.upgrade_operations
        for old in gone.intersection(_copied_by([operation], context))
        for change in operation.changes
        if isinstance(change, c.WriteRows) and change.table and len(change.columns) == 1
    )
    return {
        new: str(old)
        for new, old in moved
        if trip.before.has(old) and not trip.before.has(new) and spelled(new.name) not in again
    }


def _spoken_of_again(context: Context) -> frozenset[str] | None:
    """The words of the downgrade but for columns that it drops; None where it is elsewhere."""
    migration, spelled = context.migration, _spelling(context)
    sql: dict[bool, list[str]] = {True: [], False: []}
    for operation in context.downgrade_operations:
        drops = any(isinstance(change, c.DropColumn) for change in operation.changes)
        sql[drops].append(operation.sql)
    words = words_of(
        migration.source, migration.function("downgrade"), apart=sql[True], calls=("drop_column",)
    )
    if words is None:
        return None
    return frozenset(map(spelled, words.union(_WORD.findall(" ".join(sql[False])))))


def _copied_back(context: Context) -> set[Name]:
    """Tables that the downgrade reads to write others, whatever it takes of them."""
    tables = {
        change.table
        for operation in context.downgrade_operations
        for change in operation.changes
        if isinstance(change, c.DropTable)
    }
    read = [words for _, words in _made_of_others(context, context.downgrade_operations)]
    spelled = _spelling(context)
    return {table for table in tables if any(spelled(table.name) in words for words in read)}


def kept_aside(context: Context) -> frozenset[Key]:
    """Tables and columns whose values the upgrade copies elsewhere, or that get another name."""
    changes = (change for each in context.upgrade_operations for change in each.changes)
    renamed = {Key("table", each.table) for each in changes if isinstance(each, c.RenameTable)}
    return _copied_elsewhere(context).union(renamed)


def _copied_elsewhere(context: Context) -> frozenset[Key]:
    copied = _copied_by(context.upgrade_operations, context)
    return frozenset(copied).union(_brought_back(context))


def _copied_by(operations: Iterable[Operation], context: Context) -> Iterator[Key]:
    """What statements of a direction copy of every row."""
    certain = (operation for operation in operations if not operation.doubtful)
    for operation in certain:
        for table, column in copies_of(operation.sql, tuple(context.dialects)):
            yield Key("table", table) if column is None else _column(context, table, column)


def _brought_back(context: Context) -> Iterator[Key]:
    """Columns and tables whose values the upgrade writes elsewhere and the downgrade back again."""
    written = list(_made_of_others(context, context.upgrade_operations))
    spelled = _spelling(context)
    for change, back in _made_of_others(context, context.downgrade_operations):
        assert change.table is not None
        for there, read in written:
            assert there.table is not None
            targets = {*map(spelled, there.columns)} or {spelled(there.table.name)}
            if there.table != change.table:
                targets.add(spelled(there.table.name))
            if targets.isdisjoint(back):
                continue
            # Of an UPDATE that is not read any word may be a column that it sets.
            named = change.columns if change.columns or change.read is not None else back
            yield from (_column(context, change.table, n) for n in named if spelled(n) in read)
            if change.verb == "insert" and spelled(change.table.name) in read:
                before = context.before.table(change.table)
                filled = {*map(spelled, change.columns)} or {"*"}
                columns = {spelled(x.name) for x in before.columns} if before else set()
                if "*" in filled or filled >= columns:
                    yield Key("table", change.table)


def _spelling(context: Context) -> Callable[[str], str]:
    """A name as all databases of the project compare it with others."""
    folds = context.dialects and _FOLDING.issuperset(context.dialects)
    return str.lower if folds else str


def _column(context: Context, table: Name, name: str) -> Key:
    """A column, spelled as the history has it."""
    before = context.before.table(table)
    spelled = _spelling(context)
    same = [x.name for x in before.columns if spelled(x.name) == spelled(name)] if before else []
    return Key("column", table, same[0] if same else name)


def _made_of_others(
    context: Context, operations: Iterable[Operation]
) -> Iterator[tuple[c.WriteRows, frozenset[str]]]:
    """Rows that are written from others, with the names of what their values are made of."""
    for operation in operations:
        for change in operation.changes:
            if not isinstance(change, c.WriteRows) or change.table is None:
                continue
            if change.computed or (change.verb == "insert" and not change.rows):
                read = change.read
                words = _words(context, operation, change) if read is None else read
                yield change, frozenset(map(_spelling(context), words))


def _words(context: Context, operation: Operation, change: c.WriteRows) -> frozenset[str]:
    """All words of the statement that writes rows, where it is not known which of them are read."""
    assert change.table is not None
    said = set(_WORD.findall(context.migration.source.slice(operation.statement)))
    if not {change.table.name, *change.columns} <= said:  # a helper says it
        given = " ".join(argument.text for _, argument in operation.arguments)
        said.update(_WORD.findall(given))
    return frozenset(said)
