"""What a downgrade brings back otherwise than it was at the parent revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from alembic_roundtrip.comparison.definitions import defines, gone, lost_in_batch, redefined
from alembic_roundtrip.comparison.equivalence import types_differ
from alembic_roundtrip.comparison.tables import extras, table_differences
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Name, Table
from alembic_roundtrip.schema import Key

_ABOUT_COLUMNS = (c.AlterColumn, c.DropColumn, c.AddColumn)


@dataclass(frozen=True, slots=True)
class Difference:
    """A part of the schema that is there after the downgrade, but certainly otherwise.

    `aspect` is `type`, `nullability`, `server default`, `primary key` or `definition`; `sentence`
    goes on after the name of what differs. `operation` is the one that is to blame.
    """

    aspect: str
    subject: str
    sentence: str
    operation: Operation
    direction: Direction
    downgrade: Direction
    dialects: frozenset[str | None] = frozenset()
    """Where it is so, of those that the project is for."""


def differences(context: Context, aspect: str) -> Iterator[Difference]:
    """What comes back otherwise in one aspect, each subject once; silent where unsure."""
    found: dict[str, Difference] = {}
    for difference in context.memory("differences", _all):
        if difference.aspect == aspect:
            first = found.setdefault(difference.subject, difference)
            dialects = first.dialects | difference.dialects
            found[difference.subject] = replace(first, dialects=dialects)
    yield from found.values()


def _all(context: Context) -> tuple[Difference, ...]:
    downgrade, upgrade = context.written_downgrade, context.migration.upgrade
    if downgrade is None or upgrade is None:
        return ()
    found: list[Difference] = []
    for trip in context.round_trips:
        if not trip.down.unread:
            seen = (*_between(trip, upgrade, downgrade), *_beside(trip, upgrade, downgrade))
            found += (replace(each, dialects=frozenset({trip.dialect})) for each in seen)
    return tuple(found)


def _between(trip: RoundTrip, upgrade: Direction, downgrade: Direction) -> Iterator[Difference]:
    for table, after in _touched(trip):
        yield from _Blame(trip, upgrade, downgrade).between(table, after)


def _beside(trip: RoundTrip, upgrade: Direction, downgrade: Direction) -> Iterator[Difference]:
    yield from _redefined(trip, upgrade, downgrade)
    yield from _lost_in_batch(trip, upgrade, downgrade)
    yield from _not_altered_back(trip, upgrade, downgrade)


def _touched(trip: RoundTrip) -> Iterator[tuple[Table, Table]]:
    """Tables that are known before and after, and not the same."""
    down = trip.down.schema
    for name in trip.before.tables.changed(down.tables):
        before, after = trip.before.tables[name], down.tables.get(name)
        # Most come back as they were, with the very same parts: that is seen at once.
        if after is None or after == before:
            continue
        if trip.before.knows(name) and down.knows(name):
            yield before, after


@dataclass(frozen=True, slots=True)
class _Blame:
    """Holds two states of a table against each other and finds the operation behind it."""

    trip: RoundTrip
    upgrade: Direction
    downgrade: Direction

    def between(self, before: Table, after: Table) -> Iterator[Difference]:
        trip = self.trip
        for found in table_differences(before, after, trip.before, trip.dialect):
            blamed = self._blamed(before.name, found.column)
            if blamed is not None and not blamed[1].doubtful:
                what = found.aspect, found.subject, found.sentence
                yield Difference(*what, *blamed[::-1], self.downgrade)
        for key in extras(before, after):
            made_by = self.trip.down.origins.get(key)
            if made_by is not None and not made_by.doubtful and not self._dropped(key):
                sentence = f"is {_ARTICLES[key.kind]} that was not there before"
                yield Difference(
                    "definition", str(key), sentence, made_by, self.downgrade, self.downgrade
                )

    def _dropped(self, key: Key) -> bool:
        """Whether the upgrade drops it: it was there, though nothing that was read made it."""
        return any(
            getattr(change, "name", None) == key.name or getattr(change, "column", "") == key.name
            for operation in self.upgrade.operations
            for change in operation.changes
            if isinstance(change, c.DropIndex | c.DropConstraint | c.DropColumn)
            and not (isinstance(change, c.DropConstraint) and change.if_exists)
        )

    def _blamed(self, table: Name, column: str) -> tuple[Direction, Operation] | None:
        """The last operation that had to do with it: in the downgrade, else in the upgrade."""
        for about in (column, None):
            for direction in (self.downgrade, self.upgrade):
                for operation in reversed(direction.operations):
                    if operation.runs_on(self.trip.dialect) and any(
                        _is_about(change, table, about) for change in operation.changes
                    ):
                        return direction, operation
        return None


_ARTICLES = {"column": "a column", "index": "an index", "constraint": "a constraint"}


def _is_about(change: c.Change, table: Name, column: str | None) -> bool:
    if table not in c.tables_of(change):
        return False
    if column is None or isinstance(change, c.CreateTable | c.DropTable):
        return True
    if isinstance(change, _ABOUT_COLUMNS):
        name = change.column.name if isinstance(change, c.AddColumn) else change.column
        return name == column
    return False


def _redefined(trip: RoundTrip, upgrade: Direction, downgrade: Direction) -> Iterator[Difference]:
    """Enum types and objects made by SQL, by the last operation that defined them."""
    up, down = trip.up.schema, trip.down.schema
    found = (*redefined(trip.before, down), *gone(trip.before, up, down))
    for kind, name, sentence in found:
        for direction in (downgrade, upgrade):
            blamed = [
                operation
                for operation in direction.operations
                if operation.runs_on(trip.dialect)
                and any(defines(change, kind, name) for change in operation.changes)
            ]
            if blamed:
                if not blamed[-1].doubtful:
                    yield Difference(
                        "definition", str(name), sentence, blamed[-1], direction, downgrade
                    )
                break


def _lost_in_batch(
    trip: RoundTrip, upgrade: Direction, downgrade: Direction
) -> Iterator[Difference]:
    """Indexes that nobody drops, by the last batch that made their table anew."""
    batches = [
        (direction, operation)
        for direction in (upgrade, downgrade)
        for operation in direction.operations
        if operation.batch is not None and operation.runs_on(trip.dialect)
    ]
    for before, after in _touched(trip) if trip.dialect == "sqlite" else ():
        mine = [pair for pair in batches if pair[1].batch and pair[1].batch.table == before.name]
        dropped = {
            getattr(change, "name", None)
            for direction in (upgrade, downgrade)
            for operation in direction.operations
            for change in operation.changes
            if isinstance(change, c.DropIndex)
        }
        for name, sentence in lost_in_batch(before, after) if mine else ():
            if name not in dropped and not mine[-1][1].doubtful:
                subject = f"{before.name}.{name}"
                yield Difference("definition", subject, sentence, *mine[-1][::-1], downgrade)


def _not_altered_back(
    trip: RoundTrip, upgrade: Direction, downgrade: Direction
) -> Iterator[Difference]:
    """Columns of tables that are not known, altered by the upgrade and by nothing afterwards.

    What such a column was, the call itself says: `existing_type` beside `type_`.
    """
    for operation in upgrade.operations:
        if not operation.runs_on(trip.dialect) or operation.doubtful:
            continue
        for change in operation.changes:
            if not isinstance(change, c.AlterColumn) or trip.before.knows(change.table):
                continue
            for aspect, argument, sentence in _altered(change, trip.dialect):
                if not _comes_or_goes(change, upgrade) and not _answered(
                    change, argument, downgrade
                ):
                    subject = f"{change.table}.{change.column}"
                    yield Difference(aspect, subject, sentence, operation, upgrade, downgrade)


def _altered(change: c.AlterColumn, dialect: str | None) -> Iterator[tuple[str, str, str]]:
    given = dict(change.options)
    old, new, nullable = given.get("existing_type"), given.get("type_"), given.get("nullable")
    if old is not None and new is not None and types_differ(old, new, dialect):
        yield "type", "type_", f"has the type {new.text} instead of {old.text}"
    if nullable is not None and isinstance(nullable.value, bool):
        said = "takes NULL, which it did not" if nullable.value else "does not take NULL"
        if "existing_nullable" not in given and "new_column_name" not in given:
            yield "nullability", "nullable", said


def _comes_or_goes(change: c.AlterColumn, upgrade: Direction) -> bool:
    """Whether the upgrade makes or drops the column or its table, or alters it more than once."""
    name = _names(change)[-1]
    about = [
        other
        for operation in upgrade.operations
        for other in operation.changes
        if _is_about(other, change.table, change.column) or _is_about(other, change.table, name)
    ]
    return len(about) > 1


def _answered(change: c.AlterColumn, argument: str, downgrade: Direction) -> bool:
    """Whether the downgrade says anything of that argument, or of more than the column."""
    for operation in downgrade.operations:
        for other in operation.changes:
            if isinstance(other, c.Unknown | c.RenameTable) and change.table in c.tables_of(other):
                return True
            if not any(_is_about(other, change.table, name) for name in _names(change)):
                continue
            if not isinstance(other, c.AlterColumn) or argument in dict(other.options):
                return True
    return False


def _names(change: c.AlterColumn) -> tuple[str, ...]:
    new = dict(change.options).get("new_column_name")
    return (change.column,) if new is None or new.string is None else (change.column, new.string)
