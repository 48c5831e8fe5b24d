"""Changes of a migration that keep its data, one module each, offered at what they are about."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Protocol

from alembic_roundtrip.context import Context
from alembic_roundtrip.engines import fix_of_part
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern
from alembic_roundtrip.text import Range

__all__ = ["Pattern", "names", "patterns"]


class _Module(Protocol):
    def patterns(self, context: Context, at: At) -> Iterator[Pattern]:
        """What the module offers for a migration, at these places."""


def patterns(context: Context, at: Range | None = None) -> tuple[Pattern, ...]:
    """Everything that is offered for a migration (or in a range), in the order of the text."""
    migration = context.migration
    if context.parts:
        return tuple(sorted(_of_engines(context, at), key=_place))
    if migration.problems or migration.upgrade is None or migration.of_several_databases:
        return ()
    places = At(at)
    modules = _modules().values()
    found = [pattern for module in modules for pattern in module.patterns(context, places)]
    return tuple(sorted(found, key=_place))


def _place(pattern: Pattern) -> tuple[Range, str]:
    return pattern.range, pattern.name


def _of_engines(context: Context, at: Range | None) -> Iterator[Pattern]:
    """What is offered for each engine, written into its own functions."""
    for part in context.parts:
        for pattern in patterns(part, at):
            fix = fix_of_part(part.migration, pattern.fix)
            if fix is not None:
                yield replace(pattern, fix=fix)


def names() -> tuple[str, ...]:
    """The names of the patterns: those of their modules."""
    return tuple(_modules())


@cache
def _modules() -> dict[str, _Module]:
    found = (info.name for info in pkgutil.iter_modules(__path__))
    return {
        name.replace("_", "-"): importlib.import_module(f"{__name__}.{name}")
        for name in found
        if not name.startswith("_")
    }
