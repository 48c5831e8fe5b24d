"""Enum types that an upgrade gives other members: how they get back those they had."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Column, EnumType, Name, Table
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer
from alembic_roundtrip.scaffold.fragility import fragile
from alembic_roundtrip.scaffold.sql import quoted, sql_table, sql_value
from alembic_roundtrip.scaffold.step import Inverse, Step
from alembic_roundtrip.schema import Schema, names_enum

_POSTGRESQL = ("postgresql",)
_MEMBERS = re.compile(r"\bENUM\s*\((?:'(?:[^']|'')*'|[^')])*\)", re.IGNORECASE)


@dataclass(frozen=True)
class Replacement:
    """Steps that rename an enum type, make it anew, convert its columns and drop the old one.

    PostgreSQL cannot take a member away, so this is how it is done; backwards it is done the same
    way, with the members there were.
    """

    steps: tuple[Step, ...]
    old: EnumType
    new: EnumType

    def back(self, render: Renderer) -> Inverse:
        """The same statements with the members there were."""
        said = [_sql(operation) for operation in dict.fromkeys(s.operation for s in self.steps)]
        members = ", ".join("'" + m.replace("'", "''") + "'" for m in self.old.members or ())
        lines = [render.executed(_MEMBERS.sub(f"ENUM ({members})", sql)) for sql in said]
        return Inverse([*fragile(self._rows()), *lines])

    @property
    def place(self) -> Step:
        """The step whose turn it is when all of it goes back."""
        return self.steps[-1]

    def _rows(self) -> str | None:
        if not set(self.new.members or ()) - set(self.old.members or ()):
            return None
        users = self.steps[-1].after.users_of(self.old.name)
        columns = ", ".join(f"{table}.{column.name}" for table, column in users)
        return f"values in {columns or 'columns'} that the old {self.old.name} lacks"


@dataclass(frozen=True)
class Addition:
    """Steps that add values to an enum type; without them it has to be made anew."""

    steps: tuple[Step, ...]
    old: EnumType

    def back(self, render: Renderer) -> Inverse:
        """The type made anew with the members there were; raises `NotKnownError`."""
        before = self.steps[0].before
        columns = ", ".join(f"{table}.{c.name}" for table, c in before.users_of(self.old.name))
        rows = f"values in {columns} that the old {self.old.name} lacks" if columns else None
        return Inverse([*fragile(rows), *remade(self.old, before, render)])

    @property
    def place(self) -> Step:
        """The step whose turn it is when all of it goes back: nothing uses a new value by then."""
        return self.steps[0]


def remodelled(steps: Sequence[Step]) -> Iterator[Replacement | Addition]:
    """The enum types that an upgrade gives other members, each with the steps that do it."""
    yield from replacements(steps)
    added: dict[Name, list[Step]] = {}
    for step in steps:
        if isinstance(step.change, c.AddEnumValue):
            added.setdefault(step.change.name, []).append(step)
    for name, found in added.items():
        old = found[0].before.enums.get(name)
        alike = len({step.operation.guards for step in found}) == 1
        if old is not None and old.members is not None and alike:
            yield Addition(tuple(found), old)


def remade(enum: EnumType, before: Schema, render: Renderer) -> Iterator[str]:
    """Rename, create, cast, drop: an enum type with the members it had, for the columns it had."""
    users = list(before.users_of(enum.name))
    for table, column in users:
        _check(before.tables[table], column, before)
    old = enum.name._replace(name=f"{enum.name.name}_old")
    name = sql_table(enum.name, _POSTGRESQL)
    members = ", ".join(map(sql_value, enum.members or ()))
    lines = [
        f"ALTER TYPE {name} RENAME TO {quoted(old.name, _POSTGRESQL)}",
        f"CREATE TYPE {name} AS ENUM ({members})",
        *(line for table, column in users for line in _converted(table, column, name)),
        f"DROP TYPE {sql_table(old, _POSTGRESQL)}",
    ]
    yield from map(render.executed, lines)


def _check(table: Table, column: Column, schema: Schema) -> None:
    """Raises `NotKnownError` for what a change of the type would not pass by."""
    array = column.type is not None and "ARRAY" in column.type.text
    partial = any(index.partial for index in table.indexes)
    checked = any(
        part.kind in {"check", "exclude"} and not part.of_type for part in table.constraints
    )
    bound = any(
        kind in {"view", "trigger", "policy"} and (not text or table.name.name in text)
        for (kind, _), text in schema.definitions.items()
    )
    if array or partial or checked or bound:
        raise NotKnownError(f"what of `{table.name}` depends on `{column.name}`")


def _converted(table: Name, column: Column, enum: str) -> Iterator[str]:
    default = column.server_default
    if default is not None and default.string is None:
        raise NotKnownError(f"the default of `{column.name}`")
    name = quoted(column.name, _POSTGRESQL)
    alter = f"ALTER TABLE {sql_table(table, _POSTGRESQL)} ALTER COLUMN {name}"
    if default is not None:
        yield f"{alter} DROP DEFAULT"
    yield f"{alter} TYPE {enum} USING {name}::text::{enum}"
    if default is not None:
        yield f"{alter} SET DEFAULT {sql_value(default.string)}"


def replacements(steps: Sequence[Step]) -> Iterator[Replacement]:
    """The enum types that an upgrade replaces, each with the steps that do it."""
    for start, step in enumerate(steps):
        if isinstance(step.change, c.RenameEnum):
            parked = step.change.name._replace(name=step.change.new_name)
            ends = (n for n, s in enumerate(steps) if s.change == c.DropEnum(parked) and n > start)
            end = next(ends, None)
            old = step.before.enums.get(step.change.name)
            if end is not None and old is not None and old.members is not None:
                yield from _replacement(steps[start : end + 1], old)


def _replacement(steps: Sequence[Step], old: EnumType) -> Iterator[Replacement]:
    made = [s.change.enum for s in steps if isinstance(s.change, c.CreateEnum)]
    kinds = (c.RenameEnum, c.CreateEnum, c.AlterColumn, c.DropEnum)
    plain = all(isinstance(step.change, kinds) and _sql(step.operation) for step in steps)
    alike = len({(s.operation.guards, s.operation.autocommit) for s in steps}) == 1
    if plain and alike and [enum.name for enum in made] == [old.name]:
        yield Replacement(tuple(steps), old, made[0])


def _sql(operation: Operation) -> str:
    """The SQL that an operation executes, on one line where nothing is quoted over several."""
    parts = re.split(r"('(?:[^']|'')*')", operation.sql)
    return "".join(p if n % 2 else re.sub(r"\s+", " ", p) for n, p in enumerate(parts)).strip()


def enums_of(column: Column, schema: Schema) -> Iterator[Name]:
    """The enum types that a column's type names."""
    for name in schema.enums:
        if column.type is not None and names_enum(column.type.text, name):
            yield name
