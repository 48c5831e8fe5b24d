"""What SQL in a migration does: definitions, names and writes, as far as the dialects agree.

Verbs and names are read here; what needs more is parsed by sqlglot, which is only imported then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.changes import AddColumn, AlterColumn, Change, CreateTable
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Name, option, without
from alembic_roundtrip.migration.sql import names
from alembic_roundtrip.migration.sql.plain import DIALECTS, written
from alembic_roundtrip.migration.sql.words import Statement, Words, executed, statements

if TYPE_CHECKING:
    from alembic_roundtrip.migration.sql.named import Named

PLAUSIBLE = ("postgresql", "sqlite", "mysql")
"""Where nothing says which dialect it is."""
_LOWER = frozenset({"postgresql", "cockroachdb", "redshift"})


@lru_cache(maxsize=4096)
def changes_of(sql: str, dialects: tuple[str, ...] = ()) -> tuple[Change, ...]:
    """The changes of all statements in a text, as far as these dialects agree on them."""
    meant = dialects or PLAUSIBLE
    found: list[Change] = []
    for statement in _statements(sql, meant):
        found += _read(statement, meant)
    return tuple(found)


def _statements(sql: str, dialects: tuple[str, ...]) -> Iterator[Statement]:
    if MYSQL.issuperset(dialects):
        return statements(executed(sql), mysql=True)
    return statements(sql)


@lru_cache(maxsize=512)
def has_column(condition: str, column: str, dialects: tuple[str, ...] = ()) -> bool:
    """Whether a condition is about a column, on one of these dialects at least."""
    from alembic_roundtrip.migration.sql.mentioned import mentions

    meant = dialects or PLAUSIBLE
    return any(mentions(condition, column, name, lower=name in _LOWER) for name in meant)


@lru_cache(maxsize=64)
def copies_of(sql: str, dialects: tuple[str, ...] = ()) -> tuple[tuple[Name, str | None], ...]:
    """Tables and columns whose values a text copies elsewhere; None stands for all columns."""
    meant = dialects or PLAUSIBLE
    found: list[tuple[Name, str | None]] = []
    for statement in _statements(sql, meant):
        verb, *others = map(str.upper, statement.tokens)
        if verb == "UPDATE" and _plain(statement, meant) is not None:
            continue  # it sets literals
        if verb == "UPDATE" or (verb in {"CREATE", "INSERT"} and "SELECT" in others):
            from alembic_roundtrip.migration.sql.copies import copied

            found += copied(statement, meant, lower=_LOWER.issuperset(meant))
    return tuple(found)


@lru_cache(maxsize=64)
def named_in(sql: str, dialects: tuple[str, ...] = ()) -> Named | None:
    """What a text names that is one statement on rows; None where not all of it is known."""
    meant = dialects or PLAUSIBLE
    found = list(statements(sql, mysql=MYSQL.issuperset(meant)))
    if len(found) != 1:
        return None
    from alembic_roundtrip.migration.sql.named import named

    return named(found[0], meant, lower=_LOWER.issuperset(meant))


def _plain(statement: Statement, dialects: tuple[str, ...]) -> tuple[Change, ...] | None:
    """What a statement writes that needs no parser; None where it does."""
    if not DIALECTS.issuperset(dialects):
        return None
    return written(statement, Words(statement.tokens, lower=_LOWER.issuperset(dialects)))


@lru_cache(maxsize=1024)
def conditions_differ(one: str, other: str, dialects: tuple[str, ...] = ()) -> bool | None:
    """Whether two conditions certainly mean something else; None where that is not known."""
    if one.split() == other.split():
        return False
    from alembic_roundtrip.migration.sql.conditions import differ

    return differ(one, other, dialects or PLAUSIBLE)


@lru_cache(maxsize=256)
def fits_values(expression: str, dialect: str) -> bool:
    """Whether an expression makes other values of a column, or may: no cast that refuses some."""
    from alembic_roundtrip.migration.sql.casts import refuses

    return not refuses(expression, dialect)


def _read(statement: Statement, dialects: tuple[str, ...]) -> tuple[Change, ...]:
    lower = _LOWER.issuperset(dialects)
    words = Words(statement.tokens, lower=lower)
    found = names.read(statement, words)
    if found is not None:
        return found
    plain = _plain(statement, dialects)
    if plain is not None:
        return plain
    from alembic_roundtrip.migration.sql.parsed import by_actions, parsed

    readings = {parsed(statement, dialect, lower=lower) for dialect in dialects} - {None}
    if not readings:
        readings = {by_actions(statement, dialect, lower=lower) for dialect in dialects} - {None}
    if len(readings) > 1:
        readings = {tuple(map(_untyped, reading or ())) for reading in readings}
    if len(readings) == 1:
        (only,) = readings
        return only or ()
    words.at = 0
    return names.mentioned(words)


def _untyped(change: Change) -> Change:
    """A change without the types that each dialect has its own of."""
    if isinstance(change, CreateTable):
        columns = tuple(replace(column, type=None) for column in change.table.columns)
        return replace(change, table=replace(change.table, columns=columns))
    if isinstance(change, AddColumn):
        return replace(change, column=replace(change.column, type=None))
    if isinstance(change, AlterColumn) and option(change.options, "type_") is not None:
        options = (*without(change.options, "type_"), ("type_", Expression("")))
        return replace(change, options=options)
    return change
