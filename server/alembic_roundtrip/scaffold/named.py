"""What a statement on rows names that SQLAlchemy makes: `sa.table("t").update().values(…)`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.imports import bound_names
from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.rendering import NotKnownError
from alembic_roundtrip.migration.sql.named import Named

_LIBRARIES = ("sqlalchemy.", "alembic.op.")
_FUNCTIONS = frozenset(
    "select update insert delete and_ or_ not_ cast case literal null true false exists "
    "inline_literal bindparam".split()
)
_METHODS = frozenset(
    "update insert delete where values in_ not_in notin_ is_ is_not isnot like ilike between label "
    "scalar_subquery correlate concat".split()
)
_OF_DATABASES = frozenset(
    "lower upper length coalesce nullif concat trim ltrim rtrim replace substr substring abs round "
    "now current_timestamp count min max sum avg cast".split()
)
"""Functions that read nothing but what they are given; others may be somebody's own."""


def named_by(made: Expression, imports: Iterable[str]) -> Named | None:
    """The tables and columns that a construct names; None where not all of it is known."""
    reader = _Reader(dict(bound_names(imports)))
    try:
        reader.read(ast.parse(made.text, mode="eval").body)
    except (NotKnownError, SyntaxError):
        return None
    unlisted = reader.called & {"insert", "update"} and not reader.called & {
        "values",
        "from_select",
    }
    if unlisted or not reader.tables:
        return None  # it sets all columns that its table is said to have
    return Named(frozenset(reader.tables), frozenset(reader.columns))


class _Reader:
    """Reads a construct whose names are put in already; `NotKnownError` where it is a riddle."""

    def __init__(self, bound: Mapping[str, str]) -> None:
        self._bound = bound
        self.tables: set[Name] = set()
        self.columns: set[str] = set()
        self.called: set[str] = set()

    def read(self, node: ast.AST) -> None:
        """Note what a part names."""
        if isinstance(node, ast.Constant | ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
            return
        if isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.Attribute | ast.Subscript):
            self._column_of(node)
        elif isinstance(node, ast.Dict):
            for key in node.keys:
                self._assigned(key)
            self._all(node.values)
        elif isinstance(
            node, ast.Tuple | ast.List | ast.Compare | ast.BoolOp | ast.BinOp | ast.UnaryOp
        ):
            self._all(part for part in ast.iter_child_nodes(node) if part is not None)
        elif not isinstance(node, ast.Load):
            raise NotKnownError(ast.unparse(node))

    def _all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.read(node)

    def _call(self, call: ast.Call) -> None:
        path = self._path(call.func)
        name = path.rpartition(".")[2]
        self.called.add(name or getattr(call.func, "attr", ""))
        if path.startswith(_LIBRARIES):
            if name in {"table", "Table", "column"}:
                self._made(name.lower(), call)
            elif ".func." in path and name in _OF_DATABASES:
                self._all(call.args)
            elif name in _FUNCTIONS:
                self._statement(name, call)
            elif not name[:1].isupper():  # a type
                raise NotKnownError(name)
        elif isinstance(call.func, ast.Attribute):
            self._method(call.func, call)
        else:
            raise NotKnownError(ast.unparse(call.func))

    def _path(self, node: ast.expr) -> str:
        """What a chain of names leads to: `sqlalchemy.table`; empty where it starts at none."""
        first, _, rest = dotted(node).partition(".")
        target = self._bound.get(first, "")
        return f"{target}.{rest}" if rest else target

    def _made(self, kind: str, call: ast.Call) -> None:
        """A table, whose columns count where they are used, or a column."""
        name = value_of(call.args[0]) if call.args else None
        schemas = [value_of(each.value) for each in call.keywords if each.arg == "schema"]
        schema = schemas[0] if schemas else None
        if not isinstance(name, str) or not isinstance(schema, str | None):
            raise NotKnownError(kind)
        if kind == "table":
            self.tables.add(Name.of(name, schema))
        else:
            self.columns.add(name)

    def _statement(self, name: str, call: ast.Call) -> None:
        whole = any(self._path(part.func).endswith(".table") for part in _calls(call.args))
        if name == "select" and whole:
            raise NotKnownError("all columns of a table")
        self._all(call.args)
        self._all(each.value for each in call.keywords)

    def _method(self, func: ast.Attribute, call: ast.Call) -> None:
        if func.attr == "from_select" and call.args and not call.keywords:
            listed, *query = call.args
            for each in listed.elts if isinstance(listed, ast.List | ast.Tuple) else [None]:
                self._assigned(each)
            self._all([func.value, *query])
        elif func.attr in _METHODS:
            self._all([func.value, *call.args])
            if func.attr == "values":
                self.columns.update(each.arg for each in call.keywords if each.arg)
            self._all(each.value for each in call.keywords)
        else:
            raise NotKnownError(func.attr)

    def _assigned(self, node: ast.expr | None) -> None:
        """A column by its name or as a construct."""
        name = value_of(node) if node is not None else None
        if isinstance(name, str):
            self.columns.add(name)
        elif node is not None:
            self.read(node)
        else:
            raise NotKnownError("columns")

    def _column_of(self, node: ast.Attribute | ast.Subscript) -> None:
        """`….c.name` or `….c["name"]`; a type of the library."""
        if isinstance(node, ast.Subscript):
            name = value_of(node.slice)
        elif self._path(node).startswith(_LIBRARIES) and node.attr[:1].isupper():
            return
        else:
            name = node.attr
        owner = node.value
        if not isinstance(name, str) or getattr(owner, "attr", "") not in {"c", "columns"}:
            raise NotKnownError(ast.unparse(node))
        assert isinstance(owner, ast.Attribute)
        self.columns.add(name)
        self.read(owner.value)


def _calls(nodes: Iterable[ast.expr]) -> Iterable[ast.Call]:
    return (node for node in nodes if isinstance(node, ast.Call))
