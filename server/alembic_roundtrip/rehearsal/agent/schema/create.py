"""What CREATE TABLE and CREATE INDEX say and SQLite's pragmas don't.

Names of constraints, CHECK, collations, generated expressions, AUTOINCREMENT, DEFERRABLE, ON
CONFLICT, STRICT and WITHOUT ROWID stand nowhere but in the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Dict, FrozenSet, List, Optional, Sequence, Set, Tuple

from . import sql
from .sql import Token
from .tables import Check, Index, Unique

_CONSTRAINTS = frozenset((
    "CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE",
    "REFERENCES", "GENERATED", "AS", "FOREIGN", "AUTOINCREMENT",
))  # fmt: skip


@dataclass
class ColumnText:
    """What the text says about one column."""

    name: str
    collation: str = ""
    expression: Optional[str] = None
    autoincrement: bool = False
    conflict: str = ""


@dataclass
class TableText:
    """What the text says about one table."""

    columns: Dict[str, ColumnText] = field(default_factory=dict)
    checks: List[Check] = field(default_factory=list)
    uniques: List[Unique] = field(default_factory=list)
    references: List[Tuple[Tuple[str, ...], str, Optional[str], str]] = field(default_factory=list)
    key_name: Optional[str] = None
    key_rest: str = ""
    """What the primary key is beside its columns."""
    options: Tuple[str, ...] = ()


@lru_cache(maxsize=4096)  # from step to step most definitions stay as they are
def read_table(text: str) -> TableText:
    """Read a CREATE TABLE statement, as SQLite keeps it; not to be changed by who asked."""
    parts = sql.tokens(text)
    opening = next((i for i, token in enumerate(parts) if token.text == "("), None)
    table = TableText()
    if opening is None:
        return table
    end = sql.closing(parts, opening)
    items = sql.split(parts[opening + 1 : end])
    names = {item[0].value.lower() for item in items if item and item[0].is_name}
    for item in items:
        if item:
            _Item(item, table, names).read()
    table.options = tuple(sorted(sql.normal(o).upper() for o in sql.split(parts[end + 1 :]) if o))
    return table


class _Item:
    """One comma-separated item between the parentheses: a column, or constraints of the table."""

    def __init__(self, parts: Sequence[Token], table: TableText, names: Set[str]) -> None:
        self.parts = parts
        self.table = table
        self.names = names
        self.at = 0
        self.name: Optional[str] = None
        self.column: Optional[ColumnText] = None

    def read(self) -> None:
        if not self.peek("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"):
            self.column = ColumnText(self.next().value)
            self.table.columns[self.column.name.lower()] = self.column
            self.skip_type()
        while self.at < len(self.parts):
            self.constraint()

    def peek(self, *words: str) -> bool:
        return self.at < len(self.parts) and self.parts[self.at].is_word(*words)

    def take(self, *words: str) -> bool:
        found = self.peek(*words)
        self.at += found
        return found

    def next(self) -> Token:
        self.at += 1
        return self.parts[self.at - 1] if self.at <= len(self.parts) else Token("mark", "")

    def group(self) -> List[Token]:
        """What stands in the parentheses that open here."""
        if self.at >= len(self.parts) or self.parts[self.at].text != "(":
            return []
        end = sql.closing(self.parts, self.at)
        inside = list(self.parts[self.at + 1 : end])
        self.at = end + 1
        return inside

    def column_names(self) -> Tuple[str, ...]:
        return self.key_parts()[0]

    def key_parts(self) -> Tuple[Tuple[str, ...], str]:
        """The columns in parentheses; and, where any has an order or collation, the whole."""
        groups = [group for group in sql.split(self.group()) if group]
        for group in groups:
            if group[-1].is_word("ASC"):
                group.pop()
        names = tuple(group[0].value for group in groups)
        spelled = ", ".join(sql.normal(group, self.names) for group in groups)
        return names, f"({spelled})" if any(group[1:] for group in groups) else ""

    def skip_type(self) -> None:
        while self.at < len(self.parts):
            token = self.parts[self.at]
            if token.kind == "word" and token.text.upper() in _CONSTRAINTS:
                break
            if token.text == "(":
                self.group()
            else:
                self.at += 1

    def conflict(self) -> str:
        if not (self.peek("ON") and self.parts[self.at + 1].is_word("CONFLICT")):
            return ""
        self.at += 2
        chosen = self.next().text.upper()
        return "" if chosen == "ABORT" else chosen

    def constraint(self) -> None:
        token = self.next()
        if token.is_word("CONSTRAINT"):
            self.name = self.next().value
            return
        handler = _HANDLERS.get(token.text.upper()) if token.kind == "word" else None
        if handler:
            handler(self)
            self.name = None

    def primary(self) -> None:
        self.take("KEY")
        names, rest = self.key_parts()
        if self.column:
            names = (self.column.name.lower(),)
            rest = f"({names[0]} desc)" if self.take("DESC") else ""
            self.take("ASC")
        self.table.key_name = self.name
        conflict = self.conflict()
        if rest or conflict:
            words = ["PRIMARY KEY", rest or "({})".format(", ".join(names)).lower()]
            self.table.key_rest = " ".join([*words, *(["ON CONFLICT", conflict] * bool(conflict))])
        if self.take("AUTOINCREMENT") and self.column:
            self.column.autoincrement = True

    def not_null(self) -> None:
        if self.take("NULL"):
            conflict = self.conflict()
            if self.column:
                self.column.conflict = conflict

    def unique(self) -> None:
        columns, rest = ((self.column.name,), "") if self.column else self.key_parts()
        conflict = self.conflict()
        definition = f"UNIQUE {rest}{' ON CONFLICT ' * bool(conflict)}{conflict}" if rest else ""
        self.table.uniques.append(
            Unique(columns, self.name, conflict=conflict, definition=definition)
        )

    def check(self) -> None:
        inside = self.group()
        text = " ".join(token.text for token in inside)
        spelled = sql.normal(inside, self.names, unknown_is_string=True)
        self.table.checks.append(Check(text, spelled, self.name))

    def default(self) -> None:
        if not self.group():
            sign = self.next()
            if sign.text in "+-":
                self.next()

    def collate(self) -> None:
        chosen = self.next().value.lower()
        if self.column and chosen != "binary":
            self.column.collation = chosen

    def generated(self) -> None:
        self.take("ALWAYS")
        self.take("AS")
        expression = sql.normal(self.group(), self.names, unknown_is_string=True)
        self.take("STORED", "VIRTUAL")
        if self.column:
            self.column.expression = expression

    def foreign(self) -> None:
        self.take("KEY")
        columns = self.column_names()
        if self.take("REFERENCES"):
            self.target(columns)

    def references(self) -> None:
        self.target((self.column.name,) if self.column else ())

    def target(self, columns: Tuple[str, ...]) -> None:
        target = self.next().value
        self.group()
        while self.peek("ON", "MATCH"):
            if self.next().is_word("ON"):
                self.next()
                if self.next().is_word("SET", "NO"):
                    self.next()
            else:
                self.next()
        key = (tuple(c.lower() for c in columns), target.lower(), self.name, self.deferrable())
        self.table.references.append(key)

    def deferrable(self) -> str:
        follows = self.at + 1 < len(self.parts) and self.parts[self.at + 1].is_word("DEFERRABLE")
        immediate = self.peek("NOT") and follows
        if immediate:
            self.at += 1
        if not self.take("DEFERRABLE"):
            return ""
        initially = self.next().text.upper() if self.take("INITIALLY") else "IMMEDIATE"
        return "" if immediate or initially == "IMMEDIATE" else "DEFERRABLE INITIALLY DEFERRED"


_HANDLERS = {
    "PRIMARY": _Item.primary,
    "NOT": _Item.not_null,
    "UNIQUE": _Item.unique,
    "CHECK": _Item.check,
    "DEFAULT": _Item.default,
    "COLLATE": _Item.collate,
    "GENERATED": _Item.generated,
    "AS": _Item.generated,
    "FOREIGN": _Item.foreign,
    "REFERENCES": _Item.references,
}


@lru_cache(maxsize=4096)
def read_index(text: str, names: FrozenSet[str]) -> Index:
    """Read a CREATE INDEX statement; `names` are the table's columns in lower case."""
    parts = sql.tokens(text)
    opening = next(i for i, token in enumerate(parts) if token.text == "(")
    end = sql.closing(parts, opening)
    columns = []
    for group in sql.split(parts[opening + 1 : end]):
        if group and group[-1].is_word("ASC"):
            group.pop()
        columns.append(sql.normal(group, names, unknown_is_string=True))
    rest = parts[end + 1 :]
    where = sql.normal(rest[1:], names, unknown_is_string=True) if rest else None
    on = next(i for i, token in enumerate(parts) if token.is_word("ON"))
    unique = any(token.is_word("UNIQUE") for token in parts[:2])
    return Index(parts[on - 1].value, unique, tuple(columns), where)


def unique_of(index: Index, names: Dict[str, str]) -> Unique:
    """The columns that a unique index makes unique, with those inside its expressions.

    `names` are the table's columns, by their lower-case spelling.
    """
    found: List[str] = []
    for part in index.parts:
        for token in sql.tokens(part):
            column = names.get(token.value.lower()) if token.is_name else None
            if column and column not in found:
                found.append(column)
    return Unique(tuple(found), where=index.where, index=index.name)
