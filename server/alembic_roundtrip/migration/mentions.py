"""Which columns the condition of a CHECK, or an index, is about."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.literals import dotted
from alembic_roundtrip.migration.objects import Constraint, Index, option
from alembic_roundtrip.migration.sql import has_column
from alembic_roundtrip.migration.sql.words import spoken

_OPERATORS = frozenset({"in_", "not_in", "notin_", "is_", "is_not", "like", "ilike", "between"})
_SQLALCHEMY = frozenset({"sa", "sqlalchemy", "func", "text", "and_", "or_", "not_"})


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
    call = ast.parse(f"f({condition.text})", mode="eval").body
    assert isinstance(call, ast.Call)
    found = _Named()
    for given in call.args:
        found.gather(given)
    if not found.anything or all(map(_stands_elsewhere, call.args)):
        return True  # nobody knows what it is about
    if column in found.columns or has_column(found.sql, column, dialects):
        return True
    return any(_has_word(text, column) for text in found.strings)


def _stands_elsewhere(node: ast.expr) -> bool:
    """Whether it is `app.CONDITION`, or what a function makes that is not SQLAlchemy's."""
    if isinstance(node, ast.Starred):
        return _stands_elsewhere(node.value)
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Name | ast.Attribute)
    if isinstance(node.func, ast.Attribute) and not dotted(node.func):
        return False  # of a string, or of what a call has made: `column("a").in_([1])`
    return not _is_construct(node) and dotted(node.func).partition(".")[0] not in _SQLALCHEMY


def _has_word(text: str, column: str) -> bool:
    """Whether a piece of SQL has the name of a column in it, in whatever case and quotes."""
    words = (word for statement in spoken(text) for word in statement)
    return any(word.strip('"`[]').casefold() == column.casefold() for word in words)


@dataclass
class _Named:
    """What may name columns in a condition that is made by Python."""

    columns: set[str] = field(default_factory=set)
    """Those of SQLAlchemy's constructs: `column("a")`, `t.c.a`, `t.c["a"]`, `Model.a`."""
    sql: str = ""
    """That of f-strings, with a number for what is computed."""
    strings: list[str] = field(default_factory=list)
    """What SQL may be computed of, by `%`, `+`, `format` or `join`."""

    @property
    def anything(self) -> bool:
        """Whether there is something."""
        return bool(self.columns or self.sql or self.strings)

    def gather(self, node: ast.AST, *, values: bool = False) -> None:
        """Add what a part of a condition has; its strings may be `values` of a construct."""
        name: ast.AST | None = None
        inner = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.JoinedStr):
            parts = node.values
            self.sql += "".join(str(p.value) if isinstance(p, ast.Constant) else "0" for p in parts)
            values = True
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not values:
            self.strings.append(node.value)
        elif isinstance(node, ast.Attribute):
            self.columns.add(node.attr)
        elif isinstance(node, ast.Subscript):
            name = node.slice
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):  # a method is no column
                inner = [node.func.value, *inner[1:]]
            name = node.args[0] if node.args and _is_column(node) else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.columns.add(name.value)
        for each in inner:
            self.gather(each, values=values or _is_construct(node))


def _is_construct(node: ast.AST) -> bool:
    """Whether strings in it are values, or names that are found there: `column("a") == "b"`."""
    if not isinstance(node, ast.Call):
        return isinstance(node, ast.Compare)
    name = dotted(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
    return _is_column(node) or name in _OPERATORS


def _is_column(node: ast.Call) -> bool:
    return dotted(node.func).rpartition(".")[2].endswith("column")
