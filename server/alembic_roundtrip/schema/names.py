"""The names that databases themselves give to constraints that have none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.expression import literal
from alembic_roundtrip.migration.objects import Column, Constraint, Name, Table, option

_LONGEST = 63
_WORD = re.compile(r"\w+")
_INTEGER = re.compile(r"(\w+\.)*(Integer|BigInteger|SmallInteger|INTEGER|BIGINT|SMALLINT)\b")

Taken = Callable[[str], bool]
"""Whether a name is in use where it would have to be unique."""


def generated(part: Constraint, table: Table, dialect: str | None, taken: Taken) -> str | None:
    """The name of a constraint that was given none; None where it has none, or any.

    Where the dialect is not known, it is PostgreSQL's: no other has names that people write down.
    """
    if dialect in {None, "postgresql"}:
        return _postgresql(part, table, taken)
    if dialect in MYSQL:
        return _mysql(part, table)
    return None


def _postgresql(part: Constraint, table: Table, taken: Taken) -> str | None:
    owner = table.name.name
    if part.kind == "primary":
        return _free(owner, "", "pkey", taken)
    if part.kind in {"unique", "foreignkey"} and part.columns:
        label = "key" if part.kind == "unique" else "fkey"
        return _free(owner, "_".join(part.columns), label, taken)
    condition = part.arguments[0].string if part.arguments else None
    if part.kind == "check" and condition is not None:
        return _free(owner, _only_column(condition, table), "check", taken)
    return None


def _only_column(condition: str, table: Table) -> str:
    """The column that a CHECK is about, where it is one alone."""
    words = set(_WORD.findall(condition))
    found = [column.name for column in table.columns if column.name in words]
    return found[0] if len(found) == 1 else ""


def _free(owner: str, middle: str, label: str, taken: Taken) -> str:
    """`owner_middle_label`, with a number where that is taken, cut as PostgreSQL does."""
    for number in count():
        name = _cut(owner, middle, f"{label}{number or ''}")
        if not taken(name):
            return name
    raise AssertionError


def _cut(owner: str, middle: str, label: str) -> str:
    middle = middle[:_LONGEST]
    room = _LONGEST - len(label) - 1 - bool(middle)
    # The longer of the two loses a letter until both fit.
    while len(owner) + len(middle) > room:
        if len(owner) > len(middle):
            owner = owner[:-1]
        else:
            middle = middle[:-1]
    return "_".join(part for part in (owner, middle, label) if part)


def _mysql(part: Constraint, table: Table) -> str | None:
    if part.kind == "primary":
        return "PRIMARY"
    if part.kind == "unique" and part.columns:
        used = {index.name for index in table.indexes} | {known_as(p) for p in table.constraints}
        first = part.columns[0]
        return next(n for n in numbered(first) if n not in used)
    if part.kind == "foreignkey":
        return f"{table.name.name}_ibfk_{1 + _highest(table)}"
    return None


def numbered(name: str) -> Iterable[str]:
    """The names that MySQL tries for what is called after a column."""
    yield name
    yield from (f"{name}_{number}" for number in count(2))


def _highest(table: Table) -> int:
    pattern = re.compile(re.escape(table.name.name) + r"_ibfk_(\d+)")
    matches = [pattern.fullmatch(known_as(part) or "") for part in table.constraints]
    return max((int(match.group(1)) for match in matches if match), default=0)


def known_as(part: Constraint) -> str | None:
    """The name of a constraint in the database, as far as it is known."""
    return part.name or part.generated


def with_names(table: Table, dialect: str | None, taken: Taken) -> Table:
    """A table whose constraints without a name have the ones that the database gives them."""
    if all(known_as(part) for part in table.constraints):
        return table
    named = replace(table, constraints=())
    for part in table.constraints:
        made = part
        if part.name is None and part.generated is None:
            used = _names(named)
            free = generated(part, named, dialect, _Taken(used, taken))
            made = replace(part, generated=free)
        named = replace(named, constraints=(*named.constraints, made))
    return named


@dataclass(frozen=True)
class _Taken:
    used: set[str | None]
    elsewhere: Taken

    def __call__(self, name: str) -> bool:
        return name in self.used or self.elsewhere(name)


def _names(table: Table) -> set[str | None]:
    return {known_as(part) for part in table.constraints} | {i.name for i in table.indexes}


def sequence_of(table: Name, column: str) -> str:
    """The name of the sequence that PostgreSQL makes for a column that numbers its rows."""
    return _cut(table.name, column, "seq")


def with_sequences(table: Table, old: Table, columns: Mapping[str, str]) -> Table:
    """A table after a rename of it or of columns (new names by old): its sequences keep theirs."""
    now = {columns.get(name, name): name for name in filter(None, [numbered_column(old)])}
    made = []
    for column in table.columns:
        if column.name in now:
            before = old.column(now[column.name])
            kept = (before.sequence if before else "") or sequence_of(old.name, now[column.name])
            kept = "" if kept == sequence_of(table.name, column.name) else kept
            made.append(replace(column, sequence=kept))
        else:
            made.append(column)
    return replace(table, columns=tuple(made))


def numbered_column(table: Table) -> str | None:
    """The column that SQLAlchemy makes SERIAL: an integer that is the primary key by itself."""
    primary = next((part.columns for part in table.constraints if part.kind == "primary"), ())
    column = table.column(primary[0]) if len(primary) == 1 else None
    return column.name if column is not None and _numbers(column, table) else None


def _numbers(column: Column, table: Table) -> bool:
    refers = any(
        part.kind == "foreignkey" and column.name in part.columns for part in table.constraints
    )
    asked = option(column.options, "autoincrement")
    said = None if asked is None else asked.value
    plain = column.server_default is None and not column.fills_itself
    integer = column.type is not None and _INTEGER.match(column.type.text) is not None
    return plain and integer and said is not False and (said is True or not refers)


def numbered_as(before: Table, after: Table) -> Table:
    """A table that has got or lost a foreign key, and numbers its rows as it did before.

    SQLAlchemy makes a key that refers to another table count only where that is asked for.
    """
    name, now = numbered_column(before), numbered_column(after)
    changed = name or now
    if name == now or changed is None:
        return after
    value = literal(value=name is not None)
    columns = tuple(
        column.with_option("autoincrement", value) if column.name == changed else column
        for column in after.columns
    )
    return replace(after, columns=columns)
