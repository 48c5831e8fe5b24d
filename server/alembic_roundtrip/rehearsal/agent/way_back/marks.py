"""What operations of a downgrade cannot bring back, and which rows would stop them."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Sequence

from alembic.operations import ops

from ..schema.tables import Snapshot, Table

Mark = Dict[str, Any]
_UNIQUE = (ops.CreateUniqueConstraintOp, ops.CreatePrimaryKeyOp)


def marks(part: Any, now: Snapshot) -> Iterator[Mark]:
    """What an operation cannot bring back, and which rows would stop it."""
    table = getattr(part, "table_name", None) or getattr(part, "source_table", None)
    schema = getattr(part, "schema", None) or getattr(part, "source_schema", None)
    where = f"{schema}.{table}" if schema else table
    if isinstance(part, ops.CreateTableOp):
        yield {"mark": "rows", "table": where}
    elif isinstance(part, ops.DropColumnOp):
        found = now.find(str(where))
        if found is not None and part.column_name in found.key[1:] + found.key[:-1]:
            yield shrunk_key(str(where), [c for c in found.key if c != part.column_name])
    elif isinstance(part, ops.AddColumnOp):
        computed = part.column.computed
        if computed is None or computed.persisted:
            yield new_column(str(where), str(part.column.name), computed=computed is not None)
    elif isinstance(part, ops.AlterColumnOp):
        column = str(part.modify_name or part.column_name)
        if getattr(part, "fills", False):
            yield {"mark": "fill", "table": where, "column": column}
        elif part.modify_nullable is False:
            yield {"mark": "nulls", "table": where, "column": column}
        if part.modify_type is not None:
            yield {"mark": "type", "table": where, "column": column}
    elif isinstance(part, ops.CreateForeignKeyOp):
        yield {
            "mark": "orphans",
            "table": where,
            "columns": [str(name) for name in part.local_cols],
            "referent": str(part.referent_table),
        }
    elif isinstance(part, _UNIQUE) or (isinstance(part, ops.CreateIndexOp) and part.unique):
        yield shrunk_key(
            str(where), [str(getattr(column, "name", column)) for column in part.columns]
        )


def new_column(table: str, column: str, *, computed: bool) -> Mark:
    """Of a column that comes back: what it held is gone, or made of the other columns again."""
    return {"mark": "computed" if computed else "values", "table": table, "column": column}


def shrunk_key(table: str, key: Sequence[str]) -> Mark:
    """Of columns that alone tell rows apart again."""
    return {"mark": "duplicates", "table": table, "columns": list(key)}


def against(was: Table, there: Table, upgraded: Table) -> Iterator[Mark]:
    """What a table made anew in one piece asks of its rows that it did not ask before."""
    numbered = [c for c in was.columns if was.key == (c.name,) and c.type == "INTEGER"]
    for column in was.columns:
        found = there.column(column.name)
        if column.notnull and column not in numbered and not (found and found.notnull):
            kind = "nulls" if upgraded.column(column.name) else "fill"
            yield {"mark": kind, "table": was.name, "column": column.name}
    if was.key != there.key and not numbered:
        yield shrunk_key(was.name, was.key)
    known = {unique.columns for unique in there.uniques}
    for unique in was.uniques:
        if unique.index is None and unique.columns not in known:
            yield shrunk_key(was.name, unique.columns)
    for check in was.checks:
        if check.normal not in {each.normal for each in there.checks}:
            yield {"mark": "against", "table": was.name, "column": check.name or check.text}
