"""Rows that a written downgrade may find against what it brings back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from alembic_roundtrip.comparison.casting import narrowing
from alembic_roundtrip.comparison.equivalence import read_type
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.mentions import mentions
from alembic_roundtrip.migration.objects import Column, Constraint, Index, Name, Table, option
from alembic_roundtrip.scaffold.alteration import type_name
from alembic_roundtrip.schema import Schema

_ABOUT_NULL = re.compile(r"\bnull\b", re.IGNORECASE)
"""What else a CHECK asks of a value, NULL passes."""
_OR_NULL = re.compile(r"\bis\s+null\s+or\b|\bor\s+[\w.\"`]+\s+is\s+null\b", re.IGNORECASE)


def fragile(rows: str | None) -> list[str]:
    """The comment above a statement that these rows would stop."""
    return [f"# FRAGILE: {rows} would stop this."] if rows else []


def against_index(index: Index, later: Schema) -> str | None:
    """Rows against an index, where the upgrade's schema does not refuse them itself."""
    columns = [str(column.value) for column in index.columns if column.string]
    now = later.table(index.table)
    if not index.unique or (now is not None and now.tells_apart(columns)):
        return None
    if len(columns) < len(index.columns):
        return f"duplicates for {index.name} in {index.table}"
    return _duplicates(index.table, columns)


def against_constraint(table: Name, part: Constraint, later: Schema) -> str | None:
    """Rows against a constraint, where the upgrade's schema does not refuse them itself."""
    now = later.table(table)
    if any(_means(part) == _means(other) for other in (now.constraints if now else ())):
        return None
    if part.kind in {"primary", "unique"}:
        told = now is not None and now.tells_apart(part.columns)
        return None if told else _duplicates(table, part.columns)
    if part.kind == "foreignkey" and part.referent is not None:
        return f"values in {_columns(table, part.columns)} that {part.referent} lacks"
    return f"rows of {table} against {part.name}"


def against_refilled(
    part: Constraint, table: Table, column: Column, dialects: tuple[str, ...]
) -> str | None:
    """Rows against a constraint of a column that comes back with the same value everywhere."""
    asks = any(
        _ABOUT_NULL.search(each.text)
        and not _OR_NULL.search(each.text)
        and mentions(each, column.name, dialects)
        for each in part.arguments
    )
    if part.kind == "check" and asks:
        return f"rows of {table.name} against {part.name or 'a CHECK'}"
    if part.kind == "unique" and part.columns == (column.name,) and column.server_default:
        return f"more than one row in {table.name}"
    return None


def against_refilled_index(index: Index, column: Column) -> str | None:
    """Rows against an index of a column that comes back with the same value everywhere."""
    alone = [part.string for part in index.columns] == [column.name]
    if not (alone and index.unique and column.server_default):
        return None
    return f"more than one row in {index.table}"


def against_column(
    change: c.AlterColumn,
    column: Column | None,
    old: Expression | None,
    dialects: tuple[str, ...],
    later: Schema,
) -> Iterator[str]:
    """Values against the definition that a column had, of the type `old` where it changes.

    SQLite takes any value for any type, but what its casts make alike no key takes twice.
    """
    name = f"{change.table}.{change.column}"
    nullable, new = option(change.options, "nullable"), option(change.options, "type_")
    if new is None and MYSQL & {*dialects}:
        # There a column is defined as a whole: what is called its type becomes its type.
        new = option(change.options, "existing_type")
    if nullable is not None and nullable.value is True and not (column and column.nullable):
        yield f"NULLs in {name}"
    if new is not None and old is not None and new.text != old.text:
        if type_name(old) == "enum":
            yield f"values in {name} that its old type lacks"
        elif (_refuses(new, old) or _to_truth(new, old)) and (
            dialects != ("sqlite",) or _keyed(change, later)
        ):
            yield f"values in {name} that {old.text} cannot hold"


def _refuses(new: Expression, old: Expression) -> bool:
    narrowed = narrowing(new, old)
    return narrowed is not None and narrowed.refuses


def _to_truth(new: Expression, old: Expression) -> bool:
    """Whether numbers go back to true and false, which most numbers are not.

    No rule says so of a migration: there numbers that become flags mostly were flags.
    """
    one, other = read_type(new.text), read_type(old.text)
    return (
        one is not None
        and other is not None
        and one.family in {"smallint", "integer", "bigint", "numeric", "float"}
        and other.family == "boolean"
    )


def against_deletion(table: Name, schema: Schema) -> str | None:
    """Rows that may refer to those of a table, where nothing is said of what becomes of them."""
    owners = {
        str(name)
        for name, owner in schema.tables.items()
        for part in owner.constraints
        if part.referent == table and option(part.options, "ondelete") is None
    }
    return f"rows of {', '.join(sorted(owners))} that refer to these" if owners else None


def _keyed(change: c.AlterColumn, later: Schema) -> bool:
    """Whether rows are told apart by a column, among others."""
    table = later.table(change.table)
    if table is None:
        return False
    keys = [part.columns for part in table.constraints if part.kind in {"primary", "unique"}]
    keys += [
        tuple(column.string or column.text for column in index.columns)
        for index in table.indexes
        if index.unique
    ]
    return any(change.column in key for key in keys)


def _means(part: Constraint) -> tuple[object, ...]:
    if part.referent is not None:
        return (part.kind, part.columns, part.referent, part.referent_columns)
    return (part.kind, part.columns, tuple(argument.text for argument in part.arguments))


def _duplicates(table: Name, columns: Iterable[str]) -> str:
    return f"duplicates in {_columns(table, columns)}"


def _columns(table: Name, columns: Iterable[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns) or str(table)
