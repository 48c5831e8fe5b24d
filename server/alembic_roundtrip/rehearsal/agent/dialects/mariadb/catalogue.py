"""The schema of a MariaDB or MySQL database: read from the definitions that the server writes.

The server writes everything it knows of a table in one spelling, so two definitions of the same
text are the same table; what is left to do here is to take it apart for saying what differs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Dict, List, Mapping, Optional, Tuple

from ...schema.tables import Check, Column, ForeignKey, Index, Snapshot, Table, Unique
from .definitions import Definition, Key
from .text import QUOTED, STRING, closing, split, unescape, unquote

# What a version of the server understands: `/*!80016 NOT ENFORCED */`.
_FOR_VERSIONS = re.compile(r"/\*M?!\d+ (.*?) ?\*/", re.DOTALL)
_DEFINER = re.compile(rf"\bDEFINER=(?:{QUOTED}|\S+?)@(?:{QUOTED}|\S+) ")
_USUAL = re.compile(r"\bALGORITHM=UNDEFINED |\bSQL SECURITY DEFINER ")
_STARTS = re.compile(rf" STARTS {STRING}")
_TYPE = re.compile(
    rf"(?P<name>\w+(?: precision)?)(?P<arguments>\((?:[^()'\"]|{STRING})*\))?"
    r"(?P<sign>(?: unsigned| zerofill)*)",
    re.IGNORECASE,
)
_VALUE = re.compile(
    rf"(?:\w+ ?)?{STRING}|[+-]?[\d.]+(?:e[+-]?\d+)?|\w+(?=\()|\w+|(?=\()", re.IGNORECASE
)
_BOTH = ("NO ACTION", "RESTRICT")


@dataclass(frozen=True)
class Reading:
    """A table, and the columns that an INSERT of a copy must name."""

    table: Table
    stored: Tuple[Column, ...]


def take(
    found: Mapping[Key, Definition], database: str, charset: Tuple[str, str], version_table: str
) -> Snapshot:
    """The schema that definitions make; `version_table` is Alembic's own, which is left out."""
    tables: Dict[str, Table] = {}
    objects: Dict[str, Dict[str, str]] = {
        "database": {"new tables": "CHARACTER SET {} COLLATE {}".format(*charset)}
    }
    for each in found.values():
        if each.kind != "table":
            objects.setdefault(each.kind, {})[_full_name(each)] = _text(each, database)
        elif each.name != version_table:
            tables[each.name] = _usual(table(each, database).table, charset[1])
    return Snapshot(tables, objects=objects)


def _full_name(each: Definition) -> str:
    return f"{each.table}.{each.name}" if each.table else each.name


def _text(each: Definition, database: str) -> str:
    """A definition without what it has from whoever made it, and when."""
    text = _USUAL.sub("", _DEFINER.sub("", each.text)).replace(f"`{database}`.", "")
    if each.kind == "event":
        text = _STARTS.sub("", text)
    return text if not each.mode or each.kind == "view" else f"{text}\nsql_mode = {each.mode}"


def _usual(found: Table, collation: str) -> Table:
    """Without the collation that everything has of which nothing else is said."""
    columns = tuple(
        replace(c, collation="") if c.collation == collation else c for c in found.columns
    )
    options = tuple(each for each in found.options if each != f"COLLATE={collation}")
    return replace(found, columns=columns, options=options)


@lru_cache(maxsize=4096)  # from step to step most definitions stay as they are
def table(definition: Definition, database: str = "") -> Reading:
    """Take a CREATE TABLE of the server's apart."""
    text = _FOR_VERSIONS.sub(r"\1", definition.text).replace(f"`{database}`.", "")
    start = text.index("(")
    end = closing(text, start)
    reader = _Reader(definition.name, text, _Options(text[end + 1 :]))
    for item in split(text[start + 1 : end]):
        reader.read(item)
    return reader.done()


class _Options:
    """What stands behind the columns."""

    def __init__(self, text: str) -> None:
        head, partition, tail = text.strip().partition("PARTITION BY")
        found = re.findall(rf"([\w`][\w` ]*?)=({STRING}|\S+)|(WITH SYSTEM VERSIONING)", head)
        values = {name.strip(): value for name, value, _ in found if name}
        charset = values.pop("DEFAULT CHARSET", "")
        self.collation = values.pop("COLLATE", charset)
        options = [f"{name}={value}" for name, value in sorted(values.items())]
        options += [whole for _, _, whole in found if whole]
        if partition:
            options.append(f"PARTITION BY{' '.join(tail.split())}".replace("`", ""))
        self.options = (*options, f"COLLATE={self.collation}")


@dataclass
class _Reader:
    name: str
    text: str
    rest: _Options
    columns: List[Column] = field(default_factory=list)
    key: Tuple[str, ...] = ()
    foreign_keys: List[ForeignKey] = field(default_factory=list)
    uniques: List[Unique] = field(default_factory=list)
    checks: List[Check] = field(default_factory=list)
    indexes: List[Index] = field(default_factory=list)
    options: List[str] = field(default_factory=list)

    def read(self, item: str) -> None:
        """Add a column, key or constraint."""
        if item.startswith("`"):
            self._column(item)
            return
        match = re.match(rf"CONSTRAINT ({QUOTED}) (FOREIGN KEY|CHECK) ?", item)
        if match is None:
            self._key(item)
        elif match.group(2) == "CHECK":
            self._check(unquote(match.group(1)), item[match.end() :])
        else:
            self._foreign_key(unquote(match.group(1)), item[match.end() :])

    def done(self) -> Reading:
        """The table."""
        columns = tuple(
            c if c.name not in self.key else replace(c, key=self.key.index(c.name) + 1)
            for c in self.columns
        )
        found = Table(
            self.name,
            columns,
            self.key,
            None,
            tuple(sorted(self.foreign_keys, key=lambda each: each.name or "")),
            tuple(self.uniques),
            tuple(self.checks),
            tuple(self._usual_name(each) for each in self.indexes),
            (*self.rest.options, *self.options),
            text=self.text,
        )
        return Reading(found, tuple(c for c in columns if not c.generated))

    def _usual_name(self, index: Index) -> Index:
        """An index that only is there for a foreign key is called after whatever came first."""
        for key in self.foreign_keys:
            names = (key.name, key.columns[0])
            if index.parts == key.columns and not index.unique and index.name in names:
                return replace(index, name=f"({', '.join(key.columns)}) of a foreign key")
        return index

    def _column(self, item: str) -> None:
        match = re.match(QUOTED, item)
        assert match is not None
        name, text = unquote(match.group()), item[match.end() :].strip()
        kind = _TYPE.match(text)
        assert kind is not None
        words = _Words(text[kind.end() :])
        words.read()
        collation = words.collation or (self.rest.collation if _has_text(kind["name"]) else "")
        arguments = kind["arguments"] or ""
        is_list = kind["name"].lower() in {"enum", "set"}
        members = tuple(unescape(each) for each in split(arguments[1:-1])) if is_list else ()
        self.columns.append(
            Column(
                name,
                kind.group(),
                notnull=words.notnull,
                default=words.default,
                generated=words.generated,
                expression=words.expression,
                collation=collation,
                options=" ".join(words.options),
                members=members,
            )
        )
        if words.check:
            self._check("", words.check)

    def _check(self, name: str, text: str) -> None:
        end = closing(text, 0)
        normal = " ".join([f"CHECK {text[: end + 1]}", text[end + 1 :].strip()]).strip()
        self.checks.append(Check(text[1:end], normal.replace("`", ""), name or None))

    def _key(self, item: str) -> None:
        match = re.match(
            rf"(?:(PRIMARY|UNIQUE|\w+) )?KEY(?: ({QUOTED}))?(?: USING \w+)? ?(?=\()", item
        )
        if match is None:  # PERIOD FOR SYSTEM_TIME
            self.options.append(item.replace("`", ""))
            return
        kind, name = match.group(1) or "", unquote(match.group(2) or "")
        end = closing(item, match.end())
        parts = split(item[match.end() + 1 : end])
        columns = tuple(unquote(m.group()) for p in parts for m in [re.match(QUOTED, p)] if m)
        rest = item[end + 1 :].replace(" USING BTREE", "").strip()
        if kind == "PRIMARY":
            self.key = columns
            if rest or any(not re.fullmatch(QUOTED, part) for part in parts):
                spelled = f"PRIMARY KEY ({', '.join(parts)}) {rest}".strip()
                self.options.append(spelled.replace("`", ""))
            return
        shown = [f"{self.name} ({', '.join(parts)})".replace("`", ""), rest]
        if kind not in {"", "UNIQUE"}:
            shown.append(kind)
        definition = " ".join(filter(None, shown))
        self.indexes.append(Index(name, kind == "UNIQUE", columns, definition=definition))
        if kind == "UNIQUE":
            self.uniques.append(Unique(columns, index=name))

    def _foreign_key(self, name: str, text: str) -> None:
        end = closing(text, 0)
        match = re.match(rf" REFERENCES ((?:{QUOTED}\.)?{QUOTED}) ", text[end + 1 :])
        assert match is not None
        target = ".".join(unquote(each) for each in re.findall(QUOTED, match.group(1)))
        start = end + 1 + match.end()
        stop = closing(text, start)
        rules = text[stop + 1 :]
        for rule in _BOTH:  # what is meant where nothing is said
            rules = rules.replace(f" ON DELETE {rule}", "").replace(f" ON UPDATE {rule}", "")
        columns, targets = _names(text[: end + 1]), _names(text[start : stop + 1])
        self.foreign_keys.append(
            ForeignKey(
                columns,
                target,
                targets,
                _rule("UPDATE", rules),
                _rule("DELETE", rules),
                name=name,
                definition=f"FOREIGN KEY ({', '.join(columns)}) REFERENCES {target} "
                f"({', '.join(targets)}){rules}",
            )
        )


def _rule(event: str, rules: str) -> str:
    match = re.search(rf"ON {event} (CASCADE|SET NULL|SET DEFAULT)", rules)
    return match.group(1) if match else "NO ACTION"


def _names(text: str) -> Tuple[str, ...]:
    return tuple(unquote(each) for each in re.findall(QUOTED, text))


def _has_text(kind: str) -> bool:
    return any(word in kind.lower() for word in ("char", "text", "enum", "set"))


class _Words:
    """What stands behind a column's type, word by word."""

    def __init__(self, text: str) -> None:
        self._rest = text.strip()
        self.notnull = False
        self.default: Optional[str] = None
        self.collation = ""
        self.generated = ""
        self.expression: Optional[str] = None
        self.check = ""
        self.options: List[str] = []

    def read(self) -> None:
        """All of it; what is not known is kept as it is."""
        while self._rest:
            if self._taken("NOT NULL"):
                self.notnull = True
            elif self._taken("CHARACTER SET"):
                self.collation = self.collation or self._word()
            elif self._taken("COLLATE"):
                self.collation = self._word()
            elif self._taken("DEFAULT"):
                value = self._value()
                self.default = None if value == "NULL" else value
            elif self._taken("ON UPDATE"):
                self.options.append(f"ON UPDATE {self._value()}")
            elif self._taken("GENERATED ALWAYS AS"):
                self._generated()
            elif self._taken("COMMENT"):
                self.options.append(f"COMMENT {self._value()}")
            elif self._taken("CHECK"):
                self.check = self._parenthesis()
            else:
                word = self._word()
                if word not in {"NULL", "VISIBLE"}:
                    self.options.append(word)

    def _generated(self) -> None:
        if self._rest.startswith("("):
            self.expression = self._parenthesis()[1:-1].replace("`", "")
            self.generated = self._word()
        else:
            self.generated = f"{self._word()} {self._word()}"  # ROW START, ROW END

    def _taken(self, words: str) -> bool:
        if not re.match(rf"{words}(?!\w)", self._rest):
            return False
        self._rest = self._rest[len(words) :].lstrip()
        return True

    def _cut(self, end: int) -> str:
        word, self._rest = self._rest[:end], self._rest[end:].lstrip()
        return word

    def _word(self) -> str:
        match = re.match(r"\S+", self._rest)
        return self._cut(match.end() if match else len(self._rest))

    def _parenthesis(self) -> str:
        return self._cut(closing(self._rest, 0) + 1)

    def _value(self) -> str:
        """A literal, a function with its arguments, or an expression in parentheses."""
        match = _VALUE.match(self._rest)
        end = match.end() if match else 0
        if self._rest[end : end + 1] == "(":
            end = closing(self._rest, end) + 1
        return self._cut(end or len(self._rest)).replace("`", "")
