from __future__ import annotations

import pytest

from alembic_roundtrip.migration.expression import Expression, literal


@pytest.mark.parametrize(
    ("expression", "sql"),
    [
        (literal("a > 0"), "a > 0"),
        (literal(1), None),
        (Expression("sa.text('a > 0')"), "a > 0"),
        (Expression(r"text(r'a ~ \d')"), r"a ~ \d"),
        (Expression("sa.text(WHERE)"), None),
        (Expression("sa.text('a = :a').bindparams(a=1)"), None),
        (Expression("sa.func.now()"), None),
        (Expression("sa.text("), None),
    ],
    ids=lambda value: value.text if isinstance(value, Expression) else None,
)
def test_sql_is_a_string_or_what_text_is_given(expression: Expression, sql: str | None) -> None:
    assert expression.sql == sql
