"""The names that a project's naming convention gives to constraints and indexes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import md5

from alembic_roundtrip.databases import MYSQL
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
_LONGEST = {"postgresql": 63, **dict.fromkeys(MYSQL, 64)}
_ENDLESS = 9999
_SHORTEST = min(_LONGEST.values())
_LONG_NAME = re.compile(r"\w{64}")


def named(
    migration: Migration, convention: Convention | None, dialects: tuple[str, ...] = ()
) -> Migration:
    """A migration whose objects have the names that they get.

    An empty convention stands for SQLAlchemy's own, None for one that could not be read.
    """
    if convention is not None:
        convention = convention or _DEFAULT
    long = _LONG_NAME.search(migration.text) is not None
    if convention == _DEFAULT and not long and not _has_nameless_index(migration):
        return migration
    longest = {_LONGEST.get(dialect, _ENDLESS) for dialect in dialects}
    naming = _Naming(convention, longest.pop() if len(longest) == 1 else None)
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
    name = _Tokens(table, part).filled(template) if template else None
    return name if name and len(name) <= _SHORTEST else None


class _Naming:
    def __init__(self, convention: Convention | None, longest: int | None) -> None:
        self.convention = convention
        self.longest = longest
        """How long a name may be; None where databases differ in that."""

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
        if isinstance(change, c.DropIndex):
            return replace(change, name=self.as_kept(change.name))
        if isinstance(change, c.DropConstraint):
            dropped = self.dropped(change)
            return replace(dropped, name=self.as_kept(dropped.name))
        return change

    def as_kept(self, name: str | None) -> str | None:
        """A name as SQLAlchemy shortens it; as it is, where databases differ in that."""
        if name is None or self.longest is None or len(name) <= self.longest:
            return name
        digest = md5(name.encode(), usedforsecurity=False).hexdigest()
        return f"{name[: self.longest - 8]}_{digest[-4:]}"

    def filled(self, template: str, table: Name, part: Constraint) -> str | None:
        """What a template gives; None where that is not known, or not the same everywhere."""
        name = self.as_kept(_Tokens(table, part).filled(template))
        return None if name and self.longest is None and len(name) > _SHORTEST else name

    def constraint(self, part: Constraint, table: Name) -> Constraint:
        if part.final or part.kind not in _KEYS:
            return replace(part, name=self.as_kept(part.name))
        if self.convention is None:
            # A convention has a say in names that are given only with `%(constraint_name)s`,
            # and that is for CHECKs.
            return part if part.name and part.kind != "check" else replace(part, sure=False)
        template = self.convention.get(_KEYS[part.kind])
        if template is None or (part.name is not None and "constraint_name" not in template):
            return replace(part, name=self.as_kept(part.name))
        name = self.filled(template, table, part)
        return replace(part, sure=False) if name is None else replace(part, name=name, final=True)

    def index(self, index: Index) -> Index:
        if index.name is not None and not index.implied:
            return replace(index, name=self.as_kept(index.name))
        template = self.convention.get("ix") if self.convention else None
        part = Constraint("unique", None, tuple(p.string or "" for p in index.columns))
        name = self.filled(template, index.table, part) if template else None
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
        name = self.filled(template or "", change.table, part)
        return change if name is None else replace(change, name=name, final=True)


class _Tokens:
    """What the tokens of a template stand for, for one constraint."""

    def __init__(self, table: Name, part: Constraint) -> None:
        self.table = table
        self.part = part

    def filled(self, template: str) -> str | None:
        """The name; None where a token is not known, or is the project's own."""
        try:
            return template % self
        except (KeyError, ValueError, TypeError):
            return None

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
