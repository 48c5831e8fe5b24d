"""The schema of a PostgreSQL database at one moment, its definitions as the server writes them.

Nothing of ours reads SQL to tell what is equal: `pg_get_constraintdef` and its like say it in one
spelling.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from ...schema import sql
from ...schema.tables import Check, Column, ForeignKey, Index, Snapshot, Table, Unique
from . import queries, rare, spelling
from .changes import Changes, Row, Writes, Written, all_rows, kinds_of, since
from .checks import plain
from .planned import Planned

Objects = Dict[str, Dict[str, str]]
"""By their type: names and definitions."""
Parts = Dict[str, List[Row]]

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_MORE_THAN_COLUMNS = re.compile(r" INCLUDE \(| WITHOUT OVERLAPS\)| DEFERRABLE")
_NOTHING = re.compile(r"NULL(?:::.*)?")
_INDEX_HEAD = re.compile(
    r"^CREATE (?:UNIQUE )?INDEX (?:\"(?:[^\"]|\"\")*\"|\S+) ON ", re.IGNORECASE
)


@dataclass(frozen=True)
class _Seen:
    """A table as it was seen."""

    name: str
    columns: Dict[str, str]
    """Names by number."""
    keys: Parts
    """The rows of constraints and indexes."""
    table: Optional[Table]


@dataclass(frozen=True)
class Known:
    """A schema, and the rows of the catalogue that it was read from."""

    schema: Snapshot
    tables: Mapping[str, _Seen]
    sequences: Mapping[str, Row]
    objects: Mapping[str, Objects]
    written: Written


class Catalogue:
    """Reads the schema; a second look, in the same transaction, is only at what has changed.

    The server writes names of other objects into definitions; where an object that others name is
    not what it was, everything is looked at.
    """

    def __init__(self, version_table: str) -> None:
        """`version_table` is Alembic's own table, which is left out."""
        self._version_table = version_table

    def look(self, planned: Planned, written: Optional[Written] = None) -> Known:
        """The schema as it is now; `written` are the catalogue's rows, where they are known."""
        written = written or all_rows(planned.again)
        found = _Found(planned, self._version_table)
        few = sorted(kinds_of(written).intersection(rare.OBJECTS))
        found.look(None, None, None, [*queries.OBJECTS, *few])
        return self._known(found, written)

    def look_again(self, planned: Planned, base: Known, before: Writes, now: Writes) -> Known:
        """The schema now, where the session's writes were `before` at the time of `base`."""
        if before and before == now:
            return base
        written, changes = since(planned.again, base.written, before, now)
        if changes.everything:
            return self.look(planned, written)
        found = _Found(planned, self._version_table, base)
        found.forget(changes)
        keyed = changes.keyed | (changes.tables - base.tables.keys())
        if found.look(changes.tables, keyed, changes.sequences, sorted(changes.kinds)):
            return self.look(planned, written)
        return self._known(found, written)

    def _known(self, found: _Found, written: Written) -> Known:
        tables = {seen.name: seen.table for seen in found.tables.values() if seen.table}
        objects: Objects = {}
        for kinds in found.objects.values():
            objects.update(kinds)
        objects["sequence"] = {row[0]: row[1] for row in found.sequences.values()}
        for kind in ("comment", "privileges"):
            named = objects.get(kind, {})
            own = f"table {self._version_table}"
            objects[kind] = {name: text for name, text in named.items() if name != own}
        there = {kind: named for kind, named in objects.items() if named}
        schema = Snapshot(dict(sorted(tables.items())), objects=there)
        return Known(schema, found.tables, found.sequences, found.objects, written)


class _Found:
    """What is read, beside what was known before."""

    def __init__(self, planned: Planned, version_table: str, base: Optional[Known] = None) -> None:
        self._planned = planned
        self._version_table = version_table
        self.tables: Dict[str, _Seen] = dict(base.tables) if base else {}
        self.sequences: Dict[str, Row] = dict(base.sequences) if base else {}
        self.objects: Dict[str, Objects] = dict(base.objects) if base else {}
        self._base = base

    def forget(self, changes: Changes) -> None:
        """Leave out what is gone or will be read."""
        for number in {*changes.gone, *changes.sequences}:
            self.sequences.pop(number, None)
        for number in {*changes.gone, *changes.tables}:
            self.tables.pop(number, None)

    def look(
        self,
        tables: Optional[Iterable[str]],
        keyed: Optional[Iterable[str]],
        sequences: Optional[Iterable[str]],
        kinds: Sequence[str],
    ) -> bool:
        """Read what `queries.query` tells; gives whether a table or column is renamed."""
        parts: Dict[str, Parts] = {}
        if self._base and tables and keyed is not None:
            for number in set(tables).difference(keyed):
                parts[number] = dict(self._base.tables[number].keys)
        found: List[Row] = []
        self.objects.update({kind: {} for kind in kinds})
        told = queries.numbers(tables=tables, keyed=keyed, sequences=sequences)
        if told:
            self._planned.rows(told)
        text = queries.query(tables, keyed, sequences, kinds)
        for row in self._planned.again(text) if text else ():
            what, owner, *values = (text and spelling.one(text) for text in row)
            if what == "table":
                found.append((owner, *values))
            elif what == "sequence":
                self.sequences[owner] = (values[0], values[1] or "")
            elif what in self.objects:
                self.objects[what].setdefault(owner, {})[values[0]] = values[1] or ""
            else:
                parts.setdefault(owner, {}).setdefault(what, []).append(tuple(values))
        names = {number: seen.columns for number, seen in self.tables.items()}
        names.update((row[0], _column_names(parts.get(row[0], {}))) for row in found)
        known = {number: seen.name for number, seen in self.tables.items()}
        known.update((row[0], row[7]) for row in found)
        for row in found:
            number, own = row[0], row[2] == self._version_table
            table = None if own else _table(row, parts.get(number, {}), known, names)
            keys = {what: rows for what, rows in parts.get(number, {}).items() if what != "column"}
            self.tables[number] = _Seen(row[7], names[number], keys, table)
        return any(
            _is_renamed(self._base.tables.get(row[0]), self.tables[row[0]])
            for row in found
            if self._base
        )


def _column_names(parts: Parts) -> Dict[str, str]:
    return {each[6]: each[0] for each in parts.get("column", [])}


def _is_renamed(old: Optional[_Seen], new: _Seen) -> bool:
    """Whether what others are written with has another name."""
    return old is not None and (
        old.name != new.name
        or any(new.columns.get(number, name) != name for number, name in old.columns.items())
    )


def _table(
    row: Row, parts: Parts, tables: Mapping[str, str], names: Mapping[str, Mapping[str, str]]
) -> Table:
    """A table from its rows; names of all tables, and of their columns, are given by number."""
    number, schema, bare, kind, _persistence, is_partition, options, name = row[:8]
    own = names[number]
    columns = tuple(
        _column(each) for each in sorted(parts.get("column", []), key=lambda r: int(r[6]))
    )
    constraints = sorted(parts.get("constraint", []), key=lambda r: str(r[0]))
    by_kind: Dict[str, List[Row]] = {}
    for each in constraints:
        by_kind.setdefault(each[1], []).append(each)
    key = next(iter(by_kind.get("p", [])), None)
    indexes = sorted(parts.get("index", []), key=lambda r: str(r[0]))
    folded = {column.name.lower(): column.name for column in columns}
    uniques = [
        Unique(_named(each[3], own), each[0], definition=each[2]) for each in by_kind.get("u", [])
    ]
    uniques += [_unique_index(each, own, folded) for each in indexes if each[1] == "true"]
    key_names = _named(key[3], own) if key else ()
    return Table(
        name,
        tuple(c if c.name not in key_names else _keyed(c, key_names) for c in columns),
        key_names,
        key[0] if key else None,
        tuple(
            _foreign_key(each, own, tables.get(each[4], ""), names.get(each[4], {}))
            for each in by_kind.get("f", [])
        ),
        tuple(uniques),
        tuple(_check(each) for each in by_kind.get("c", [])),
        tuple(_index(each, own) for each in indexes),
        tuple(filter(None, [options, _rest_of_key(key)])),
        "foreign table" if kind == "f" else "partition" if is_partition == "true" else "table",
        schema=schema,
        bare=bare,
        exclusions=tuple((each[0], each[2]) for each in by_kind.get("x", [])),
    )


def _rest_of_key(key: Optional[Row]) -> str:
    """What a primary key is beside its columns."""
    if key is None:
        return ""
    definition = str(key[2])
    return definition if _MORE_THAN_COLUMNS.search(definition) else ""


def _keyed(column: Column, key: Tuple[str, ...]) -> Column:
    from dataclasses import replace

    return replace(column, key=key.index(column.name) + 1)


def _column(row: Row) -> Column:
    name, kind, notnull, default, marks, collation, _, options, base, labels = row
    identity = marks[:1] if marks[:1] in ("a", "d") else ""
    generated = {"s": "STORED", "v": "VIRTUAL"}.get(marks.replace(identity, "", 1), "")
    return Column(
        name,
        kind,
        notnull=notnull == "true",
        default=None if generated or _NOTHING.fullmatch(default or "") else default,
        generated=generated,
        expression=default if generated else None,
        collation=collation or "",
        identity={"a": "ALWAYS", "d": "BY DEFAULT"}.get(identity, ""),
        options=options or "",
        base=base or "",
        members=tuple(json.loads(labels)) if labels else (),
    )


def _named(numbers: Optional[str], names: Mapping[str, str]) -> Tuple[str, ...]:
    """Columns from the array or vector of their numbers; an expression has none."""
    listed = (numbers or "").strip("{}").replace(",", " ").split()
    return tuple(names[number] for number in listed if number in names)


def _foreign_key(
    row: Row, own: Mapping[str, str], target: str, others: Mapping[str, str]
) -> ForeignKey:
    name, _, definition, columns, _, targets, actions, deferrable = row[:8]
    return ForeignKey(
        _named(columns, own),
        target,
        _named(targets, others),
        _ACTIONS.get(actions[0], ""),
        _ACTIONS.get(actions[1], ""),
        deferrable,
        name,
        definition,
    )


def _key_columns(row: Row, own: Mapping[str, str]) -> Tuple[str, ...]:
    """Those of an index; what it only includes comes last."""
    return _named(" ".join(row[3].split()[: int(row[7])]), own)


def _unique_index(row: Row, own: Mapping[str, str], folded: Mapping[str, str]) -> Unique:
    """The columns that a unique index makes unique, with those inside its expressions."""
    name, _, _, _, expressions, where = row[:6]
    found = list(_key_columns(row, own))
    for token in sql.tokens(expressions or ""):
        column = folded.get(token.value.lower()) if token.is_name else None
        if column and column not in found:
            found.append(column)
    return Unique(tuple(found), where=where, index=name)


def _check(row: Row) -> Check:
    name, _, definition = row[:3]
    return Check(plain(definition), definition, name)


def _index(row: Row, own: Mapping[str, str]) -> Index:
    name, unique, definition, _, _, where, options = row[:7]
    text = _INDEX_HEAD.sub("", definition)
    return Index(
        name,
        unique == "true",
        _key_columns(row, own),
        where,
        f"{text} {options}".strip(),
    )
