"""When two statements define the same view or function."""

from __future__ import annotations

import pytest

from alembic_roundtrip.comparison.statements import same_definition

VIEW = "CREATE VIEW v AS SELECT id, s FROM u WHERE age >= 18 AND s = 'x'"
FUNCTION = (
    "CREATE FUNCTION f(a integer) RETURNS integer AS $$ BEGIN RETURN a + 1; END; $$"
    " LANGUAGE plpgsql IMMUTABLE"
)


@pytest.mark.parametrize(
    "said",
    [
        "CREATE OR REPLACE VIEW public.v AS SELECT id, s FROM u WHERE age >= 18 AND s = 'x';",
        "CREATE VIEW v AS SELECT id AS id, s AS s FROM public.u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT u.id, u.s FROM u AS u WHERE u.age >= 18 AND u.s = 'x'",
        (
            "CREATE VIEW v (id, s) AS SELECT id, s FROM u\n"
            "  WHERE ((age >= 18) AND ((s)::text = 'x'::text))"
        ),
    ],
)
def test_a_view_is_the_same_however_it_is_written(said: str) -> None:
    assert same_definition("view", VIEW, said)


@pytest.mark.parametrize(
    "said",
    [
        "CREATE VIEW v AS SELECT id, s FROM u WHERE age >= 18 AND s = 'y'",
        "CREATE VIEW v AS SELECT id::text, s FROM u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT id, s::int FROM u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT id, s FROM u WHERE age >= 18 AND s = 'x'::varchar(1)",
        "CREATE VIEW v (a, b) AS SELECT id, s FROM u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT id AS s, s AS id FROM u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT id, s FROM old.u WHERE age >= 18 AND s = 'x'",
        "CREATE VIEW v AS SELECT u.id, t.s FROM u, t WHERE u.age >= 18 AND u.s = 'x'",
    ],
)
def test_a_view_of_other_columns_rows_or_types_is_another(said: str) -> None:
    assert not same_definition("view", VIEW, said)


BODY = "AS $$ BEGIN RETURN a + 1; END; $$"


@pytest.mark.parametrize(
    "said",
    [
        f"CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE {BODY}",
        f"CREATE FUNCTION f(a integer) RETURNS integer {BODY} IMMUTABLE LANGUAGE plpgsql",
        f"create function public.f(a integer) returns integer {BODY} language 'plpgsql' immutable",
        f"{FUNCTION} CALLED ON NULL INPUT SECURITY INVOKER PARALLEL UNSAFE NOT LEAKPROOF",
        (
            "CREATE FUNCTION f(a integer) RETURNS integer AS 'BEGIN RETURN a + 1; END;'"
            " LANGUAGE plpgsql IMMUTABLE"
        ),
    ],
)
def test_a_function_is_the_same_in_whatever_order_and_with_defaults(said: str) -> None:
    assert same_definition("function", FUNCTION, said)


@pytest.mark.parametrize(
    "said",
    [
        FUNCTION.replace("+ 1", "+ 2"),
        FUNCTION.replace("IMMUTABLE", ""),
        FUNCTION.replace("IMMUTABLE", "STABLE"),
        FUNCTION.replace("RETURNS integer", "RETURNS text"),
        f"{FUNCTION} STRICT",
        f"{FUNCTION} SECURITY DEFINER",
        f"{FUNCTION} SET search_path = public",
    ],
)
def test_a_function_that_does_or_promises_something_else_is_another(said: str) -> None:
    assert not same_definition("function", FUNCTION, said)


def test_the_order_of_statements_in_a_body_without_quotes_matters() -> None:
    one = "CREATE FUNCTION f() RETURNS INT BEGIN SET a = 1; SET b = a; RETURN b; END"
    other = "CREATE FUNCTION f() RETURNS INT BEGIN SET b = a; SET a = 1; RETURN b; END"
    assert not same_definition("function", one, other)
