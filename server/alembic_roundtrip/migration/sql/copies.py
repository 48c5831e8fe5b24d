"""What a statement copies of every row of a table: columns, or the table as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlglot import exp

from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.columns import Definitions, NotReadError
from alembic_roundtrip.migration.sql.syntax import parse
from alembic_roundtrip.migration.sql.words import Statement

Copy = tuple[Name, str | None]
"""A table and one of its columns; None stands for all of them."""

_CHOOSING = ("where", "group", "having", "qualify", "limit", "offset", "joins", "with_")
"""Parts of SELECT that leave rows out, or make others of them."""


def copied(statement: Statement, dialects: Iterable[str], *, lower: bool) -> tuple[Copy, ...]:
    """The copies that a statement makes, as the first of these dialects that reads it has it."""
    for dialect in dialects:
        tree = parse(statement.text, dialect)
        if tree is not None:
            try:
                return tuple(_copies(tree, Definitions(statement, dialect, lower)))
            except NotReadError:
                return ()
    return ()


def _copies(tree: exp.Expression, read: Definitions) -> Iterator[Copy]:
    makes_table = isinstance(tree, exp.Create) and tree.args["kind"] == "TABLE"
    if makes_table or isinstance(tree, exp.Insert):
        yield from _selected(tree.expression, read)
    elif isinstance(tree, exp.Update) and _is_of_all(tree):
        table = read.name(tree.this)
        for assignment in tree.expressions:
            if isinstance(assignment.expression, exp.Column):
                yield table, read.identifier(assignment.expression.this)


def _selected(query: exp.Expr | None, read: Definitions) -> Iterator[Copy]:
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    if not isinstance(query, exp.Select) or any(query.args.get(part) for part in _CHOOSING):
        return
    source = query.args.get("from_")
    if source is None or not isinstance(source.this, exp.Table) or source.this.args.get("joins"):
        return
    table = read.name(source.this)
    for part in query.expressions:
        value = part.unalias()
        if value.is_star:
            yield table, None
        elif isinstance(value, exp.Column):
            yield table, read.identifier(value.this)


def _is_of_all(update: exp.Update) -> bool:
    """Whether it sets every row, but for those that have nothing to give."""
    where = update.args.get("where")
    if update.args.get("from_") or update.this.args.get("joins") or update.args.get("limit"):
        return False
    if where is None:
        return True
    test, negated = where.this, False
    if isinstance(test, exp.Not):
        test, negated = test.this, True
    if not isinstance(test, exp.Is) or not isinstance(test.this, exp.Column):
        return False
    return isinstance(test.expression, exp.Null) and negated != bool(test.args.get("negate"))
