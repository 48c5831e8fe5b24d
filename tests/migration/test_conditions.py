"""Conditions that mean the same, however they are written, and others."""

from __future__ import annotations

import pytest

from alembic_roundtrip.migration.sql import conditions_differ


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a > 0 AND (b > 0 OR c > 0)", "((a>0)) and (c > 0 or b > 0)"),
        ("a > 0 AND (b > 0 AND c > 0)", "(a > 0 AND b > 0) AND c > 0"),
        ("a > 0 AND (b > 0 OR c > 0)", "(a > 0 AND b > 0) OR (a > 0 AND c > 0)"),
        ("NOT (a > 0 OR b IS NULL)", "a <= 0 AND b IS NOT NULL"),
        ("a <> 'x'", "NOT ('x' = \"a\")"),
        ("a != 1", "t.A <> 1"),
        ("a BETWEEN 1 AND 9", "a >= 1 AND 9 >= a"),
        ("a IN ('x', 'y')", "a = 'y' OR a = 'x'"),
        ("a IN ('x')", "a = 'x'"),
        ("a NOT IN (1, 2)", "a <> 1 AND a <> 2"),
        ("NOT NOT a", "a"),
        ("lower(a) = a", "A = LOWER(a)"),
    ],
)
@pytest.mark.parametrize("dialects", [(), ("postgresql",), ("sqlite",), ("mysql",)])
def test_other_words_mean_the_same(one: str, other: str, dialects: tuple[str, ...]) -> None:
    if "mysql" in dialects:
        one, other = one.replace('"', "`"), other.replace('"', "`")
    assert conditions_differ(one, other, dialects) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a IN ('x', 'y')", "((a)::text = ANY ((ARRAY['x'::varchar, 'y'::varchar])::text[]))"),
        ("a > 0", "(a > '0'::numeric)"),
        ("a = true", "a = '1'"),
    ],
)
def test_what_postgresql_makes_of_a_condition_means_the_same(one: str, other: str) -> None:
    assert conditions_differ(one, other, ("postgresql",)) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a > 0 AND (b > 0 OR c > 0)", "(a > 0 AND b > 0) OR c > 0"),
        ("a - (b - c) > 0", "a - b - c > 0"),
        ("NOT (a > 0 AND b > 0)", "NOT a > 0 AND b > 0"),
        ("a > 0", "a >= 0"),
        ("a < b", "b < a"),
        ("a IN (1, 2)", "a IN (1, 3)"),
        ("a NOT IN (1, 2)", "a IN (1, 2)"),
        ("a IS NULL", "a IS NOT NULL"),
        ("a = 'X'", "a = 'x'"),
        ("a LIKE 'x%'", "b LIKE 'x%'"),
    ],
)
@pytest.mark.parametrize("dialects", [(), ("postgresql",), ("sqlite",), ("mysql",)])
def test_other_conditions_differ(one: str, other: str, dialects: tuple[str, ...]) -> None:
    assert conditions_differ(one, other, dialects) is True


def test_what_is_not_read_is_not_told() -> None:
    assert conditions_differ("a >", "a > 0") is None
    assert conditions_differ("a > 0) OR (b", "a > 0 UNION SELECT 1") is None
