"""UPDATE and DELETE that name one table and compare columns with literals: read without a parser.

They are most of what migrations write, and sqlglot takes longer for one than a migration takes
for all the rest. Whatever goes beyond is left to it, and both are held against each other in tests.
"""

from __future__ import annotations

import re

from alembic_roundtrip.migration.changes import Change, WriteRows
from alembic_roundtrip.migration.sql.words import Statement, Words

DIALECTS = frozenset({"mariadb", "mysql", "postgresql", "sqlite"})
"""Those that are known to agree on all of this."""
_LONGEST = 5_000
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # MySQL has character sets with a line before
_NUMBER = re.compile(r"[0-9]+")
_STRING = re.compile(r"'[^'\\]*'")
_CONSTANTS = frozenset({"NULL", "TRUE", "FALSE"})
_COMPARISONS = (("<", ">"), ("!", "="), ("<", "="), (">", "="), ("=",), ("<",), (">",))
_RESERVED = frozenset(
    "ALL ALTER ANALYZE AND ANY ARRAY AS ASC BETWEEN BINARY BY CASE CAST CHARSET CHECK COLLATE "
    "COLUMN CREATE CROSS CURRENT CURRENT_CATALOG CURRENT_DATE CURRENT_SCHEMA CURRENT_TIME "
    "CURRENT_TIMESTAMP CURRENT_USER DEFAULT DELETE DESC DESCRIBE DISTINCT DISTINCTROW DIV "
    "DROP ELSE END ESCAPE EXCEPT EXISTS EXPLAIN EXTRACT FALSE FETCH FOR FORCE FROM FULL GLOB "
    "GRANT GROUP HAVING IF IGNORE ILIKE IN INNER INSERT INTERSECT INTERVAL INTO IS ISNULL "
    "JOIN KEY LAG LATERAL LEFT LIKE LIMIT LOCALTIME LOCALTIMESTAMP LOCK LOW_PRIORITY MATCH "
    "MERGE MOD NATURAL NOT NOTNULL NULL OFFSET ON ONLY OR ORDER OUTER OVER OVERLAPS PARTITION "
    "PARTITIONED_BY PIVOT PRIMARY QUALIFY QUICK REFERENCES REGEXP RETURNING REVOKE RIGHT "
    "RLIKE ROLLBACK ROW ROWS SELECT SEPARATOR SESSION_USER SET SIMILAR SOME STRAIGHT_JOIN "
    "TABLE TABLESAMPLE THEN TO TRUE TRUNCATE UNCACHE UNION UNIQUE UNKNOWN UPDATE USER USING "
    "VALUES VARIADIC WHEN WHERE WINDOW WITH XOR".split()
)
"""Words that are none of a name in one of the dialects, or begin what is more than plain."""


def written(statement: Statement, words: Words) -> tuple[Change, ...] | None:
    """The rows that a statement writes; None where it is anything but plain."""
    text = statement.text
    if len(text) > _LONGEST or "--" in text or "/*" in text:
        return None
    reader = _Reader(words)
    words.at = 0
    if words.take("UPDATE"):
        return reader.update()
    return reader.delete() if words.take("DELETE", "FROM") else None


class _Reader:
    """Takes the words of one statement; each method says whether what it looks for was there."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def update(self) -> tuple[Change, ...] | None:
        table = self._words.name() if self._is_name() else None
        if table is None or not self._words.take("SET"):
            return None
        columns: list[str] = []
        while True:
            column = self._words.identifier() if self._is_name() else None
            if column is None or not self._words.take("=") or not self._literal():
                return None
            columns.append(column)
            if not self._words.take(","):
                break
        bounded = self._words.take("WHERE")
        nulls_of = self._nulls_of()
        if (bounded and not self._conditions()) or not self._words.ended:
            return None
        read = frozenset[str]()
        return (WriteRows("update", table, bounded, tuple(columns), read=read, nulls_of=nulls_of),)

    def delete(self) -> tuple[Change, ...] | None:
        table = self._words.name() if self._is_name() else None
        bounded = self._words.take("WHERE")
        nulls_of = self._nulls_of()
        if table is None or (bounded and not self._conditions()) or not self._words.ended:
            return None
        return (WriteRows("delete", table, bounded, nulls_of=nulls_of),)

    def _nulls_of(self) -> str | None:
        """The column that is asked for NULL, where that is all that comes."""
        start = self._words.at
        name = self._words.name() if self._is_name() else None
        alone = self._words.take("IS", "NULL") and self._words.ended
        self._words.at = start
        return name.name if name is not None and alone else None

    def _conditions(self) -> bool:
        while self._condition():
            if not (self._words.take("AND") or self._words.take("OR")):
                return True
        return False

    def _condition(self) -> bool:
        words = self._words
        if not self._operand():
            return False
        if words.take("IS"):
            words.take("NOT")
            return words.take("NULL")
        if any(words.take(*comparison) for comparison in _COMPARISONS):
            return self._operand()
        words.take("NOT")
        if words.take("LIKE"):
            return self._take(_STRING)
        return words.take("IN", "(") and self._list()

    def _list(self) -> bool:
        while self._literal():
            if self._words.take(")"):
                return True
            if not self._words.take(","):
                return False
        return False

    def _operand(self) -> bool:
        if self._is_name():
            return self._words.name() is not None
        return self._literal()

    def _literal(self) -> bool:
        if self._words.peek() in _CONSTANTS:
            self._words.at += 1
            return True
        if self._take(_STRING):
            return True
        self._words.take("-")
        if not self._take(_NUMBER):
            return False
        return not self._words.take(".") or self._take(_NUMBER)

    def _take(self, pattern: re.Pattern[str]) -> bool:
        found = pattern.fullmatch(self._words.peek()) is not None
        self._words.at += found
        return found

    def _is_name(self) -> bool:
        """Whether a name comes, or two with a point between, that can be nothing else."""
        words = self._words
        ahead = 2 if words.peek(1) == "." else 0
        return all(
            _NAME.fullmatch(words.peek(at)) and words.peek(at) not in _RESERVED for at in (0, ahead)
        ) and words.peek(ahead + 1) not in {".", "("}
