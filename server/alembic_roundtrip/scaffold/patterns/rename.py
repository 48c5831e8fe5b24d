"""Rename instead of drop + add: what only gets another name keeps its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from alembic_roundtrip.comparison.origins import Origins
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body, Direction, Operation
from alembic_roundtrip.migration.objects import Column, Name
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import InsertStatements, ReplaceCall, Rewrite
from alembic_roundtrip.scaffold.edits import has_own_call, receiver, removed, stands_alone
from alembic_roundtrip.scaffold.patterns import _pattern
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, Trial
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.text import Range

_DESCRIPTION = "the values stay, in both directions"


@dataclass(frozen=True)
class _Pair:
    """A column that one direction drops and the one that it adds in its place."""

    table: Name
    old: Column
    new: Column
    dropped: Operation
    added: Operation


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """Pairs of a dropped and an added column of one definition, where there is only one such."""
    migration = context.migration
    upgrade, downgrade = migration.upgrade, migration.downgrade
    if upgrade is None or (downgrade is not None and downgrade.kind is Body.RAISES):
        return
    if not _pattern.may_change_upgrade(context):
        return
    pairs = list(_pairs(context))
    rivals = Counter(operation for p in pairs for operation in (id(p.dropped), id(p.added)))
    for pair in pairs:
        asked = pair.dropped in at or pair.added in at
        only = rivals[id(pair.dropped)] == rivals[id(pair.added)] == 1
        if asked and only and not _pattern.writes_to(upgrade.operations, pair.table):
            fix = _fix(context, upgrade, pair)
            if fix is not None:
                yield Pattern("rename", pair.dropped.range, fix)
                yield Pattern("rename", pair.added.range, fix)


def _pairs(context: Context) -> Iterator[_Pair]:
    before, origins = context.before, Origins()
    for _, change, _ in context.round_trips[0].up.steps:
        origins.follow(change)
    for dropped in _pattern.single(context.upgrade_operations, c.DropColumn):
        for added in _pattern.single(context.upgrade_operations, c.AddColumn):
            drop, add = dropped.changes[0], added.changes[0]
            assert isinstance(drop, c.DropColumn)
            assert isinstance(add, c.AddColumn)
            table = before.table(drop.table)
            old = table.column(drop.column) if table else None
            alone = drop.table == add.table and drop.column != add.column.name
            if old is not None and alone and _alike(old, add.column) and not add.constraints:
                pair = _Pair(drop.table, old, add.column, dropped, added)
                if _refers_to_the_same(context, pair, origins):
                    yield pair


def _refers_to_the_same(context: Context, pair: _Pair, origins: Origins) -> bool:
    """Whether old values are still what the new column's foreign keys ask for."""
    trip = context.round_trips[0]
    now = next((name for name in trip.up.schema.tables if origins.table(name) == pair.table), None)
    old = _referents(trip.before, pair.table, pair.old.name)
    new = _referents(trip.up.schema, now or pair.table, pair.new.name)
    return old == {origins.table(referent) for referent in new}


def _referents(schema: Schema, table: Name, column: str) -> set[Name]:
    """The tables that a column's foreign keys refer to."""
    found = schema.table(table)
    return {
        part.referent
        for part in (found.constraints if found is not None else ())
        if column in part.columns and part.referent is not None
    }


def _alike(old: Column, new: Column) -> bool:
    """Whether two columns have one definition, as far as it is known."""
    if old.type is None or new.type is None or old.nullable is None:
        return False
    defaults = [each.text if each else None for each in (old.server_default, new.server_default)]
    plain = not old.arguments and not new.arguments
    same = (old.type.text, old.nullable) == (new.type.text, new.nullable)
    return plain and same and defaults[0] == defaults[1]


def _fix(context: Context, upgrade: Direction, pair: _Pair) -> Fix | None:
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        back = _back(context, pair, render)
        columns = (pair.old, pair.new)
        there = _renamed(context, upgrade, (pair.dropped, pair.added), columns, render)
        if back is None or there is None:
            return None
        rewrites = (*there, *back)
        title = (
            f"Rename `{pair.table}.{pair.old.name}` to `{pair.new.name}` instead of dropping and "
            "adding"
        )
        fix = Fix(title, rewrites, "unsafe", description=_DESCRIPTION)
        return fix if _trial(context, pair).restores(context) else None
    return None


def _trial(context: Context, pair: _Pair) -> Trial:
    there = _pattern.renamed_column(pair.table, pair.old.name, pair.new.name)
    back = _pattern.renamed_column(pair.table, pair.new.name, pair.old.name)
    changed: dict[Operation, tuple[c.Change, ...]] = {pair.dropped: (), pair.added: ()}
    changed[min(pair.dropped, pair.added, key=_start)] = (there,)
    again = _undone(context, pair)
    if not again:
        return Trial(changed, (back,))
    changed |= dict.fromkeys(again, ())
    changed[min(again, key=_start)] = (back,)
    return Trial(changed)


def _start(operation: Operation) -> Range:
    return operation.range


def _undone(context: Context, pair: _Pair) -> list[Operation]:
    """What drops the new column and adds the old one in the downgrade."""
    single = _pattern.single
    dropped = [
        operation
        for operation in single(context.downgrade_operations, c.DropColumn)
        if operation.changes[0] == c.DropColumn(pair.table, pair.new.name)
    ]
    added = [
        operation
        for operation in single(context.downgrade_operations, c.AddColumn)
        if _adds(operation.changes[0], pair)
    ]
    return [*dropped, *added]


def _back(context: Context, pair: _Pair, render: Renderer) -> list[Rewrite] | None:
    """The same the other way round; None where the downgrade does it in another way."""
    downgrade = context.migration.downgrade
    again = _undone(context, pair)
    columns = (pair.new, pair.old)
    if not again:
        batch = "sqlite" in context.dialects and pair.dropped.batch is not None
        if batch:
            return None
        renamed = _altered("op", pair.table, columns, render, context.dialects)
        return [InsertStatements("downgrade", 0, (renamed,), tuple(render.imports))]
    kinds = {type(operation.changes[0]) for operation in again}
    if downgrade is None or len(again) != 2 or len(kinds) != 2:  # noqa: PLR2004 - one of each
        return None
    if _pattern.writes_to(downgrade.operations, pair.table):
        return None
    return _renamed(context, downgrade, (again[0], again[1]), columns, render)


def _adds(change: c.Change, pair: _Pair) -> bool:
    return (
        isinstance(change, c.AddColumn)
        and change.table == pair.table
        and change.column.name == pair.old.name
        and not change.constraints
    )


def _renamed(
    context: Context,
    direction: Direction,
    pair: tuple[Operation, Operation],
    columns: tuple[Column, Column],
    render: Renderer,
) -> list[Rewrite] | None:
    """The rename in the place of the first of the two: what follows may use the new name."""
    migration = context.migration
    first, second = sorted(pair, key=_start)
    called = receiver(migration, first)
    if called is None or not all(has_own_call(migration, each) for each in pair):
        return None
    if not all(stands_alone(migration, each) for each in pair):
        return None
    change = first.changes[0]
    assert isinstance(change, c.DropColumn | c.AddColumn)
    text = _altered(called, change.table, columns, render, context.dialects)
    render.need_operations()
    renamed = ReplaceCall(first.range, text, tuple(render.imports))
    return [renamed, *removed(direction, [second])]


def _altered(
    called: str,
    table: Name,
    columns: tuple[Column, Column],
    render: Renderer,
    dialects: tuple[str, ...],
) -> str:
    old, new = columns
    batch = called.rpartition(".")[2] != "op"
    parts = [] if batch else [render.text(table.name)]
    parts += [render.text(old.name), f"new_column_name={render.text(new.name)}"]
    parts += _pattern.existing(old, render, dialects)
    parts += [] if batch else render.schema(table)
    return call(f"{called}.alter_column", parts)
