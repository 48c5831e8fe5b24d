"""What a second snapshot has, lacks and has otherwise."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from . import sql
from .tables import Check, Column, ForeignKey, Index, Snapshot, Table, Unique

Residue = Dict[str, Any]
# What compares equal, the name of a constraint, and how it reads.
Fact = Tuple[Any, Optional[str], str]


def residue(before: Snapshot, after: Snapshot) -> List[Residue]:
    """What the way from `before` to `after` left, lost or changed, one entry an object.

    The grade is `different` or `cosmetic`; that the next upgrade fails is for its step to say.
    """
    found: List[Residue] = []
    if before is after:
        return found
    old = {name.lower(): table for name, table in before.tables.items()}
    new = {name.lower(): table for name, table in after.tables.items()}
    for key in sorted(set(old) | set(new)):
        if key not in new:
            found.append(entry("table", old[key].name, "missing", columns_of(old[key])))
        elif key not in old:
            found.append(entry("table", new[key].name, "left", None, columns_of(new[key])))
        elif old[key] is not new[key] and old[key] != new[key]:
            found.extend(_table(old[key], new[key]))
    found.extend(_texts("view", before.views, after.views))
    found.extend(_texts("trigger", before.triggers, after.triggers))
    names = {*old, *new}
    for kind in sorted(set(before.objects) | set(after.objects)):
        found.extend(_texts(kind, before.objects.get(kind, {}), after.objects.get(kind, {}), names))
    return found


def entry(
    kind: str,
    name: str,
    change: str,
    before: Optional[str] = None,
    after: Optional[str] = None,
    *,
    grade: str = "different",
) -> Residue:
    """One piece of residue, in the shape of `evidence.Residue`."""
    return {
        "kind": kind,
        "object": name,
        "change": change,
        "before": before,
        "after": after,
        "grade": grade,
    }


def columns_of(table: Table) -> str:
    """A table's columns in one line."""
    return "({})".format(", ".join(c.name for c in table.columns)) if table.columns else "()"


def _texts(
    kind: str, old: Dict[str, str], new: Dict[str, str], tables: AbstractSet[str] = frozenset()
) -> Iterable[Residue]:
    if old == new:
        return
    for name in sorted(set(old) | set(new)):
        if old.get(name) not in (new.get(name), f"{new.get(name)}{EMPTY}"):
            change = "missing" if name not in new else "left" if name not in old else "changed"
            alike = kind in _ROUTINES and change == "changed"
            same = alike and _is_reworded(old[name], new[name], tables)
            grade = "cosmetic" if same else "different"
            yield entry(kind, name, change, *_lines(old.get(name), new.get(name)), grade=grade)


def _is_reworded(old: str, new: str, tables: AbstractSet[str]) -> bool:
    """Whether routines that the server keeps as they were written differ in white space and case.

    Not where these can mean something: in comments, in strings in dollars, in other languages; and
    on MariaDB and MySQL in names of tables, and behind a backslash, which hides where strings end.
    """
    postgresql = bool(_BODY.search(old))
    delicate = _DELICATE if postgresql else _DELICATE_ON_MARIADB
    written: AbstractSet[str] = frozenset() if postgresql else tables
    for text in (old, new):
        language = _LANGUAGE.search(text)
        if delicate.search(text) or (language and language[1].lower() not in _FREE):
            return False
    return _words(old, written) == _words(new, written)


def _words(text: str, written: AbstractSet[str]) -> List[str]:
    """The tokens of a routine, words in small letters but for some that count as written."""
    parts = sql.tokens(_BODY.sub(r" \g<0> ", text))
    return [
        part.text.lower() if part.kind == "word" and part.text.lower() not in written else part.text
        for part in parts
    ]


_ROUTINES = ("function", "procedure", "trigger", "event")
_LANGUAGE = re.compile(r"\bLANGUAGE (\w+)", re.IGNORECASE)
_FREE = ("sql", "plpgsql")
_BODY = re.compile(r"\$(?:function|procedure)\$")
_DELICATE = re.compile(r"--|/\*|#|(?:\$.*){5}|\bE'", re.DOTALL | re.IGNORECASE)
_DELICATE_ON_MARIADB = re.compile(r"--|/\*|#|\\")


def _lines(old: Optional[str], new: Optional[str]) -> Tuple[Optional[str], Optional[str]]:
    """Of long definitions the first lines that differ, or the first."""
    was, now = ((text or "").strip().splitlines() for text in (old, new))
    at = 0
    if old is not None and new is not None:
        while at < min(len(was), len(now)) and was[at] == now[at]:
            at += 1
    return tuple(  # type: ignore[return-value]
        text if text is None or len(lines) < _LONG else f"{''.join(lines[at : at + 1]).strip()} …"
        for text, lines in ((old, was), (new, now))
    )


_LONG = 3
EMPTY = " WITH NO DATA"
"""Ends the definition of a materialized view that is not filled; filling it changes no schema."""


def _table(old: Table, new: Table) -> Iterable[Residue]:
    name = new.name
    if old.name != new.name:
        yield entry("table", name, "changed", old.name, new.name, grade="cosmetic")
    if (old.kind, old.definition) != (new.kind, new.definition):
        was, now = (table.definition or f"a {table.kind}" for table in (old, new))
        yield entry("table", name, "changed", was, now)
        return
    yield from _columns(old, new)
    if [c.lower() for c in old.key] != [c.lower() for c in new.key]:
        yield entry("primary key", name, "changed", _list(old.key), _list(new.key))
    elif old.key_name != new.key_name:
        yield _renamed("primary key", name, old.key_name, new.key_name)
    if old.options != new.options:
        options = [", ".join(t.options) or "no options" for t in (old, new)]
        yield entry("table options", name, "changed", *options)
    for kind, facts, same in _CONSTRAINTS:
        yield from _constraints(kind, name, facts(old), facts(new), same)
    yield from _indexes(old, new)


def _columns(old: Table, new: Table) -> Iterable[Residue]:
    was = {c.name.lower(): c for c in old.columns}
    now = {c.name.lower(): c for c in new.columns}
    for key in [*was, *(k for k in now if k not in was)]:
        before, after = was.get(key), now.get(key)
        name = "{}.{}".format(new.name, (after or before or Column(key, "")).name)
        if before and not after:
            yield entry("column", name, "missing", definition(before))
        elif after and not before:
            yield entry("column", name, "left", None, definition(after))
        elif before and after and definition(before) != definition(after):
            alike = definition(_plain(before)) == definition(_plain(after))
            grade = "cosmetic" if alike else "different"
            texts = definition(before), definition(after)
            yield entry("column", name, "changed", *texts, grade=grade)
        elif before and after and before.name != after.name:
            yield entry("column", name, "changed", before.name, after.name, grade="cosmetic")
    order = [[k for k in side if k in was and k in now] for side in (was, now)]
    if order[0] != order[1]:
        yield entry(
            "column order", new.name, "changed", _list(order[0]), _list(order[1]), grade="cosmetic"
        )


def _plain(column: Column) -> Column:
    """With the plainest of the words that mean one type and one default.

    A key must be INTEGER to be the rowid.
    """
    head, bracket, rest = _WIDTH.sub(r"\1", column.type).partition("(")
    plain = head if column.key else _SYNONYMS.get(head, head)
    default = column.default and _plain_default(column.default, column.type)
    return replace(column, type=plain + bracket + rest, default=default)


_WIDTH = re.compile(r"\b((?:small|medium|big)?int)\(\d+\)(?!.*zerofill)")
"""How wide MariaDB and MySQL would show a number; of `tinyint` it can say that it is a boolean."""


def _plain_default(text: str, kind: str) -> str:
    """What PostgreSQL keeps as it was written, though a column makes the same value of it."""
    if _NOW.fullmatch(text):
        return "now()"
    constant = _CONSTANT.fullmatch(text)
    if constant is None:
        return text
    value = constant["text"] or constant["number"]
    if kind == "numeric":  # it keeps how many digits there are behind the point
        return value.strip("'")
    try:
        return str(Fraction(value.strip("'"))) if _ROUNDED.fullmatch(kind) else value
    except ValueError:
        return value


_NOW = re.compile(r"CURRENT_TIMESTAMP|now\(\)|transaction_timestamp\(\)")
_CONSTANT = re.compile(
    r"(?:(?P<text>'(?:[^']|'')*')|\(?(?P<number>-?\d[\d.]*)\)?)"
    r"(?:::(?:text|character varying|numeric|bigint|integer|smallint|double precision|real))?"
)
_ROUNDED = re.compile(r"bigint|integer|smallint|double precision|real|numeric\(.*\)")
"""Types of numbers that do not keep how one was written."""

_SYNONYMS = {
    "INT": "INTEGER",
    "BOOL": "BOOLEAN",
    "DEC": "NUMERIC",
    "DECIMAL": "NUMERIC",
    "CHARACTER VARYING": "VARCHAR",
    "CHARACTER": "CHAR",
    "DOUBLE PRECISION": "DOUBLE",
}


def definition(column: Column) -> str:
    """A column as CREATE TABLE would say it, in one spelling, without its name."""
    words = [column.type or "(no type)"]
    if column.collation:
        words.append("COLLATE " + column.collation)
    if column.notnull:
        words.append("NOT NULL")
    if column.conflict:
        words.append("ON CONFLICT " + column.conflict)
    if column.default is not None:
        words.append("DEFAULT " + column.default)
    if column.identity:
        words.append(f"GENERATED {column.identity} AS IDENTITY")
    if column.options:
        words.append(column.options)
    if column.autoincrement:
        words.append("AUTOINCREMENT")
    if column.generated:
        words.append("GENERATED ALWAYS AS ({}) {}".format(column.expression, column.generated))
    return " ".join(words)


def _renamed(kind: str, name: str, old: Optional[str], new: Optional[str]) -> Residue:
    grade = "different" if _given(old) and _given(new) else "cosmetic"
    return entry(f"{kind} name", name, "changed", old or "unnamed", new or "unnamed", grade=grade)


def _given(name: Optional[str]) -> bool:
    """Whether somebody gave this name; what MariaDB and MySQL make up counts on."""
    return name is not None and not _MADE_UP.fullmatch(name)


_MADE_UP = re.compile(r".+_ibfk_\d+|.+_chk_\d+|CONSTRAINT_\d+")


def _list(names: Sequence[str]) -> str:
    return "({})".format(", ".join(names))


def _lower(names: Iterable[str]) -> Tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _foreign_keys(table: Table) -> List[Fact]:
    return [(_foreign_key(fk), fk.name, _foreign_key_text(fk)) for fk in table.foreign_keys]


def _foreign_key(fk: ForeignKey) -> Any:
    pairs = _lower(fk.columns), _lower(fk.target_columns)
    rest = fk.on_update, fk.on_delete, fk.deferrable, fk.definition
    return (*pairs, fk.target.lower(), *rest)


def _foreign_key_text(fk: ForeignKey) -> str:
    if fk.definition:
        return fk.definition
    words = [_list(fk.columns), "REFERENCES", fk.target + _list(fk.target_columns)]
    if fk.on_update != "NO ACTION":
        words.append("ON UPDATE " + fk.on_update)
    if fk.on_delete != "NO ACTION":
        words.append("ON DELETE " + fk.on_delete)
    if fk.deferrable:
        words.append(fk.deferrable)
    return " ".join(words)


def _uniques(table: Table) -> List[Fact]:
    own = [u for u in table.uniques if u.index is None]
    return [((_lower(u.columns), u.conflict, u.definition), u.name, _unique_text(u)) for u in own]


def _unique_text(unique: Unique) -> str:
    if unique.definition:
        return unique.definition
    conflict = f" ON CONFLICT {unique.conflict}" if unique.conflict else ""
    return f"UNIQUE {_list(unique.columns)}{conflict}"


def _checks(table: Table) -> List[Fact]:
    return [(c.normal, c.name, _check_text(c)) for c in table.checks]


def _check_text(check: Check) -> str:
    return check.normal if check.normal.startswith("CHECK ") else f"CHECK ({check.normal})"


def _exclusions(table: Table) -> List[Fact]:
    return [(definition, name, definition) for name, definition in table.exclusions]


def _same_columns(old: Fact, new: Fact) -> bool:
    return bool(old[0][0] == new[0][0])


def _same_name(old: Fact, new: Fact) -> bool:
    return old[1] is not None and old[1] == new[1]


_CONSTRAINTS: Tuple[
    Tuple[str, Callable[[Table], List[Fact]], Callable[[Fact, Fact], bool]], ...
] = (
    ("foreign key", _foreign_keys, _same_columns),
    ("unique constraint", _uniques, _same_columns),
    ("check constraint", _checks, _same_name),
    ("exclusion constraint", _exclusions, _same_name),
)


def _constraints(
    kind: str, table: str, old: List[Fact], new: List[Fact], same: Callable[[Fact, Fact], bool]
) -> Iterable[Residue]:
    """Constraints have no key of their own: equal ones are paired first, then similar ones."""
    for _ in _pairs(old, new, lambda a, b: bool(a[:2] == b[:2])):
        pass
    for was, now in _pairs(old, new, lambda a, b: bool(a[0] == b[0])):
        yield _renamed(kind, _named(table, now), was[1], now[1])
    for was, now in _pairs(old, new, same):
        yield entry(kind, _named(table, now), "changed", was[2], now[2])
    for was in old:
        yield entry(kind, _named(table, was), "missing", was[2])
    for now in new:
        yield entry(kind, _named(table, now), "left", None, now[2])


def _named(table: str, fact: Fact) -> str:
    return f"{table}.{fact[1]}" if fact[1] else table


def _pairs(
    old: List[Fact], new: List[Fact], same: Callable[[Fact, Fact], bool]
) -> Iterable[Tuple[Fact, Fact]]:
    for was in list(old):
        now = next((candidate for candidate in new if same(was, candidate)), None)
        if now is not None:
            old.remove(was)
            new.remove(now)
            yield was, now


def _indexes(old: Table, new: Table) -> Iterable[Residue]:
    was = {index.name.lower(): index for index in old.indexes}
    now = {index.name.lower(): index for index in new.indexes}
    for key in sorted(set(was) | set(now)):
        before, after = was.get(key), now.get(key)
        if before and not after:
            yield entry("index", before.name, "missing", _index_text(before, old.name))
        elif after and not before:
            yield entry("index", after.name, "left", None, _index_text(after, new.name))
        elif before and after and _index_text(before, "") != _index_text(after, ""):
            texts = _index_text(before, old.name), _index_text(after, new.name)
            yield entry("index", after.name, "changed", *texts)


def _index_text(index: Index, table: str) -> str:
    if index.definition:
        return f"{'UNIQUE ' * index.unique}INDEX ON {index.definition}"
    unique = "UNIQUE " if index.unique else ""
    where = f" WHERE {index.where}" if index.where else ""
    return f"{unique}INDEX ON {table} ({', '.join(index.parts)}){where}"
