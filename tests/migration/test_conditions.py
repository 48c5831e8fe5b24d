"""Conditions that mean the same, however they are written, and others."""

from __future__ import annotations

from time import process_time

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
        ("a BETWEEN 1 AND 9", "a >= 1 AND a <= 9"),
        ("NOT (a BETWEEN 1 AND 9)", "a < 1 OR a > 9"),
        ("a NOT BETWEEN b AND c", "a < b OR c < a"),
        ("a > 1", "1 < a"),
        ("a <= 1", "1 >= a"),
        ("a <= 1", "NOT a > 1"),
        ("a > 0 AND (a > 0 OR b > 0)", "a > 0"),
        ("a > 0 OR (b > 0 AND c > 0)", "(a > 0 OR b > 0) AND (a > 0 OR c > 0)"),
        ("a", "a = true"),
        ("NOT a", "a = false"),
        ("a = 0", "a = false"),
        ("a IS NOT NULL", "NOT (a IS NULL)"),
        ("a > 0 AND true", "a > 0 AND 1"),
        ("false", "0"),
        ("(a IS NULL) <> (b IS NULL)", "(a IS NOT NULL) = (b IS NULL)"),
        ("(a > 0) = b", "(a > 0 AND b) OR (a <= 0 AND NOT b)"),
        ("a NOT LIKE 'x%'", "NOT a LIKE 'x%'"),
        ("a + b + c > 0", "c + (b + a) > 0"),
        ("a > -1", "a > '-1'"),
        ("a > 0.0", "a > 0"),
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
        ("a IN ('x', 'y')", "a = ANY ('{x,y}'::text[])"),
        ("a NOT IN ('x', 'y')", "(a <> ALL (ARRAY['y'::text, 'x'::text]))"),
        ("NOT (a = ANY (ARRAY['x', 'y']))", "a NOT IN ('x', 'y')"),
        ("a <> ANY (ARRAY['x', 'y'])", "a <> 'x' OR a <> 'y'"),
        ("a ->> 'x' = '1'", "((a ->> 'x'::text) = '1'::text)"),
        ("(a ->> 'x') IS NOT NULL", "((a ->> 'x'::text) IS NOT NULL)"),
        ("a -> 0 = '1'", "(a -> 0) = '1'::jsonb"),
        ("a #>> '{x,y}' = 'z'", "(a #>> '{x,y}'::text[]) = 'z'"),
        ("a IS DISTINCT FROM 1", "NOT 1 IS NOT DISTINCT FROM a"),
        ("a IS TRUE", "a"),
        ("a < b + interval '1 day'", "a < '1 day'::interval + b"),
        ("a > 0.0", "(a > (0)::numeric)"),
        ("a NOT LIKE 'x%'", "(a !~~ 'x%'::text)"),
        ("a > 1e3", "(a > '1000'::numeric)"),
        ("a = 't'", "(a = true)"),
        ("CASE WHEN a THEN 1 END = b", "CASE WHEN a THEN 1 ELSE NULL::integer END = b"),
        ("trim(a) <> ''", "(TRIM(BOTH FROM a) <> ''::text)"),
    ],
)
def test_what_postgresql_makes_of_a_condition_means_the_same(one: str, other: str) -> None:
    assert conditions_differ(one, other, ("postgresql",)) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a > 0 AND (b > 0 OR c > 0)", "(a > 0 AND b > 0) OR c > 0"),
        ("NOT (a > 0 AND b > 0)", "NOT a > 0 AND b > 0"),
        ("a > 0", "a >= 0"),
        ("a < b", "b < a"),
        ("a IN (1, 2)", "a IN (1, 3)"),
        ("a NOT IN (1, 2)", "a IN (1, 2)"),
        ("a IS NULL", "a IS NOT NULL"),
        ("a = 'X'", "a = 'x'"),
        ("a LIKE 'x%'", "b LIKE 'x%'"),
        ("a LIKE 'x%'", "a NOT LIKE 'x%'"),
        ("a BETWEEN 1 AND 9", "a > 1 AND a < 9"),
        ("a BETWEEN 1 AND 9", "a NOT BETWEEN 1 AND 9"),
        ("a + a > 0", "a > 0"),
        ("a > 1", "a > -1"),
        ("a = 'b'", "a = b"),
        ("a", "NOT a"),
        ("a IN (0, 1)", "a IN (0, 1, 2)"),
        ("a > 0 AND b > 0", "a > 0 OR b > 0"),
        (f"a IN ({', '.join(map(str, range(40)))})", f"a IN ({', '.join(map(str, range(41)))})"),
    ],
)
@pytest.mark.parametrize("dialects", [(), ("postgresql",), ("sqlite",), ("mysql",)])
def test_other_conditions_differ(one: str, other: str, dialects: tuple[str, ...]) -> None:
    assert conditions_differ(one, other, dialects) is True


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a >", "a > 0"),
        ("a > 0) OR (b", "a > 0 UNION SELECT 1"),
        ("a || (b || c) = 'x'", "a || b || c = 'x'"),
        ("lower(a) = a", "public.lower(a) = a"),
        ("a > interval '1 hour'", "(a > '01:00:00'::interval)"),
        ("a > '2020-1-1'", "(a > '2020-01-01'::date)"),
        ("""a @> '{"x":1}'""", """(a @> '{"x": 1}'::jsonb)"""),
        ("date_part('year', a) = 2020", "(date_part('year'::text, a) = (2020)::double precision)"),
        ("a LIKE 'x!%' ESCAPE '!'", "(a ~~ like_escape('x!%'::text, '!'::text))"),
        (r"a = E'x\n'", "(a = 'x\n'::text)"),
        ("a SIMILAR TO 'x+'", "(a ~ similar_to_escape('x+'::text))"),
        ("(a, b) = (1, 2)", "((a = 1) AND (b = 2))"),
        ("a BETWEEN SYMMETRIC 5 AND 1", "((a >= 5) AND (a <= 1)) OR ((a >= 1) AND (a <= 5))"),
    ],
)
def test_what_may_be_spelled_otherwise_is_not_told(one: str, other: str) -> None:
    assert conditions_differ(one, other, ("postgresql",)) is None


@pytest.mark.parametrize(("operator", "joined"), [("=", " OR "), ("<>", " AND ")])
def test_long_conditions_are_compared_too(operator: str, joined: str) -> None:
    parts = [f"a {operator} {number}" for number in range(600)]
    one, other = (joined.join(each) for each in (parts, parts[::-1]))
    assert conditions_differ(one, other, ("postgresql",)) is False
    assert conditions_differ(one, joined.join(parts[1:]), ("postgresql",)) is True


def test_long_lists_are_compared_in_time() -> None:
    values = [str(number) for number in range(3000)]
    texts = [f"a IN ({', '.join(each)})" for each in (values, values[::-1], values[1:])]
    started = process_time()
    assert conditions_differ(texts[0], texts[1], ("postgresql",)) is False
    assert conditions_differ(texts[0], texts[2], ("postgresql",)) is True
    assert process_time() - started < 5


def test_what_is_nested_too_deep_is_not_told() -> None:
    one, other = (" - ".join(["a"] * number) + " > b" for number in (3000, 3001))
    assert conditions_differ(one, other, ("postgresql",)) is None
