"""Where calls stand in the text of a migration, for fixes that change them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from alembic_roundtrip.migration.literals import dotted, value_of
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.migration.syntax import parse, range_of
from alembic_roundtrip.text import Range, Source


@dataclass(frozen=True, slots=True)
class Place:
    """A call as it is written: where, of what, with which literal arguments.

    `variable` is the name that its value is assigned to; `UNKNOWN` stands for other arguments.
    """

    range: Range
    function: str
    positional: tuple[object, ...]
    keywords: dict[str, object]
    variable: str = ""


def calls_of(migration: Migration, *names: str) -> Iterator[Place]:
    """The calls of functions by their last name, wherever they stand."""
    for place in _calls(migration.source):
        if place.function.rpartition(".")[2] in names:
            yield place


@lru_cache(maxsize=4)  # many findings of one migration are fixed, one after the other
def _calls(source: Source) -> tuple[Place, ...]:
    nodes = list(ast.walk(parse(source).tree))
    assigned = {
        node.value: node.targets[0].id
        for node in nodes
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return tuple(
        Place(
            range_of(source, node),
            dotted(node.func),
            tuple(map(value_of, node.args)),
            {str(k.arg): value_of(k.value) for k in node.keywords},
            assigned.get(node, ""),
        )
        for node in nodes
        if isinstance(node, ast.Call)
    )
