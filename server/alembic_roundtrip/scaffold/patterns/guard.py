"""Guarded downgrade: count the rows in the way first, and refuse with number and query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

from alembic_roundtrip.comparison.equivalence import read_type
from alembic_roundtrip.comparison.tightening import Tightening, tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Direction
from alembic_roundtrip.migration.objects import Index, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.migration.rewrite import InsertStatements
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, place_of, refusal
from alembic_roundtrip.scaffold.sql import quoted, sql_table

_LARGEST = {"smallint": 2**15 - 1, "integer": 2**31 - 1}
_PARAMETER = re.compile(r"(?<!:):\w")


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """A guard for each rule that the downgrade brings back over rows nobody looked at."""
    for found in tightenings(context):
        fix = guard(context, found) if found.operation in at else None
        if fix is not None:
            yield Pattern("guard", found.operation.range, fix)


def guard(context: Context, found: Tightening) -> Fix | None:
    """The guard for one rule; None where the rows against it cannot be asked for."""
    downgrade = context.written_downgrade
    if downgrade is None or found.operation.guards:
        return None
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        condition = _against(found, context.dialects)
        rows = f"FROM {sql_table(found.table, context.dialects)} WHERE {condition}"
        if not _PARAMETER.search(rows):
            place = _place(context, downgrade, found)
            statements = refusal([(found.table, rows)], render)
            insert = InsertStatements("downgrade", place, statements, tuple(render.imports))
            return Fix(
                f"Refuse the downgrade while there are {found.rows}",
                (insert,),
                "unsafe",
                description="counts them first, and stops before anything is changed",
            )
    return None


def _place(context: Context, downgrade: Direction, found: Tightening) -> int:
    """First of all, where table and columns have their names then: nothing is half done."""
    table = context.round_trips[0].up.schema.table(found.table)
    there = table is None or all(table.column(name) for name in found.columns)
    before = [
        change
        for operation in downgrade.operations
        if operation.statement.start < found.operation.statement.start
        for change in operation.changes
    ]
    if there and not any(_makes(change, found, known=table is not None) for change in before):
        return int(downgrade.docstring is not None)
    return place_of(downgrade, found.operation)


def _makes(change: c.Change, found: Tightening, *, known: bool) -> bool:
    """Whether a change gives the table, or a column of it, the name that it is asked for by."""
    if isinstance(change, c.Unknown) and change.tables is None:
        return not known
    if found.table not in c.tables_of(change):
        return False
    if isinstance(change, c.AlterColumn):
        return option(change.options, "new_column_name") is not None
    made = isinstance(change, c.CreateTable | c.AddColumn | c.Unknown) and not known
    return made or isinstance(change, c.RenameTable)


def _against(found: Tightening, dialects: tuple[str, ...]) -> str:
    """The condition that rows against the rule meet; raises `NotKnownError`."""
    change = found.change
    if isinstance(change, c.CreateIndex):
        return _twice(found, dialects, _predicate(change.index, dialects))
    if isinstance(change, c.AddConstraint):
        if change.constraint.kind == "foreignkey":
            raise NotKnownError(found.rows)
        if change.constraint.kind == "check":
            return f"NOT ({_sql(change.constraint.arguments[0])})"
        return _twice(found, dialects, None)
    if isinstance(change, c.WriteRows):
        raise NotKnownError(found.rows)
    column = quoted(change.column, dialects)
    nullable, type_ = option(change.options, "nullable"), option(change.options, "type_")
    parts = []
    if found.rows.startswith("NULLs") and nullable is not None:
        parts.append(f"{column} IS NULL")
    elif type_ is not None:
        parts.append(_beyond(column, type_, dialects))
    if not parts:
        raise NotKnownError(found.rows)
    return " OR ".join(parts)


def _twice(found: Tightening, dialects: tuple[str, ...], only: str | None) -> str:
    """Rows whose key others have as well; one with a NULL in it is never the same as another."""
    if not found.columns or (
        isinstance(found.change, c.CreateIndex)
        and len(found.columns) < len(found.change.index.columns)
    ):
        raise NotKnownError(found.rows)
    columns = ", ".join(quoted(name, dialects) for name in found.columns)
    key = columns if len(found.columns) == 1 else f"({columns})"
    where = f" WHERE {only}" if only else ""
    table = sql_table(found.table, dialects)
    grouped = f"SELECT {columns} FROM {table}{where} GROUP BY {columns} HAVING count(*) > 1"  # noqa: S608 - names only
    return f"{f'({only}) AND ' if only else ''}{key} IN ({grouped})"


def _predicate(index: Index, dialects: tuple[str, ...]) -> str | None:
    """The condition of a partial index on the project's dialects."""
    told = {_sql(value) for key, value in index.options if key.endswith("_where")}
    if not told:
        return None
    have = {key.removesuffix("_where") for key, _ in index.options if key.endswith("_where")}
    if len(told) > 1 or not set(dialects) <= have:
        raise NotKnownError("the condition of a partial index")
    return told.pop()


def _sql(expression: Expression) -> str:
    """The SQL that it is; raises `NotKnownError` for constructs."""
    if expression.sql is None:
        raise NotKnownError(f"`{expression.text}`")
    return expression.sql


def _beyond(column: str, type_: Expression, dialects: tuple[str, ...]) -> str:
    """Values that a shorter type does not hold."""
    new = read_type(type_.text)
    length = new.arguments.get("length") if new is not None else None
    if isinstance(length, int):
        mysql = bool(MYSQL & {*dialects})
        if mysql and not {*dialects} <= MYSQL:
            raise NotKnownError("how characters are counted")
        return f"{'char_length' if mysql else 'length'}({column}) > {length}"
    largest = _LARGEST.get(new.family) if new is not None else None
    if largest is None:
        raise NotKnownError(f"what {type_.text} holds")
    return f"{column} NOT BETWEEN {-largest - 1} AND {largest}"
