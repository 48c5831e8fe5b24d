"""Values as they stand in statements of PostgreSQL's."""

from __future__ import annotations

from typing import Any


def literal(value: Any) -> str:
    """A value as it can stand in a statement, of no type yet: the column gives it one."""
    if value is None:
        return "NULL"
    text = str(value).replace("'", "''")
    if "\\" in text:
        return " E'{}'".format(text.replace("\\", "\\\\"))
    return f"'{text}'"
