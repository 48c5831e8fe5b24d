"""What a later schema demands of rows that are there already."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Set

from ..schema.tables import ForeignKey, Snapshot, Table, Unique


def with_those_of(later: Snapshot, schema: Snapshot) -> Snapshot:
    """A schema whose tables have the constraints, too, that they have in a later one."""
    tables = {
        name: _demanding(table, also, schema)
        for name, table in schema.tables.items()
        for also in [later.find(name) or table]
    }
    return replace(schema, tables=tables)


def _demanding(table: Table, later: Table, schema: Snapshot) -> Table:
    """A table with the constraints of its later self, as far as it has their columns."""
    if table == later:
        return table
    there = {column.name.lower() for column in table.columns}
    keys = [Unique(later.key)] if later.key != table.key else []
    new = [u for u in (*keys, *later.uniques) if u.columns and _has(there, u.columns)]
    required = {name.lower() for name in later.key}
    required.update(column.name.lower() for column in later.columns if column.notnull)
    return replace(
        table,
        columns=tuple(
            replace(column, notnull=column.notnull or column.name.lower() in required)
            for column in table.columns
        ),
        uniques=(*table.uniques, *new),
        checks=(*table.checks, *(c for c in later.checks if c not in table.checks)),
        foreign_keys=(
            *table.foreign_keys,
            *(
                key
                for key in later.foreign_keys
                if key not in table.foreign_keys
                and _has(there, key.columns)
                and _leads_into(key, schema)
            ),
        ),
    )


def _leads_into(key: ForeignKey, schema: Snapshot) -> bool:
    target = schema.find(key.target)
    return target is not None and all(map(target.column, key.target_columns))


def _has(there: Set[str], columns: Iterable[str]) -> bool:
    return there.issuperset(column.lower() for column in columns)
