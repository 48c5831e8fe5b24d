"""Rows that are nearly the same as another one, or have the same value twice.

A key that tells capitals or blanks apart has rows that differ in these only; columns that a
migration compares have a row where they are equal.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Mapping, Optional, Sequence, Tuple

from ..dialects import Access
from ..schema.tables import Table
from ..values.candidates import Candidates, Like, Reference, Values

Make = Callable[[int], Optional[Values]]
_VARIED: Sequence[Callable[[str], str]] = (str.swapcase, lambda text: f" {text} ")

_TWO = 2


def makers(
    table: Table, candidates: Candidates, asked: Mapping[str, Sequence[Any]], *, twins: bool
) -> List[Make]:
    """How each such row of a table is made; the database may refuse any of them."""
    equal = [_equal(candidates, *pair) for pair in _compared(candidates, asked)]
    # What a conflict replaces or rolls back is more than the row.
    if not twins or any(unique.conflict for unique in table.uniques):
        return equal
    return equal + [
        _twin(candidates, unique.columns, text, vary)
        for unique in candidates.taken
        for text in [c for c in unique.columns if candidates.is_free_text(c)][:1]
        for vary in _VARIED
    ]


def close_circles(
    access: Access,
    table: Table,
    references: Sequence[Reference],
    rows: Sequence[Values],
    asked: Mapping[str, Sequence[Any]],
) -> None:
    """Have a row refer to one that refers to it, where a migration compares the two."""
    compared = {frozenset(pair) for pair in _pairs(asked)}
    for reference in references:
        ends = (*reference.columns, *reference.targets)
        alike = len(ends) == _TWO and frozenset(map(str.lower, ends)) in compared
        if not reference.own or not table.key or not alike:
            continue
        (column, target), by_key = ends, {row.get(ends[1]): row for row in rows}
        for row in rows:
            other = by_key.get(row[column])
            if other is not None and other is not row and other[column] != other[target]:
                access.point(table, other, {column: row[target]})
                break


def _pairs(asked: Mapping[str, Sequence[Any]]) -> Iterator[Tuple[str, str]]:
    for column, values in asked.items():
        for value in values:
            if isinstance(value, Like):
                yield column, value.column


def _compared(
    candidates: Candidates, asked: Mapping[str, Sequence[Any]]
) -> Iterator[Tuple[str, str]]:
    """Columns of the table, of one kind, that a migration compares; a reference comes first."""
    names = {name.lower(): name for name in candidates.columns}
    for pair in sorted({tuple(sorted(pair)) for pair in _pairs(asked)}):
        known = [names[name] for name in pair if name in names]
        kinds = {candidates.sources[name].domain.kind for name in known}
        if len(known) == len(pair) and len(set(known)) == len(pair) and len(kinds) == 1:
            column, other = sorted(known, key=lambda name: name not in candidates.fixed)
            yield column, other


def _equal(candidates: Candidates, column: str, other: str) -> Make:
    def make(number: int) -> Optional[Values]:
        row = candidates.make(number)
        return row if row is None else {**row, column: row[other]}

    return make


def _twin(
    candidates: Candidates, columns: Sequence[str], text: str, vary: Callable[[str], str]
) -> Make:
    def make(number: int) -> Optional[Values]:
        row = candidates.make(number)
        models = (each for each in candidates.good[2:] if None not in map(each.get, columns))
        model = next((each for each in models if vary(each[text]) != each[text]), None)
        if row is None or model is None:
            return None
        return {**row, **{c: model[c] for c in columns}, text: vary(model[text])}

    return make
