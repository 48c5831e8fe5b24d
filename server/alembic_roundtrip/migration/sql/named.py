"""The tables and columns that a statement on rows names, where they are all known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlglot import exp

from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.columns import Definitions, NotReadError
from alembic_roundtrip.migration.sql.syntax import parse
from alembic_roundtrip.migration.sql.words import Statement


@dataclass(frozen=True, slots=True)
class Named:
    """What a statement reads and writes, wherever it says so: its conditions count as well."""

    tables: frozenset[Name]
    columns: frozenset[str]


def named(statement: Statement, dialects: Iterable[str], *, lower: bool) -> Named | None:
    """What an INSERT, UPDATE or DELETE names; None where dialects differ or not all is known."""
    found = {_named(statement, dialect, lower=lower) for dialect in dialects}
    return found.pop() if len(found) == 1 else None


def _named(statement: Statement, dialect: str, *, lower: bool) -> Named | None:
    tree = parse(statement.text, dialect)
    if not isinstance(tree, exp.Insert | exp.Update | exp.Delete):
        return None
    if _is_open(tree):
        return None
    read = Definitions(statement, dialect, lower)
    listed = tree.this.expressions if isinstance(tree, exp.Insert) else []
    columns = [*listed, *(column.this for column in tree.find_all(exp.Column))]
    try:
        return Named(
            frozenset(read.name(table) for table in tree.find_all(exp.Table)),
            frozenset(read.identifier(column) for column in columns),
        )
    except NotReadError:
        return None


def _is_open(tree: exp.Expression) -> bool:
    """Whether it means columns, or does something, that it does not say."""
    stars = [star for star in tree.find_all(exp.Star) if not isinstance(star.parent, exp.Count)]
    unlisted = isinstance(tree, exp.Insert) and not isinstance(tree.this, exp.Schema)
    return bool(stars) or unlisted or tree.find(exp.Anonymous, exp.Command) is not None
