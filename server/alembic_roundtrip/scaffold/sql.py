"""Inverses that are SQL: names given back, rows written."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Column, Constraint, Name
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.sql.holes import HOLE
from alembic_roundtrip.migration.sql.words import Words, spoken
from alembic_roundtrip.scaffold.fragility import against_deletion, fragile
from alembic_roundtrip.scaffold.step import Inverse, Step
from alembic_roundtrip.scaffold.told import DESTRUCTIVE, values_overwritten
from alembic_roundtrip.schema import Schema

_WORDS = re.compile(r"\w+")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_RESERVED = frozenset(
    "all analyze and array as asc between by case cast check column condition constraint create "
    "cross current default delete desc distinct drop else end except exists false fetch for "
    "foreign from function grant group groups having in index inner insert interval into is join "
    "key keys lateral leading left like limit lock match natural not null of offset on only option "
    "or order outer partition primary range rank read references release repeat require return "
    "right row rows schema select session_user set system table then to trigger true union unique "
    "update usage user using values when where window with write".split()
)
_NAME = r"(?:\"[^\"]+\"|[a-z_]\w*)"
_RENAMED = re.compile(
    r"ALTER (?P<kind>(?:MATERIALIZED )?VIEW|FUNCTION|PROCEDURE|TRIGGER|POLICY|DOMAIN|SCHEMA) "
    rf"(?P<schema>{_NAME}\.)?(?P<name>{_NAME})"
    rf"(?P<rest> ?\([^()]*\)| ON (?:{_NAME}\.)?{_NAME})? RENAME TO (?P<new>{_NAME})",
    re.IGNORECASE,
)
_PARAMETER = re.compile(r":(?=\w)")


def type_renamed_back(change: c.RenameEnum, render: Renderer) -> Inverse:
    """ALTER TYPE … RENAME TO the old name."""
    new = change.name._replace(name=change.new_name)
    sql = f"ALTER TYPE {sql_name(new)} RENAME TO {sql_name(Name(change.name.name))}"
    return Inverse([render.executed(sql)])


def object_renamed_back(sql: str) -> str | None:
    """ALTER … RENAME TO the old name, where a statement renames a view, function or the like."""
    found = _RENAMED.fullmatch(" ".join(sql.split()).rstrip("; "))
    if found is None or HOLE in sql:
        return None
    old = f"{found['kind']} {found['schema'] or ''}{found['new']}{found['rest'] or ''}"
    return f"ALTER {old} RENAME TO {found['name']}"


def renamed_back(
    change: c.RenameIndex | c.RenameConstraint | c.RenameEnumValue, render: Renderer
) -> Inverse:
    """The statement that gives the old name back."""
    if isinstance(change, c.RenameEnumValue):
        new, old = sql_value(change.new_value), sql_value(change.value)
        sql = f"ALTER TYPE {sql_name(change.name)} RENAME VALUE {new} TO {old}"
    elif isinstance(change, c.RenameConstraint):
        renamed = f"{sql_name(Name(change.new_name))} TO {sql_name(Name(change.name))}"
        sql = f"ALTER TABLE {sql_name(change.table)} RENAME CONSTRAINT {renamed}"
    elif change.table is not None:
        renamed = f"{sql_name(Name(change.new_name))} TO {sql_name(Name(change.name))}"
        sql = f"ALTER TABLE {sql_name(change.table)} RENAME INDEX {renamed}"
    else:
        new, old = sql_name(Name(change.new_name)), sql_name(Name(change.name))
        sql = f"ALTER INDEX {new} RENAME TO {old}"
    return Inverse([render.executed(sql)])


def moved_back(change: c.RenameTable, render: Renderer) -> Inverse:
    """ALTER TABLE … SET SCHEMA to the old one."""
    old = sql_name(Name(change.table.schema or "public"))
    return Inverse([render.executed(f"ALTER TABLE {sql_name(change.new)} SET SCHEMA {old}")])


def rows_undone(
    change: c.WriteRows, step: Step, render: Renderer, dialects: Collection[str]
) -> Inverse:
    """Rows inserted are deleted by key; what was overwritten or deleted is said to be lost."""
    if change.verb == "insert":
        deleted = _deleted(change, step, render, dialects)
        rows = against_deletion(change.table, step.before) if change.table else None
        return Inverse([*fragile(rows), deleted])
    if change.verb == "update":
        return _overwritten(change, step)
    subject = f"The rows of {change.table}" if change.table else "Rows"
    lost = f"{subject} that the upgrade deleted cannot be restored."
    return Inverse([f"{DESTRUCTIVE}{lost}"], lost=[lost])


def _overwritten(change: c.WriteRows, step: Step) -> Inverse:
    columns = change.columns
    if columns and all((change.table, name) in step.filled for name in columns):
        return Inverse()
    old = [f"{table}.{name}" for table, name in subjects_overwritten(change, step)]
    lost = values_overwritten(old or [str(change.table or "rows")])
    return Inverse([f"{DESTRUCTIVE}{lost}"], lost=[lost])


def subjects_overwritten(change: c.WriteRows, step: Step) -> list[tuple[Name, str]]:
    """The columns whose values an UPDATE overwrites, but those that the upgrade itself added."""
    table = change.table
    if table is None:
        return []
    return [(table, name) for name in change.columns if (table, name) not in step.filled]


def _deleted(change: c.WriteRows, step: Step, render: Renderer, dialects: Collection[str]) -> str:
    """DELETE by a key of the table, where every row's key is a literal."""
    table = step.before.table(change.table) if change.table else None
    if change.table is not None and _has_trigger(step.before, change.table):
        raise NotKnownError(f"what the triggers of `{change.table}` made of the rows")
    key = next((key for key in table.keys if _says(change.rows, key)), None) if table else None
    if key is None or change.table is None:
        raise NotKnownError(f"the keys of the rows written to `{change.table}`")
    name = ".".join(quoted(part, dialects) for part in reversed(change.table) if part)
    rows = [[dict(row)[column] for column in key] for row in change.rows]
    condition = _condition([quoted(column, dialects) for column in key], rows)
    sql = f"DELETE FROM {name} WHERE {condition}"  # noqa: S608 - literals of this migration, shown before they run
    return render.executed(sql)


def _has_trigger(schema: Schema, table: Name) -> bool:
    """Whether a trigger that is known may change what is written to a table."""
    texts = (text for (kind, _), text in schema.definitions.items() if kind == "trigger")
    return any(_fires(tokens, table) for text in texts for tokens in spoken(text))


def _fires(trigger: tuple[str, ...], table: Name) -> bool:
    """Whether a trigger says that it is for rows that come into a table."""
    at = trigger.index("ON") if "ON" in trigger else len(trigger)
    name = Words(trigger[at + 1 :]).name()
    return "INSERT" in trigger[:at] and name is not None and name.name.upper() == table.name.upper()


def _says(rows: Sequence[c.Row], key: Sequence[str]) -> bool:
    """Whether every row has a plain value in all the columns of a key."""
    values = [dict(row).get(column) for row in rows for column in key]
    # Databases disagree on whether a backslash means something in a string.
    return bool(values) and all(
        isinstance(value, int) or (isinstance(value, str) and "\\" not in value) for value in values
    )


def _condition(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if len(names) == 1 and len(rows) > 1:
        return f"{names[0]} IN ({', '.join(sql_value(value) for (value,) in rows)})"
    each = [
        " AND ".join(f"{name} = {sql_value(value)}" for name, value in zip(names, row, strict=True))
        for row in rows
    ]
    return each[0] if len(each) == 1 else " OR ".join(f"({part})" for part in each)


def sql_name(name: Name) -> str:
    """A name as SQL has it."""
    parts = [name.schema, name.name] if name.schema else [name.name]
    return ".".join(part if _WORDS.fullmatch(part) else f'"{part}"' for part in parts)


def sql_table(table: Name, dialects: Collection[str]) -> str:
    """A table as SQL names it; raises `NotKnownError` where the dialects do not agree on it."""
    parts = [table.schema, table.name] if table.schema else [table.name]
    return ".".join(quoted(part, dialects) for part in parts)


def quoted(name: str, dialects: Collection[str]) -> str:
    """A name as SQLAlchemy would have it in SQL: what is not plain is quoted."""
    if _PLAIN.fullmatch(name) and name not in _RESERVED:
        return name
    mysql = MYSQL & {*dialects}
    if mysql and {*dialects} - mysql:
        raise NotKnownError(f"how `{name}` is quoted")
    return f"`{name}`" if mysql else f'"{name}"'


def sql_value(value: object) -> str:
    """A plain value as SQL in `sa.text(…)` has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    escaped = value.replace("'", "''")
    # `:name` would be a parameter.
    return f"'{_PARAMETER.sub(chr(92) + ':', escaped)}'"


def type_condition(part: Constraint, column: Column, dialects: Collection[str]) -> str:
    """The condition that SQLAlchemy writes for the CHECK of a `Boolean` or an `Enum`."""
    values: Sequence[object] = (0, 1)
    if part.of_type in {"Enum", "VARCHAR"}:
        node = ast.parse(column.type.text, mode="eval").body if column.type else None
        given = node.args if isinstance(node, ast.Call) else []
        members = [n.value for n in given if isinstance(n, ast.Constant)]
        if not members or len(members) < len(given):
            raise NotKnownError(f"the members of `{column.name}`")
        values = members
    elif part.of_type != "Boolean":
        raise NotKnownError(f"a CHECK of `{column.name}`")
    said = ", ".join(sql_value(value) for value in values)
    return f"{quoted(column.name, dialects)} IN ({said})"
