"""What a migration does to each of several databases, read as the directions of each."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace

from alembic_roundtrip.migration.directions import read_direction
from alembic_roundtrip.migration.engines import (
    dispatches,
    engines_of,
    only_dispatches,
    takes_engine,
)
from alembic_roundtrip.migration.evaluation import Scope
from alembic_roundtrip.migration.model import DIRECTIONS, Direction, Part
from alembic_roundtrip.migration.syntax import Syntax

Engines = Mapping[str, tuple[str, ...]]
"""The databases that env.py migrates, by its names for them, each with its dialects."""


def read_parts(syntax: Syntax, module: Scope, known: Engines) -> tuple[Part, ...]:
    """What a migration does to each engine; nothing for one of a single database."""
    upgrade = module.functions.get("upgrade")
    if upgrade is None or not takes_engine(upgrade):
        return ()
    named = any(dispatches(name, module.functions) for name in DIRECTIONS)
    engines = engines_of(syntax.tree, module.functions, known.keys()) if named else tuple(known)
    reader = _Reader(syntax.blanked, module, known)
    return tuple(reader.part(engine) for engine in engines)


class _Reader:
    """Reads the directions of one engine after the other."""

    def __init__(self, blanked: frozenset[int], module: Scope, known: Engines) -> None:
        self._blanked = blanked
        self._module = module
        self._known = known

    def part(self, engine: str) -> Part:
        dialects = self._known.get(engine, self._module.dialects)
        scope = self._module
        if dialects != scope.dialects:
            scope = replace(scope, dialects=dialects)
        functions = self._module.functions
        own = frozenset(name for name in DIRECTIONS if only_dispatches(name, functions))
        upgrade, downgrade = (
            functions.get(f"{name}_{engine}" if name in own else name) for name in DIRECTIONS
        )
        return Part(
            engine,
            self._read(upgrade, scope, engine),
            self._read(downgrade, scope, engine),
            own,
        )

    def _read(
        self, function: ast.FunctionDef | None, scope: Scope, engine: str
    ) -> Direction | None:
        if function is None:
            return None
        return read_direction(function, scope, self._blanked, engine)
