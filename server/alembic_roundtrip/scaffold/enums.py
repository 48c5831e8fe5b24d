"""Enum types that an upgrade replaces by ones with other members, and the same steps back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import EnumType, option
from alembic_roundtrip.migration.rendering import Renderer, call
from alembic_roundtrip.scaffold.fragility import fragile
from alembic_roundtrip.scaffold.step import Inverse, Step

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
        lines = [
            call("op.execute", [render.text(_MEMBERS.sub(f"ENUM ({members})", sql))])
            for sql in said
        ]
        return Inverse([*fragile(self._rows()), *lines])

    def _rows(self) -> str | None:
        if not set(self.new.members or ()) - set(self.old.members or ()):
            return None
        users = self.steps[-1].after.users_of(self.old.name)
        columns = ", ".join(f"{table}.{column.name}" for table, column in users)
        return f"values in {columns or 'columns'} that the old {self.old.name} lacks"


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
    said = option(operation.arguments, "sqltext")
    sql = (said.string or "") if said is not None else ""
    parts = re.split(r"('(?:[^']|'')*')", sql)
    return "".join(p if n % 2 else re.sub(r"\s+", " ", p) for n, p in enumerate(parts)).strip()
