"""Rewrites of single operations, for scaffolds and for the fixes of several rules."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from alembic_roundtrip.migration.imports import bound_names
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.migration.operations import SIGNATURES
from alembic_roundtrip.migration.places import Place, calls_of
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.migration.rewrite import ChangeCall, RemoveStatement
from alembic_roundtrip.text import Range, within

_OWN_TABLE = ("table_name", "source_table")


def receiver(migration: Migration, operation: Operation) -> str | None:
    """What an operation is called on, as written: `op`; None where another call leads to it."""
    text = migration.source.slice(operation.range)
    written = re.match(rf"([\w.]+)\.{re.escape(operation.name)}\s*\(", text)
    return written[1] if written else None


def op_name(migration: Migration) -> str:
    """What Alembic's `op` is called in a migration."""
    names = (name for name, target in bound_names(migration.imports) if target == "alembic.op")
    return next(names, "op")


def has_own_call(migration: Migration, operation: Operation) -> bool:
    """Whether a call is written for this operation, and for no other, as a loop has them."""
    every = [
        other
        for direction in (migration.upgrade, migration.downgrade)
        for other in (direction.operations if direction else ())
    ]
    here = [other for other in every if other.range == operation.range]
    return receiver(migration, operation) is not None and len(here) == 1


def column_call(migration: Migration, operation: Operation, name: str) -> Place | None:
    """The `Column(…)` in an operation's own call that defines a column; None if several may."""
    places = [
        place
        for place in calls_of(migration, "Column")
        if within(place.range, operation.range) and place.positional[:1] == (name,)
    ]
    return places[0] if len(places) == 1 and has_own_call(migration, operation) else None


def stands_alone(migration: Migration, operation: Operation) -> bool:
    """Whether its call is a statement by itself, and makes this operation only."""
    return operation.range == operation.statement and has_own_call(migration, operation)


def changed_call(
    operation: Operation, arguments: Mapping[str, str | None], function: str = ""
) -> ChangeCall:
    """The call with other arguments; None takes one away."""
    names = [name for name in SIGNATURES[operation.name] if name != "*"]
    if operation.batch is not None:
        names = [name for name in names if name not in _OWN_TABLE]
    given = tuple(arguments.items())
    return ChangeCall(operation.range, function, given, tuple(names))


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


def renamed(
    migration: Migration, operation: Operation, argument: str, name: str, *, final: bool = False
) -> ChangeCall:
    """The call with another name for what it works on, in `op.f(…)` if it is final or was so."""
    old = option(operation.arguments, argument)
    target = receiver(migration, operation) or "op"
    final = final or (old is not None and old.final)
    text = Renderer(migration).named(name, final=final, target=target)
    return changed_call(operation, {argument: text})


def removed(direction: Direction, operations: Collection[Operation]) -> Iterator[RemoveStatement]:
    """Operations taken away; a block that is left with none of its own goes as a whole."""
    for statement in direction.statements:
        inside = [o for o in direction.operations if within(o.statement, statement)]
        gone = [operation for operation in inside if operation in operations]
        if gone and len(gone) == len(inside):
            yield RemoveStatement(statement)
        else:
            yield from (RemoveStatement(operation.statement) for operation in gone)
