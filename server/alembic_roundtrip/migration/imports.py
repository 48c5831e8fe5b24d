"""Import statements that a rewrite needs and a migration does not have yet."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from alembic_roundtrip.migration.layout import Layout
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.text import Edit, Position, Range

_Import = ast.Import | ast.ImportFrom


def import_edits(migration: Migration, needed: Sequence[str]) -> list[Edit]:
    """The edit that adds the missing ones after those that are there.

    Raises `ValueError` where a name that is needed stands for something else.
    """
    missing = missing_imports(migration.imports, needed)
    return [_edit(migration, missing)] if missing else []


def missing_imports(there: Iterable[str], needed: Iterable[str]) -> list[str]:
    """The statements that bring what the others do not; `ValueError` for a name that is taken."""
    bound = dict(bound_names(there))
    missing: dict[str, None] = {}
    for statement in dict.fromkeys(needed):
        for name, target in bound_names([statement]):
            if bound.get(name, target) != target and not _same(bound[name], target):
                raise ValueError(f"`{name}` is `{bound[name]}` here, but `{statement}` is needed")
            if name not in bound and not _starred(bound, target):
                missing[statement] = None
                bound[name] = target
    return list(missing)


def bound_names(statements: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names that imports bind, and what they stand for."""
    for statement in statements:
        for node in ast.parse(statement).body:
            if isinstance(node, ast.Import):
                yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = "." * node.level + (node.module or "")
                for alias in node.names:
                    name = alias.asname or alias.name
                    yield (f"*{module}" if name == "*" else name), f"{module}.{alias.name}"


def _same(one: str, other: str) -> bool:
    """Whether two paths are known to lead to one thing: SQLAlchemy exports from several places."""
    root, last = one.partition(".")[0], one.rpartition(".")[2]
    return root == other.partition(".")[0] and last == other.rpartition(".")[2]


def _starred(bound: dict[str, str], target: str) -> bool:
    return f"*{target.rpartition('.')[0]}" in bound


def _edit(migration: Migration, missing: Sequence[str]) -> Edit:
    layout = Layout(migration)
    body = parse(migration.source).tree.body
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    last: _Import | None = None
    for node in body:
        if isinstance(node, definitions):
            break
        if isinstance(node, _Import):
            last = node
    text = "\n".join(missing)
    if last is not None:
        place = migration.source.line_range(last.end_lineno or last.lineno).end
        return Edit(Range(place, place), layout.newlines("\n" + text))
    if migration.docstring is not None:
        place = migration.source.line_range(migration.docstring.range.end.line).end
        return Edit(Range(place, place), layout.newlines("\n\n" + text))
    number = body[0].lineno if body else 1
    place = Position(number, 1) if number > 1 else layout.start
    return Edit(Range(place, place), layout.newlines(text + "\n\n"))
