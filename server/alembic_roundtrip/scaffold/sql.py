"""Inverses that are SQL or rows: objects without an operation of their own, rows written."""

from __future__ import annotations

import ast
import re

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.step import Inverse, Step

_WORDS = re.compile(r"\w+")
_DROPPED_BY_NAME = frozenset({"view", "sequence", "schema", "domain", "function", "procedure"})


def object_dropped(change: c.CreateObject, step: Step, render: Renderer) -> Inverse:
    """DROP of a view, sequence or other object, of what has a name that says enough."""
    if change.kind == "extension":
        return Inverse([f"# The extension {change.name} stays: others may use it."])
    written = _said_sql(step.operation).upper()
    if change.kind not in _DROPPED_BY_NAME or not written:
        raise NotKnownError(f"the {change.kind} `{change.name}`")
    materialized = "MATERIALIZED " if "MATERIALIZED" in written else ""
    kind = f"{materialized}{change.kind.upper()}"
    sql = render.text(f"DROP {kind} {_sql_name(change.name)}")
    return Inverse([call("op.execute", [sql])])


def type_renamed_back(change: c.RenameEnum, render: Renderer) -> Inverse:
    """ALTER TYPE … RENAME TO the old name."""
    new = change.name._replace(name=change.new_name)
    sql = f"ALTER TYPE {_sql_name(new)} RENAME TO {_sql_name(Name(change.name.name))}"
    return Inverse([call("op.execute", [render.text(sql)])])


def rows_undone(change: c.WriteRows, step: Step, render: Renderer) -> Inverse:
    """Rows inserted are deleted by key; what was overwritten or deleted is said to be lost."""
    if change.verb == "insert":
        return Inverse([_deleted(change, step, render)])
    if change.verb == "update":
        return _overwritten(change, step)
    subject = f"The rows of {change.table}" if change.table else "Rows"
    lost = f"{subject} that the upgrade deleted cannot be restored."
    return Inverse([f"# DESTRUCTIVE: {lost}"], lost=[lost])


def _overwritten(change: c.WriteRows, step: Step) -> Inverse:
    columns = change.columns
    if columns and all((change.table, name) in step.filled for name in columns):
        return Inverse()
    old = [name for name in columns if (change.table, name) not in step.filled]
    subjects = [f"{change.table}.{name}" for name in old] or [str(change.table or "rows")]
    lost = f"The values of {' and '.join(subjects)} that the upgrade overwrote"
    lost += " cannot be restored."
    return Inverse([f"# DESTRUCTIVE: {lost}"], lost=[lost])


def _deleted(change: c.WriteRows, step: Step, render: Renderer) -> str:
    """DELETE by key, where every row's key is a literal."""
    table = step.before.table(change.table) if change.table else None
    keys = [p.columns for p in table.constraints if p.kind == "primary"] if table else []
    rows = _rows(step.operation)
    if not keys or len(keys[0]) != 1 or len(keys) != 1 or not rows or change.table is None:
        raise NotKnownError(f"the keys of the rows written to `{change.table}`")
    values = [row.get(keys[0][0]) for row in rows]
    if not all(isinstance(value, int | str) for value in values):
        raise NotKnownError(f"the keys of the rows written to `{change.table}`")
    listed = ", ".join(_sql_value(value) for value in values)
    sql = f"DELETE FROM {_sql_name(change.table)} WHERE {keys[0][0]} IN ({listed})"  # noqa: S608 - literals of this migration, shown before they run
    return call("op.execute", [render.text(sql)])


def _rows(operation: Operation) -> list[dict[str, object]]:
    expression = option(operation.arguments, "rows")
    try:
        rows = ast.literal_eval(expression.text) if expression else []
    except ValueError:
        return []
    return rows if isinstance(rows, list) and all(isinstance(r, dict) for r in rows) else []


def _said_sql(operation: Operation) -> str:
    expression = option(operation.arguments, "sqltext")
    return (expression.string or expression.text) if expression else ""


def _sql_name(name: Name) -> str:
    parts = [name.schema, name.name] if name.schema else [name.name]
    return ".".join(part if _WORDS.fullmatch(part) else f'"{part}"' for part in parts)


def _sql_value(value: object) -> str:
    if isinstance(value, str):
        escaped = value.replace("'", "''")
        return f"'{escaped}'"
    return str(value)
