"""Indexes of foreign keys: MySQL and MariaDB make them, and take them back for longer ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Constraint, Index, Name, Table
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.scaffold.place import inside
from alembic_roundtrip.scaffold.step import Step, spelled
from alembic_roundtrip.schema.names import known_as, numbered

_Columns = tuple[str | None, ...]


class ForeignKeyIndexes:
    """Writes what has to be done about them, for a project's dialects."""

    def __init__(self, render: Renderer, dialects: tuple[str, ...]) -> None:
        self._render = render
        self._dialects = {*dialects}

    def left_behind(self, name: Name, part: Constraint, step: Step) -> Iterator[str]:
        """The drop of the index that stays without the foreign key that it was made for."""
        table = step.before.table(name)
        if part.kind != "foreignkey" or not MYSQL & self._dialects or table is None:
            return
        if not _serves(_indexed(table), part):
            parts = [spelled(self._render, step, "constraint_name", _name(part, table))]
            if step.target == "op":
                parts += [f"table_name={self._render.text(name.name)}", *self._render.schema(name)]
            yield from self._there([call(f"{step.target}.drop_index", parts)])

    def taken_back(
        self, name: Name, dropped: str | None, columns: _Columns, step: Step
    ) -> Iterator[str]:
        """Indexes whose place another one took: it is not dropped before they are there again.

        Raises `NotKnownError` where one of them would have the name of the other.
        """
        table = step.before.table(name)
        if not MYSQL & self._dialects or table is None or not step.before.knows(name):
            return
        known = [*_indexed(table)]
        for part in table.constraints:
            needs = part.kind == "foreignkey" and part.columns and _serves([columns], part)
            if needs and not _serves(known, part):
                known.append(part.columns)
                key = tuple(Expression(self._render.text(each), each) for each in part.columns)
                index = Index(_name(part, table), name, key)
                if index.name == dropped:
                    raise NotKnownError(f"the index of `{name}` that `{dropped}` has replaced")
                yield from self._there([self._render.create_index(index, step.target)])

    def _there(self, lines: Sequence[str]) -> Iterator[str]:
        """Lines for those databases only."""
        if self._dialects <= MYSQL:
            yield from lines
        else:
            names = ", ".join(map(self._render.text, sorted(MYSQL)))
            yield from inside(f"if op.get_context().dialect.name in ({names}):", lines)


def _serves(indexed: Collection[_Columns], part: Constraint) -> bool:
    return any(columns[: len(part.columns)] == part.columns for columns in indexed)


def _indexed(table: Table) -> list[_Columns]:
    """The columns of each index of a table, those of keys included."""
    keys = [part.columns for part in table.constraints if part.kind in {"primary", "unique"}]
    return [*keys, *(tuple(c.string for c in index.columns) for index in table.indexes)]


def _name(part: Constraint, table: Table) -> str:
    """The name that the server gave: the foreign key's, or else the first column's."""
    used = {index.name for index in table.indexes}
    used |= {known_as(each) for each in table.constraints if each.kind == "unique"}
    return part.name or next(name for name in numbered(part.columns[0]) if name not in used)
