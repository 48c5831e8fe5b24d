"""Which words of SQL are its own."""

from __future__ import annotations

import pytest

from alembic_roundtrip.migration.sql.words import says


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE IF EXISTS a",
        "drop table if\n/* so */ exists a",
        "SELECT 1; DROP TABLE IF EXISTS a;",
        "DO $$ BEGIN IF EXISTS (SELECT 1) THEN DROP TABLE a; END IF; END $$",
        "DO $x$ BEGIN PERFORM '$$'; IF EXISTS (SELECT 1) THEN DROP TABLE a; END IF; END $x$",
    ],
)
def test_words_are_said(sql: str) -> None:
    assert says(sql, "IF", "EXISTS")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DROP TABLE a -- IF EXISTS",
        "DROP TABLE a /* IF EXISTS */",
        "COMMENT ON TABLE a IS 'IF EXISTS'",
        'DROP TABLE "IF EXISTS"',
        'DROP TABLE IF."EXISTS"',
        "SELECT 1 AS if; EXISTS",
        "CREATE FUNCTION f() RETURNS void AS $$ DROP TABLE IF EXISTS a $$ LANGUAGE sql",
        "DO $$ BEGIN PERFORM 'IF EXISTS'; END $$ -- IF EXISTS",
    ],
)
def test_words_only_look_like_it(sql: str) -> None:
    assert not says(sql, "IF", "EXISTS")
