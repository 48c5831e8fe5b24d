"""How changes of whole tables change a schema."""

from __future__ import annotations

from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    Table,
    option,
    without,
)
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.names import known_as, with_names, with_sequences
from alembic_roundtrip.schema.state import keys_of

_NATIVE = {
    "postgresql": frozenset({"Boolean", "Enum"}),
    "mysql": frozenset({"Enum"}),
    "mariadb": frozenset({"Enum"}),
}
"""Types that a database needs no CHECK for."""


def create_table(draft: Draft, change: c.CreateTable) -> None:
    """Create a table, with the names that the database gives to constraints."""
    constraints = needed(draft, change.table.constraints)
    if draft.dialect == "postgresql":
        constraints = _merged(constraints)
    if draft.dialect == "sqlite" and _never_reuses(change.table):
        # The key is written at its column then, where it can have no name.
        constraints = tuple(
            replace(part, name=None, sure=True) if part.kind == "primary" else part
            for part in constraints
        )
    table = with_keys_filled(draft, replace(change.table, constraints=constraints))
    table = with_names(table, draft.dialect, draft.taken)
    draft.put(table)
    draft.made += keys_of(table)
    draft.know(table.name)
    draft.add_enums(change.enums)


def _never_reuses(table: Table) -> bool:
    """Whether SQLite is asked to never give a number twice."""
    asked = option(table.options, "sqlite_autoincrement")
    return asked is not None and asked.value is True


def needed(draft: Draft, constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """Constraints without the CHECKs of types that the database has itself."""
    if not constraints or not any(part.of_type for part in constraints):
        return constraints
    native = _NATIVE.get(draft.dialect or "", frozenset())
    known = draft.dialect is not None
    return tuple(p for p in constraints if not p.of_type or (known and p.of_type not in native))


def with_keys_filled(draft: Draft, table: Table) -> Table:
    """SQLite takes a primary key that is NULL where the column says so; others do not."""
    primary = {c for part in table.constraints if part.kind == "primary" for c in part.columns}
    if draft.dialect == "sqlite" or all(
        column.nullable is False for column in table.columns if column.name in primary
    ):
        return table
    columns = tuple(
        replace(column, nullable=False) if column.name in primary else column
        for column in table.columns
    )
    return replace(table, columns=columns)


def drop_table(draft: Draft, change: c.DropTable) -> None:
    """Drop a table with all that is known of it."""
    draft.tables = draft.tables.without(change.table)
    draft.know(change.table)
    draft.outdate_views(change.table.name)
    if change.cascade and draft.dialect == "postgresql":
        draft.drop_references(change.table)
    if draft.dialect == "sqlite":
        draft.gone |= {change.table}


def rename_table(draft: Draft, change: c.RenameTable) -> None:
    """Rename a table; foreign keys follow, names of indexes and constraints stay."""
    new = change.new
    table = draft.tables.get(change.table)
    draft.tables = draft.tables.without(change.table)
    if table is None or change.table in draft.unknown:
        draft.know(change.table)
        draft.doubt_tables(new)
    if table is not None:
        draft.kept |= {part.name for part in table.indexes if part.name}
        draft.kept |= {name for part in table.constraints if (name := known_as(part))}
        indexes = tuple(replace(index, table=new) for index in table.indexes)
        moved = replace(table, name=new, indexes=indexes)
        draft.put(with_sequences(moved, table, {}))
        draft.outdate(change.table.name)
        draft.made += keys_of(moved)
        draft.retarget(change.table, new, {})


def set_comment(draft: Draft, change: c.SetComment) -> None:
    """Set or remove the comment of a table."""
    options = without(draft.parts(change.table).options, "comment")
    if change.comment is not None and change.comment.value is not None:
        options = (*options, ("comment", change.comment))
    draft.change(change.table, options=options)


def _merged(constraints: tuple[Constraint, ...]) -> tuple[Constraint, ...]:
    """PostgreSQL makes one index for a primary key and a UNIQUE on the same columns."""
    primary = next((part for part in constraints if part.kind == "primary"), None)
    same = [
        p for p in constraints if primary and (p.kind, p.columns) == ("unique", primary.columns)
    ]
    if primary is None or not same:
        return constraints
    named = replace(primary, name=primary.name or same[0].name)
    return tuple(named if p is primary else p for p in constraints if p not in same)


def with_known_nulls(table: Table) -> Table:
    """A table that is about to have another primary key: its columns keep what the old one said."""
    primary = {name for p in table.constraints if p.kind == "primary" for name in p.columns}
    columns = tuple(
        column
        if option(column.options, "nullable") is not None
        else _taking_null(column, column.nullable if column.name not in primary else False)
        for column in table.columns
    )
    return replace(table, columns=columns)


def _taking_null(column: Column, nullable: bool | None) -> Column:
    if nullable is None:
        return column
    return replace(column, nullable=nullable).with_option("nullable", literal(nullable))
