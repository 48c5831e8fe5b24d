"""The top-level statements of a downgrade, as they are written and as they are read."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.editing import statements_of
from alembic_roundtrip.migration.layout import OWN_COMMENTS, is_technical
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.scaffold.told import is_quoted
from alembic_roundtrip.text import within

_NAMED = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
)
_MARKER = "# ###"
"""Begins what autogenerate writes around a body."""


@dataclass(frozen=True)
class Part:
    """What stands on its own among the statements of a downgrade: mostly one of them.

    `operations` are those that it makes; `text` has the comments above it.
    """

    text: str
    nodes: tuple[ast.stmt, ...]
    operations: tuple[Operation, ...]

    @property
    def changes(self) -> tuple[c.Change, ...]:
        """What its operations change."""
        return tuple(change for operation in self.operations for change in operation.changes)

    @property
    def rows(self) -> tuple[c.WriteRows, ...]:
        """What it writes of rows."""
        return tuple(change for change in self.changes if isinstance(change, c.WriteRows))

    @property
    def code(self) -> str:
        """Without comments and layout."""
        return "\n".join(map(ast.dump, self.nodes))

    @property
    def comments(self) -> tuple[str, ...]:
        """What somebody says in it and above it; not what is said to tools."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text + "\n").readline)
        found = [token.string for token in tokens if token.type == tokenize.COMMENT]
        return tuple(text for text in found if not is_technical(text))

    @property
    def names(self) -> set[str]:
        """The names that it uses."""
        nodes = (node for statement in self.nodes for node in ast.walk(statement))
        names = (node for node in nodes if isinstance(node, ast.Name))
        return {node.id for node in names if isinstance(node.ctx, ast.Load)}

    @property
    def bound(self) -> set[str]:
        """The names that it may bind."""
        return {name for node in self.nodes for name in bound_in(node)}


def parts(migration: Migration, downgrade: Direction) -> list[Part]:
    """The statements of a downgrade without its docstring; those of one line are one part."""
    places = list(downgrade.statements)
    found = []
    for text in statements_of(migration, downgrade.name):
        nodes = ast.parse(text).body
        mine, places = places[: len(nodes)], places[len(nodes) :]
        inside = (o for o in downgrade.operations if any(within(o.statement, p) for p in mine))
        found.append(Part(_without_own(text), tuple(nodes), tuple(inside)))
    if downgrade.docstring is not None and found and len(found[0].nodes) == 1:
        return found[1:]  # it stays where it is
    return found


def does_nothing(part: Part) -> bool:
    """Whether it is `pass` or a mere string."""
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in part.nodes
    )


def bound_in(node: ast.AST) -> Iterator[str]:
    """The names that a piece of code may bind, wherever in it."""
    return (name for each in ast.walk(node) for name in _bound(each))


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node itself binds."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias):
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, _NAMED):
        yield from filter(None, [node.name])
    elif isinstance(node, ast.MatchMapping):
        yield from filter(None, [node.rest])


def _without_own(text: str) -> str:
    """A statement without the comments above it that the scaffold and autogenerate write."""
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if not line.startswith("#")), len(lines))
    above = [
        line
        for line in lines[:first]
        if not line.startswith((*OWN_COMMENTS, _MARKER)) and not is_quoted(line)
    ]
    return "\n".join([*above, *lines[first:]])
