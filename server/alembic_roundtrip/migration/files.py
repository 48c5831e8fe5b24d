"""SQL files beside a migration, read as text; nothing else is ever opened."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path

ValueOf = Callable[[ast.expr], object]

_LARGEST = 1_000_000
_ABOVE = 4
"""Folders above the migration's that a path relative to where Alembic runs may start from."""
_JOINS = frozenset({"join", "joinpath"})
_SAME = frozenset({"Path", "PurePath", "abspath", "realpath", "resolve", "absolute", "str"})
_SAME |= {"expanduser", "fspath", "as_posix"}


def read_sql(node: ast.expr, migration: Path | None, value_of: ValueOf) -> str | None:
    """The text that `open(…).read()` or `Path(…).read_text()` gives, of an SQL file beside it."""
    if migration is None or not isinstance(node, ast.Call):
        return None
    function = node.func
    if not isinstance(function, ast.Attribute):
        return None
    place: ast.expr | None = None
    if function.attr == "read_text":
        place = function.value
    elif function.attr == "read" and isinstance(function.value, ast.Call):
        place = _opened(function.value)
    found = _Paths(migration, value_of).of(place) if place is not None else None
    return None if found is None else _text(found, migration)


def with_texts(node: ast.expr, migration: Path | None, value_of: ValueOf) -> ast.expr:
    """An expression with the texts of the SQL files that it reads put in."""
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    if not any(getattr(call.func, "attr", "") in {"read", "read_text"} for call in calls):
        return node
    return _Texts(migration, value_of).visit(copy.deepcopy(node))  # type: ignore[no-any-return]


class _Texts(ast.NodeTransformer):
    def __init__(self, migration: Path | None, value_of: ValueOf) -> None:
        self._migration = migration
        self._value_of = value_of

    def visit_Call(self, node: ast.Call) -> ast.expr:
        text = read_sql(node, self._migration, self._value_of)
        if text is None:
            self.generic_visit(node)
            return node
        return ast.copy_location(ast.Constant(text), node)


def _opened(node: ast.Call) -> ast.expr | None:
    """What `open(x)`, `io.open(x)` or `x.open()` opens."""
    function = node.func
    if isinstance(function, ast.Name) and function.id == "open" and node.args:
        return node.args[0]
    if isinstance(function, ast.Attribute) and function.attr == "open":
        module = isinstance(function.value, ast.Name) and function.value.id in {"io", "codecs"}
        return (node.args[0] if node.args else None) if module else function.value
    return None


class _Paths:
    """What path expressions come to, from `__file__` on."""

    def __init__(self, migration: Path, value_of: ValueOf) -> None:
        self._file = migration
        self._value_of = value_of

    def of(self, node: ast.expr) -> Path | None:
        if isinstance(node, ast.Name) and node.id == "__file__":
            return self._file
        value = self._value_of(node)
        if isinstance(value, str):
            return Path(value)
        if isinstance(node, ast.Attribute) and node.attr == "parent":
            inner = self.of(node.value)
            return None if inner is None else inner.parent
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
            return self._parents(node.value, node.slice)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            return self._joined([node.left, node.right])
        match node:
            case ast.BinOp(left, ast.Add(), end):
                return self._written(left, str.__add__, end)
            case ast.Call(ast.Attribute(owner, "replace"), [old, new]):
                return self._written(owner, str.replace, old, new)
        return self._called(node) if isinstance(node, ast.Call) else None

    def _written(
        self, node: ast.expr, change: Callable[..., str], *arguments: ast.expr
    ) -> Path | None:
        """A path that is made as a text, from another one."""
        inner, values = self._stem(node) or self.of(node), [*map(self._value_of, arguments)]
        texts = [value for value in values if isinstance(value, str)]
        if inner is None or len(texts) < len(values):
            return None
        return Path(change(str(inner), *texts))

    def _stem(self, node: ast.expr) -> Path | None:
        """What `os.path.splitext(path)[0]` comes to."""
        match node:
            case ast.Subscript(ast.Call(function, [path]), ast.Constant(0)):
                name = getattr(function, "attr", getattr(function, "id", ""))
                inner = self.of(path) if name == "splitext" else None
                return None if inner is None else inner.with_suffix("")
        return None

    def _parents(self, node: ast.Attribute, index: ast.expr) -> Path | None:
        inner, number = self.of(node.value), self._value_of(index)
        if node.attr != "parents" or inner is None or not isinstance(number, int):
            return None
        above = list(inner.parents)
        return above[number] if 0 <= number < len(above) else None

    def _called(self, node: ast.Call) -> Path | None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else ""
        name = function.id if isinstance(function, ast.Name) else name
        owner = function.value if isinstance(function, ast.Attribute) else None
        if name == "dirname" and node.args:
            inner = self.of(node.args[0])
            return None if inner is None else inner.parent
        if name in _JOINS:
            bound = [owner] if name == "joinpath" and owner is not None else []
            return self._joined([*bound, *node.args])
        if name == "with_suffix" and owner is not None and node.args:
            inner, suffix = self.of(owner), self._value_of(node.args[0])
            return inner.with_suffix(".sql") if inner is not None and suffix == ".sql" else None
        if name == "with_name" and owner is not None and node.args:
            inner, new = self.of(owner), self._value_of(node.args[0])
            return inner.parent / new if inner is not None and isinstance(new, str) else None
        if name in _SAME and node.args:
            return self._joined(node.args)
        return self.of(owner) if name in _SAME and owner is not None else None

    def _joined(self, nodes: list[ast.expr]) -> Path | None:
        parts = [self.of(node) for node in nodes]
        known = [part for part in parts if part is not None]
        return known[0].joinpath(*known[1:]) if len(known) == len(parts) and known else None


def _text(path: Path, migration: Path) -> str | None:
    """The file's text where it is a small SQL file inside of the migrations' folder."""
    for candidate in _candidates(path, migration):
        try:
            real, folder = candidate.resolve(), migration.parent.resolve()
            inside = folder in real.parents or folder.parent in real.parents
            if not inside or real.suffix != ".sql" or not real.is_file():
                continue
            if real.stat().st_size <= _LARGEST:
                return real.read_text(encoding="utf-8")
        except (OSError, ValueError):  # what cannot be read is SQL that is not known
            return None
    return None


def _candidates(path: Path, migration: Path) -> Iterator[Path]:
    yield path if path.is_absolute() else migration.parent / path
    # A path from where Alembic is run, which is a folder above.
    for folder in () if path.is_absolute() else list(migration.parents)[1 : _ABOVE + 1]:
        yield folder / path
