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

_PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Create: frozenset({"this", "kind", "replace", "expression", "properties"}),
    exp.Insert: frozenset({"this", "expression", "returning"}),
    exp.Update: frozenset({"this", "expressions", "where", "returning"}),
    exp.Select: frozenset({"expressions", "from_", "order", "hint"}),
    exp.Table: frozenset({"this", "db", "catalog", "alias"}),
    exp.Star: frozenset(),
}
"""What leaves out no row and no column; any other part of these may."""


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
    if not _is_plain(tree):
        return
    if isinstance(tree, exp.Insert) or (isinstance(tree, exp.Create) and _keeps(tree)):
        yield from _selected(tree.expression, read)
    elif isinstance(tree, exp.Update) and _is_plain(tree.this):
        table = read.name(tree.this)
        for assignment in tree.expressions:
            if isinstance(assignment.expression, exp.Column) and _is_of_all(tree, assignment):
                yield table, read.identifier(assignment.expression.this)


def _is_plain(node: exp.Expr) -> bool:
    known = _PARTS.get(type(node))
    return known is not None and all(key in known for key, value in node.args.items() if value)


def _keeps(create: exp.Create) -> bool:
    """Whether it makes a table that stays, with the rows."""
    properties = create.find(exp.Properties)
    for part in properties.expressions if properties is not None else ():
        if isinstance(part, exp.TemporaryProperty):
            return False
        if isinstance(part, exp.WithDataProperty) and part.args.get("no"):
            return False
    return str(create.args["kind"]) == "TABLE"


def _selected(query: exp.Expr | None, read: Definitions) -> Iterator[Copy]:
    query = query.unnest() if isinstance(query, exp.Subquery) else query
    if not isinstance(query, exp.Select) or not _is_plain(query):
        return
    source = query.args.get("from_")
    if source is None or not _is_plain(source.this):
        return
    table = read.name(source.this)
    for part in query.expressions:
        value = part.unalias()
        if value.is_star and _is_plain(value.this if isinstance(value, exp.Column) else value):
            yield table, None
        elif isinstance(value, exp.Column):
            yield table, read.identifier(value.this)


def _is_of_all(update: exp.Update, assignment: exp.Expression) -> bool:
    """Whether a value is set in every row, but for those that have none to give."""
    where = update.args.get("where")
    if where is None:
        return True
    test, negated = where.this, False
    if isinstance(test, exp.Not):
        test, negated = test.this.unnest(), True
    if not isinstance(test, exp.Is) or not isinstance(test.expression, exp.Null):
        return False
    given = isinstance(test.this, exp.Column) and test.this.this == assignment.expression.this
    return given and negated != bool(test.args.get("negate"))
