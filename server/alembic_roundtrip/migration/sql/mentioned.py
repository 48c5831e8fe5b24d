"""Whether a condition has a column in it, and not only a string or a function of that name."""

from __future__ import annotations

from sqlglot import exp

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.sql.syntax import parse
from alembic_roundtrip.migration.sql.words import spoken

_QUOTES = '"`['


def mentions(condition: str, column: str, dialect: str, *, lower: bool) -> bool:
    """Whether a condition has a column; `lower` says that the dialect makes names lower.

    Elsewhere the case of a column is no matter, whether it is quoted or not.
    """
    return any(
        (name if quoted else name.lower()) == column if lower else name.lower() == column.lower()
        for name, quoted in _names(condition, dialect)
    )


def _names(condition: str, dialect: str) -> list[tuple[str, bool]]:
    """The columns of a condition, and whether each is quoted; all words of what is not parsed."""
    tree = parse(f"SELECT 1 WHERE ({condition})", dialect)
    if tree is None:
        tokens = (token for part in spoken(condition, mysql=dialect in MYSQL) for token in part)
        return [(t[1:-1], True) if t[0] in _QUOTES else (t, False) for t in tokens]
    columns = tree.find_all(exp.Column)
    return [(column.name, bool(column.this.args.get("quoted"))) for column in columns]
