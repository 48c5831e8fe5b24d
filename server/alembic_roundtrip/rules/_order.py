"""The order of a downgrade's statements, and fixes that change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from alembic_roundtrip.comparison.targets import absent_targets
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.changes import DropEnum, DropObject, tables_of
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.rewrite import MoveStatement
from alembic_roundtrip.rule import Check
from alembic_roundtrip.text import Range, within

_TRIES = 200
"""How many orders are tried for one migration, each replayed: some have hundreds of statements."""


def moved(context: Context, finding: Finding, check: Check) -> tuple[Fix, ...]:
    """The shortest move within the downgrade that settles a finding and makes no new one."""
    downgrade = context.migration.downgrade
    if downgrade is None:
        return ()
    before = _problems(context, check)
    tries = context.memory("tries of another order", lambda _: iter(range(_TRIES)))
    tables = _neighbours(context, _tables(downgrade, finding.range))
    for block in _blocks(context.migration, downgrade, finding.range):
        near = [each for each in block if _has_part(downgrade, each, finding.range, tables)]
        # One after the other so that no try is used up for nothing.
        for move, _ in zip(_moves(near, finding.range), tries, strict=False):
            after = _problems(context.with_downgrade(_operations(downgrade, move)), check)
            if after < before and (finding.range, finding.message) not in after:
                return (Fix(_title(context.migration, move), (move,), "unsafe"),)
    return ()


def _neighbours(context: Context, tables: frozenset[Name]) -> frozenset[Name]:
    """Tables, those that they refer to, and those that refer to them."""
    near = set(tables)
    for trip in context.round_trips:
        for schema in (trip.before, trip.up.schema):
            for name, table in schema.tables.items():
                referents = {one.referent for one in table.constraints if one.referent}
                if name in tables:
                    near |= referents
                elif referents & tables:
                    near.add(name)
    return frozenset(near)


def _has_part(
    downgrade: Direction, statement: Range, place: Range, tables: frozenset[Name]
) -> bool:
    """Whether a statement is at a place, or has to do with these tables, or with no table at all."""
    there = [o for o in downgrade.operations if within(o.range, statement)]
    drops = any(isinstance(change, DropObject | DropEnum) for o in there for change in o.changes)
    return within(place, statement) or drops or bool(_tables(downgrade, statement) & tables)


def _tables(downgrade: Direction, place: Range) -> frozenset[Name]:
    inside = (o for o in downgrade.operations if within(o.range, place) or within(place, o.range))
    return frozenset(
        name for operation in inside for change in operation.changes for name in tables_of(change)
    )


def _problems(context: Context, check: Check) -> frozenset[tuple[Range, str]]:
    found = {(finding.range, finding.message) for finding in check(context)}
    absent = {(t.operation.range, f"{t.key.kind} {t.key}") for t in absent_targets(context)}
    return frozenset(found | absent)


def _blocks(migration: Migration, downgrade: Direction, place: Range) -> Iterator[list[Range]]:
    """The statements that may be moved among each other: those of a batch block, of the body."""
    here = [operation for operation in downgrade.operations if operation.range == place]
    batch = here[0].batch if len(here) == 1 else None
    if batch is not None:
        inside = [o.statement for o in downgrade.operations if o.batch == batch]
        yield [each for each in dict.fromkeys(inside) if _has_lines(migration, each)]
    yield list(_movable(migration, downgrade, place))


def _movable(migration: Migration, downgrade: Direction, place: Range) -> Iterator[Range]:
    """Statements around a place, up to one that binds a name or does something else."""
    run: list[Range] = []
    for statement in downgrade.statements:
        acts = any(within(o.statement, statement) for o in downgrade.operations)
        if acts and _has_lines(migration, statement) and not _binds(migration, statement):
            run.append(statement)
        elif any(within(place, each) for each in run):
            break
        else:
            run = []
    yield from run if any(within(place, each) for each in run) else ()


def _binds(migration: Migration, statement: Range) -> bool:
    """Whether a statement is an assignment: what comes after it may need its name."""
    line = migration.source.line(statement.start.line)[statement.start.column - 1 :]
    return line.partition("(")[0].rstrip().endswith("=") or " = " in line.partition("(")[0]


def _has_lines(migration: Migration, statement: Range) -> bool:
    """Whether a statement has its lines for itself."""
    source = migration.source
    before = source.line(statement.start.line)[: statement.start.column - 1]
    after = source.line(statement.end.line)[statement.end.column - 1 :].strip()
    return not before.strip() and (not after or after.startswith("#"))


def _moves(block: Sequence[Range], place: Range) -> Iterator[MoveStatement]:
    """Moves of the statement at a place, the shortest first; then of others to its other side."""
    index = next((n for n, each in enumerate(block) if within(place, each)), None)
    if index is None:
        return
    here, before, after = block[index], block[:index][::-1], block[index + 1 :]
    for former, latter in zip_longest(before, after):
        if latter is not None:
            yield MoveStatement(here, latter, after=True)
        if former is not None:
            yield MoveStatement(here, former)
    yield from (MoveStatement(other, here) for other in after)
    yield from (MoveStatement(other, here, after=True) for other in before)


def _operations(downgrade: Direction, move: MoveStatement) -> tuple[Operation, ...]:
    """The operations in the order that a move gives them."""
    goes = [o for o in downgrade.operations if within(o.statement, move.statement)]
    rest = [o for o in downgrade.operations if not within(o.statement, move.statement)]
    there = [n for n, o in enumerate(rest) if within(o.statement, move.target)]
    place = there[-1] + 1 if move.after else there[0]
    return (*rest[:place], *goes, *rest[place:])


def _title(migration: Migration, move: MoveStatement) -> str:
    statement, target = (
        migration.source.line(place.start.line).strip() for place in (move.statement, move.target)
    )
    return f"Move `{statement}` {'behind' if move.after else 'before'} `{target}`"
