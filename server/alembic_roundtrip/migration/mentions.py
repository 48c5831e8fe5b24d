"""Which columns the condition of a CHECK, or an index, is about."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.literals import dotted
from alembic_roundtrip.migration.objects import Constraint, Index, option
from alembic_roundtrip.migration.sql import has_column
from alembic_roundtrip.migration.sql.words import spoken

_OPERATORS = frozenset({"in_", "not_in", "notin_", "is_", "is_not", "like", "ilike", "between"})


def checks(part: Constraint, column: str, dialects: tuple[str, ...]) -> bool:
    """Whether a CHECK is about a column, on one of the dialects at least."""
    return part.kind == "check" and any(mentions(e, column, dialects) for e in part.arguments)


def is_on(index: Index, column: str, dialects: tuple[str, ...]) -> bool:
    """Whether a column is part of an index, so that it goes or changes with the column."""
    for part in index.columns:
        if part.value == column or (not part.known and mentions(part, column, dialects)):
            return True
    if not index.options or not {"postgresql"}.issuperset(dialects):
        return False
    where = option(index.options, "postgresql_where")
    if where is not None and mentions(where, column, dialects):
        return True
    included = option(index.options, "postgresql_include")
    return included is not None and column in (included.strings or ())


def mentions(condition: Expression, column: str, dialects: tuple[str, ...]) -> bool:
    """Whether a condition has a column in it, not only a string of that name."""
    if condition.sql is not None:
        return has_column(condition.sql, column, dialects)
    # As an argument, because `*conditions` is nothing by itself.
    tree = ast.parse(f"f({condition.text})", mode="eval")
    constructs = set(_in_constructs(tree.body))
    written, others = _written(tree), list(_other_strings(tree))
    bare = isinstance(tree.body, ast.Call) and all(map(_is_reference, tree.body.args))
    if bare or not (constructs or written or others):
        return True  # nobody knows what it is about
    if column in constructs or has_column(written, column, dialects):
        return True
    return any(_has_word(text, column) for text in others)


def _is_reference(node: ast.AST) -> bool:
    """Whether it is what stands elsewhere: `app.CONDITION`."""
    return isinstance(node, ast.Name | ast.Attribute)


def _has_word(text: str, column: str) -> bool:
    """Whether a piece of SQL has the name of a column in it, in whatever case and quotes."""
    words = (word for statement in spoken(text) for word in statement)
    return any(word.strip('"`[]').casefold() == column.casefold() for word in words)


def _other_strings(tree: ast.AST) -> Iterator[str]:
    """What SQL may be computed of, by `%`, `+`, `format` or `join`; not the values of constructs.

    Those of f-strings are not among them.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif not isinstance(node, ast.JoinedStr) and not _is_construct(node):
            yield from _other_strings(node)


def _written(tree: ast.AST) -> str:
    """The SQL of an f-string, with a number for what is computed."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    parts = (part for node in found for part in node.values)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "0" for p in parts)


def _is_construct(node: ast.AST) -> bool:
    """Whether strings in it are values, or names that are found there: `column("a") == "b"`."""
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Compare)
    name = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
    return name.endswith("column") or name in _OPERATORS


def _in_constructs(tree: ast.AST) -> Iterator[str]:
    """Columns in a condition of SQLAlchemy's own: `column("a")`, `t.c.a`, `t.c["a"]`, `Model.a`."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        given: ast.AST | None = None
        if isinstance(node, ast.Attribute):
            if id(node) not in called:
                yield node.attr
        elif isinstance(node, ast.Subscript):
            given = node.slice
        elif isinstance(node, ast.Call) and dotted(node.func).rpartition(".")[2].endswith("column"):
            given = node.args[0] if node.args else None
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield given.value
