"""Which columns the condition of a CHECK is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.literals import dotted
from alembic_roundtrip.migration.objects import Constraint
from alembic_roundtrip.migration.sql import has_column


def checks(part: Constraint, column: str, dialects: tuple[str, ...]) -> bool:
    """Whether a CHECK is about a column, on one of the dialects at least."""
    return part.kind == "check" and any(mentions(e, column, dialects) for e in part.arguments)


def mentions(condition: Expression, column: str, dialects: tuple[str, ...]) -> bool:
    """Whether a condition has a column in it, not only a string of that name."""
    text = condition.sql
    if text is None:
        # As an argument, because `*conditions` is nothing by itself.
        tree = ast.parse(f"f({condition.text})", mode="eval")
        text = _written(tree)
        if column in _in_constructs(tree):
            return True
    return has_column(text, column, dialects)


def _written(tree: ast.AST) -> str:
    """The SQL of an f-string, with a number for what is computed."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    parts = (part for node in found for part in node.values)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "0" for p in parts)


def _in_constructs(tree: ast.AST) -> Iterator[str]:
    """Columns in a condition of SQLAlchemy's own: `column("a")`, `t.c.a`, `t.c["a"]`, `Model.a`."""
    for node in ast.walk(tree):
        given: ast.AST | None = None
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Subscript):
            given = node.slice
        elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2].endswith("column"):
            given = node.args[0] if node.args else None
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield given.value
