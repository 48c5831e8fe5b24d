"""What MariaDB and MySQL have a definition of: a whole table, part by part.

One ALTER TABLE takes all parts at once, so that a key may replace another that a foreign key needs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import AbstractSet, Dict, Iterator, List, Optional, Tuple

from ...dialects.mariadb.text import QUOTED, closing, quote, split, unquote
from ...schema import difference
from ...schema.tables import Column, Snapshot, Table
from ..marks import Mark, new_column, shrunk_key
from ..statement import Statement, sql

_NAMED = re.compile(
    rf"(?:CONSTRAINT ({QUOTED}) (FOREIGN KEY|CHECK)|(PRIMARY) KEY|(?:\w+ )?KEY ({QUOTED}))"
)
_COUNTER = re.compile(r"\bAUTO_INCREMENT=\d+ ?")
_DROPS = {"CHECK": "CONSTRAINT", "COLUMN": "COLUMN", "KEY": "KEY", "PRIMARY": "PRIMARY KEY"}
_FOREIGN = "FOREIGN KEY"
_UNSET = {"COMMENT": "COMMENT=''", "ROW_FORMAT": "ROW_FORMAT=DEFAULT"}
"""What takes an option away again."""
Part = Tuple[str, str]
"""Of a table: its kind and its name."""


@dataclass
class _Parts:
    """A definition of the server's, taken apart; columns in their order."""

    found: Dict[Part, str] = field(default_factory=dict)
    options: str = ""

    @classmethod
    def of(cls, definition: str) -> _Parts:
        start = definition.index("(")
        end = closing(definition, start)
        parts = cls(options=_COUNTER.sub("", definition[end + 1 :].strip()))
        for item in split(definition[start + 1 : end]):
            column, match = re.match(QUOTED, item), _NAMED.match(item)
            if column is not None:
                parts.found["COLUMN", unquote(column.group())] = item
            elif match is not None:
                constraint, kind, primary, key = match.groups()
                name = unquote(constraint or key or "")
                parts.found[kind or primary or "KEY", name] = item
        return parts

    def of_kind(self, kind: str) -> Dict[str, str]:
        return {name: text for (each, name), text in self.found.items() if each == kind}


def rest(before: Snapshot, now: Snapshot) -> Iterator[Statement]:
    """Tables that are there, made what they were."""
    for name, was in before.tables.items():
        there = now.tables.get(name)
        if there is not None and _differ(was, there):
            yield from _altered(was, there)


def _differ(was: Table, there: Table) -> bool:
    found = difference.residue(Snapshot({was.name: was}), Snapshot({was.name: there}))
    return any(each["grade"] != "cosmetic" for each in found)


def _altered(was: Table, there: Table) -> Iterator[Statement]:
    old, new = _Parts.of(was.text), _Parts.of(there.text)
    table = f"ALTER TABLE {quote(was.name)}"
    gone = [part for part, text in new.found.items() if old.found.get(part) != text]
    keys = [f"DROP {_FOREIGN} {quote(name)}" for kind, name in gone if kind == _FOREIGN]
    if keys:
        # No ALTER TABLE drops a foreign key and makes another of the same name.
        yield sql(f"{table} {', '.join(keys)}")
    actions = [
        f"DROP {_DROPS[kind]} {quote(name) if name else ''}".rstrip()
        for kind, name in gone
        if kind in _DROPS and ((kind, name) not in old.found or kind != "COLUMN")
    ]
    filled = [column for column in was.columns if _needs_values(column, there)]
    changed = {c.name for c in was.columns if there.column(c.name) not in {None, c}}
    actions += _columns(old, new, {column.name for column in filled}, changed)
    actions += [
        f"ADD {text}"
        for part, text in old.found.items()
        if part[0] != "COLUMN" and new.found.get(part) != text
    ]
    if old.options != new.options and "PARTITION BY" not in old.options + new.options:
        actions.append(old.options)
        actions += [text for name, text in _UNSET.items() if name in _only(there, was)]
    if actions:
        yield sql(f"{table} {', '.join(actions)}", *_marks(was, there))
    for column in filled:
        mark = {"mark": "fill", "table": was.name, "column": column.name}
        yield sql(f"{table} MODIFY COLUMN {old.found['COLUMN', column.name]}", mark)


def _columns(
    old: _Parts, new: _Parts, filled: AbstractSet[str], changed: AbstractSet[str]
) -> Iterator[str]:
    """Columns that are gone come back where they were; the others are made what they were."""
    before: Optional[str] = None
    there = new.of_kind("COLUMN")
    for name, text in old.of_kind("COLUMN").items():
        if name not in there:
            place = "FIRST" if before is None else f"AFTER {quote(before)}"
            made = text.replace(" NOT NULL", "", 1) if name in filled else text
            yield f"ADD COLUMN {made} {place}"
        elif there[name] != text or name in changed:
            yield f"MODIFY COLUMN {text}"
        before = name


def _only(there: Table, was: Table) -> AbstractSet[str]:
    """The names of options that only one of two tables has."""
    names = [{option.partition("=")[0] for option in table.options} for table in (there, was)]
    return names[0] - names[1]


def _needs_values(column: Column, there: Table) -> bool:
    """Whether rows that are there need a value that the server would make up."""
    fills = column.default is not None or column.generated or "AUTO_INCREMENT" in column.options
    return bool(
        column.notnull and not fills and not column.key and there.column(column.name) is None
    )


def _marks(was: Table, there: Table) -> List[Mark]:
    """What does not come back, and which rows would stop it."""
    found: List[Mark] = []
    for column in was.columns:
        now = there.column(column.name)
        place = {"table": was.name, "column": column.name}
        if now is None:
            if column.generated != "VIRTUAL":
                computed = bool(column.generated)
                found.append(new_column(was.name, column.name, computed=computed))
            continue
        other = (now.type, now.collation) != (column.type, column.collation)
        found += [{"mark": "type", **place}] if other else []
        found += [{"mark": "nulls", **place}] if column.notnull and not now.notnull else []
    known = {there.key, *(unique.columns for unique in there.uniques)}
    for columns in (was.key, *(unique.columns for unique in was.uniques)):
        if columns and columns not in known:
            found.append(shrunk_key(was.name, columns))
    for check in was.checks:
        if check.normal not in {each.normal for each in there.checks}:
            named = check.name or check.text
            found.append({"mark": "against", "table": was.name, "column": named})
    for key in was.foreign_keys:
        if key.definition not in {each.definition for each in there.foreign_keys}:
            found.append(
                {
                    "mark": "orphans",
                    "table": was.name,
                    "columns": list(key.columns),
                    "referent": key.target,
                }
            )
    return found
