"""Which words of SQL are its own."""

from __future__ import annotations

from time import process_time

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql import changes_of
from alembic_roundtrip.migration.sql.words import says


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE IF EXISTS a",
        "drop table if\n/* so */ exists a",
        "SELECT 1; DROP TABLE IF EXISTS a;",
        "DO $$ BEGIN IF EXISTS (SELECT 1) THEN DROP TABLE a; END IF; END $$",
        "DROP TABLE /*!32312 IF EXISTS */ a",
        "/*!40000 DROP TABLE IF EXISTS a */; /* IF */ SELECT 1",
        "/*M!100100 DROP TABLE IF EXISTS a*/",
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
        "DROP TABLE a /* IF EXISTS",
        "DROP TABLE a /* !IF EXISTS */",
        "SELECT '/*! IF EXISTS */'",
        "CREATE FUNCTION f() RETURNS void AS $a$ DROP TABLE IF EXISTS a",
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


def test_a_backslash_escapes_where_it_is_said_to() -> None:
    sql = r"SELECT 'a\' IF EXISTS \'b'"
    assert says(sql, "IF", "EXISTS")
    assert not says(sql, "IF", "EXISTS", mysql=True)


def test_mysql_executes_some_comments() -> None:
    sql = "/*!40014 SET FOREIGN_KEY_CHECKS=0 */; /*!40000 DROP TABLE a */; DROP /* TABLE */ TABLE b"
    assert changes_of(sql, ("mysql",)) == (c.DropTable(Name("a")), c.DropTable(Name("b")))
    assert changes_of(sql, ("postgresql",)) == (c.DropTable(Name("b")),)


@pytest.mark.parametrize(
    "sql",
    ["/* " * 30_000, "".join(f"$t{number}$ " for number in range(6_000)), "/*! " * 30_000],
)
def test_what_has_no_end_takes_no_time(sql: str) -> None:
    started = process_time()
    assert not says(sql, "IF", "EXISTS")
    assert process_time() - started < 1


def test_blocks_are_looked_into_as_deep_as_anybody_writes_them() -> None:
    def nested(depth: int) -> str:
        inner = nested(depth - 1) if depth else "DROP TABLE IF EXISTS a"
        return f"DO $t{depth}$ {inner} $t{depth}$"

    assert says(nested(2), "IF", "EXISTS")
    assert not says(nested(500), "IF", "EXISTS")
