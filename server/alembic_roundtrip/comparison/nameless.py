"""What is dropped without a name: the name it has, and the operation that made it."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration.changes import AddConstraint, DropConstraint, DropIndex
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Constraint, Index, Table, option
from alembic_roundtrip.schema.names import known_as

Drop = DropConstraint | DropIndex

_SHORT = {"primary": "pk", "unique": "uq", "foreignkey": "fk"}
_LONGEST = 63


def known_name(
    context: Context, operation: Operation, drop: Drop, *, upgrade: bool
) -> tuple[str, bool] | None:
    """The name on all dialects, and whether conventions are not applied to it; None if unsure."""
    running = [trip for trip in context.round_trips if operation.runs_on(trip.dialect)]
    names = {_name(trip, drop, upgrade=upgrade) for trip in running}
    return names.pop() if len(names) == 1 else None


def _name(trip: RoundTrip, drop: Drop, *, upgrade: bool) -> tuple[str, bool] | None:
    """On one dialect; of several that all are dropped, the one that was made last goes first."""
    replayed = trip.up if upgrade else trip.down
    met = [(step, schema) for _, step, schema in replayed.steps if step == drop]
    place, schema = next((n, schema) for n, (step, schema) in enumerate(met) if step is drop)
    table = schema.table(drop.table) if drop.table else None
    if table is None or not schema.knows(table.name):
        return None
    parts = list(_candidates(drop, table))
    if not upgrade:
        old = trip.before.table(table.name)
        parts = [part for part in parts if not _is_part(part, old)] or parts
    if len(parts) != len(met) or not all(part.sure for part in parts):
        return None
    part = parts[-1 - place]
    name = known_as(part) if isinstance(part, Constraint) else part.name
    return (name, part.final) if name else None


def _candidates(drop: Drop, table: Table) -> Iterator[Constraint | Index]:
    if isinstance(drop, DropIndex):
        yield from table.indexes
    else:
        yield from (part for part in table.constraints if drop.kind in {None, part.kind})


def _is_part(part: Constraint | Index, table: Table | None) -> bool:
    return table is not None and part in (*table.constraints, *table.indexes)


def creation(context: Context, drop: Drop) -> tuple[Operation, str] | None:
    """The call of the upgrade that makes without a name what a downgrade drops, and a good name.

    Several are made and dropped in opposite order.
    """
    drops = [each for o in context.downgrade_operations for each in o.changes if each == drop]
    made = [o for o in context.upgrade_operations if _makes(o, drop)]
    if len(made) != len(drops):
        return None
    place = next(n for n, each in enumerate(drops) if each is drop)
    operation = made[-1 - place]
    name = _good_name(operation)
    return (operation, name) if name and len(name) <= _LONGEST else None


def _makes(operation: Operation, drop: Drop) -> bool:
    name = option(operation.arguments, "constraint_name")
    return (
        name is not None
        and name.value is None
        and isinstance(drop, DropConstraint)
        and any(
            isinstance(change, AddConstraint)
            and (change.table, change.constraint.kind) == (drop.table, drop.kind)
            for change in operation.changes
        )
    )


def _good_name(operation: Operation) -> str | None:
    """`fk_users_team_id`: what it is, of which table, on which columns."""
    (change,) = operation.changes
    assert isinstance(change, AddConstraint)
    part = change.constraint
    if part.kind not in _SHORT or not all(part.columns):
        return None
    return "_".join([_SHORT[part.kind], change.table.name, *part.columns])
