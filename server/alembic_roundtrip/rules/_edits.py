"""Rewrites of single operations, for the fixes of several rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.operations import SIGNATURES
from alembic_roundtrip.migration.rewrite import ChangeCall
from alembic_roundtrip.text import Range

_OWN_TABLE = ("table_name", "source_table")


def receiver(migration: Migration, operation: Operation) -> str | None:
    """What an operation is called on, as written: `op`; None where another call leads to it."""
    text = migration.source.slice(operation.range)
    written = re.match(rf"([\w.]+)\.{re.escape(operation.name)}\s*\(", text)
    return written[1] if written else None


def stands_alone(migration: Migration, operation: Operation) -> bool:
    """Whether its call is a statement by itself, and makes this operation only."""
    every = [
        other
        for direction in (migration.upgrade, migration.downgrade)
        for other in (direction.operations if direction else ())
    ]
    here = [other for other in every if other.range == operation.range]
    return operation.range == operation.statement and len(here) == 1


def changed_call(
    operation: Operation,
    *,
    function: str = "",
    imports: tuple[str, ...] = (),
    **arguments: str | None,
) -> ChangeCall:
    """The call with other arguments; None takes one away."""
    names = [name for name in SIGNATURES[operation.name] if name != "*"]
    if operation.batch is not None:
        names = [name for name in names if name not in _OWN_TABLE]
    given = tuple(arguments.items())
    return ChangeCall(operation.range, function, given, tuple(names), imports)


def runs(migration: Migration, operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Operations in groups whose statements follow each other with nothing but comments between."""
    run: list[Operation] = []
    for operation in operations:
        if run and not _follows(migration, run[-1].statement, operation.statement):
            yield run
            run = []
        run.append(operation)
    if run:
        yield run


def _follows(migration: Migration, one: Range, other: Range) -> bool:
    between = migration.source.slice(Range(one.end, other.start))
    lines = [line.strip() for line in between.splitlines()]
    return (
        one.start.column == other.start.column
        and one.end.line < other.start.line
        and all(not line or line.startswith("#") for line in lines)
    )
