"""Made-up rows: legal ones that are as unkind to a migration as real data.

Row 0 of a table has NULL wherever it may, row 1 the longest and largest values; then every member
of an enum or CHECK list, odd texts, edges of time, repeated values. Parents come first, and what
they have is referred to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from ..dialects import Access, short
from ..schema import difference
from ..schema.tables import ForeignKey, Snapshot, Table, Unique
from ..values.candidates import Candidates, Key, Reference, Values
from . import lookalikes, parents

_ATTEMPTS = 16
_GIVE_UP_AFTER = 6
_DUPLICATES = 3
ANY = ""
"""For which of the columns a value is that may be meant for each."""
NEARLY_ALL = 0.75
"""Of how many of the rows that were wanted nothing need be said."""
_FEW = 16
"""Of so many rows, one is like another."""


@dataclass
class Filled:
    """How many rows each table got, and why a table got none."""

    inserted: Dict[str, int] = field(default_factory=dict)
    unfilled: Dict[str, str] = field(default_factory=dict)
    few: Dict[str, str] = field(default_factory=dict)
    """Of those that got fewer than were wanted: why."""


def fill(
    access: Access,
    snapshot: Snapshot,
    tables: Optional[Iterable[str]] = None,
    count: int = 100,
    seed: int = 0,
    types: Optional[Dict[Tuple[str, str], Any]] = None,
    tame: bool = False,
    mild: bool = False,
    before: Optional[Snapshot] = None,
    asked: Optional[Mapping[str, Sequence[Any]]] = None,
    twins: bool = True,
) -> Filled:
    """Add `count` rows to each of `tables` (all, if None), and to empty tables they refer to.

    `types` are the SQLAlchemy types recorded from the operations. `tame` rows are friendly, `mild`
    ones without the largest values: for telling a migration that fails on any row from one that
    fails on odd ones. With `before`, the snapshot taken before the upgrade, rows are added that
    repeat what had to be unique then, and where no tables are named only those that the upgrade
    made or changed get rows. `asked` are values that some rows are to have, by the names of
    columns in lower case, or by `ANY`. With `twins`, unkind rows have keys that are another's but
    for capitals and blanks. No existing row is touched, and nothing is raised for a table that
    cannot be filled: it is named with the reason.
    """
    filling = _Filling(
        access,
        snapshot,
        count=count,
        seed=seed,
        types=types or {},
        tame=tame,
        mild=mild,
        before=before,
        asked=asked or {},
        twins=twins and not mild and not tame,
    )
    wanted = set(snapshot.tables) if tables is None else filling.known(tables)
    if before is not None and tables is None:
        wanted = {name for name in wanted if changed(before, snapshot, name)}
    return filling.run(wanted)


def changed(before: Snapshot, after: Snapshot, name: str) -> bool:
    """Whether a table of `after` is new or differs from what it was."""
    old = before.find(name)
    if old is None:
        return True
    pair = [Snapshot({old.name: old}), Snapshot({name: after.tables[name]})]
    return bool(difference.residue(*pair))


class _Filling:
    """One run over a set of tables."""

    def __init__(
        self,
        access: Access,
        snapshot: Snapshot,
        *,
        count: int,
        seed: int,
        types: Dict[Tuple[str, str], Any],
        tame: bool,
        mild: bool,
        before: Optional[Snapshot],
        asked: Mapping[str, Sequence[Any]],
        twins: bool,
    ) -> None:
        self.access = access
        self.snapshot = snapshot
        self.count = count
        self.seed = seed
        self.types = types
        self.tame = tame
        self.mild = mild
        self.before = before
        self.asked = asked
        self.twins = twins
        self.filled = Filled()
        self.postponed: List[Tuple[Table, ForeignKey, List[Values]]] = []
        self.done: Set[str] = set()
        self.wanted: Set[str] = set()
        self.entangled: List[str] = []
        self.keys: Dict[Tuple[str, Tuple[str, ...]], List[Key]] = {}

    def known(self, tables: Iterable[str]) -> Set[str]:
        """The names as the snapshot spells them."""
        found = (self.snapshot.find(name) for name in tables)
        return {table.name for table in found if table is not None}

    def run(self, wanted: Set[str]) -> Filled:
        self.wanted = self._with_empty_parents(wanted)
        order, self.entangled = parents.order(self.snapshot, self.wanted)
        self.access.begin([self.snapshot.tables[name] for name in self.entangled])
        for name in order:
            self._table(self.snapshot.tables[name])
            self.done.add(name)
        for table, key, rows in self.postponed:
            self._point_later(table, key, rows)
        for name in self.entangled:
            self._disentangle(name)
        if not self.access.end():
            for name in list(self.filled.inserted):
                del self.filled.inserted[name]
                self.filled.unfilled[name] = "a constraint or trigger rolled everything back"
        return self.filled

    # -- which tables

    def _with_empty_parents(self, wanted: Set[str]) -> Set[str]:
        found = set(wanted)
        waiting = sorted(wanted)
        while waiting:
            for key in self.snapshot.tables[waiting.pop()].foreign_keys:
                parent = self.snapshot.find(key.target)
                if parent is not None and parent.name not in found and self.access.is_empty(parent):
                    found.add(parent.name)
                    waiting.append(parent.name)
        return found

    def _disentangle(self, name: str) -> None:
        """Take back rows whose parent was made up in vain."""
        table = self.snapshot.tables[name]
        while vain := self.access.remove_orphans(table, self.snapshot):
            left = self.filled.inserted.get(name, 0) - vain
            self.filled.inserted[name] = max(left, 0)
            if left <= 0:
                self.filled.inserted.pop(name)
                self.filled.unfilled[name] = "its NOT NULL foreign keys form a cycle"
                return

    # -- one table

    def _table(self, table: Table) -> None:
        if not table.has_rows:
            self.filled.unfilled[table.name] = f"a {table.kind} is not filled"
            return
        try:
            inserted, reason = self._insert(table)
        except Exception as error:  # noqa: BLE001 - types are the project's code, too
            inserted, reason = 0, short(error)
        if inserted or not self.access.is_empty(table):
            self.filled.inserted[table.name] = inserted
            if inserted < self.count * NEARLY_ALL:
                self.filled.few[table.name] = reason or "no more legal ones were found"
        else:
            self.filled.unfilled[table.name] = reason or "no legal row was found"

    def _insert(self, table: Table) -> Tuple[int, Optional[str]]:
        candidates = self._candidates(table)
        makers = self._makers(table, candidates)
        count = self.count - len(makers)
        rows = self._batch(candidates, count)
        reason = "every key it could have is taken" if len(rows) < count else None
        if rows and self.access.insert(table, rows):
            candidates = self._candidates(table)
            makers = self._makers(table, candidates)
            rows, reason = self._one_by_one(table, candidates, count)
        for number, make in enumerate(makers, start=count):
            rows += self._either(table, candidates, make, number)
        rows += self._duplicates(table, rows)
        if not self.tame:
            own = candidates.references
            lookalikes.close_circles(self.access, table, own, rows, self.asked)
        for key in table.foreign_keys:
            if self._is_later(table, key):
                self.postponed.append((table, key, rows))
        return len(rows), reason

    def _makers(self, table: Table, candidates: Candidates) -> List[lookalikes.Make]:
        """Those of rows that are like others: as many as are not many among all."""
        if self.tame:
            return []
        found = lookalikes.makers(table, candidates, self.asked, twins=self.twins)
        return found[: self.count // _FEW]

    def _either(
        self, table: Table, candidates: Candidates, make: lookalikes.Make, number: int
    ) -> List[Values]:
        """A row of a kind, or any other one in its place."""
        row = make(number)
        if row is not None and self.access.insert(table, [row]) is None:
            candidates.keep(row)
        else:
            row, _ = self._some(table, candidates, number)
        return [row] if row is not None else []

    def _batch(self, candidates: Candidates, count: int) -> List[Values]:
        rows: List[Values] = []
        for number in range(count):
            row = candidates.make(number)
            if row is None:
                break
            candidates.keep(row)
            rows.append(row)
        return rows

    def _one_by_one(
        self, table: Table, candidates: Candidates, count: int
    ) -> Tuple[List[Values], Optional[str]]:
        """Try each row, and others in its place, until the database takes it."""
        rows: List[Values] = []
        reason, failed = None, 0
        for number in range(count):
            row, error = self._some(table, candidates, number)
            reason = reason or error
            if row is not None:
                rows.append(row)
            failed = 0 if row is not None else failed + 1
            if failed >= _GIVE_UP_AFTER:
                break
        return rows, reason

    def _some(
        self, table: Table, candidates: Candidates, number: int
    ) -> Tuple[Optional[Values], Optional[str]]:
        """A row that the database took, and what it objected to the first that it did not."""
        reason = None
        for attempt in range(_ATTEMPTS):
            row = candidates.make(number, attempt)
            if row is None:
                continue
            error = self.access.insert(table, [row])
            if error is None:
                candidates.keep(row)
                return row, reason
            reason = reason or error
        return None, reason

    def _duplicates(self, table: Table, rows: Sequence[Values]) -> List[Values]:
        """Rows that repeat what had to be unique before the upgrade."""
        old = self.before.find(table.name) if self.before is not None else None
        if old is None or self.tame:
            return []
        added: List[Values] = []
        now = {_columns(u) for u in table.uniques} | {_folded(table.key)}
        for gone in [*old.uniques, Unique(old.key)]:
            shared = [c for c in (table.column(name) for name in gone.columns) if c is not None]
            if _columns(gone) in now or len(shared) < len(gone.columns) or not shared:
                continue
            names = [c.name for c in shared]
            added.extend(self._repeat(table, names, rows))
        return added

    def _repeat(self, table: Table, names: Sequence[str], rows: Sequence[Values]) -> List[Values]:
        candidates = self._candidates(table, start=2 * self.count + len(rows))
        added: List[Values] = []
        models = [row for row in rows if all(row[name] is not None for name in names)]
        for number, model in enumerate(models[:_DUPLICATES]):
            row = candidates.make(number + _DUPLICATES)
            if row is None:
                break
            row.update({name: model[name] for name in names})
            if self.access.insert(table, [row]) is None:
                candidates.keep(row)
                added.append(row)
        return added

    # -- what a table's rows are made from

    def _candidates(self, table: Table, start: int = 0) -> Candidates:
        table = self.access.checked(table, self.snapshot)
        made = self.access.sources(table, self.types, self.tame)
        for name, source in made.items():
            if self.mild:
                source.leave_extremes_out()
            source.ask([*self.asked.get(name.lower(), ()), *self.asked.get(ANY, ())])
        taken = self._taken(table)
        number = max([start, *(len(keys) for keys in taken.values()), *self.access.greatest(table)])
        references = [self._reference(table, key) for key in table.foreign_keys]
        return Candidates(
            table,
            made,
            [r for r in references if r is not None],
            taken,
            seed=f"{self.seed} {table.name}",
            tame=self.tame,
            start=number,
        )

    def _taken(self, table: Table) -> Dict[Unique, Set[Key]]:
        own = {c.name for c in table.writable}
        uniques = [Unique(table.key)] if table.key else []
        uniques.extend(table.uniques)
        found: Dict[Unique, Set[Key]] = {}
        for unique in uniques:
            names = [c.name for c in (table.column(n) for n in unique.columns) if c is not None]
            if names and own.issuperset(names):
                keys = self.access.distinct(table, names)
                plain = Unique(tuple(names))
                found[plain] = {
                    tuple(v.casefold() if isinstance(v, str) else v for v in key) for key in keys
                }
        return found

    def _reference(self, table: Table, key: ForeignKey) -> Optional[Reference]:
        parent = self.snapshot.find(key.target)
        if parent is None:
            return None
        targets = [
            c.name for c in (parent.column(n) for n in key.target_columns or parent.key) if c
        ]
        columns = [c.name for c in (table.column(n) for n in key.columns) if c]
        if len(targets) != len(key.columns) or len(columns) != len(key.columns):
            return None
        if parent.name == table.name and targets == columns:
            return None
        spelled = ForeignKey(tuple(columns), parent.name)
        reference = Reference(spelled, targets, parent.name == table.name)
        reference.keys = self.access.distinct(parent, targets)
        reference.later = self._is_later(table, key)
        if not reference.keys and not reference.own and parent.name in self.wanted:
            made = self.access.sources(parent, self.types, self.tame)
            if all(t in made for t in targets):
                reference.invented = lambda n: tuple(made[t].distinct(n) for t in targets)
        return reference

    def _is_later(self, table: Table, key: ForeignKey) -> bool:
        """Whether the parent is filled after the child, which then points at it afterwards."""
        parent = self.snapshot.find(key.target)
        if parent is None or parent.name == table.name:
            return False
        waits = parent.name in self.wanted and parent.name not in self.done
        columns = [table.column(name) for name in key.columns]
        return waits and any(c is not None and not c.notnull and not c.key for c in columns)

    def _point_later(self, table: Table, key: ForeignKey, rows: Sequence[Values]) -> None:
        parent = self.snapshot.find(key.target)
        reference = self._reference(table, key)
        if parent is None or reference is None or not reference.keys or not table.key:
            return
        for number, row in enumerate(rows[1:]):
            chosen = reference.keys[number % len(reference.keys)]
            self.access.point(table, row, dict(zip(reference.columns, chosen)))


def _folded(names: Iterable[str]) -> Tuple[str, ...]:
    return tuple(sorted(name.lower() for name in names))


def _columns(unique: Unique) -> Tuple[str, ...]:
    return _folded(unique.columns)
