"""Rows written by UPDATE, DELETE, MERGE and WITH, as sqlglot reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from alembic_roundtrip.migration.changes import Change, WriteRows
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.columns import Definitions, NotReadError


def written(node: exp.Expression, read: Definitions) -> tuple[Change, ...]:
    """Every write of a statement, those inside of WITH first."""
    found: list[Change] = []
    parts = list(node.find_all(exp.Insert, exp.Update, exp.Delete, exp.Merge))
    for part in reversed(parts):
        # What MERGE does for each row is part of it.
        if not isinstance(part.parent, exp.When):
            found += _write(part, read)
    return tuple(found)


def _write(node: exp.Expression, read: Definitions) -> Iterator[Change]:
    if isinstance(node, exp.Merge):
        yield from _merged(node, read)
        return
    verb = node.key
    targets = node.args.get("tables") or [node.this]
    bounded = node.args.get("where") is not None or node.args.get("limit") is not None
    joined = isinstance(node.this, exp.Table) and bool(node.this.args.get("joins"))
    columns = tuple(_columns(node, read))
    nulls = None if joined else _nulls_of(node, read)
    made_of = frozenset[str]() if verb == "delete" else _made_of(node, _sources(node), read)
    for target in targets:
        table = _target(target, node, read)
        if verb == "insert":
            yield WriteRows("insert", table, columns=columns, read=made_of)
        elif verb == "update":
            bounded = bounded or joined or node.args.get("from_") is not None
            computed = any(map(_reads_columns, node.expressions))
            yield WriteRows(
                "update",
                table,
                bounded,
                columns,
                computed=computed,
                read=made_of,
                nulls_of=nulls,
            )
        else:
            using = bool(node.args.get("using"))
            yield WriteRows(verb, table, bounded or joined or using, columns, nulls_of=nulls)


def _nulls_of(node: exp.Expression, read: Definitions) -> str | None:
    """The column that WHERE asks for NULL, where nothing else chooses rows."""
    where = node.args.get("where")
    if where is None or any(node.args.get(name) for name in ("from_", "using", "limit")):
        return None
    asked = where.this.unnest()
    if not isinstance(asked, exp.Is) or asked.args.get("negate"):
        return None
    if not isinstance(asked.expression, exp.Null):
        return None
    column = asked.this
    return read.identifier(column.this) if isinstance(column, exp.Column) else None


def _sources(node: exp.Expression) -> Iterator[exp.Expression | None]:
    """What the values of an INSERT or UPDATE come from: other tables, and what is made of these."""
    yield node.args.get("with_")
    yield node.args.get("from_")
    yield from (join.this for join in node.this.args.get("joins") or ())
    if isinstance(node, exp.Insert):
        yield node.expression
    else:
        yield from (assignment.expression for assignment in node.expressions)


def _made_of(
    statement: exp.Expression, sources: Iterable[exp.Expression | None], read: Definitions
) -> frozenset[str]:
    """The columns and tables that values come from, and those that rows are looked up by.

    Conditions that only choose among rows say nothing of values.
    """
    parts: list[exp.Expr] = [
        part
        for source in sources
        if source is not None
        for part in source.walk(prune=lambda node: isinstance(node, exp.Where))
    ]
    if not any(isinstance(part, exp.Column | exp.Table) for part in parts):
        return frozenset()  # constants, whatever rows they are written to
    parts += (side for pair in statement.find_all(exp.EQ) for side in _looked_up(pair))
    named = (part for part in parts if isinstance(part, exp.Column | exp.Table))
    return frozenset(
        read.identifier(part.this) for part in named if isinstance(part.this, exp.Identifier)
    )


def _looked_up(pair: exp.Expression) -> Iterator[exp.Expr]:
    """The sides of `a.x = b.y`, by which a row of one table is found for one of another."""
    sides = (pair.this, pair.expression)
    columns = all(isinstance(side, exp.Column) for side in sides)
    if columns and not isinstance(pair.parent, exp.Update):
        yield from sides


def _reads_columns(assignment: exp.Expression) -> bool:
    """Whether a value is made from columns or rows, and not from constants alone."""
    value = assignment.expression
    return value is not None and value.find(exp.Column, exp.Select) is not None


def _target(node: exp.Expression | None, statement: exp.Expression, read: Definitions) -> Name:
    """The table that is written; an alias that stands for it is looked up."""
    if isinstance(node, exp.Schema):
        node = node.this
    name = read.name(node)
    for table in statement.find_all(exp.Table):
        if table is not node and table.alias == name.name and table.this is not None:
            return read.name(table)
    return name


def _merged(node: exp.Merge, read: Definitions) -> Iterator[Change]:
    table = read.name(node.this)
    whens = node.args["whens"].expressions
    for when in whens:
        then = when.args.get("then")
        if isinstance(then, exp.Update):
            computed = any(map(_reads_columns, then.expressions))
            columns = tuple(_columns(then, read))
            values = (assignment.expression for assignment in then.expressions)
            made_of = _made_of(node, (node.args["using"], *values), read)
            yield WriteRows("update", table, columns=columns, computed=computed, read=made_of)
        elif isinstance(then, exp.Insert):
            yield WriteRows("insert", table)
        elif then is not None and "DELETE" in then.name.upper():
            yield WriteRows("delete", table)


def _columns(node: exp.Expression, read: Definitions) -> Iterator[str]:
    """The columns that SET assigns to, or that INSERT lists."""
    if isinstance(node, exp.Insert):
        schema = node.this
        for part in schema.expressions if isinstance(schema, exp.Schema) else ():
            yield read.identifier(part)
        return
    for part in node.expressions:
        if not isinstance(part, exp.EQ):
            raise NotReadError
        for target in part.this.expressions or [part.this.unnest()]:
            if not isinstance(target, exp.Column):
                raise NotReadError
            yield read.identifier(target.this)
