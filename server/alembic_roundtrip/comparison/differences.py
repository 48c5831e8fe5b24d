"""What a downgrade brings back otherwise than it was at the parent revision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.comparison.definitions import defines, lost_in_batch, redefined
from alembic_roundtrip.comparison.equivalence import (
    checks_differ,
    defaults_differ,
    foreign_keys_differ,
    indexes_differ,
    is_foreign,
    nullability_differs,
    options_differ,
    types_differ,
)
from alembic_roundtrip.comparison.symmetry import index_shape
from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Operation
from alembic_roundtrip.migration.objects import Column, Constraint, Name, Table
from alembic_roundtrip.schema import Key, Schema
from alembic_roundtrip.schema.names import known_as

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


def differences(context: Context, aspect: str) -> Iterator[Difference]:
    """What comes back otherwise in one aspect, each subject once; silent where unsure."""
    seen: set[str] = set()
    for difference in context.memory("differences", _all):
        if difference.aspect == aspect and difference.subject not in seen:
            seen.add(difference.subject)
            yield difference


def _all(context: Context) -> tuple[Difference, ...]:
    downgrade, upgrade = context.written_downgrade, context.migration.upgrade
    if downgrade is None or upgrade is None:
        return ()
    trips = [trip for trip in context.round_trips if not trip.down.unread]
    found = [
        difference
        for trip in trips
        for table, after in _touched(trip)
        for difference in _Blame(trip, upgrade, downgrade).between(table, after)
    ]
    for trip in trips:
        found += _redefined(trip, upgrade, downgrade)
        found += _lost_in_batch(trip, upgrade, downgrade)
        found += _not_altered_back(trip, upgrade, downgrade)
    return tuple(found)


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
        found = [
            *self._columns(before, after),
            *_keys(before, after),
            *_constraints(before, after, self.trip.before),
            *_indexes(before, after),
            *self._comments(before, after),
        ]
        for aspect, column, subject, sentence in found:
            blamed = self._blamed(before.name, column)
            if blamed is not None and not blamed[1].doubtful:
                direction, operation = blamed
                yield Difference(aspect, subject, sentence, operation, direction, self.downgrade)
        for key in _extras(before, after):
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

    def _columns(self, before: Table, after: Table) -> Iterator[_Found]:
        for old, new in _other_columns(before, after):
            yield from self._column(before, old, new)

    def _column(self, table: Table, old: Column, new: Column) -> Iterator[_Found]:
        subject = f"{table.name}.{old.name}"
        if types_differ(old.type, new.type, self.trip.dialect):
            assert old.type is not None
            assert new.type is not None
            sentence = f"has the type {new.type.text} instead of {old.type.text}"
            yield "type", old.name, subject, sentence
        if nullability_differs(old, new):
            sentence = "takes NULL, which it did not" if new.nullable else "does not take NULL"
            yield "nullability", old.name, subject, sentence
        if defaults_differ(old, new):
            was, now = (_shown(column) for column in (old, new))
            sentence = f"has {now} instead of {was}"
            yield "server default", old.name, subject, sentence

    def _comments(self, before: Table, after: Table) -> Iterator[_Found]:
        if self.trip.dialect == "sqlite":
            return
        if options_differ(before.options, after.options, "comment"):
            yield "definition", "", str(before.name), "has another comment"
        for old, new in _other_columns(before, after):
            if options_differ(old.options, new.options, "comment"):
                yield "definition", old.name, f"{before.name}.{old.name}", "has another comment"

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
_Found = tuple[str, str, str, str]
"""Aspect, column it is about (empty for none), subject, sentence."""


def _shown(column: Column) -> str:
    default = column.server_default
    return "no server default" if default is None else f"the server default {default.text}"


def _is_about(change: c.Change, table: Name, column: str | None) -> bool:
    if table not in c.tables_of(change):
        return False
    if column is None or isinstance(change, c.CreateTable | c.DropTable):
        return True
    if isinstance(change, _ABOUT_COLUMNS):
        name = change.column.name if isinstance(change, c.AddColumn) else change.column
        return name == column
    return False


def _other_columns(before: Table, after: Table) -> list[tuple[Column, Column]]:
    """Columns of one name that are not the very same."""
    columns = {column.name: column for column in after.columns}
    pairs = ((old, columns.get(old.name)) for old in before.columns)
    return [(old, new) for old, new in pairs if new is not None and new is not old]


def _primary(table: Table) -> tuple[str, ...]:
    """The columns of its primary key; each column may say that it is part of it."""
    parts = [part.columns for part in table.constraints if part.kind == "primary"]
    return tuple(dict.fromkeys(column for columns in parts for column in columns))


def _keys(before: Table, after: Table) -> Iterator[_Found]:
    old, new = _primary(before), _primary(after)
    if old and set(old) != set(new):
        now = f"has the primary key ({', '.join(new)})" if new else "has no primary key"
        yield "primary key", "", str(before.name), f"{now} instead of ({', '.join(old)})"


def _constraints(before: Table, after: Table, schema: Schema) -> Iterator[_Found]:
    if before.constraints is after.constraints:
        return
    for old in before.constraints:
        same = [part for part in after.constraints if part.kind == old.kind]
        if old in same or old.kind in {"primary", "exclude"}:
            continue
        subject = f"{before.name}.{old.name or ', '.join(old.columns)}"
        column = old.columns[0] if old.columns else ""
        if old.kind == "check":
            named = [part for part in same if part.name and part.name == old.name]
            if named and all(checks_differ(old, part) for part in named):
                yield "definition", column, subject, "checks another condition"
            continue
        twins = [part for part in same if part.columns == old.columns]
        named = [part for part in same if part.name and old.is_known_as(part.name)]
        if named and not twins and all(part.columns for part in (old, *named)):
            now, was = (", ".join(part.columns) for part in (named[0], old))
            yield "definition", column, subject, f"is on ({now}) instead of ({was})"
            continue
        if old.kind == "foreignkey" and twins:
            # One to a table that is gone follows its name, or does not: SQLite can be told.
            gone = old.referent not in schema.tables
            said = [
                None if gone and part.referent in schema.tables else foreign_keys_differ(old, part)
                for part in twins
            ]
            if all(said) and said[0]:
                yield "definition", column, subject, said[0]
        if not twins and old.name is None and not _unique_by_index(old.columns, after):
            what = "its foreign key" if old.kind == "foreignkey" else "UNIQUE"
            if all(after.column(name) is not None for name in old.columns):
                yield "definition", column, subject, f"comes back without {what}"


def _extras(before: Table, after: Table) -> Iterator[Key]:
    """What only the second table has, by its name and by what it is."""
    names = {column.name for column in before.columns}
    yield from (Key("column", after.name, c.name) for c in after.columns if c.name not in names)
    yield from (Key("index", after.name, name) for name in _extra_indexes(before, after))
    for part in after.constraints:
        if part.name is None or not part.columns or part.kind == "primary":
            continue
        if not any(_alike(part, old) for old in before.constraints) or _is_one_more(
            part, before, after
        ):
            yield Key("constraint", after.name, part.name)


def _is_one_more(part: Constraint, before: Table, after: Table) -> bool:
    """Whether there are more of its kind on its columns, and none had its name."""
    was, now = (
        [other for other in table.constraints if _same_columns(other, part)]
        for table in (before, after)
    )
    named = all(known_as(old) is not None and old.sure for old in was)
    return len(now) > len(was) and named and not any(old.is_known_as(part.name) for old in was)


def _same_columns(one: Constraint, other: Constraint) -> bool:
    return one.kind == other.kind and one.columns == other.columns


def _extra_indexes(before: Table, after: Table) -> Iterator[str]:
    names = {index.name for index in before.indexes}
    new = [index for index in after.indexes if index.name and index.name not in names]
    if not new:
        return
    shapes = {index_shape(index) for index in before.indexes}
    # Types of others, of geometries for one, make indexes of their own.
    foreign = [column.name for column in after.columns if is_foreign(column.type)]
    for index in new:
        if index_shape(index) not in shapes and not any(map(index.mentions, foreign)):
            assert index.name is not None
            yield index.name


def _alike(one: Constraint, other: Constraint) -> bool:
    named = one.name is not None and other.is_known_as(one.name)
    return one.kind == other.kind and (named or one.columns == other.columns)


def _unique_by_index(columns: tuple[str, ...], table: Table) -> bool:
    return any(
        index.unique and tuple(part.value for part in index.columns) == columns
        for index in table.indexes
    )


def _indexes(before: Table, after: Table) -> Iterator[_Found]:
    if before.indexes is after.indexes:
        return
    # Of two with one name the first one counts.
    named = {index.name: index for index in reversed(after.indexes) if index.name}
    for old in before.indexes:
        new = named.get(old.name) if old.name else None
        said = indexes_differ(old, new) if new is not None and new is not old else None
        if said:
            yield "definition", "", f"{before.name}.{old.name}", said


def _redefined(trip: RoundTrip, upgrade: Direction, downgrade: Direction) -> Iterator[Difference]:
    """Enum types and objects made by SQL, by the last operation that defined them."""
    for kind, name, sentence in redefined(trip.before, trip.down.schema):
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
