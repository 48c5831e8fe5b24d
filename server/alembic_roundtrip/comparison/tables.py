"""What differs certainly between two states of one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

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
from alembic_roundtrip.migration.mentions import is_on
from alembic_roundtrip.migration.objects import Column, Constraint, Table
from alembic_roundtrip.schema import Key, Schema
from alembic_roundtrip.schema.names import known_as


class Found(NamedTuple):
    """One difference: its aspect, the column it is about (empty for none), its subject's name.

    The sentence goes on after that name.
    """

    aspect: str
    column: str
    subject: str
    sentence: str


def table_differences(
    before: Table, after: Table, schema: Schema, dialect: str | None
) -> Iterator[Found]:
    """What is in both and not the same; `schema` is the one that the first state is of."""
    yield from _columns(before, after, dialect)
    yield from _keys(before, after)
    yield from _constraints(before, after, schema)
    yield from _indexes(before, after)
    yield from _comments(before, after, dialect)


def _columns(before: Table, after: Table, dialect: str | None) -> Iterator[Found]:
    for old, new in _other_columns(before, after):
        yield from _column(before, old, new, dialect)


def _column(table: Table, old: Column, new: Column, dialect: str | None) -> Iterator[Found]:
    subject = f"{table.name}.{old.name}"
    if types_differ(old.type, new.type, dialect):
        assert old.type is not None
        assert new.type is not None
        sentence = f"has the type {new.type.text} instead of {old.type.text}"
        yield Found("type", old.name, subject, sentence)
    if nullability_differs(old, new):
        sentence = "takes NULL, which it did not" if new.nullable else "does not take NULL"
        yield Found("nullability", old.name, subject, sentence)
    if defaults_differ(old, new):
        was, now = (_shown(column) for column in (old, new))
        sentence = f"has {now} instead of {was}"
        yield Found("server default", old.name, subject, sentence)


def _comments(before: Table, after: Table, dialect: str | None) -> Iterator[Found]:
    if dialect == "sqlite":
        return
    if options_differ(before.options, after.options, "comment"):
        yield Found("definition", "", str(before.name), "has another comment")
    for old, new in _other_columns(before, after):
        if options_differ(old.options, new.options, "comment"):
            yield Found("definition", old.name, f"{before.name}.{old.name}", "has another comment")


def _shown(column: Column) -> str:
    default = column.server_default
    return "no server default" if default is None else f"the server default {default.text}"


def _other_columns(before: Table, after: Table) -> list[tuple[Column, Column]]:
    """Columns of one name that are not the very same."""
    columns = {column.name: column for column in after.columns}
    pairs = ((old, columns.get(old.name)) for old in before.columns)
    return [(old, new) for old, new in pairs if new is not None and new is not old]


def _primary(table: Table) -> tuple[str, ...]:
    """The columns of its primary key; each column may say that it is part of it."""
    parts = [part.columns for part in table.constraints if part.kind == "primary"]
    return tuple(dict.fromkeys(column for columns in parts for column in columns))


def _keys(before: Table, after: Table) -> Iterator[Found]:
    old, new = _primary(before), _primary(after)
    if old and set(old) != set(new):
        now = f"has the primary key ({', '.join(new)})" if new else "has no primary key"
        yield Found("primary key", "", str(before.name), f"{now} instead of ({', '.join(old)})")


def _constraints(before: Table, after: Table, schema: Schema) -> Iterator[Found]:
    if before.constraints is after.constraints:
        return
    for old in before.constraints:
        same = [part for part in after.constraints if part.kind == old.kind]
        if old in same or old.kind in {"primary", "exclude"}:
            continue
        subject = f"{before.name}.{old.name or ', '.join(old.columns)}"
        column = old.columns[0] if old.columns else ""
        if old.kind == "check":
            said = _check(old, same, schema.dialect)
        else:
            said = _constraint(old, same, after, schema)
        if said is not None:
            yield Found("definition", column, subject, said)


def _check(old: Constraint, same: list[Constraint], dialect: str | None) -> str | None:
    named = [part for part in same if part.name and part.name == old.name]
    differ = named and all(checks_differ(old, part, dialect) for part in named)
    return "checks another condition" if differ else None


def _constraint(
    old: Constraint, same: list[Constraint], after: Table, schema: Schema
) -> str | None:
    """What differs of a UNIQUE or foreign key, of those of its kind in the second state."""
    twins = [part for part in same if part.columns == old.columns]
    if twins:
        said = _foreign_key(old, twins, schema) if old.kind == "foreignkey" else None
        return said or _renamed(old, same, twins)
    named = [part for part in same if part.name and old.is_known_as(part.name)]
    if named and all(part.columns for part in (old, *named)):
        now, was = (", ".join(part.columns) for part in (named[0], old))
        return f"is on ({now}) instead of ({was})"
    there = all(after.column(name) is not None for name in old.columns)
    if old.name is None and there and not _unique_by_index(old.columns, after):
        return f"comes back without {'its foreign key' if old.kind == 'foreignkey' else 'UNIQUE'}"
    return None


def _renamed(old: Constraint, same: list[Constraint], twins: list[Constraint]) -> str | None:
    """The name that one has now, where both are given: what comes later may drop it by that."""
    new = twins[0]
    given = all(
        part.name is not None and part.generated is None and part.sure for part in (old, new)
    )
    if not given or len(twins) > 1 or any(part.is_known_as(old.name) for part in same):
        return None
    return f"is called `{new.name}`"


def _foreign_key(old: Constraint, twins: list[Constraint], schema: Schema) -> str | None:
    # One to a table that is gone follows its name, or does not: SQLite can be told.
    gone = old.referent not in schema.tables
    said = [
        None if gone and part.referent in schema.tables else foreign_keys_differ(old, part)
        for part in twins
    ]
    return said[0] if all(said) else None


def extras(before: Table, after: Table) -> Iterator[Key]:
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
    there = any(old.is_known_as(part.name) for old in before.constraints if old.kind == part.kind)
    return len(now) > len(was) and named and not there


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
        if index_shape(index) not in shapes and not any(is_on(index, name, ()) for name in foreign):
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


def _indexes(before: Table, after: Table) -> Iterator[Found]:
    if before.indexes is after.indexes:
        return
    # Of two with one name the first one counts.
    named = {index.name: index for index in reversed(after.indexes) if index.name}
    for old in before.indexes:
        new = named.get(old.name) if old.name else None
        said = indexes_differ(old, new) if new is not None and new is not old else None
        if said:
            yield Found("definition", "", f"{before.name}.{old.name}", said)
