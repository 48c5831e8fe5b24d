"""Casts in an expression that gives a column its values in another type."""

from __future__ import annotations

from sqlglot import exp

from alembic_roundtrip.migration.sql.syntax import parse


def refuses(expression: str, dialect: str) -> bool:
    """Whether it is a column, or casts one and nothing else, so that values may be refused."""
    parsed = parse(f"SELECT {expression}", dialect)
    if not isinstance(parsed, exp.Select) or len(parsed.expressions) != 1:
        return False
    value: exp.Expr = parsed.expressions[0]
    while isinstance(value, exp.Paren | exp.Cast):
        if isinstance(value, exp.Cast) and _cuts(value.to):
            return False
        value = value.this
    return isinstance(value, exp.Column)


def _cuts(kind: exp.DataType) -> bool:
    """Whether a cast to a type leaves what fits of every value, as `varchar(30)` does."""
    if kind.this in exp.DataType.TEMPORAL_TYPES:
        return True
    return kind.this in exp.DataType.TEXT_TYPES and bool(kind.expressions)
