"""What is in a database, as the statements that the server itself gives for making it anew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Match, Optional, Tuple

from ..session import Session
from .text import QUOTED, closing, quote, split

Key = Tuple[str, str]

MAKING = ("sequence", "table", "function", "procedure", "view", "trigger", "event")
"""The kinds, in the order in which they can be made."""
_KEY = re.compile(rf"KEY (?P<name>{QUOTED}) (?P<columns>\(.*\))")
_FOREIGN_KEY = re.compile(
    rf"CONSTRAINT (?P<name>`(?:[^`]|``)*?(?:_ibfk_(?P<number>\d+))?`) "
    rf"(?P<rest>FOREIGN KEY (?P<columns>\((?P<first>{QUOTED}).*?\)) REFERENCES )"
)
_PRIMARY_KEY = re.compile(rf"PRIMARY KEY (?P<columns>\({QUOTED}(?:,{QUOTED})*\))(?: USING \w+)?")
_MOST = 1000
"""A number that no foreign key has come to by being made anew."""
_COUNTER = re.compile(r"(?<=\n\) ENGINE=)(\w+) AUTO_INCREMENT=(\d+)")
_LISTED = {
    "trigger": "SELECT trigger_name, event_object_table FROM information_schema.triggers "
    "WHERE trigger_schema = DATABASE()",
    "function": "SELECT routine_name, '' FROM information_schema.routines "
    "WHERE routine_schema = DATABASE() AND routine_type = 'FUNCTION'",
    "procedure": "SELECT routine_name, '' FROM information_schema.routines "
    "WHERE routine_schema = DATABASE() AND routine_type = 'PROCEDURE'",
    "event": "SELECT event_name, '' FROM information_schema.events WHERE event_schema = DATABASE()",
}


@dataclass(frozen=True)
class Definition:
    """One object: `text` makes it, under the SQL mode it was made under."""

    kind: str
    name: str
    text: str
    mode: str = ""
    table: str = ""
    """Of a trigger: the table it is on."""
    counter: int = 0
    """Of a table or sequence: the next number it gives."""

    @property
    def essence(self) -> Tuple[str, str]:
        """What makes two of one name the same, wherever they count."""
        return self.text, self.mode

    @property
    def creating(self) -> Tuple[str, List[str]]:
        """What makes it with what the text does not tell: which keys foreign keys brought.

        Those go by themselves when another key does as well. Beside the statement that makes it,
        gives the names of foreign keys to drop then: they only stand for numbers that no other
        has any more.
        """
        if self.kind != "table" or " FOREIGN KEY " not in self.text:
            return self.text, []
        start = self.text.index("(")
        end = closing(self.text, start)
        items = split(self.text[start + 1 : end])
        foreign = _ForeignKeys(self.name, items)
        made = ", ".join(foreign.placed(items))
        return f"{self.text[: start + 1]}{made}{self.text[end:]}", foreign.standing_in


def read(session: Session) -> Dict[Key, Definition]:
    """Every object of the session's database, in an order in which they can be made."""
    found = {(each.kind, each.name): each for each in _objects(session)}
    return dict(sorted(found.items(), key=lambda item: (MAKING.index(item[0][0]), item[0][1])))


def _objects(session: Session) -> Iterator[Definition]:
    ((database,),) = session.rows("SELECT DATABASE()")
    for name, kind in session.rows("SHOW FULL TABLES"):
        if kind == "SEQUENCE":
            text = str(session.rows(f"SHOW CREATE SEQUENCE {quote(name)}")[0][1])
            ((counter,),) = session.rows(f"SELECT next_not_cached_value FROM {quote(name)}")  # noqa: S608
            yield Definition("sequence", name, text, counter=int(counter))
        elif kind == "VIEW":
            shown = _shown(session, "VIEW", name, 1) or ""
            # Where something that it reads is gone the server names the database as well.
            yield Definition("view", name, shown.replace(f"{quote(database)}.", ""))
        else:
            yield table(session, name)
    for kind, listed in _LISTED.items():
        for name, owner in session.rows(listed):
            made = _shown(session, kind.upper(), name, 3 if kind == "event" else 2)
            mode = _shown(session, kind.upper(), name, 1)
            if made is not None:  # nobody but its maker is shown it
                yield Definition(kind, name, made, mode or "", owner)


def _shown(session: Session, kind: str, name: str, column: int) -> Optional[str]:
    value = session.rows(f"SHOW CREATE {kind} {quote(name)}")[0][column]
    return value.decode() if isinstance(value, (bytes, bytearray)) else value


def table(session: Session, name: str) -> Definition:
    """One table."""
    text = _shown(session, "TABLE", name, 1) or ""
    match = _COUNTER.search(text)
    if match is None:
        return Definition("table", name, text)
    return Definition("table", name, _COUNTER.sub(r"\1", text, 1), counter=int(match.group(2)))


class _ForeignKeys:
    """Foreign keys in the places of the keys that they brought, which they bring again.

    Those that the server named come without a name and in the order of their numbers.
    """

    def __init__(self, table: str, items: List[str]) -> None:
        self._table = table
        found = [match for match in map(_FOREIGN_KEY.match, items) if match]
        self._keys = {match["name"] for match in map(_KEY.fullmatch, items) if match}
        self._waiting = sorted(found, key=self._number)
        self._given = 0
        """Up to which number the server has named some."""
        whole = [match["columns"] for match in map(_PRIMARY_KEY.fullmatch, items) if match]
        self._key = whole[0] if whole else None
        self.standing_in: List[str] = []
        """The names of those that are there for the next one's number only."""

    def _number(self, foreign: Match[str]) -> int:
        """The number that the server has named it by; 0 for one that somebody else has named.

        The key of such a one is called as it is.
        """
        number = int(foreign["number"] or 0)
        is_own = foreign["name"] == quote(self._name(number)) and foreign["name"] not in self._keys
        return number if is_own else 0

    def _name(self, number: int) -> str:
        return f"{self._table}_ibfk_{number}"

    def placed(self, items: List[str]) -> Iterator[str]:
        """The items of the table, foreign keys where they belong."""
        for item in items:
            key = _KEY.fullmatch(item)
            brought = [match for match in self._waiting if key and _brings(match, key)][:1]
            for match in brought:
                yield from self._up_to(self._waiting.index(match) + 1)
            if not brought and not _FOREIGN_KEY.match(item):
                yield item
        yield from self._up_to(len(self._waiting))

    def _up_to(self, place: int) -> Iterator[str]:
        for foreign in self._waiting[:place]:
            number = self._number(foreign)
            while self._key is not None and self._given < number - 1 < _MOST:
                self._given += 1
                self.standing_in.append(self._name(self._given))
                yield f"FOREIGN KEY {self._key} REFERENCES {quote(self._table)} {self._key}"
            self._given = max(self._given, number)
            yield foreign.string[foreign.start("rest") :] if number else foreign.string
        del self._waiting[:place]


def _brings(foreign: Match[str], key: Match[str]) -> bool:
    """Whether a key has the columns and the name that the server gives one for a foreign key."""
    same = foreign["columns"].replace(", ", ",") == key["columns"]
    return same and key["name"] in (foreign["name"], foreign["first"])
