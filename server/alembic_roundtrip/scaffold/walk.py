"""An upgrade change by change: the schemas it goes through, and what dropping a table undoes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from alembic_roundtrip.context import Context
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Name, option
from alembic_roundtrip.scaffold.beside import unsaid
from alembic_roundtrip.scaffold.step import Step
from alembic_roundtrip.schema import Schema, applied
from alembic_roundtrip.schema.names import sequence_of


@dataclass
class Walk:
    """The schemas an upgrade goes through, and which tables and columns are its own."""

    schemas: dict[str | None, Schema]
    steps: list[tuple[Step, int | None]] = field(default_factory=list)
    made: dict[Name, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    filled: set[tuple[Name, str]] = field(default_factory=set)
    added: set[tuple[Name, str]] = field(default_factory=set)
    """Columns that it adds under no condition."""
    indexes: dict[tuple[Name, str | None], int] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    """Whatever it has made by then, without schemas."""
    became: set[int] = field(default_factory=set)
    """The steps that made an index which is a constraint by now: that is dropped in its place."""

    def take(self, operation: Operation, change: c.Change) -> None:
        """Go one change further."""
        running = [dialect for dialect in self.schemas if operation.runs_on(dialect)]
        before = self.schemas[running[0] if running else next(iter(self.schemas))]
        for dialect in running:
            self.schemas[dialect] = applied(self.schemas[dialect], change, operation)
        own, filled = frozenset(self.made), frozenset(self.filled)
        after, indexes = applied(before, change, operation), frozenset(self.indexes)
        step = Step(operation, change, before, after, own, filled, indexes)
        if isinstance(change, c.CreateIndex):
            self.indexes[change.index.table, change.index.name] = len(self.steps)
        if isinstance(change, c.AddConstraint) and (change.table, change.index) in self.indexes:
            self.became.add(self.indexes[change.table, change.index])
        if isinstance(change, c.AddColumn) and not (operation.guards or change.if_not_exists):
            self.added.add((change.table, change.column.name))
        self.named |= _named_by(change)
        self.steps.append((step, self._table_made(change)))

    def take_unsaid(self, operation: Operation, dialects: Sequence[str]) -> None:
        """Note what else an operation's SQL does, of which the schema knows nothing."""
        schema = next(iter(self.schemas.values()))
        for text in unsaid(operation.sql, frozenset(self.named), dialects):
            part = replace(operation, arguments=(("sqltext", literal(text)),), changes=(_UNSAID,))
            step = Step(part, _UNSAID, schema, schema, frozenset(self.made))
            self.steps.append((step, None))

    def _table_made(self, change: c.Change) -> int | None:
        """The number of the step that made the table a change is about; None for older ones."""
        number = len(self.steps)
        if isinstance(change, c.CreateTable):
            self.made[change.table.name] = number
            return number
        if isinstance(change, c.DropTable):
            found = self.made.pop(change.table, None)
            self.gone |= set() if found is None else {found}
            return found
        if isinstance(change, c.RenameTable) and change.table in self.made:
            self.made[change.new] = self.made.pop(change.table)
            return self.made[change.new]
        if isinstance(change, c.AddColumn):
            self.filled.add((change.table, change.column.name))
        table = _table_of(change)
        return self.made.get(table) if table is not None else None


def walked(context: Context) -> Walk:
    """The whole upgrade."""
    walk = Walk(dict(context.parents))
    for operation in context.upgrade_operations:
        for change in operation.changes:
            walk.take(operation, change)
        if operation.sql and operation.opaque is None:
            walk.take_unsaid(operation, context.dialects)
    return walk


_UNSAID = c.Unknown(frozenset())


def _named_by(change: c.Change) -> set[str]:
    if isinstance(change, c.CreateTable):
        own = {change.table.name.name}
        return own | {sequence_of(change.table.name, each.name) for each in change.table.columns}
    if isinstance(change, c.CreateObject):
        return {change.name.name}
    if isinstance(change, c.CreateIndex):
        return {change.index.name or ""}
    if isinstance(change, c.CreateEnum):
        return {change.enum.name.name}
    return set()


def needed(change: c.Change, made: int | None, gone: set[int]) -> bool:
    """Whether a change is not undone already by dropping the table that it is about."""
    if made is None:
        return True
    if made in gone:
        return False
    if isinstance(change, c.AddConstraint):
        # Two new tables may refer to each other.
        return change.constraint.kind == "foreignkey" and change.constraint.name is not None
    return isinstance(change, c.CreateTable | c.RenameTable)


def goes_with_its_column(step: Step, walk: Walk) -> bool:
    """Whether a change of a column is undone by dropping the column, which this upgrade has added.

    One in batch mode counts among what may make the table anew.
    """
    change = step.change
    return (
        isinstance(change, c.AlterColumn)
        and step.operation.batch is None
        and option(change.options, "new_column_name") is None
        and (change.table, change.column) in step.filled & walk.added
    )


def _table_of(change: c.Change) -> Name | None:
    if isinstance(change, c.CreateIndex):
        return change.index.table
    if isinstance(change, c.Unknown):
        return next(iter(change.tables)) if change.tables and len(change.tables) == 1 else None
    table = getattr(change, "table", None)
    return table if isinstance(table, Name) else None


def moved(steps: Sequence[Step], walk: Walk) -> Iterator[str]:
    """Older rows that the upgrade moved into its own tables go when these are dropped."""
    destroyed = any(isinstance(s.change, c.DropTable | c.DropColumn) for s in steps)
    written = {
        step.change.table
        for step, made in walk.steps
        if isinstance(step.change, c.WriteRows)
        and step.change.verb == "insert"
        and made is not None
    }
    for step in steps:
        if isinstance(step.change, c.CreateTable) and destroyed:
            name = step.change.table.name
            yield from [f"The rows of {name} are lost."] * (name in written)
