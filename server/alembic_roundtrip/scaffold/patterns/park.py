"""Parked data: what the upgrade drops is renamed aside instead, and back by the downgrade."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.diagnostic import Fix
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.mentions import is_on
from alembic_roundtrip.migration.model import Body, Operation
from alembic_roundtrip.migration.objects import Column, Constraint, Name, Table, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.rewrite import (
    InsertStatements,
    RemoveStatement,
    ReplaceCall,
    Rewrite,
    SurroundStatement,
)
from alembic_roundtrip.scaffold.edits import has_own_call, receiver, removed, stands_alone
from alembic_roundtrip.scaffold.patterns import _pattern
from alembic_roundtrip.scaffold.patterns._pattern import At, Pattern, Trial
from alembic_roundtrip.scaffold.sql import quoted, sql_table
from alembic_roundtrip.schema import names_enum

_LONGEST = 60
_SUFFIX = "_parked"
_DESCRIPTION = "keeps the data until a later revision drops it"
_HOLDS = "; until then, what its foreign keys refer to cannot be deleted"
_LETS_GO = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def patterns(context: Context, at: At) -> Iterator[Pattern]:
    """A place aside for each older table and column that the upgrade drops."""
    downgrade = context.migration.downgrade
    if downgrade is not None and downgrade.kind is Body.RAISES:
        return
    if not _pattern.may_change_upgrade(context):
        return
    for trip in context.round_trips[:1]:
        asked = [operation for operation in context.upgrade_operations if operation in at]
        for operation in _pattern.single(asked, c.DropTable):
            yield from _offered(operation, "table", _table(context, trip, operation))
        for operation in _pattern.single(asked, c.DropColumn):
            yield from _offered(operation, "column", _column(context, trip, operation))


def _offered(operation: Operation, kind: str, fix: Fix | None) -> Iterator[Pattern]:
    if fix is not None and operation.name == f"drop_{kind}":
        yield Pattern("park", operation.range, fix)


@dataclass(frozen=True)
class _Back:
    """The way back: its edits, and what they do."""

    rewrites: list[Rewrite]
    trial: Trial


def _fix(
    context: Context, dropped: Table, column: str | None, there: list[Rewrite], back: _Back
) -> Fix | None:
    subject = str(dropped.name) if column is None else f"{dropped.name}.{column}"
    title = f"Rename `{subject}` aside instead of dropping it"
    told = _DESCRIPTION + _HOLDS * _holds_others(dropped, column)
    fix = Fix(title, (*there, *back.rewrites), "unsafe", description=told)
    return fix if back.trial.restores(context) else None


def _holds_others(table: Table, column: str | None) -> bool:
    """Whether rows of other tables cannot go while what is parked refers to them."""
    return any(
        part.referent not in {None, table.name}
        and (column is None or column in part.columns)
        and _on_delete(part) not in _LETS_GO
        for part in table.constraints
    )


def _on_delete(part: Constraint) -> str:
    rule = option(part.options, "ondelete")
    return str(rule.value).upper() if rule is not None else ""


def _inserted(
    context: Context, place: int, statements: tuple[str, ...], imports: tuple[str, ...]
) -> Rewrite:
    """Statements put into the downgrade, beside others that may be taken away."""
    downgrade = context.written_downgrade
    if downgrade is None:
        return InsertStatements("downgrade", place, statements, imports)
    index = max(place, int(downgrade.docstring is not None))
    return SurroundStatement(downgrade.statements[index], statements, imports=imports)


def _way_back(
    context: Context,
    dropped: Operation,
    renames: tuple[c.Change, c.Change],
    made: Operation | None,
    rewrites: list[Rewrite],
    parts: list[Operation],
) -> _Back:
    """The rename back, and parts that are neither dropped nor made again."""
    for direction in (context.migration.upgrade, context.migration.downgrade):
        if direction is not None:
            rewrites += removed(direction, [o for o in direction.operations if o in parts])
    changed: dict[Operation, tuple[c.Change, ...]] = dict.fromkeys(parts, ())
    changed[dropped] = renames[:1]
    if made is not None:
        changed[made] = renames[1:]
    return _Back(rewrites, Trial(changed, () if made is not None else renames[1:]))


def _parked(name: str, taken: Sequence[str]) -> str:
    """A name for what is aside that nothing has yet."""
    parked = name[: _LONGEST - len(_SUFFIX)] + _SUFFIX
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
        renames = c.RenameTable(name, parked.name), c.RenameTable(parked, name.name)
        back = _back(context, operation, renames, _renamed(render, parked, name))
        if back is not None:
            render.need_operations()
            there = ReplaceCall(operation.range, _renamed(render, name, parked))
            return _fix(context, table, None, [there], back)
    return None


def _bare(name: Name) -> str:
    return name.name


def _held_up(context: Context, table: Table, column: str | None = None) -> bool:
    """Whether the upgrade drops what is still needed: a type, or a table that is referred to."""
    needed = {part.referent for part in table.constraints if column in {None, *part.columns}}
    kept = [each for each in table.columns if column in {None, each.name}]
    types = [each.type.text for each in kept if each.type is not None]
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


def _back(
    context: Context,
    dropped: Operation,
    renames: tuple[c.RenameTable, c.RenameTable],
    renamed: str,
) -> _Back | None:
    """The rename in the place of what makes the table anew; None where that is not plain."""
    table = renames[0].table
    parts = _parts(context, table, None)
    made = [
        operation
        for operation in _pattern.single(context.downgrade_operations, c.CreateTable)
        if table in c.tables_of(operation.changes[0])
    ]
    if not made:
        insert = _inserted(context, 0, (renamed,), ())
        return _way_back(context, dropped, renames, None, [insert], parts)
    if len(made) > 1 or not stands_alone(context.migration, made[0]):
        return None
    if _pattern.writes_to(context.downgrade_operations, table):
        return None
    replaced: list[Rewrite] = [ReplaceCall(made[0].range, renamed)]
    return _way_back(context, dropped, renames, made[0], replaced, parts)


def _parts(context: Context, table: Name, column: str | None) -> list[Operation]:
    """What drops and makes indexes and constraints, which may stay where they are.

    Of a column these are the ones that are about no other.
    """
    before = context.before.table(table)
    if before is None:
        return []
    tables = context.round_trips[0].up.schema.tables.values()
    taken = {index.name for each in tables for index in each.indexes}
    own: dict[str | None, None] = {}
    for index in before.indexes:
        alone = [part.string for part in index.columns] == [column]
        if (column is None or alone) and index.name not in taken:
            own[index.name] = None
    for part in before.constraints:
        if column is None or part.columns == (column,):
            own[part.name] = None
    every = (*context.upgrade_operations, *context.downgrade_operations)
    return [operation for operation in every if _is_part(operation, table, own)]


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
    if not _can_stay(table, column, trip) or _held_up(context, table, column.name):
        return None
    render = Renderer(context.migration)
    with suppress(NotKnownError):
        now = trip.up.schema.table(change.table)
        taken = [each.name for part in (table, now) if part for each in part.columns]
        parked = _parked(column.name, taken)
        found = _Column(context, render, table, column, parked).fixed(operation)
        if found is not None:
            return _fix(context, table, column.name, *found)
    return None


def _can_stay(table: Table, column: Column, trip: RoundTrip) -> bool:
    """Whether rows can still be written that know nothing of the column."""
    keys = [p for p in table.constraints if p.kind == "primary" and column.name in p.columns]
    unique = any(p.kind == "unique" and column.name in p.columns for p in table.constraints)
    unique |= any(index.unique and is_on(index, column.name, ()) for index in table.indexes)
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

    def fixed(self, operation: Operation) -> tuple[list[Rewrite], _Back] | None:
        """The edits of both directions; None where the downgrade is not plain."""
        self._render.need_operations()
        back = self._back(operation)
        there = self._rename(operation, self._column.name, self._parked, "True")
        return None if there is None or back is None else (there, back)

    def _back(self, dropped: Operation) -> _Back | None:
        context, name, column = self._context, self._table.name, self._column.name
        downgrade = context.migration.downgrade
        loose = (True, False) if self._loosened else (None, None)
        renames = (
            _pattern.renamed_column(name, column, self._parked, loose[0]),
            _pattern.renamed_column(name, self._parked, column, loose[1]),
        )
        parts = _parts(context, name, column)
        added = [
            operation
            for operation in _pattern.single(context.downgrade_operations, c.AddColumn)
            if self._adds(operation.changes[0])
        ]
        rewrites: list[Rewrite] = []
        if not added:
            guard = self._guard() if self._loosened else ()
            renamed = self._standing(self._parked, column, "False")
            rewrites.append(_inserted(context, 0, (*guard, renamed), self._imports))
            return _way_back(context, dropped, renames, None, rewrites, parts)
        change = added[0].changes[0]
        assert isinstance(change, c.AddColumn)
        if len(added) > 1 or downgrade is None or change.constraints:
            return None
        if _pattern.writes_to(context.downgrade_operations, name):
            return None
        back = self._rename(added[0], self._parked, column, "False")
        if back is None:
            return None
        if self._loosened:
            place = _pattern.place_of(downgrade, added[0])
            first = self._first(change.column.server_default)
            rewrites.append(_inserted(context, place, first, self._imports))
        return _way_back(context, dropped, renames, added[0], [*rewrites, *back], parts)

    def _first(self, default: Expression | None) -> tuple[str, ...]:
        """Rows written since get the default, where SQL can say it; else they are in the way."""
        if default is not None:
            with suppress(NotKnownError):
                return self._filled(default)
        return self._guard()

    @property
    def _imports(self) -> tuple[str, ...]:
        return tuple(self._render.imports)

    def _adds(self, change: c.Change) -> bool:
        return (
            isinstance(change, c.AddColumn)
            and change.table == self._table.name
            and change.column.name == self._column.name
        )

    def _filled(self, default: Expression) -> tuple[str, ...]:
        """Rows written since get what the downgrade gives to every row without parked values."""
        dialects = self._context.dialects
        table, parked = sql_table(self._table.name, dialects), quoted(self._parked, dialects)
        value = _pattern.sql_default(default)
        sql = f"UPDATE {table} SET {parked} = {value} WHERE {parked} IS NULL"  # noqa: S608 - names only
        return (self._render.executed(sql),)

    def _guard(self) -> tuple[str, ...]:
        """Rows written since have nothing in the column: they are in the way of NOT NULL."""
        dialects = self._context.dialects
        table = sql_table(self._table.name, dialects)
        condition = f"{quoted(self._parked, dialects)} IS NULL"
        rows = f"FROM {table} WHERE {condition}"
        return _pattern.refusal([(self._table.name, rows)], self._render)

    def _rename(
        self, operation: Operation, old: str, new: str, nullable: str
    ) -> list[Rewrite] | None:
        """The rename in the place of a call."""
        migration = self._context.migration
        called = receiver(migration, operation)
        if called is None or not has_own_call(migration, operation):
            return None
        if operation.batch is None and self._needs_batch:
            if not stands_alone(migration, operation):
                return None
            made = (self._standing(old, new, nullable),)
            surround = SurroundStatement(operation.statement, made, imports=self._imports)
            return [surround, RemoveStatement(operation.statement)]
        text = self._altered(called, old, new, nullable)
        return [ReplaceCall(operation.range, text, self._imports)]

    @property
    def _needs_batch(self) -> bool:
        return self._loosened and "sqlite" in self._context.dialects

    def _standing(self, old: str, new: str, nullable: str) -> str:
        """The rename as a statement of its own."""
        if not self._needs_batch:
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
