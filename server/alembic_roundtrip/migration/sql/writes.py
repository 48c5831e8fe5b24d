"""Rows written by UPDATE, DELETE, MERGE and WITH, as sqlglot reads them."""

from __future__ import annotations

from collections.abc import Iterator

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
    for target in targets:
        table = _target(target, node, read)
        if verb == "insert":
            yield WriteRows("insert", table, columns=columns)
        else:
            using = bool(node.args.get("using") or node.args.get("from_"))
            computed = verb == "update" and any(map(_reads_columns, node.expressions))
            yield WriteRows(verb, table, bounded or joined or using, columns, computed=computed)


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
            yield WriteRows("update", table, columns=columns, computed=computed)
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
        for target in part.this.expressions or [part.this]:
            if not isinstance(target, exp.Column):
                raise NotReadError
            yield read.identifier(target.this)
