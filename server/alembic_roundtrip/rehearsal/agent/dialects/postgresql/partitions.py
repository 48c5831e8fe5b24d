"""What the partitions of a table leave to its rows, as if its constraints said it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Dict, Iterator, List, Match, Optional, Sequence, Tuple

from ...schema import sql
from ...schema.tables import Check, Snapshot, Table
from ...values.checks import literal

_KEY = re.compile(r"PARTITION BY (?:LIST|RANGE) \(([^()]+)\)")
_PARENT = re.compile(r"\bINHERITS ([^,]+)")
_LISTED = re.compile(r"FOR VALUES IN \((.*)\)", re.DOTALL)
_RANGE = re.compile(r"FOR VALUES FROM \((.*?)\) TO \((.*?)\)(?:,|$)", re.DOTALL)
_INTEGERS = ("smallint", "integer", "bigint")
_NUMBER = re.compile(r"'(-?\d+)'(?:::\w+)?")
"""A number as the server may write it."""
_MANY = 120
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)( \d\d:\d\d:\d\d)?(.*)")
_BETWEEN = 60


def checks(table: Table, schema: Snapshot) -> List[Check]:
    """Some values of each column that partitions are told apart by, which have a place in one."""
    found: Dict[str, List[Any]] = {}
    for column, values in _values(table, schema):
        if table.column(column) is not None:
            found.setdefault(column, []).extend(values)
    texts = (f'"{name}" IN ({", ".join(map(_spelled, values))})' for name, values in found.items())
    return [Check(text, text) for text in texts]


def _values(table: Table, schema: Snapshot) -> Iterator[Tuple[str, Sequence[Any]]]:
    key = _KEY.search(", ".join(table.options))
    if key is None:
        return
    columns = [name.strip().strip('"') for name in key.group(1).split(",")]
    parts = [part for part in schema.tables.values() if _parent(part) == table.name]
    bounds = [", ".join(part.options) for part in parts]
    if any(c.type in _INTEGERS for c in table.columns if c.name in columns):
        bounds = [_NUMBER.sub(r"\1", bound) for bound in bounds]
    if not any(bound.endswith("DEFAULT") for bound in bounds):
        for bound in bounds:
            yield from _allowed(columns, bound)
    for part in parts:
        yield from _values(part, schema)


def _parent(part: Table) -> Optional[str]:
    found = _PARENT.search(", ".join(part.options)) if part.kind == "partition" else None
    return found.group(1).replace('"', "") if found else None


def _allowed(columns: Sequence[str], bound: str) -> Iterator[Tuple[str, Sequence[Any]]]:
    listed, ranged = _LISTED.search(bound), _RANGE.search(bound)
    if listed is not None:
        yield columns[0], [value for value in _literals(listed.group(1)) if value is not None]
    elif ranged is not None:
        lowest, highest = (_literals(text) for text in ranged.groups())
        yield columns[0], _between(lowest[0], highest[0])
        for column, value in zip(columns[1:], lowest[1:]):
            yield column, [value] if value is not None else []


def _literals(text: str) -> List[Any]:
    """The literals of a list; None for what is none: NULL, MINVALUE, MAXVALUE."""
    return [literal(group, 0)[0] for group in sql.split(sql.tokens(text))]


def _between(low: Any, high: Any) -> List[Any]:
    """Values from a lower bound on and below an upper one; None is no bound."""
    if isinstance(low, int) or isinstance(high, int):
        start = low if low is not None else high - _MANY
        return list(range(start, start + _MANY if high is None else min(high, start + _MANY)))
    found = next((each for each in map(_matched, (low, high)) if each is not None), None)
    if found is None:
        return [low] if low is not None else []
    has_time, zone = bool(found.group(2)), found.group(3)
    try:
        moments = _moments(_moment(low), _moment(high), whole_days=not has_time)
    except OverflowError:  # beyond the calendar
        return [low] if low is not None else []
    return [f"{each if has_time else each.date()}{zone}" for each in moments]


def _moments(
    first: Optional[dt.datetime], last: Optional[dt.datetime], *, whole_days: bool
) -> List[dt.datetime]:
    """As many as may be, from the first on and before the last; one of the two is known."""
    day = dt.timedelta(days=1)
    if first is None:
        assert last is not None
        first = last - _BETWEEN * day
    step = (last - first) / _BETWEEN if last is not None else day
    step = max(step, day) if whole_days else max(step, dt.timedelta(seconds=1))
    every = (first + number * (step - step % dt.timedelta(seconds=1)) for number in range(_BETWEEN))
    return [each for each in every if last is None or each < last]


def _matched(text: Any) -> Optional[Match[str]]:
    return _MOMENT.fullmatch(text) if isinstance(text, str) else None


def _moment(text: Any) -> Optional[dt.datetime]:
    found = _matched(text)
    return dt.datetime.fromisoformat("".join(found.groups("")[:2])) if found else None


def _spelled(value: Any) -> str:
    return "'{}'".format(value.replace("'", "''")) if isinstance(value, str) else str(value)
