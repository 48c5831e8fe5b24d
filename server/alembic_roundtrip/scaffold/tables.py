"""Tables that an upgrade drops, with all that they had."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Column, Constraint, Name, Table
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.alteration import type_name
from alembic_roundtrip.scaffold.enums import enums_of
from alembic_roundtrip.scaffold.place import inside
from alembic_roundtrip.scaffold.sql import sql_name
from alembic_roundtrip.scaffold.step import Inverse, Step
from alembic_roundtrip.scaffold.told import DESTRUCTIVE
from alembic_roundtrip.schema.names import known_as, numbered_column, sequence_of, with_names

_TYPE_CHECKED = re.compile(r"\bcreate_constraint=True,\s*|,?\s*\bcreate_constraint=True")

_INTEGERS = {
    "integer": "integer",
    "biginteger": "bigint",
    "smallinteger": "smallint",
    "bigint": "bigint",
    "smallint": "smallint",
}
"""What the sequence of a column counts in."""


class Tables:
    """Writes what brings tables back; `types` are the enum types that are there by then."""

    def __init__(self, render: Renderer, dialects: tuple[str, ...], types: set[Name]) -> None:
        self._render = render
        self.types = types
        self._native = not dialects or "postgresql" in dialects
        self._only_native = dialects == ("postgresql",)

    def dropped(self, change: c.DropTable, step: Step) -> Inverse:
        """What brings a table back."""
        table = step.before.table(change.table)
        if table is None or not step.before.knows(change.table):
            raise NotKnownError(f"the columns of `{change.table}`")
        if self._native:
            table = with_kept_names(table)
        columns = []
        for column in table.columns:
            columns.append(self._render.column(column, table, self._type(column, table, step)))
            self.types.update(enums_of(column, step.before))
        statements = [self._render.create_table(table, columns)]
        statements += self._sequences(table)
        statements += [self._render.create_index(index) for index in table.indexes]
        lost = f"The rows of {change.table} cannot be restored."
        return Inverse([f"{DESTRUCTIVE}{lost}", *statements], lost=[lost])

    def _sequences(self, table: Table) -> Iterator[str]:
        """PostgreSQL's sequences that a table does not come with, or not under their names.

        They keep those when table or column get others, and stay without the default they are for.
        """
        for column in table.columns if self._native else ():
            made = Name(sequence_of(table.name, column.name), table.name.schema)
            kept = Name(column.sequence, table.name.schema)
            if column.sequence:
                sql = f"ALTER SEQUENCE {sql_name(made)} RENAME TO {sql_name(Name(column.sequence))}"
                if numbered_column(table) != column.name:
                    kind = _INTEGERS.get(type_name(column.type) if column.type else "")
                    if kind is None:
                        continue
                    owner = f"{sql_name(table.name)}.{sql_name(Name(column.name))}"
                    sql = f"CREATE SEQUENCE {sql_name(kept)} AS {kind} OWNED BY {owner}"
                lines = [call("op.execute", [self._render.text(sql)])]
                header = f"if op.get_context().dialect.name == {self._render.text('postgresql')}:"
                yield from lines if self._only_native else inside(header, lines)

    def _type(self, column: Column, table: Table, step: Step) -> str | None:
        """The type of a recreated table's column, where its enum type is there already."""
        for name in enums_of(column, step.before):
            if self._native and name in self.types and column.type is not None:
                if type_name(column.type) != "enum" or "create_type" in column.type.text:
                    return None
                enum = step.before.enums[name]
                return self._render.existing_enum(enum, only_postgresql=self._only_native)
        return self.unchecked(column, table)

    def without_types(self, names: Iterable[Name], step: Step) -> list[str]:
        """Drops of the enum types that came with a change and that nothing else uses."""
        statements = []
        for name in dict.fromkeys(names):
            unused = next(step.before.users_of(name), None) is None
            if name in self.types and name not in step.before.enums and unused and self._native:
                self.types.discard(name)
                made = self._render.enum(name)
                statements.append(f"{made}.drop(op.get_bind(), checkfirst=True)")
        return statements

    def unchecked(self, column: Column, table: Table) -> str | None:
        """The type of a column that has lost the CHECK which its type would make again."""
        checked = any(part.of_type and column.name in part.columns for part in table.constraints)
        if checked or column.type is None or not _TYPE_CHECKED.search(column.type.text):
            return None
        return _TYPE_CHECKED.sub("", self._render.expression(column.type))


def with_kept_names(table: Table) -> Table:
    """A table whose constraints say the names that PostgreSQL would not give them again."""
    bare = [
        replace(part, generated=None, name=None if _says_no_name(part) else part.name)
        for part in table.constraints
    ]
    again = with_names(replace(table, constraints=tuple(bare)), "postgresql", lambda _: False)
    kept = {
        part: _says_no_name(part) and known_as(part) not in {None, new.generated}
        for part, new in zip(table.constraints, again.constraints, strict=True)
    }
    primary = {c for part in kept if kept[part] and part.kind == "primary" for c in part.columns}
    return replace(
        table,
        constraints=tuple(
            replace(part, name=known_as(part), inline=False) if kept[part] else part
            for part in table.constraints
        ),
        columns=tuple(
            column.with_option("primary_key", None) if column.name in primary else column
            for column in table.columns
        ),
    )


def with_key_apart(table: Table, column: str) -> Table:
    """A table whose primary key is no part of a column: `op.add_column` makes none.

    The column still says that it is one: PostgreSQL then numbers its rows.
    """
    return replace(
        table,
        constraints=tuple(
            replace(part, name=known_as(part), inline=False)
            if part.kind == "primary" and part.inline and column in part.columns
            else part
            for part in table.constraints
        ),
    )


def _says_no_name(part: Constraint) -> bool:
    """Whether the database gives a constraint its name, as it is written."""
    return part.name is None or (part.inline and part.kind in {"primary", "unique"})
