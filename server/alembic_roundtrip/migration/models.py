"""Model classes that a migration defines itself, as the tables that they stand for."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from alembic_roundtrip.migration.literals import dotted, value_of

_COLUMNS = frozenset({"Column", "mapped_column"})
_NULLABLE = ("None", "Optional")
_PLACE = {"lineno": 0, "end_lineno": 0, "col_offset": 0, "end_col_offset": 0}
"""Of what stands nowhere in the source."""


def table_of(node: ast.ClassDef) -> ast.expr | None:
    """The `Table(…)` that a model class stands for; None where it is none that says its name."""
    given = {name: value for name, value in assigned(node.body) if value is not None}
    name = given.get("__tablename__")
    if name is None or "__table__" in given:
        return given.get("__table__")
    arguments: list[ast.expr] = [name, ast.Name("metadata", ast.Load(), **_PLACE)]
    arguments += _columns(node)
    if len(node.bases) != 1:
        # What a mixin brings is not read.
        inherited = ast.Name("inherited", ast.Load(), **_PLACE)
        arguments.append(ast.Starred(inherited, ast.Load(), **_PLACE))
    positional, keywords = _table_arguments(given.get("__table_args__"))
    function = ast.Name("Table", ast.Load(), **_PLACE)
    return ast.Call(function, [*arguments, *positional], keywords, **_PLACE)


def assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr | None]]:
    """The names that statements give a value, or only a type."""
    for statement in body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            yield statement.targets[0].id, statement.value
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, statement.value


def _columns(node: ast.ClassDef) -> Iterator[ast.expr]:
    for statement in node.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            noted = statement.annotation if isinstance(statement, ast.AnnAssign) else None
            column = _column(statement.value, noted)
            if column is not None and isinstance(target, ast.Name):
                yield _named(column, target.id)


def _column(value: ast.expr | None, noted: ast.expr | None) -> ast.Call | None:
    """A `Column(…)` for a `mapped_column(…)`, or for an annotation alone."""
    is_column = isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] in _COLUMNS
    mapped = noted is not None and "Mapped[" in ast.unparse(noted)
    if not is_column and not (mapped and value is None):
        return None
    function, arguments, keywords = _constructor(), list[ast.expr](), list[ast.keyword]()
    if isinstance(value, ast.Call):
        arguments, keywords = list(value.args), list(value.keywords)
        function = function if "mapped" in dotted(value.func) else value.func
    said = {keyword.arg for keyword in keywords}
    if mapped and noted is not None and not said & {"nullable", "primary_key"}:
        nullable = any(word in ast.unparse(noted) for word in _NULLABLE)
        keywords.append(ast.keyword("nullable", ast.Constant(nullable, None, **_PLACE), **_PLACE))
    return ast.Call(function, arguments, keywords, **_PLACE)


def _constructor() -> ast.expr:
    return ast.Attribute(ast.Name("sa", ast.Load(), **_PLACE), "Column", ast.Load(), **_PLACE)


def _named(column: ast.Call, name: str) -> ast.Call:
    """A column with its attribute's name, unless it says another."""
    first = value_of(column.args[0]) if column.args else None
    if isinstance(first, str) or any(keyword.arg == "name" for keyword in column.keywords):
        return column
    arguments = [ast.Constant(name, None, **_PLACE), *column.args]
    return ast.Call(column.func, arguments, column.keywords, **_PLACE)


def _table_arguments(node: ast.expr | None) -> tuple[list[ast.expr], list[ast.keyword]]:
    """`__table_args__` as arguments of `Table(…)`."""
    parts = list(node.elts) if isinstance(node, ast.Tuple) else [node] if node is not None else []
    options = parts.pop() if parts and isinstance(parts[-1], ast.Dict) else None
    pairs = zip(options.keys, options.values, strict=True) if isinstance(options, ast.Dict) else ()
    keywords = [
        ast.keyword(str(value_of(key)), value, **_PLACE) for key, value in pairs if key is not None
    ]
    return parts, keywords
