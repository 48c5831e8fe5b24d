"""What a pattern is, and what the patterns have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from alembic_roundtrip.comparison.faults import Fault, faults
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.model import Body, Direction, Operation
from alembic_roundtrip.migration.objects import Column, Name
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.scaffold.sql import sql_value
from alembic_roundtrip.text import Range, within

_WIDTH = 84  # what is left of 88 columns in a function
_STARTS = ("SELECT *", "SELECT count(*)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A change that keeps data: its module's name, the operation it is offered at, the edits."""

    name: str
    range: Range
    fix: Fix


@dataclass(frozen=True, slots=True)
class At:
    """The places that somebody asks about; None for all."""

    range: Range | None = None

    def __contains__(self, operation: Operation) -> bool:
        there, asked = operation.range, self.range
        return asked is None or (there.start <= asked.end and asked.start <= there.end)


def may_change_upgrade(context: Context) -> bool:
    """Whether no database has run the upgrade yet, as far as git knows."""
    deployed = context.deployed
    if deployed is None or not deployed.known:
        return True
    return deployed.text is None and context.recent


def place_of(direction: Direction, operation: Operation) -> int:
    """The index of the top-level statement that an operation stands in."""
    for index, statement in enumerate(direction.statements):
        if within(operation.statement, statement):
            return index
    return len(direction.statements)


def refusal(asked: Sequence[tuple[Name, str]], render: Renderer) -> tuple[str, ...]:
    """Statements that count rows, and raise with their number and the query where there are any.

    What is asked for is the rest of a query each, from its FROM on, with the table it is about.
    """
    render.need("import sqlalchemy as sa")
    render.need_operations()
    query, counted = (f"f{render.text(start + ' {in_the_way}')}" for start in _STARTS)
    count = f"count = op.get_bind().scalar(sa.text({counted}))"
    if len(asked) > 1:
        each = [f"    {render.text(rows)}," for _, rows in asked]
        said = f"f{render.text('{count} rows are in the way of this downgrade: ')}"
        inner = "\n".join((count, *_raised(said, query))).replace("\n", "\n    ")
        return ("\n".join(["for in_the_way in (", *each, "):", f"    {inner}"]),)
    ((table, rows),) = asked
    assigned = f"in_the_way = {render.text(rows)}"
    if len(assigned) > _WIDTH:
        assigned = "\n    ".join(["in_the_way = (", *_literals(rows, render)]) + "\n)"
    said = f"f{render.text(f'{{count}} rows of {table} are in the way of this downgrade: ')}"
    return (assigned, count, "\n".join(_raised(said, query)))


def _raised(said: str, query: str) -> Iterator[str]:
    yield "if count:"
    yield "    raise RuntimeError("
    yield f"        {said}"
    yield f"        {query}"
    yield "    )"


def _literals(rows: str, render: Renderer) -> list[str]:
    """The rest of a query as literals, its condition in a line of its own."""
    start, where, condition = rows.partition("WHERE ")
    return [render.text(start), *render.folded(where + condition)]


def existing(
    column: Column, render: Renderer, dialects: tuple[str, ...], *, nullable: bool = True
) -> list[str]:
    """The arguments of a rename that say again what a column is: MySQL takes it from there."""
    if column.type is None:
        raise NotKnownError(f"the type of `{column.name}`")
    parts = [f"existing_type={render.expression(column.type)}"]
    if MYSQL & {*dialects}:
        parts += [f"existing_nullable={column.nullable}"] if nullable else []
        default = column.server_default
        parts += [f"existing_server_default={render.expression(default)}"] if default else []
    return parts


def sql_default(default: Expression) -> str:
    """A server default as SQL; raises `NotKnownError` for what is no plain value."""
    if default.string is not None:
        return sql_value(default.string)
    if default.text.endswith((".true()", ".false()")):
        return default.text.rpartition(".")[2].removesuffix("()")
    raise NotKnownError(f"`{default.text}`")


def single(operations: Sequence[Operation], kind: type[c.Change]) -> Iterator[Operation]:
    """Operations that certainly make one change of a kind, and no other."""
    for operation in operations:
        plain = len(operation.changes) == 1 and not operation.guards and not operation.autocommit
        if plain and isinstance(operation.changes[0], kind):
            yield operation


def writes_to(operations: Sequence[Operation], table: Name) -> bool:
    """Whether any operation may write rows of a table."""
    changes = [change for operation in operations for change in operation.changes]
    return any(isinstance(x, c.Unknown) for x in changes) or any(
        isinstance(x, c.WriteRows) and x.table in {None, table} for x in changes
    )


@dataclass(frozen=True)
class Trial:
    """What a pattern changes, without its text: what operations do then, nothing for those that go.

    `inserted` is done first in the downgrade.
    """

    changed: Mapping[Operation, tuple[c.Change, ...]]
    inserted: tuple[c.Change, ...] = ()

    def restores(self, context: Context) -> bool:
        """Whether the downgrade, as far as reading tells, gives back all it gave back before."""
        migration = context.migration
        upgrade, downgrade = migration.upgrade, migration.downgrade
        if upgrade is None or downgrade is None:
            return True
        first = [replace(upgrade.operations[0], changes=self.inserted)] if self.inserted else []
        changed = replace(
            migration,
            upgrade=replace(upgrade, operations=self._after(upgrade)),
            downgrade=replace(
                downgrade, kind=Body.CODE, operations=(*first, *self._after(downgrade))
            ),
        )
        before = context.memory("faults of what it does", _faults_of_operations)
        return faults(replace(context, migration=changed, _made={})) <= before

    def _after(self, direction: Direction) -> tuple[Operation, ...]:
        operations = [
            replace(each, changes=self.changed.get(each, each.changes))
            for each in direction.operations
        ]
        return tuple(each for each in operations if each.changes)


def _faults_of_operations(context: Context) -> frozenset[Fault]:
    """The faults of a downgrade also where it is empty, which is judged as a whole otherwise."""
    migration = context.migration
    if migration.downgrade is not None:
        judged = replace(migration.downgrade, kind=Body.CODE)
        context = replace(context, migration=replace(migration, downgrade=judged), _made={})
    return faults(context)


def renamed_column(table: Name, old: str, new: str, nullable: bool | None = None) -> c.AlterColumn:
    """What a rename does to a column, and with it to whether it takes NULL."""
    options = (("new_column_name", literal(new)),)
    told = () if nullable is None else (("nullable", literal(nullable)),)
    return c.AlterColumn(table, old, (*options, *told))
