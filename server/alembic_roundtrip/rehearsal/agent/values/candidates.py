"""Rows for one table, as its keys and constraints ask; the database says if they are legal."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple

from ..schema.tables import ForeignKey, Table, Unique
from .checks import hints
from .source import Source

Values = Dict[str, Any]
Key = Tuple[Any, ...]
_TRIES = 40
_NULL_EVERY = 9
_ALIKE_EVERY = 5
_SAME_EVERY = 10


class Like(NamedTuple):
    """The value that another column of the same row has."""

    column: str


class Reference:
    """A foreign key of the table that is filled, and the keys it can point at."""

    def __init__(self, key: ForeignKey, targets: Sequence[str], own: bool) -> None:
        self.columns = key.columns
        self.targets = tuple(targets)
        self.own = own
        self.keys: List[Key] = []
        self.later = False
        self.invented: Optional[Callable[[int], Optional[Key]]] = None


class Candidates:
    """Makes rows one after the other; `keep` and `drop` say what became of the last one."""

    def __init__(
        self,
        table: Table,
        sources: Dict[str, Source],
        references: Sequence[Reference],
        taken: Dict[Unique, Set[Key]],
        *,
        seed: str,
        tame: bool,
        start: int,
    ) -> None:
        self.table = table
        self.columns = {column.name: column for column in table.writable}
        self.sources = sources
        self.references = sorted(references, key=self._rank)
        self.taken = {unique: set(keys) for unique, keys in taken.items()}
        self.random = random.Random(seed)  # noqa: S311 - the same rows for the same seed
        self.tame = tame
        self.fixed = {c for r in references for c in r.columns}
        self.single = {u.columns[0] for u in self.taken if len(u.columns) == 1} - self.fixed
        self.nullable = {c for c in self.columns if self._may_be_null(c)} if not tame else set()
        self.needed = [c for c in self.columns if not self._may_be_null(c)]
        self.numbers = dict.fromkeys(sources, start)
        self.asked = {name: list(source.asked) for name, source in sources.items()}
        self.offsets = {
            name: 0 if source.members else self.random.randrange(len(source.pool))
            for name, source in sources.items()
        }
        self.checked = [c for c in hints(table) if c in self.columns]
        self.together = [c for c in _together(table) if c in self.columns]
        self.good: List[Values] = []
        self.own_keys: Dict[Tuple[str, ...], List[Key]] = {
            r.targets: list(r.keys) for r in references if r.own
        }

    def make(self, number: int, attempt: int = 0) -> Optional[Values]:
        """A row whose keys are free, or None where no more are; later attempts vary more."""
        for redraw in range(_TRIES):
            row = self._plain(number, attempt)
            if not self._refer(row, number, attempt + redraw):
                continue
            if not attempt + redraw:
                self._repeat_part(row, number)
            if self._freed(row):
                return row
        return None

    def keep(self, row: Values) -> None:
        """The row counts: its keys are taken, rows of this table may refer to it."""
        for unique, keys in self.taken.items():
            key = _key(row, unique)
            if key is not None:
                keys.add(key)
        for targets, known in self.own_keys.items():
            key = tuple(row.get(t) for t in targets)
            if None not in key:
                known.append(key)
        if len(self.good) < _TRIES:
            self.good.append(row)

    def _plain(self, number: int, attempt: int) -> Values:
        row: Values = {}
        for name in self.checked if attempt else ():
            if name in self.single:  # or what a CHECK compares would go on side by side
                self.numbers[name] += self.random.randrange(_DRIFT * attempt)
        for name in self.columns:
            if name in self.fixed:
                continue
            if name in self.nullable and self._is_null(name, number):
                row[name] = None
            elif name in self.single:
                row[name] = self._distinct(name)
            else:
                row[name] = self._repeated(name, number)
        if attempt:
            self._varied(row, number, attempt)
        return row

    def _is_null(self, name: str, number: int) -> bool:
        """Whether a column that may have NULL has it in this row."""
        if number <= _FULL_ROWS:
            return number == 0
        return (number + self.offsets[name]) % _NULL_EVERY == 0

    def _repeated(self, name: str, number: int) -> Any:
        pool = self.sources[name].pool
        if number <= _FULL_ROWS:
            return pool[max(number - 1, 0) % len(pool)]
        return pool[(number - 1 + self.offsets[name]) % len(pool)]

    def _distinct(self, name: str) -> Any:
        if self.asked[name]:
            return self.asked[name].pop(0)
        value = self.sources[name].distinct(self.numbers[name])
        self.numbers[name] += 1
        return value

    def _varied(self, row: Values, number: int, attempt: int) -> None:
        """Other values for the columns that CHECK constraints mention, in the end for all."""
        if attempt < _LEARNED and not self.checked:
            # What is made of them may have to be unique: a generated column, say.
            for name in row:
                if name not in self.single and not self.sources[name].has_few:
                    self.numbers[name] = max(self.numbers[name], number)
                    row[name] = self._distinct(name)
            return
        names = self.together if self.together and attempt < _LEARNED else self.checked
        if attempt >= _ANYTHING:  # a domain or a trigger may refuse what no CHECK mentions
            names = list(self.columns)
        names = [c for c in names if c not in self.fixed and c not in self.single]
        learned = attempt % _LEARNED == 0 and self.good and self.random.choice(self.good)
        alike = self.random.choice(self.sources[names[0]].pool) if names else None
        for name in names:
            if learned:
                row[name] = learned[name]
            elif not self.columns[name].notnull and self.random.random() < _HALF:
                row[name] = None
            elif attempt % 4 == 0 and alike in self.sources[name].pool:
                row[name] = alike
            else:
                row[name] = self.random.choice(self.sources[name].pool)

    def _rank(self, reference: Reference) -> Tuple[bool, bool, int]:
        """What must be referred to first: it decides columns that other keys share."""
        may = any(self._may_be_null(c) for c in reference.columns if c in self.columns)
        return (reference.own, may, -len(reference.columns))

    def _refer(self, row: Values, number: int, attempt: int) -> bool:
        for turn, reference in enumerate(self.references):
            # Each key at its own pace, or the same parents would always come together.
            alone = any(set(u.columns) <= set(reference.columns) for u in self.taken)
            pace = number if alone else _unevenly(number) + turn * (1 + number // 2)
            if not self._point(row, reference, pace, attempt):
                return False
        self._complete(row, self.columns)
        return True

    def _complete(self, row: Values, names: Iterable[str]) -> None:
        """Values for columns of keys that no reference decided."""
        for name in names:
            if name in self.columns and name not in row:
                single = any(u.columns == (name,) for u in self.taken)
                pool = self.sources[name].pool
                row[name] = self._distinct(name) if single else self.random.choice(pool)

    def _point(self, row: Values, reference: Reference, number: int, attempt: int) -> bool:
        undecided = [c for c in reference.columns if c not in row]
        free = [c for c in undecided if c in self.columns and self._may_be_null(c)]
        if free and (reference.later or self._leaves_null(free, number, attempt)):
            row.update(dict.fromkeys(free))
            return True
        keys = self._free_keys(reference)
        turn = number // 2 if reference.own else number
        chosen = self._chosen(row, reference, keys, turn + (attempt and self.random.randrange(999)))
        if chosen is None and reference.own and not free:
            chosen = self._itself(row, reference)
        if chosen is None and reference.invented is not None:
            chosen = reference.invented(number)
        if chosen is None:
            row.update(dict.fromkeys(free))
            return bool(free) or not undecided
        row.update(zip(reference.columns, chosen))
        return True

    def _free_keys(self, reference: Reference) -> Sequence[Key]:
        """Those it can point at; only such as no row has yet, where each may be had once."""
        keys = self.own_keys[reference.targets] if reference.own else reference.keys
        for unique, taken in self.taken.items():
            if unique.columns == reference.columns:
                return [key for key in keys if _folded(key) not in taken]
        return keys

    def _may_be_null(self, name: str) -> bool:
        column = self.columns[name]
        return not column.notnull and not column.key

    def _leaves_null(self, free: Sequence[str], number: int, attempt: int) -> bool:
        if attempt and any(c in self.checked for c in free):
            return self.random.random() < _HALF
        return not self.tame and (number == 0 or number % _NULL_EVERY == _NULL_EVERY - 1)

    def _chosen(
        self, row: Values, reference: Reference, keys: Sequence[Key], turn: int
    ) -> Optional[Key]:
        fixed = [(i, row[c]) for i, c in enumerate(reference.columns) if c in row]
        if any(value is None for _, value in fixed):
            return None
        if fixed:
            keys = [key for key in keys if all(key[i] == value for i, value in fixed)]
        return keys[turn % len(keys)] if keys else None

    def _itself(self, row: Values, reference: Reference) -> Optional[Key]:
        """The row's own key: where the first row must refer to its own table."""
        self._complete(row, [t for t in reference.targets if t not in reference.columns])
        for column, target in zip(reference.columns, reference.targets):
            if column == target:
                self._complete(row, [column])
        key = tuple(row.get(target) for target in reference.targets)
        fits = all(row.get(c, v) == v for c, v in zip(reference.columns, key))
        return key if fits and None not in key else None

    def _repeat_part(self, row: Values, number: int) -> None:
        """Take over another row's key but for a column: an older key may have been without it."""
        if self.tame or not self.good or number % _ALIKE_EVERY:
            return
        other = self.good[(number // 2 + 3) % len(self.good)]
        if number % _SAME_EVERY == 0:
            if any(row.get(name) in source.asked for name, source in self.sources.items()):
                return
            apart = self._apart()
            row.update({c: value for c, value in other.items() if c not in apart})
            return
        for unique in self.taken:
            free = self._free(unique)
            wide = self._wide(free)
            shared = set(unique.columns).difference(free if wide is None else [wide])
            if free and self._may_repeat(shared):
                row.update({c: other[c] for c in shared if c in other})

    def _apart(self) -> Set[str]:
        """The columns, as few as may be, in which two rows that are else alike must differ."""
        found: Set[str] = set()
        for unique in self.taken:
            wide = self._wide(self._free(unique))
            found.update(unique.columns if wide is None else [wide])
        for reference in self.references:
            if not found.isdisjoint(reference.columns):
                found.update(reference.columns)
        return found

    def _may_repeat(self, columns: Set[str]) -> bool:
        """Whether no key is among columns, and each reference with all of its own or with none."""
        unlike = not any(columns.issuperset(u.columns) for u in self.taken)
        references = (set(r.columns) for r in self.references)
        return unlike and all(r <= columns or not r & columns for r in references)

    def is_free_text(self, column: str) -> bool:
        """Whether a column may have any text."""
        source = self.sources.get(column)
        return source is not None and column not in self.fixed and source.takes_any_text

    def _free(self, unique: Unique) -> List[str]:
        return [c for c in unique.columns if c in self.sources and c not in self.fixed]

    def _wide(self, names: Sequence[str]) -> Optional[str]:
        """The first of some columns that can hold many values."""
        return next((c for c in names if not self.sources[c].has_few), None)

    def _freed(self, row: Values) -> bool:
        """Whether the row's keys are free, after giving free columns other values if need be."""
        for _ in range(_TRIES):
            unique = next((u for u, keys in self.taken.items() if _key(row, u) in keys), None)
            if unique is None:
                return None not in map(row.get, self.needed)
            free = self._free(unique)
            wide = self._wide(free)
            if wide is not None:
                row[wide] = self._distinct(wide)
            elif free:
                row.update({c: self.random.choice(self.sources[c].pool) for c in free})
            if not free or (wide is not None and row[wide] is None):
                return False
        return False


_FULL_ROWS = 2
_DRIFT = 3
_HALF = 0.5
_LEARNED = 7
_ANYTHING = 12


def _unevenly(number: int) -> int:
    """The number, but for some that are the one before: of those parents one has no child."""
    return number - (number % _ALIKE_EVERY == _ALIKE_EVERY - 1)


def _together(table: Table) -> List[str]:
    """The columns of CHECK constraints that mention more than one."""
    found: List[str] = []
    for check in table.checks:
        mentioned = hints(replace(table, checks=(check,)))
        if len(mentioned) > 1:
            found.extend(name for name in mentioned if name not in found)
    return found


def _key(row: Values, unique: Unique) -> Optional[Key]:
    """The value of a unique key; texts that differ in case only count as equal."""
    values = [row.get(column) for column in unique.columns]
    return None if None in values else _folded(values)


def _folded(values: Sequence[Any]) -> Key:
    return tuple([v.casefold() if isinstance(v, str) else v for v in values])
