"""The schema of a PostgreSQL database at one moment, its definitions as the server writes them.

Nothing of ours reads SQL to tell what is equal: `pg_get_constraintdef` and its like say it in one
spelling.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from ... import sql
from ...schema import Check, Column, ForeignKey, Index, Snapshot, Table, Unique
from . import queries
from .checks import plain

Row = Tuple[Any, ...]
Parts = Dict[str, List[Row]]

_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
_MORE_THAN_COLUMNS = re.compile(r" INCLUDE \(| WITHOUT OVERLAPS\)| DEFERRABLE")
_PUBLIC = re.compile(r"\bpublic\.(?=[\w\"])")
_INDEX_HEAD = re.compile(
    r"^CREATE (?:UNIQUE )?INDEX (?:\"(?:[^\"]|\"\")*\"|\S+) ON ", re.IGNORECASE
)


# No definition has the names of these in it.
_UNNAMED = ("table", "trigger", "rule", "policy", "statistics", "privileges", "comment")


@dataclass(frozen=True)
class _Seen:
    """A table as it was last seen; `columns` are names by number."""

    name: str
    columns: Dict[str, str]
    table: Optional[Table]


class Catalogue:
    """What is known of a database's schema; a second look is only at what changed since.

    What changed is told by the rows of the catalogue themselves: one that was changed is another.
    The server writes names of other objects into definitions; where an object that others name is
    not what it was, everything is looked at.
    """

    def __init__(self, version_table: str) -> None:
        """`version_table` is Alembic's own table, which is left out."""
        self._version_table = version_table
        self._versions: Dict[Tuple[str, str], str] = {}
        self._tables: Dict[str, _Seen] = {}
        self._objects: Dict[str, Dict[str, Dict[str, str]]] = {}

    def look(self, rows: Callable[[str], Iterable[Row]]) -> Snapshot:
        """The schema as it is now; `rows` runs a query that finds names of `pg_catalog` only."""
        before, self._versions = self._versions, {}
        versions = {(what, key): version for what, key, version in rows(queries.VERSIONS)}
        other = {each for each in versions if before.get(each) != versions[each]}
        gone = before.keys() - versions.keys()
        if not before or any(each in before for each in other if each[0] not in _UNNAMED):
            self._look_at(rows, None, queries.OBJECTS)
        else:
            for what, key in gone:
                self._tables.pop(key if what == "table" else "", None)
            tables = sorted(key for what, key in other if what == "table")
            kinds = {what for what, _ in other | gone} - {"table"}
            if (tables or kinds) and self._look_at(rows, tables, sorted(kinds)):
                self._look_at(rows, None, queries.OBJECTS)
        self._versions = versions
        return self._snapshot()

    def _look_at(
        self,
        rows: Callable[[str], Iterable[Row]],
        tables: Optional[List[str]],
        kinds: Sequence[str],
    ) -> bool:
        """Look at some tables (None: at all) and kinds of objects; gives whether one is renamed."""
        parts: Dict[str, Parts] = {}
        found: List[Row] = []
        for kind in kinds:
            self._objects[kind] = {}
        for row in rows(queries.query(tables, kinds)):
            what, owner, *values = (_unqualified(value) for value in row)
            if what == "table":
                found.append((owner, *values))
            elif what in self._objects:
                self._objects[what].setdefault(owner, {})[values[0]] = values[1] or ""
            else:
                parts.setdefault(owner, {}).setdefault(what, []).append(tuple(values))
        if tables is None:
            self._tables = {}
        renamed = False
        for row in found:
            key, seen = row[7], self._seen(row, parts.get(row[0], {}))
            renamed = renamed or _is_renamed(self._tables.get(key), seen)
            self._tables[key] = seen
        return renamed

    def _seen(self, row: Row, parts: Parts) -> _Seen:
        columns = {each[6]: each[0] for each in parts.get("column", [])}
        own = row[2] == self._version_table
        return _Seen(row[0], columns, None if own else _table(row, parts))

    def _snapshot(self) -> Snapshot:
        tables = {seen.name: seen.table for seen in self._tables.values() if seen.table}
        objects: Dict[str, Dict[str, str]] = {}
        for kinds in self._objects.values():
            objects.update({kind: dict(found) for kind, found in kinds.items()})
        for kind in ("comment", "privileges"):
            objects.get(kind, {}).pop(f"table {self._version_table}", None)
        return Snapshot(dict(sorted(tables.items())), objects=objects)


def _is_renamed(old: Optional[_Seen], new: _Seen) -> bool:
    """Whether what others are written with has another name."""
    return old is not None and (
        old.name != new.name
        or any(new.columns.get(number, name) != name for number, name in old.columns.items())
    )


def _unqualified(value: Any) -> Any:
    """Without the schema that everybody means."""
    return _PUBLIC.sub("", value) if isinstance(value, str) and "public." in value else value


def _table(row: Row, parts: Parts) -> Table:
    name, schema, bare, kind, _persistence, is_partition, options = row[:7]
    columns = tuple(_column(each) for each in sorted(parts.get("column", []), key=lambda r: r[6]))
    constraints = sorted(parts.get("constraint", []), key=lambda r: str(r[0]))
    by_kind: Dict[str, List[Row]] = {}
    for each in constraints:
        by_kind.setdefault(each[1], []).append(each)
    key = next(iter(by_kind.get("p", [])), None)
    indexes = sorted(parts.get("index", []), key=lambda r: str(r[0]))
    names = {column.name.lower(): column.name for column in columns}
    uniques = [_unique(each) for each in by_kind.get("u", [])]
    uniques += [_unique_index(each, names) for each in indexes if each[1] == "true"]
    key_names = _names(key[3]) if key else ()
    return Table(
        name,
        tuple(c if c.name not in key_names else _keyed(c, key_names) for c in columns),
        key_names,
        key[0] if key else None,
        tuple(_foreign_key(each) for each in by_kind.get("f", [])),
        tuple(uniques),
        tuple(_check(each) for each in by_kind.get("c", [])),
        tuple(_index(each) for each in indexes),
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
        default=None if generated else default,
        generated=generated,
        expression=default if generated else None,
        collation=collation or "",
        identity={"a": "ALWAYS", "d": "BY DEFAULT"}.get(identity, ""),
        options=options or "",
        base=base or "",
        members=tuple(json.loads(labels)) if labels else (),
    )


def _names(text: Optional[str]) -> Tuple[str, ...]:
    return tuple(json.loads(text)) if text else ()


def _foreign_key(row: Row) -> ForeignKey:
    name, _, definition, columns, target, targets, actions, deferrable = row[:8]
    return ForeignKey(
        _names(columns),
        target or "",
        _names(targets),
        _ACTIONS.get(actions[0], ""),
        _ACTIONS.get(actions[1], ""),
        deferrable,
        name,
        definition,
    )


def _unique(row: Row) -> Unique:
    name, _, definition, columns = row[:4]
    return Unique(_names(columns), name, definition=definition)


def _unique_index(row: Row, names: Dict[str, str]) -> Unique:
    """The columns that a unique index makes unique, with those inside its expressions."""
    name, _, _, columns, expressions, where = row[:6]
    found = list(_names(columns))
    for token in sql.tokens(expressions or ""):
        column = names.get(token.value.lower()) if token.is_name else None
        if column and column not in found:
            found.append(column)
    return Unique(tuple(found), where=where, index=name)


def _check(row: Row) -> Check:
    name, _, definition = row[:3]
    return Check(plain(definition), definition, name)


def _index(row: Row) -> Index:
    name, unique, definition, columns, _, where, options = row[:7]
    text = _INDEX_HEAD.sub("", definition)
    return Index(
        name,
        unique == "true",
        _names(columns),
        where,
        f"{text} {options}".strip(),
    )
