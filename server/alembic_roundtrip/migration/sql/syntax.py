"""SQL parsed by sqlglot, within bounds; the only module that starts it."""

from __future__ import annotations

import logging

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_LONGEST = 20_000
_DEEPEST = 40
_NAMES = {
    "bigquery": "bigquery",
    "clickhouse": "clickhouse",
    "cockroachdb": "postgres",
    "duckdb": "duckdb",
    "mariadb": "mysql",
    "mssql": "tsql",
    "mysql": "mysql",
    "oracle": "oracle",
    "postgresql": "postgres",
    "redshift": "redshift",
    "snowflake": "snowflake",
    "sqlite": "sqlite",
}
# What it cannot parse is read by names; that is no news for a user's terminal.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


def parse(text: str, dialect: str) -> exp.Expression | None:
    """A statement's tree; None where it is not one that can be read, or beyond bounds."""
    name = _NAMES.get(dialect)
    if name is None or len(text) > _LONGEST or _depth(text) > _DEEPEST:
        return None
    try:
        tree = sqlglot.parse_one(text, read=name)
    except (SqlglotError, RecursionError, ValueError):
        return None
    if isinstance(tree, exp.Command) or not isinstance(tree, exp.Expression):
        return None
    return tree


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        if character in "([{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in ")]}":
            depth -= 1
    return deepest
