"""What is read without a parser, held against what the parser reads."""
# ruff: noqa: S608 - nothing runs it

from __future__ import annotations

import random

import pytest
from sqlglot.dialects.dialect import Dialect

from alembic_roundtrip.migration.sql import copies, copies_of
from alembic_roundtrip.migration.sql.parsed import parsed
from alembic_roundtrip.migration.sql.plain import DIALECTS, written
from alembic_roundtrip.migration.sql.words import Words, statements

_SQLGLOT = {"mariadb": "mysql", "postgresql": "postgres"}
_TABLES = ("users", "app.users", "public.Users", "t1", "Order_items")
_COLUMNS = ("id", "state", "Name", "users.id", "value", "type", "date", "status")
_VALUES = ("1", "-2", "0.5", "NULL", "true", "FALSE", "'x'", "''", "'a b'", "'%x_'")
_TESTS = ("=", "<>", "!=", "<", ">=", " = ")
_ODD = ("a + 1", "now()", "(1)", "'it''s'", "E'a'", ":x", "%(x)s", "other.a", "DATE '2020-01-01'")


def of_both(sql: str, dialect: str) -> tuple[object, object]:
    """What the plain reader makes of a statement, and what the parser does."""
    (statement,) = statements(sql, mysql=dialect in {"mysql", "mariadb"})
    lower = dialect == "postgresql"
    plain = written(statement, Words(statement.tokens, lower=lower))
    return plain, parsed(statement, dialect, lower=lower)


def condition(chance: random.Random, *, odd: bool) -> str:
    column, value = chance.choice(_COLUMNS), chance.choice(_ODD if odd else _VALUES)
    forms = (
        f"{column}{chance.choice(_TESTS)}{value}",
        f"{column} IS {chance.choice(('', 'NOT '))}NULL",
        f"{column} {chance.choice(('', 'NOT '))}IN ({value}, {chance.choice(_VALUES)})",
        f"{column} {chance.choice(('', 'not '))}like 'x%'",
    )
    return chance.choice(forms)


def statement(chance: random.Random, *, odd: bool) -> str:
    tests = [condition(chance, odd=odd) for _ in range(chance.randrange(4))]
    where = f" WHERE {chance.choice((' AND ', ' or ')).join(tests)}" if tests else ""
    table = chance.choice(_TABLES)
    if chance.random() < 0.3:
        return f"DELETE FROM {table}{where}"
    columns = [name for name in _COLUMNS if "." not in name]
    values = (*_VALUES, *_ODD) if odd else _VALUES
    pairs = [f"{chance.choice(columns)} = {chance.choice(values)}" for _ in range(3)]
    return f"UPDATE {table}\n SET {', '.join(pairs[: chance.randrange(1, 4)])}{where}"


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_is_plain_is_read_as_the_parser_reads_it(dialect: str) -> None:
    chance = random.Random(dialect)
    for _ in range(300):
        sql = statement(chance, odd=False)
        plain, full = of_both(sql, dialect)
        assert plain is not None, sql
        assert plain == full, sql


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_is_plain_copies_nothing(dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(dialect)
    plain = [statement(chance, odd=False) for _ in range(100)]
    lower = dialect == "postgresql"
    for sql in plain:
        (read,) = statements(sql, mysql=dialect in {"mysql", "mariadb"})
        assert copies.copied(read, (dialect,), lower=lower) == (), sql
    monkeypatch.setattr(copies, "copied", lambda *_, **__: pytest.fail("a parser was asked"))
    assert {copies_of(sql, (dialect,)) for sql in plain} == {()}


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_what_is_not_is_left_to_the_parser_or_read_alike(dialect: str) -> None:
    chance = random.Random(dialect)
    for _ in range(300):
        sql = statement(chance, odd=True)
        plain, full = of_both(sql, dialect)
        assert plain is None or plain == full, sql


@pytest.mark.parametrize("dialect", ["mysql", "postgresql", "sqlite"])
def test_words_of_the_language_are_left_to_the_parser_or_read_alike(dialect: str) -> None:
    tokenizer = Dialect.get_or_raise(_SQLGLOT.get(dialect, dialect)).tokenizer_class
    words = [word for word in tokenizer.KEYWORDS if word.isidentifier()]
    assert len(words) > 100
    for word in words:
        for sql in (
            f"UPDATE {word} SET x = 1 WHERE y = 2",
            f"UPDATE t SET {word} = 1",
            f"UPDATE t SET x = 1 WHERE {word} = 1 AND y IS NULL",
            f"UPDATE t SET x = 1 WHERE y = {word}",
            f"UPDATE t SET x = 1 WHERE y = 1 AND {word} IN (1)",
            f"DELETE FROM {word} WHERE x LIKE 'a'",
            f"DELETE FROM {word}.t",
            f"DELETE FROM t WHERE t.{word} <> 3",
        ):
            plain, full = of_both(sql, dialect)
            assert plain is None or plain == full, sql
