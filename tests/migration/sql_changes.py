"""The changes of one statement, as values to compare."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Name, Options
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.migration.sql import changes_of

POSTGRESQL = ("postgresql",)


MYSQL = ("mysql",)


SQLITE = ("sqlite",)


def spelled(value: Any) -> Any:
    """Plain values in place of what only says how something was written."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, tuple) and not isinstance(value, Name):
        return tuple(spelled(part) for part in value)
    if is_dataclass(value):
        return {part.name: spelled(getattr(value, part.name)) for part in fields(value)}
    return value


def the(sql: str, dialects: tuple[str, ...] = POSTGRESQL) -> c.Change:
    (found,) = changes_of(sql, dialects)
    return found


def made(python: str) -> c.Change:
    """The change that a call of Alembic makes, to hold SQL against."""
    text = (
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "from sqlalchemy.dialects import mysql, postgresql\n"
        f"def upgrade():\n    {python}\n"
    )
    migration = read(text, Path("a.py"))
    assert migration.upgrade is not None
    (operation,) = migration.upgrade.operations
    return operation.changes[0]


def options(options: Options) -> dict[str, str]:
    return {key: value.text for key, value in options}
