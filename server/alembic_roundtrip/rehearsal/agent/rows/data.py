"""The rows of a database at one moment, and what a second reading has lost of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Dict, Iterable, List, Optional, Sequence, Tuple

from ..dialects import Access
from ..schema import difference
from ..schema.tables import Snapshot, Table
from ..values.likeness import canonical, kind_of, same, spelled

UPGRADE = "upgrade"
Row = Tuple[Any, ...]
Key = Tuple[Any, ...]


@dataclass(frozen=True)
class Rows:
    """The rows of one table; `keys` are the column sets that tell rows apart, the best first."""

    columns: Tuple[str, ...]
    kinds: Tuple[str, ...]
    keys: Tuple[Tuple[str, ...], ...]
    rows: Tuple[Row, ...]

    def index(self, column: str) -> Optional[int]:
        """Where a column stands, whatever its case."""
        names = [name.lower() for name in self.columns]
        return names.index(column.lower()) if column.lower() in names else None


@dataclass(frozen=True)
class Data:
    """The rows of the tables that were read."""

    tables: Dict[str, Rows] = field(default_factory=dict)
    behind: Dict[str, str] = field(default_factory=dict)
    """Columns whose sequence is to give values that are there already, and which."""

    def get(self, name: str) -> Optional[Rows]:
        """The rows of a table, whatever the case of its name."""
        return next((r for n, r in self.tables.items() if n.lower() == name.lower()), None)


def read(access: Access, snapshot: Snapshot, tables: Optional[Iterable[str]] = None) -> Data:
    """Read the rows of `tables` (all, if None); names that the snapshot lacks are left out.

    Values come as the database keeps them, past SQLAlchemy's types: a type would hide changes.
    Generated columns are left out, they follow from the others.
    """
    wanted = None if tables is None else {name.lower() for name in tables}
    found = {
        name: table
        for name, table in snapshot.tables.items()
        if (wanted is None or name.lower() in wanted) and table.writable
    }
    rows = {name: _read(access, table) for name, table in found.items()}
    return Data(rows, access.behind(list(found.values())))


def _read(access: Access, table: Table) -> Rows:
    columns = table.writable
    keys = [table.key] if table.key else []
    keys.extend(u.columns for u in table.uniques if u.where is None and u.columns)
    own = {column.name for column in columns}
    return Rows(
        tuple(column.name for column in columns),
        tuple(kind_of(column.type) for column in columns),
        tuple(key for key in keys if own.issuperset(key)),
        tuple(access.read(table, columns)),
    )


def losses(before: Data, after: Data, step: str) -> List[Dict[str, Any]]:
    """What of `before` is not in `after`, in the shape of `evidence.Loss`.

    For the step `upgrade` only tables and columns that both have are compared: what an upgrade
    drops, a downgrade may restore. For the others what is gone is lost.
    """
    found: List[Dict[str, Any]] = []
    for name, old in before.tables.items():
        new = after.get(name)
        if new is not None:
            found.extend(_Comparison(name, old, new, step).losses())
        elif old.rows and step != UPGRADE:
            found.append(
                _loss(name, None, len(old.rows), old, step=step, example=_example_row(old, 0))
            )
    return found


def stay(old: Data, *going: Tuple[Data, Data]) -> bool:
    """Whether each of these ways keeps all rows in the tables of `old`, with their values there."""
    return all(
        _keep(rows, before.get(name), after.get(name))
        for name, rows in old.tables.items()
        for before, after in going
        if rows.rows
    )


def gone(old: Data, writing: Tuple[Data, Data], now: Data) -> List[Dict[str, Any]]:
    """Rows whose keys `now` lacks, of tables that kept theirs while others were written."""
    found = []
    for name, rows in old.tables.items():
        if rows.keys and stay(Data({name: rows}), writing):
            was, here = (_cut(each, rows.keys[0]) for each in (rows, now.get(name)))
            count = 0 if was is None or here is None else len(set(was) - set(here))
            if count:
                found.append(_loss(name, None, count, rows, step="round trip", example=None))
    return found


def _keep(asked: Rows, before: Optional[Rows], after: Optional[Rows]) -> bool:
    was, now = _cut(before, asked.columns), _cut(after, asked.columns)
    if was is None or now is None:
        return False
    if not Counter(was) - Counter(now):
        return True
    return not _counted(was, asked.kinds) - _counted(now, asked.kinds)


def _cut(found: Optional[Rows], columns: Sequence[str]) -> Optional[List[Row]]:
    """The rows as far as they have these columns; None where one is missing."""
    places = [found.index(column) for column in columns] if found is not None else [None]
    there = [place for place in places if place is not None]
    if found is None or len(there) < len(places):
        return None
    return [tuple([row[place] for place in there]) for row in found.rows]


def _counted(rows: Iterable[Row], kinds: Sequence[str]) -> Counter[Row]:
    return Counter(tuple([canonical(v, kind) for v, kind in zip(row, kinds)]) for row in rows)


def left(before: Data, after: Data) -> List[Dict[str, Any]]:
    """Rows that `after` has and `before` had not, as residue; tables new in `after` aside."""
    found = []
    for name, old in before.tables.items():
        new = after.get(name)
        extra = _Comparison(name, new, old, "").lost_rows() if new is not None else 0
        if extra:
            rows = "1 row" if extra == 1 else f"{extra} rows"
            found.append(difference.entry("rows", name, "left", None, rows))
    return found


def given_again(before: Data, after: Data) -> List[Dict[str, Any]]:
    """Sequences that went on behind all values, and do not any more, as residue."""
    went = "it goes on behind all values"
    return [
        difference.entry("sequence of", column, "changed", went, said)
        for column, said in after.behind.items()
        if column not in before.behind and column.rpartition(".")[0] in before.tables
    ]


def _loss(
    table: str, column: Optional[str], lost: int, old: Rows, *, step: str, example: Optional[str]
) -> Dict[str, Any]:
    return {
        "table": table,
        "column": column,
        "lost": lost,
        "rows": len(old.rows),
        "step": step,
        "example": example,
    }


def _example_row(old: Rows, row: int) -> str:
    shown = old.keys[0] if old.keys else old.columns[:2]
    values = (f"{c} {spelled(old.rows[row][old.columns.index(c)], 40)}" for c in shown[:2])
    return "{} → gone".format(", ".join(values))[:120]


class _Comparison:
    """One table compared with itself later."""

    def __init__(self, table: str, old: Rows, new: Rows, step: str) -> None:
        self.table = table
        self.old = old
        self.new = new
        self.step = step
        self.common = [
            (i, j) for i, c in enumerate(old.columns) for j in [new.index(c)] if j is not None
        ]
        self.partners = self._match()

    def losses(self) -> List[Dict[str, Any]]:
        found: List[Dict[str, Any]] = []
        gone = self.lost_rows()
        if gone:
            example = self._gone_example()
            found.append(_loss(self.table, None, gone, self.old, step=self.step, example=example))
        for i, column in enumerate(self.old.columns):
            j = self.new.index(column)
            if j is None and self.step == UPGRADE:
                continue
            count, example = self._column(i, j)
            if count:
                found.append(
                    _loss(self.table, column, count, self.old, step=self.step, example=example)
                )
        if self.partners is None and not found:
            found += self._torn_apart()
        return found

    def _torn_apart(self) -> List[Dict[str, Any]]:
        """Rows without a key that are not there as they were, though all of their values are."""
        mine, its = (list(places) for places in zip(*self.common)) if self.common else ([], [])
        kinds = [self.old.kinds[i] for i in mine]
        was = _counted((tuple([row[i] for i in mine]) for row in self.old.rows), kinds)
        now = _counted((tuple([row[j] for j in its]) for row in self.new.rows), kinds)
        lost = was - now
        if not lost:
            return []
        gone = next(iter(lost))
        first = next(
            i
            for i, row in enumerate(self.old.rows)
            if tuple([canonical(row[j], kind) for j, kind in zip(mine, kinds)]) == gone
        )
        example = _example_row(self.old, first)
        return [
            _loss(self.table, None, sum(lost.values()), self.old, step=self.step, example=example)
        ]

    def lost_rows(self) -> int:
        """How many rows are gone: by key where rows have one, else by number."""
        if self.partners is None:
            return max(0, len(self.old.rows) - len(self.new.rows))
        return len(self.old.rows) - len(self.partners)

    def _gone_example(self) -> Optional[str]:
        if self.partners is None:
            return None
        kept = {old for old, _ in self.partners}
        return _example_row(self.old, next(i for i in range(len(self.old.rows)) if i not in kept))

    def _match(self) -> Optional[List[Tuple[int, int]]]:
        """Pairs of rows by the key under which most rows meet; None where no key tells.

        Of keys under which as many meet, by the one that leaves the fewest values changed: one
        that numbers rows may have been given out anew.
        """
        best: Optional[List[Tuple[int, int]]] = None
        for key in self.old.keys:
            pairs = self._by_key(key)
            if pairs is not None and (best is None or self._is_better(pairs, best)):
                best = pairs
            if best is not None and len(best) == len(self.old.rows) and not self._changed(best):
                return best
        if not best and self.old.rows and len(self.old.rows) <= len(self.new.rows):
            # No key met any row: the key itself was changed. Told by the other columns.
            return None
        return best

    def _is_better(self, pairs: List[Tuple[int, int]], best: List[Tuple[int, int]]) -> bool:
        if len(pairs) != len(best):
            return len(pairs) > len(best)
        return self._changed(pairs) < self._changed(best)

    def _changed(self, pairs: List[Tuple[int, int]]) -> int:
        """How many values differ, at a glance."""
        if not self.common:
            return 0
        old, new = self.old.rows, self.new.rows
        mine, its = (itemgetter(*places) for places in zip(*self.common))
        differ = [(o, n) for o, n in pairs if mine(old[o]) != its(new[n])]
        return sum(old[o][i] != new[n][j] for o, n in differ for i, j in self.common)

    def _by_key(self, key: Sequence[str]) -> Optional[List[Tuple[int, int]]]:
        there = [self.old.index(column) for column in key]
        here = [self.new.index(column) for column in key]
        if None in here or None in there:
            return None
        old = _keyed(self.old, there, [self.old.kinds[i] for i in there if i is not None])
        new = _keyed(self.new, here, [self.old.kinds[i] for i in there if i is not None])
        if old is None or new is None:
            return None
        return [(row, new[value]) for value, row in old.items() if value in new]

    def _column(self, i: int, j: Optional[int]) -> Tuple[int, Optional[str]]:
        if self.partners is None:
            return self._column_without_key(i, j)
        if j is None:
            values = [self.old.rows[old][i] for old, _ in self.partners]
            lost = [value for value in values if value is not None]
            return len(lost), f"{spelled(lost[0], 55)} → gone" if lost else None
        kind = self.old.kinds[i]
        count, example = 0, None
        for old, new in self.partners:
            was, now = self.old.rows[old][i], self.new.rows[new][j]
            if was is now or (type(was) is type(now) and was == now):
                continue
            if not same(was, now, kind):
                count += 1
                if example is None or (example[0] is None and was is not None):
                    example = (was, now)
        return count, _change(*example) if example else None

    def _column_without_key(self, i: int, j: Optional[int]) -> Tuple[int, Optional[str]]:
        """Values compared as a heap: how many are not found again, beyond those of lost rows."""
        kind = self.old.kinds[i]
        was = Counter(canonical(row[i], kind) for row in self.old.rows)
        if j is None:
            count = len(self.old.rows) - was[None]
            return count, "column → gone" if count else None
        now = Counter(canonical(row[j], kind) for row in self.new.rows)
        lost, new = was - now, now - was
        count = sum(lost.values()) - self.lost_rows()
        if count <= 0:
            return 0, None
        arrived = next(iter(new), (None,))
        return count, _change((next(iter(lost)) or (None,))[-1], (arrived or (None,))[-1])


def _change(was: Any, now: Any) -> str:
    return f"{spelled(was, 55)} → {spelled(now, 55)}"


def _keyed(
    rows: Rows, places: Sequence[Optional[int]], kinds: Sequence[str]
) -> Optional[Dict[Key, int]]:
    """Rows by key; None where the key does not tell every row apart."""
    found: Dict[Key, int] = {}
    parts = [(i, kind) for i, kind in zip(places, kinds) if i is not None]
    for number, row in enumerate(rows.rows):
        key = tuple([canonical(row[i], kind) for i, kind in parts])
        if None in key or key in found:
            return None
        found[key] = number
    return found
