"""What undoes new and dropped constraints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alembic_roundtrip.comparison.casting import is_recast
from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.mentions import checks
from alembic_roundtrip.migration.objects import Column, Constraint, Index, Name, Table, option
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.foreignkeys import ForeignKeyIndexes
from alembic_roundtrip.scaffold.fragility import against_constraint, against_refilled, fragile
from alembic_roundtrip.scaffold.sql import type_condition
from alembic_roundtrip.scaffold.step import Inverse, Step, in_block, spelled, table_arguments
from alembic_roundtrip.scaffold.told import rewritten, to_fill
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.schema.names import generated, known_as

_POSTGRESQL = ("postgresql",)


class Constraints:
    """Writes the inverses of changes of constraints, for a project's dialects."""

    def __init__(self, render: Renderer, dialects: tuple[str, ...]) -> None:
        self.render = render
        self.dialects = dialects
        self.indexes = ForeignKeyIndexes(render, dialects)

    def added(self, change: c.AddConstraint, step: Step) -> Inverse:
        """What undoes a new constraint; the index that became it is one again."""
        index = self._index_of(change, step)
        if index is not None:
            columns = tuple(part.string for part in index.columns if part.string)
            change = replace(change, constraint=replace(change.constraint, columns=columns))
        own = (change.table, change.index) in step.indexes
        dropped = self.drop(change.table, change.constraint, step)
        return Inverse(
            [
                *self._taken_back(change, step),
                dropped,
                *self.indexes.left_behind(change.table, change.constraint, step),
                *self._former_key(change, step),
                *self._nullable_again(change, step),
                *([] if index is None or own else [self.render.create_index(index)]),
            ]
        )

    @staticmethod
    def _index_of(change: c.AddConstraint, step: Step) -> Index | None:
        table = step.before.table(change.table) if change.index is not None else None
        index = table.index(change.index) if table is not None else None
        if index is None and change.index and (change.table, change.index) not in step.indexes:
            raise NotKnownError(f"the columns of `{change.index}`")
        return index

    def _taken_back(self, change: c.AddConstraint, step: Step) -> Iterator[str]:
        if change.constraint.kind in {"primary", "unique"}:
            part = change.constraint
            yield from self.indexes.taken_back(change.table, part.name, part.columns, step)

    def _former_key(self, change: c.AddConstraint, step: Step) -> Iterator[str]:
        """The primary key that batch mode has replaced by another one."""
        table = step.before.table(change.table)
        if change.constraint.kind == "primary" and table is not None:
            for part in table.constraints:
                if part.kind == "primary":
                    yield self.render.create_constraint(change.table, part, step.target)

    def _nullable_again(self, change: c.AddConstraint, step: Step) -> Iterator[str]:
        """Columns that a primary key made NOT NULL: dropping it does not take that back."""
        table = step.before.table(change.table)
        if change.constraint.kind != "primary" or table is None or self.dialects == ("sqlite",):
            return
        for name in change.constraint.columns:
            column = table.column(name)
            if column is not None and column.nullable and column.type is not None:
                parts = [*table_arguments(change.table, step, self.render)]
                parts.insert(1 if parts else 0, self.render.text(name))
                parts.append(f"existing_type={self.render.expression(column.type)}")
                yield call(f"{step.target}.alter_column", [*parts, "nullable=True"])

    def drop(self, table: Name, part: Constraint, step: Step) -> str:
        """`op.drop_constraint(…)`; raises `NotKnownError` without a name."""
        name = part.name or self._default_name(table, part, step)
        parts = [
            spelled(self.render, step, "constraint_name", name),
            *table_arguments(table, step, self.render),
        ]
        parts.insert(2 if step.target == "op" else 1, f"type_={self.render.text(part.kind)}")
        if part.kind == "exclude":
            parts = [text for text in parts if not text.startswith("type_=")]
        return call(f"{step.target}.drop_constraint", parts)

    def _default_name(self, table: Name, part: Constraint, step: Step) -> str:
        """The name that the database gives, where no convention is near."""
        tables = step.before.tables.values()
        final = any(p.final for t in tables for p in t.constraints)
        after = step.after.table(table)
        name = None
        if after is not None and step.after.knows(table):
            found = [p.generated for p in after.constraints if replace(p, generated=None) == part]
            name = found[0] if len(found) == 1 else None
        elif self.dialects == _POSTGRESQL:
            name = generated(part, Table(table), "postgresql", lambda _: False)
            name = None if any(known_as(p) == name for t in tables for p in t.constraints) else name
        mysql = bool(self.dialects) and {*self.dialects} <= MYSQL
        if not (self.dialects == _POSTGRESQL or mysql) or final or name is None:
            raise NotKnownError(f"the name of a constraint of `{table}`")
        return name

    def dropped(self, change: c.DropConstraint, step: Step, later: Schema) -> Inverse:
        """What brings a constraint back; `later` is the schema that the downgrade begins with."""
        table = step.before.table(change.table)
        found = [p for p in (table.constraints if table else ()) if p.is_known_as(change.name)]
        if table is None or len(found) != 1:
            raise NotKnownError(f"the definition of `{change.name}`")
        part = replace(found[0], name=change.name)
        rows = against_constraint(change.table, part, later)
        if part.of_type and not part.arguments:
            part = self._as_condition(part, table)
        made = self.render.create_constraint(change.table, part, step.target)
        return Inverse([*self.doubts(part), *fragile(rows), made])

    def doubts(self, *parts: Constraint) -> list[str]:
        """What says of each CHECK that PostgreSQL has written casts into that it is not the same.

        None of them goes away when the column gets its old type again.
        """
        return [
            rewritten(part)
            for part in parts
            if self.dialects == _POSTGRESQL and any(is_recast(*types) for types in part.retyped)
        ]

    def with_column(
        self, part: Constraint, table: Table, column: Column, step: Step
    ) -> tuple[list[str], list[str]]:
        """A constraint that comes back after its column, which has lost its values.

        It is made with the column, or after its batch block.
        """
        rows = against_refilled(part, table, column, self.dialects)
        doubts = self.doubts(part)
        others = [each.name for each in table.columns if each.name != column.name]
        alone = part.kind == "check" and not any(
            checks(part, name, self.dialects) for name in others
        )
        empty = column.server_default is None and not column.fills_itself
        if rows and alone and empty:
            # The condition is about this column only: no row has a place there.
            # It can be filled when the block has ended: until then the column is not there.
            filled = to_fill(f"{table.name}.{column.name}")
            return [], [*doubts, filled, self._afterwards(part, table, step)]
        said = [*doubts, *fragile(rows)]
        if step.target == "op" and "sqlite" in self.dialects:
            return [], [*said, self._afterwards(part, table, step)]
        return [*said, self.render.create_constraint(table.name, part, step.target)], []

    def _afterwards(self, part: Constraint, table: Table, step: Step) -> str:
        """A constraint made after the step's batch block, in one of its own where it needs that."""
        # Which databases there are is not always known; that the author needs batch mode is.
        target = "batch_op" if "sqlite" in self.dialects else step.target
        made = self.render.create_constraint(table.name, part, target)
        return made if target == "op" else in_block(table.name, made, self.render)

    def checks_anew(
        self, change: c.AlterColumn, column: Column | None, step: Step
    ) -> tuple[list[str], list[str]]:
        """Drops of the CHECKs of a column whose type changes, and what makes them again.

        PostgreSQL writes casts into their conditions then, and none of them goes away again.
        """
        new = option(change.options, "type_")
        table = step.before.table(change.table)
        old = column.type if column is not None else None
        if self.dialects != _POSTGRESQL or table is None or new is None or old is None:
            return [], []
        if not is_recast(old, new):
            return [], []
        parts = [
            replace(part, name=known_as(part))
            for part in table.constraints
            if checks(part, change.column, self.dialects) and not part.of_type and known_as(part)
        ]
        made = [self.render.create_constraint(change.table, part, step.target) for part in parts]
        return [self.drop(change.table, part, step) for part in parts], [
            *self.doubts(*parts),
            *made,
        ]

    def _as_condition(self, part: Constraint, table: Table) -> Constraint:
        """The CHECK that came with a type, as one by itself."""
        column = table.column(part.columns[0]) if len(part.columns) == 1 else None
        if column is None:
            raise NotKnownError(f"the definition of `{part.name}`")
        condition = literal(type_condition(part, column, self.dialects))
        shown = replace(condition, text=self.render.text(condition.value))
        return replace(part, columns=(), arguments=(shown,))
