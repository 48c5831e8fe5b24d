"""The names that a project's naming convention gives to constraints and indexes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, Migration
from alembic_roundtrip.migration.objects import Constraint, Index, Name

Convention = Mapping[str, str]
"""Templates as for `MetaData(naming_convention=…)`, by their short keys."""

_DEFAULT: Convention = {"ix": "ix_%(column_0_label)s"}

_KEYS = {
    "primary": "pk",
    "unique": "uq",
    "check": "ck",
    "foreignkey": "fk",
}
_COLUMN = re.compile(r"(referred_)?column_(\d+)(_?N)?_(name|label|key)")
_LONGEST = 63


def named(migration: Migration, convention: Convention | None) -> Migration:
    """A migration whose objects have the names that they get.

    An empty convention stands for SQLAlchemy's own, None for one that could not be read.
    """
    if convention is not None:
        convention = convention or _DEFAULT
    if convention == _DEFAULT and not _has_nameless_index(migration):
        return migration
    naming = _Naming(convention)
    return replace(
        migration,
        upgrade=naming.direction(migration.upgrade),
        downgrade=naming.direction(migration.downgrade),
    )


def _has_nameless_index(migration: Migration) -> bool:
    return any(
        isinstance(change, c.CreateIndex) and change.index.name is None
        for direction in (migration.upgrade, migration.downgrade)
        for operation in (direction.operations if direction else ())
        for change in operation.changes
    )


def name_of(part: Constraint, table: Name, convention: Convention) -> str | None:
    """The name that a convention gives to a constraint without one."""
    template = convention.get(_KEYS.get(part.kind, ""))
    return _Tokens(table, part).filled(template) if template else None


class _Naming:
    def __init__(self, convention: Convention | None) -> None:
        self.convention = convention

    def direction(self, direction: Direction | None) -> Direction | None:
        if direction is None:
            return None
        operations = tuple(
            replace(operation, changes=tuple(self.change(change) for change in operation.changes))
            for operation in direction.operations
        )
        return replace(direction, operations=operations)

    def change(self, change: c.Change) -> c.Change:
        if isinstance(change, c.CreateTable):
            table = change.table
            constraints = tuple(self.constraint(p, table.name) for p in table.constraints)
            indexes = tuple(self.index(index) for index in table.indexes)
            table = replace(table, constraints=constraints, indexes=indexes)
            return replace(change, table=table)
        if isinstance(change, c.AddColumn):
            parts = tuple(self.constraint(part, change.table) for part in change.constraints)
            return replace(change, constraints=parts)
        if isinstance(change, c.AddConstraint):
            return replace(change, constraint=self.constraint(change.constraint, change.table))
        if isinstance(change, c.CreateIndex):
            return replace(change, index=self.index(change.index))
        if isinstance(change, c.DropConstraint):
            return self.dropped(change)
        return change

    def constraint(self, part: Constraint, table: Name) -> Constraint:
        if part.final or part.kind not in _KEYS:
            return part
        if self.convention is None:
            # A convention has a say in names that are given only with `%(constraint_name)s`,
            # and that is for CHECKs.
            return part if part.name and part.kind != "check" else replace(part, sure=False)
        template = self.convention.get(_KEYS[part.kind])
        if template is None or (part.name is not None and "constraint_name" not in template):
            return part
        name = _Tokens(table, part).filled(template)
        return replace(part, sure=False) if name is None else replace(part, name=name, final=True)

    def index(self, index: Index) -> Index:
        if index.name is not None and not index.implied:
            return index
        template = self.convention.get("ix") if self.convention else None
        part = Constraint("unique", None, tuple(p.string or "" for p in index.columns))
        name = _Tokens(index.table, part).filled(template) if template else None
        if name is None:
            return replace(index, sure=False)
        return replace(index, name=name, final=True)

    def dropped(self, change: c.DropConstraint) -> c.DropConstraint:
        template = (
            self.convention.get(_KEYS.get(change.kind or "", "")) if self.convention else None
        )
        if change.final or change.name is None or "constraint_name" not in (template or ""):
            return change
        part = Constraint("check", change.name)
        name = _Tokens(change.table, part).filled(template or "")
        return change if name is None else replace(change, name=name, final=True)


class _Tokens:
    """What the tokens of a template stand for, for one constraint."""

    def __init__(self, table: Name, part: Constraint) -> None:
        self.table = table
        self.part = part

    def filled(self, template: str) -> str | None:
        """The name; None where a token is not known, or is the project's own."""
        try:
            name = template % self
        except (KeyError, ValueError, TypeError):
            return None
        return name if len(name) <= _LONGEST else None

    def __getitem__(self, token: str) -> str:
        part = self.part
        if token == "table_name":
            return self.table.name
        if token == "referred_table_name" and part.referent is not None:
            return part.referent.name
        if token == "constraint_name" and part.name is not None:
            return part.name
        match = _COLUMN.fullmatch(token)
        if match is None:
            raise KeyError(token)
        referred, number, several, kind = match.groups()
        columns = part.referent_columns if referred else part.columns
        if part.kind == "check" or not all(columns):
            raise KeyError(token)
        owner = f"{self.table.schema}_" if self.table.schema else ""
        if kind == "label":
            columns = tuple(f"{owner}{self.table.name}_{column}" for column in columns)
        if several is not None:
            return ("_" if several == "_N" else "").join(columns)
        return columns[int(number)] if int(number) < len(columns) else ""
