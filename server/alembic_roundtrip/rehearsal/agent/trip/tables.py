"""Which tables of one revision get rows."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Set


class Tables:
    """The tables to fill: those touched, what they refer to, and what refers to them.

    What refers to them is in, since rebuilding a table can empty its children.
    """

    def __init__(self, before: Any, after: Any, touched: Callable[[], Set[str]]) -> None:
        self.before = before
        self.after = after
        self.old: List[str] = []
        self.new: List[str] = []
        self._touched = touched
        self._grown = -1
        self.grow()

    def grow(self) -> bool:
        """Take in what was touched since; gives whether that is more.

        What is only done for rows that there are reaches a table after the other: before that
        takes long, all are meant.
        """
        known = {*self.before.tables, *self.after.tables}
        names = self._touched() if self._grown < _OFTEN else known
        old, new = _closure(self.before, names), _closure(self.after, names)
        if old.issubset(self.old) and new.issubset(self.new):
            return False
        self.old, self.new = sorted(old.union(self.old)), sorted(new.union(self.new))
        self._grown += 1
        return True

    def without_rows(self) -> Dict[str, str]:
        """Touched tables that no rows are made for, and what they are instead of a table."""
        tables = self.before.tables
        names = {name.lower() for name in self._touched()}
        found = {name: table.kind for name, table in tables.items() if name.lower() in names}
        return {name: kind for name, kind in found.items() if kind in _ELSEWHERE}


_OFTEN = 3
_ELSEWHERE = ("virtual table", "foreign table")


def _closure(schema: Any, names: Iterable[str]) -> Set[str]:
    by_lower = {name.lower(): name for name in schema.tables}
    found = {by_lower[name.lower()] for name in names if name.lower() in by_lower}
    lower = {name.lower() for name in found}
    children = {
        name
        for name, table in schema.tables.items()
        if any(key.target.lower() in lower for key in table.foreign_keys)
    }
    pending = list(found | children)
    closed: Set[str] = set()
    while pending:
        name = pending.pop()
        if name not in closed:
            closed.add(name)
            targets = (key.target.lower() for key in schema.tables[name].foreign_keys)
            pending += [by_lower[target] for target in targets if target in by_lower]
    return {name for name in closed if schema.tables[name].has_rows}
