"""Parked data: what the upgrade drops is renamed aside instead, and back by the downgrade."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body, Operation
from alembic_roundtrip.migration.objects import Column, Name, Table
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import InsertStatements, Replace, Rewrite
from alembic_roundtrip.rule import Fix
from alembic_roundtrip.scaffold.edits import has_own_call, receiver, removed, stands_alone
from alembic_roundtrip.scaffold.patterns import _pattern
from alembic_roundtrip.scaffold.patterns._pattern import Pattern
from alembic_roundtrip.scaffold.sql import quoted
from alembic_roundtrip.schema import names_enum

_LONGEST = 60
_DESCRIPTION = "keeps the data until a later revision drops it"


def patterns(context: Context) -> Iterator[Pattern]:
    """A place aside for each older table and column that the upgrade drops."""
    downgrade = context.migration.downgrade
    if downgrade is not None and downgrade.kind is Body.RAISES:
        return
    if not _pattern.may_change_upgrade(context):
        return
    for trip in context.round_trips[:1]:
        for operation in _pattern.single(context.upgrade_operations, c.DropTable):
            yield from _offered(operation, "table", _table(context, trip, operation))
        for operation in _pattern.single(context.upgrade_operations, c.DropColumn):
            yield from _offered(operation, "column", _column(context, trip, operation))


def _offered(operation: Operation, kind: str, fix: Fix | None) -> Iterator[Pattern]:
    if fix is not None and operation.name == f"drop_{kind}":
        yield Pattern("park", operation.range, fix)


def _fix(context: Context, subject: str, rewrites: Sequence[Rewrite]) -> Fix | None:
    made = tuple(rewrites)
    title = f"Rename `{subject}` aside instead of dropping it"
    fix = Fix(title, made, "unsafe", description=_DESCRIPTION)
    return fix if _pattern.restores(context, made) else None


def _parked(name: str, taken: Sequence[str]) -> str:
    """A name for what is aside that nothing has yet."""
    parked = f"{name[:_LONGEST]}_parked"[:_LONGEST]
    if parked in taken:
        raise NotKnownError(f"a name for `{name}`")
    return parked


# --- tables ---


def _table(context: Context, trip: RoundTrip, operation: Operation) -> Fix | None:
    change = operation.changes[0]
    assert isinstance(change, c.DropTable)
    table = trip.before.table(change.table)
    name = change.table
    if table is None or not has_own_call(context.migration, operation):
        return None
    if name in trip.up.schema.tables or _held_up(context, table):
        return None
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        taken = [*map(_bare, trip.before.tables), *map(_bare, trip.up.schema.tables)]
        parked = name._replace(name=_parked(name.name, taken))
        back = _back(context, name, _renamed(render, parked, name))
        if back is not None:
            render.need_operations()
            there = Replace(operation.range, _renamed(render, name, parked))
            return _fix(context, str(name), (there, *back))
    return None


def _bare(name: Name) -> str:
    return name.name


def _held_up(context: Context, table: Table) -> bool:
    """Whether the upgrade drops what the table would still need: a type, or what it refers to."""
    needed = {part.referent for part in table.constraints if part.referent is not None}
    types = [column.type.text for column in table.columns if column.type is not None]
    for operation in context.upgrade_operations:
        for change in operation.changes:
            if isinstance(change, c.DropTable) and change.table in needed - {table.name}:
                return True
            if isinstance(change, c.DropEnum) and any(names_enum(t, change.name) for t in types):
                return True
    return False


def _renamed(render: Renderer, old: Name, new: Name) -> str:
    parts = [render.text(old.name), render.text(new.name), *render.schema(old)]
    return call("op.rename_table", parts)


def _back(context: Context, table: Name, renamed: str) -> list[Rewrite] | None:
    """The rename in the place of what makes the table anew; None where that is not plain."""
    downgrade = context.migration.downgrade
    made = [
        operation
        for operation in _pattern.single(context.downgrade_operations, c.CreateTable)
        if table in c.tables_of(operation.changes[0])
    ]
    if not made:
        return [InsertStatements("downgrade", 0, (renamed,)), *_parts(context, table, None)]
    if len(made) > 1 or downgrade is None or not stands_alone(context.migration, made[0]):
        return None
    if _pattern.writes_to(context.downgrade_operations, table):
        return None
    return [Replace(made[0].range, renamed), *_parts(context, table, None)]


def _parts(context: Context, table: Name, column: str | None) -> list[Rewrite]:
    """Indexes and constraints stay where they are: neither dropped nor made again.

    Of a column these are the ones that are about no other.
    """
    before = context.before.table(table)
    if before is None:
        return []
    taken = {
        index.name for t in context.round_trips[0].up.schema.tables.values() for index in t.indexes
    }
    own: dict[str | None, None] = {}
    for index in before.indexes:
        alone = [part.string for part in index.columns] == [column]
        if (column is None or alone) and index.name not in taken:
            own[index.name] = None
    for part in before.constraints:
        if column is None or part.columns == (column,):
            own[part.name] = None
    rewrites: list[Rewrite] = []
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is not None:
            gone = [o for o in direction.operations if _is_part(o, table, own)]
            rewrites += removed(direction, gone)
    return rewrites


def _is_part(operation: Operation, table: Name, own: Container[str | None]) -> bool:
    """Whether an operation only drops or makes one of these parts of a table."""
    if len(operation.changes) != 1 or operation.guards:
        return False
    change = operation.changes[0]
    if isinstance(change, c.DropIndex):
        return change.table in {None, table} and change.name in own
    if isinstance(change, c.DropConstraint):
        return change.table == table and change.name in own
    if isinstance(change, c.CreateIndex):
        return change.index.table == table and change.index.name in own
    if isinstance(change, c.AddConstraint):
        return change.table == table and change.constraint.name in own
    return False


# --- columns ---


def _column(context: Context, trip: RoundTrip, operation: Operation) -> Fix | None:
    change = operation.changes[0]
    assert isinstance(change, c.DropColumn)
    table = trip.before.table(change.table)
    column = table.column(change.column) if table else None
    if table is None or column is None or not has_own_call(context.migration, operation):
        return None
    if not _can_stay(table, column, trip):
        return None
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        now = trip.up.schema.table(change.table)
        taken = [each.name for part in (table, now) if part for each in part.columns]
        parked = _parked(column.name, taken)
        rewrites = _Column(context, render, table, column, parked).rewrites(operation)
        if rewrites is not None:
            return _fix(context, f"{change.table}.{column.name}", rewrites)
    return None


def _can_stay(table: Table, column: Column, trip: RoundTrip) -> bool:
    """Whether rows can still be written that know nothing of the column."""
    keys = [p for p in table.constraints if p.kind == "primary" and column.name in p.columns]
    unique = any(p.kind == "unique" and column.name in p.columns for p in table.constraints)
    unique |= any(index.unique and index.mentions(column.name) for index in table.indexes)
    filled = column.server_default is not None or column.fills_itself
    if keys or column.nullable is None or (unique and filled and not column.nullable):
        return False
    return trip.up.schema.table(table.name) is not None


class _Column:
    """Writes the renames of one column, there and back."""

    def __init__(
        self, context: Context, render: Renderer, table: Table, column: Column, parked: str
    ) -> None:
        self._context = context
        self._render = render
        self._table = table
        self._column = column
        self._parked = parked
        filled = column.server_default is not None or column.fills_itself
        self._loosened = column.nullable is False and not filled
        """Whether it must take NULL while it is aside."""

    def rewrites(self, operation: Operation) -> list[Rewrite] | None:
        """The edits of both directions; None where the downgrade is not plain."""
        self._render.need_operations()
        back = self._back()
        there = self._rename(operation, self._column.name, self._parked, "True")
        return None if there is None or back is None else [there, *back]

    def _back(self) -> list[Rewrite] | None:
        context, name = self._context, self._table.name
        downgrade = context.migration.downgrade
        added = [
            operation
            for operation in _pattern.single(context.downgrade_operations, c.AddColumn)
            if self._adds(operation.changes[0])
        ]
        guard = self._guard() if self._loosened else ()
        if not added:
            renamed = self._standing(self._parked, self._column.name, "False")
            insert = InsertStatements("downgrade", 0, (*guard, renamed), self._imports)
            return [insert, *_parts(context, name, self._column.name)]
        change = added[0].changes[0]
        assert isinstance(change, c.AddColumn)
        if len(added) > 1 or downgrade is None or change.constraints:
            return None
        if _pattern.writes_to(context.downgrade_operations, name):
            return None
        back = self._rename(added[0], self._parked, self._column.name, "False")
        if back is None:
            return None
        guarded: list[Rewrite] = []
        if guard:
            place = _pattern.place_of(downgrade, added[0])
            guarded.append(InsertStatements("downgrade", place, guard, self._imports))
        return [*guarded, back, *_parts(context, name, self._column.name)]

    @property
    def _imports(self) -> tuple[str, ...]:
        return tuple(self._render.imports)

    def _adds(self, change: c.Change) -> bool:
        return (
            isinstance(change, c.AddColumn)
            and change.table == self._table.name
            and change.column.name == self._column.name
        )

    def _guard(self) -> tuple[str, ...]:
        """Rows written since have nothing in the column: they are in the way of NOT NULL."""
        dialects = self._context.dialects
        table = _pattern.sql_table(self._table.name, dialects)
        condition = f"{quoted(self._parked, dialects)} IS NULL"
        rows = f"FROM {table} WHERE {condition}"
        return _pattern.refusal(self._table.name, rows, self._render)

    def _rename(self, operation: Operation, old: str, new: str, nullable: str) -> Replace | None:
        """The rename in the place of a call."""
        called = receiver(self._context.migration, operation)
        if called is None or not has_own_call(self._context.migration, operation):
            return None
        if operation.batch is not None:
            text = self._altered(called, old, new, nullable)
        elif stands_alone(self._context.migration, operation):
            text = self._standing(old, new, nullable)
        else:
            return None
        start = operation.range.start
        indent = self._context.migration.source.line(start.line)[: start.column - 1]
        return Replace(operation.range, text.replace("\n", f"\n{indent}"), self._imports)

    def _standing(self, old: str, new: str, nullable: str) -> str:
        """The rename as a statement of its own."""
        if not (self._loosened and "sqlite" in self._context.dialects):
            return self._altered("op", old, new, nullable)
        said = [self._render.text(self._table.name.name), *self._render.schema(self._table.name)]
        inner = self._altered("batch_op", old, new, nullable).replace("\n", "\n    ")
        return f"{call('with op.batch_alter_table', said)} as batch_op:\n    {inner}"

    def _altered(self, called: str, old: str, new: str, nullable: str) -> str:
        render, column = self._render, self._column
        batch = called.rpartition(".")[2] != "op"
        parts = [] if batch else [render.text(self._table.name.name)]
        parts += [render.text(old), f"new_column_name={render.text(new)}"]
        said = self._context.dialects
        parts += _pattern.existing(column, render, said, nullable=not self._loosened)
        parts += [f"nullable={nullable}"] if self._loosened else []
        parts += [] if batch else render.schema(self._table.name)
        return call(f"{called}.alter_column", parts)
