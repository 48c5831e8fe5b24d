"""What PostgreSQL has with a table or column: sequences that go with it, and row security."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.words import Words, has_words, statements


def owned(sql: str) -> Iterator[tuple[Name, Name, str]]:
    """The sequences that SQL gives to a column, with its table and name."""
    for statement in statements(sql):
        words = Words(statement.tokens, lower=True)
        if words.take("CREATE") or words.take("ALTER"):
            words.skip("TEMPORARY", "TEMP", "UNLOGGED")
            if words.take("SEQUENCE"):
                words.skip("IF", "NOT", "EXISTS")
                yield from _given(words)


def _given(words: Words) -> Iterator[tuple[Name, Name, str]]:
    sequence = words.name()
    rest = words.rest()
    if sequence is None or not has_words(tuple(map(str.upper, rest)), "OWNED", "BY"):
        return
    while not words.take("OWNED", "BY"):
        words.at += 1
    *schema, table, column = ["", "", *words.path()]
    if table:
        yield sequence, Name.of(table, schema[-1] or None), column


def row_security(sql: str, verb: str) -> Iterator[Name]:
    """The tables of which SQL says that row level security is to be (`ENABLE`) or not."""
    for statement in statements(sql):
        words = Words(statement.tokens, lower=True)
        if words.take("ALTER", "TABLE"):
            words.take("IF", "EXISTS")
            words.skip("ONLY")
            table = words.name()
            if table is not None and words.take(verb, "ROW", "LEVEL", "SECURITY"):
                yield table
