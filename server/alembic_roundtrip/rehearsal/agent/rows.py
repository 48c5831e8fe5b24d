"""Made-up rows: legal ones that are as unkind to a migration as real data.

Row 0 of a table has NULL wherever it may, row 1 the longest and largest values; then every member
of an enum or CHECK list, odd texts, edges of time, repeated values. Parents come first, and what
they have is referred to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Optional, Sequence, Set, Tuple

from sqlalchemy.exc import SQLAlchemyError

from . import difference
from .candidates import Candidates, Key, Reference, Values, sources
from .schema import ForeignKey, Snapshot, Table, Unique

_ATTEMPTS = 16
_GIVE_UP_AFTER = 6
_KEYS_READ = 5000
_DUPLICATES = 3


@dataclass
class Filled:
    """How many rows each table got, and why a table got none."""

    inserted: Dict[str, int] = field(default_factory=dict)
    unfilled: Dict[str, str] = field(default_factory=dict)


def fill(
    connection: Any,
    snapshot: Snapshot,
    tables: Optional[Iterable[str]] = None,
    count: int = 100,
    seed: int = 0,
    types: Optional[Dict[Tuple[str, str], Any]] = None,
    tame: bool = False,
    before: Optional[Snapshot] = None,
) -> Filled:
    """Add `count` rows to each of `tables` (all, if None), and to empty tables they refer to.

    `types` are the SQLAlchemy types recorded from the operations. `tame` rows are friendly: for
    telling a migration that fails on any row from one that fails on odd ones. With `before`, the
    snapshot taken before the upgrade, only tables that the upgrade made or changed get rows, and
    among them are rows that only the new schema allows. No existing row is touched, and nothing
    is raised for a table that cannot be filled: it is named with the reason.
    """
    filling = _Filling(
        connection, snapshot, count=count, seed=seed, types=types or {}, tame=tame, before=before
    )
    wanted = set(snapshot.tables) if tables is None else filling.known(tables)
    if before is not None:
        wanted = {name for name in wanted if changed(before, snapshot, name)}
    return filling.run(wanted)


def changed(before: Snapshot, after: Snapshot, name: str) -> bool:
    """Whether a table of `after` is new or differs from what it was."""
    old = _find(before, name)
    if old is None:
        return True
    pair = [Snapshot({old.name: old}), Snapshot({name: after.tables[name]})]
    return bool(difference.residue(*pair))


def _find(snapshot: Snapshot, name: str) -> Optional[Table]:
    if name in snapshot.tables:
        return snapshot.tables[name]
    return next((t for n, t in snapshot.tables.items() if n.lower() == name.lower()), None)


class _Filling:
    """One run over a set of tables."""

    def __init__(
        self,
        connection: Any,
        snapshot: Snapshot,
        *,
        count: int,
        seed: int,
        types: Dict[Tuple[str, str], Any],
        tame: bool,
        before: Optional[Snapshot],
    ) -> None:
        self.connection = connection
        self.snapshot = snapshot
        self.count = count
        self.seed = seed
        self.types = types
        self.tame = tame
        self.before = before
        self.filled = Filled()
        self.postponed: List[Tuple[Table, ForeignKey, List[Values]]] = []
        self.done: Set[str] = set()
        self.wanted: Set[str] = set()
        self.entangled: List[str] = []
        self.keys: Dict[Tuple[str, Tuple[str, ...]], List[Key]] = {}

    def known(self, tables: Iterable[str]) -> Set[str]:
        """The names as the snapshot spells them."""
        found = (_find(self.snapshot, name) for name in tables)
        return {table.name for table in found if table is not None}

    def run(self, wanted: Set[str]) -> Filled:
        self.wanted = self._with_empty_parents(wanted)
        began = not self.connection.in_transaction()
        transaction = self.connection.begin() if began else None
        order = self._order()
        self.connection.exec_driver_sql("SAVEPOINT made_up_tables")
        if self.entangled:
            self.connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        for name in order:
            self._table(self.snapshot.tables[name])
            self.done.add(name)
        for table, key, rows in self.postponed:
            self._point_later(table, key, rows)
        for name in self.entangled:
            self._disentangle(name)
        self.connection.exec_driver_sql("RELEASE SAVEPOINT made_up_tables")
        if transaction is not None:
            transaction.commit()
        return self.filled

    # -- which tables, in which order

    def _with_empty_parents(self, wanted: Set[str]) -> Set[str]:
        found = set(wanted)
        waiting = sorted(wanted)
        while waiting:
            for key in self.snapshot.tables[waiting.pop()].foreign_keys:
                parent = _find(self.snapshot, key.target)
                if parent is not None and parent.name not in found and self._is_empty(parent):
                    found.add(parent.name)
                    waiting.append(parent.name)
        return found

    def _is_empty(self, table: Table) -> bool:
        statement = f"SELECT 1 FROM {self._quote(table.name)} LIMIT 1"  # noqa: S608 - quoted
        return self.connection.exec_driver_sql(statement).fetchone() is None

    def _order(self) -> List[str]:
        """Parents first; in a cycle first the table whose keys into it may be NULL."""
        rest = sorted(self.wanted)
        blocking = {name: self._parents(self.snapshot.tables[name]) for name in rest}
        order: List[str] = []
        while rest:
            ready = [n for n in rest if not any(p in rest for p in blocking[n])]
            soft = [
                n for n in rest if not any(p in rest and must for p, must in blocking[n].items())
            ]
            chosen = ready or soft[:1] or rest[:1]
            if not ready and not soft:
                # Its keys are made up before the rows they point at.
                self.entangled.extend(rest)
            order.extend(chosen)
            rest = [name for name in rest if name not in chosen]
        return order

    def _parents(self, table: Table) -> Dict[str, bool]:
        """The other tables that a table refers to, and whether it must."""
        found: Dict[str, bool] = {}
        for key in table.foreign_keys:
            parent = _find(self.snapshot, key.target)
            if parent is not None and parent.name != table.name:
                columns = [table.column(name) for name in key.columns]
                must = all(c is None or c.notnull or c.key for c in columns)
                found[parent.name] = found.get(parent.name, False) or must
        return found

    def _disentangle(self, name: str) -> None:
        """Take back rows whose parent was made up in vain."""
        table = self._quote(name)
        while True:
            check = self.connection.exec_driver_sql(f"PRAGMA foreign_key_check({table})")
            vain = {row[1] for row in check if row[1] is not None}
            if not vain:
                return
            for rowid in sorted(vain):
                self.connection.exec_driver_sql(
                    f"DELETE FROM {table} WHERE rowid = ?",  # noqa: S608 - quoted
                    (rowid,),
                )
            left = self.filled.inserted.get(name, 0) - len(vain)
            self.filled.inserted[name] = max(left, 0)
            if left <= 0:
                self.filled.inserted.pop(name)
                self.filled.unfilled[name] = "its NOT NULL foreign keys form a cycle"
                return

    # -- one table

    def _table(self, table: Table) -> None:
        if table.virtual is not None:
            self.filled.unfilled[table.name] = "virtual tables are not filled"
            return
        try:
            inserted, reason = self._insert(table)
        except Exception as error:  # noqa: BLE001 - types are the project's code, too
            inserted, reason = 0, _short(error)
        if inserted or not self._is_empty(table):
            self.filled.inserted[table.name] = inserted
        else:
            self.filled.unfilled[table.name] = reason or "no legal row was found"

    def _insert(self, table: Table) -> Tuple[int, Optional[str]]:
        candidates = self._candidates(table)
        rows = self._batch(candidates)
        statement = self._statement(table)
        columns = [c.name for c in table.writable]
        reason = "every key it could have is taken" if not rows else None
        if rows and not self._savepoint(statement, [_tuple(row, columns) for row in rows]):
            rows, reason = self._one_by_one(self._candidates(table), statement, columns)
        rows += self._duplicates(table, statement, columns, rows)
        for key in table.foreign_keys:
            if self._is_later(table, key):
                self.postponed.append((table, key, rows))
        return len(rows), reason

    def _batch(self, candidates: Candidates) -> List[Values]:
        rows: List[Values] = []
        for number in range(self.count):
            row = candidates.make(number)
            if row is None:
                break
            candidates.keep(row)
            rows.append(row)
        return rows

    def _one_by_one(
        self, candidates: Candidates, statement: str, columns: Sequence[str]
    ) -> Tuple[List[Values], Optional[str]]:
        """Try each row, and others in its place, until the database takes it."""
        rows: List[Values] = []
        reason, failed = None, 0
        for number in range(self.count):
            for attempt in range(_ATTEMPTS):
                row = candidates.make(number, attempt)
                if row is None:
                    continue
                error = self._error(statement, _tuple(row, columns))
                if error is None:
                    candidates.keep(row)
                    rows.append(row)
                    failed = 0
                    break
                reason = reason or error
            else:
                failed += 1
            if failed >= _GIVE_UP_AFTER:
                break
        return rows, reason

    def _duplicates(
        self, table: Table, statement: str, columns: Sequence[str], rows: Sequence[Values]
    ) -> List[Values]:
        """Rows that repeat what had to be unique before the upgrade."""
        old = _find(self.before, table.name) if self.before is not None else None
        if old is None or self.tame:
            return []
        added: List[Values] = []
        now = {_columns(u) for u in table.uniques} | {_folded(table.key)}
        for gone in [*old.uniques, Unique(old.key)]:
            shared = [c for c in (table.column(name) for name in gone.columns) if c is not None]
            if _columns(gone) in now or len(shared) < len(gone.columns) or not shared:
                continue
            names = [c.name for c in shared]
            added.extend(self._repeat(table, statement, columns, names, rows))
        return added

    def _repeat(
        self,
        table: Table,
        statement: str,
        columns: Sequence[str],
        names: Sequence[str],
        rows: Sequence[Values],
    ) -> List[Values]:
        candidates = self._candidates(table, start=2 * self.count + len(rows))
        added: List[Values] = []
        models = [row for row in rows if all(row[name] is not None for name in names)]
        for number, model in enumerate(models[:_DUPLICATES]):
            row = candidates.make(number + _DUPLICATES)
            if row is None:
                break
            row.update({name: model[name] for name in names})
            if self._error(statement, _tuple(row, columns)) is None:
                candidates.keep(row)
                added.append(row)
        return added

    # -- what a table's rows are made from

    def _candidates(self, table: Table, start: int = 0) -> Candidates:
        made = sources(table, self.types, self.connection.dialect, self.tame)
        taken = self._taken(table)
        number = max([start, *(len(keys) for keys in taken.values()), *self._greatest(table)])
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
                keys = self._distinct(table, names)
                plain = Unique(tuple(names))
                found[plain] = {
                    tuple(v.casefold() if isinstance(v, str) else v for v in key) for key in keys
                }
        return found

    def _greatest(self, table: Table) -> List[int]:
        """The greatest value of an integer key, so that new ones follow it."""
        if len(table.key) != 1:
            return []
        statement = f"SELECT max({self._quote(table.key[0])}) FROM {self._quote(table.name)}"  # noqa: S608
        value = self.connection.exec_driver_sql(statement).scalar()
        return [value] if isinstance(value, int) else []

    def _reference(self, table: Table, key: ForeignKey) -> Optional[Reference]:
        parent = _find(self.snapshot, key.target)
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
        reference.keys = self._distinct(parent, targets)
        reference.later = self._is_later(table, key)
        if not reference.keys and not reference.own and parent.name in self.wanted:
            made = sources(parent, self.types, self.connection.dialect, self.tame)
            if all(t in made for t in targets):
                reference.invented = lambda n: tuple(made[t].distinct(n) for t in targets)
        return reference

    def _is_later(self, table: Table, key: ForeignKey) -> bool:
        """Whether the parent is filled after the child, which then points at it afterwards."""
        parent = _find(self.snapshot, key.target)
        if parent is None or parent.name == table.name:
            return False
        waits = parent.name in self.wanted and parent.name not in self.done
        columns = [table.column(name) for name in key.columns]
        return waits and any(c is not None and not c.notnull and not c.key for c in columns)

    def _distinct(self, table: Table, names: Sequence[str]) -> List[Key]:
        """The different values of these columns, without NULLs, in their order."""
        columns = ", ".join(self._quote(name) for name in names)
        filled = " AND ".join(f"{self._quote(name)} IS NOT NULL" for name in names)
        statement = (
            f"SELECT DISTINCT {columns} FROM {self._quote(table.name)} "  # noqa: S608 - quoted
            f"WHERE {filled} ORDER BY {columns} LIMIT {_KEYS_READ}"
        )
        return [tuple(row) for row in self.connection.exec_driver_sql(statement)]

    # -- talking to the database

    def _quote(self, name: str) -> str:
        quoted: str = self.connection.dialect.identifier_preparer.quote_identifier(name)
        return quoted

    def _statement(self, table: Table) -> str:
        columns = [self._quote(c.name) for c in table.writable]
        marks = ", ".join("?" for _ in columns)
        return f"INSERT INTO {self._quote(table.name)} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608

    def _error(self, statement: str, values: Tuple[Any, ...]) -> Optional[str]:
        """Execute in a savepoint; what the database objects, or None."""
        self.connection.exec_driver_sql("SAVEPOINT made_up_rows")
        try:
            self.connection.exec_driver_sql(statement, values)
        except SQLAlchemyError as error:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT made_up_rows")
            return _short(error)
        finally:
            self.connection.exec_driver_sql("RELEASE SAVEPOINT made_up_rows")
        return None

    def _savepoint(self, statement: str, rows: List[Tuple[Any, ...]]) -> bool:
        return self._error(statement, rows) is None  # type: ignore[arg-type]

    def _point_later(self, table: Table, key: ForeignKey, rows: Sequence[Values]) -> None:
        parent = _find(self.snapshot, key.target)
        reference = self._reference(table, key)
        if parent is None or reference is None or not reference.keys or not table.key:
            return
        changes = ", ".join(f"{self._quote(c)} = ?" for c in reference.columns)
        same = " AND ".join(f"{self._quote(c)} = ?" for c in table.key)
        statement = f"UPDATE {self._quote(table.name)} SET {changes} WHERE {same}"  # noqa: S608
        for number, row in enumerate(rows[1:]):
            chosen = reference.keys[number % len(reference.keys)]
            self._error(statement, (*chosen, *(row[c] for c in table.key)))


def _tuple(row: Values, columns: Sequence[str]) -> Tuple[Any, ...]:
    return tuple(row.get(name) for name in columns)


def _folded(names: Iterable[str]) -> Tuple[str, ...]:
    return tuple(sorted(name.lower() for name in names))


def _columns(unique: Unique) -> Tuple[str, ...]:
    return _folded(unique.columns)


def _short(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error)
    return said.splitlines()[0][:160] if said else type(error).__name__
