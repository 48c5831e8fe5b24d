"""What is in a database, as the statements that the server itself gives for making it anew."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Iterator, Optional, Tuple

from ..session import Session
from .text import quote

Key = Tuple[str, str]

MAKING = ("sequence", "table", "function", "procedure", "view", "trigger", "event")
"""The kinds, in the order in which they can be made."""
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


def read(session: Session) -> Dict[Key, Definition]:
    """Every object of the session's database, in an order in which they can be made."""
    found = {(each.kind, each.name): each for each in _objects(session)}
    return dict(sorted(found.items(), key=lambda item: (MAKING.index(item[0][0]), item[0][1])))


def _objects(session: Session) -> Iterator[Definition]:
    for name, kind in session.rows("SHOW FULL TABLES"):
        if kind == "SEQUENCE":
            text = str(session.rows(f"SHOW CREATE SEQUENCE {quote(name)}")[0][1])
            ((counter,),) = session.rows(f"SELECT next_not_cached_value FROM {quote(name)}")  # noqa: S608
            yield Definition("sequence", name, text, counter=int(counter))
        elif kind == "VIEW":
            yield Definition("view", name, _shown(session, "VIEW", name, 1) or "")
        else:
            yield _table(name, _shown(session, "TABLE", name, 1) or "")
    for kind, listed in _LISTED.items():
        for name, table in session.rows(listed):
            made = _shown(session, kind.upper(), name, 3 if kind == "event" else 2)
            mode = _shown(session, kind.upper(), name, 1)
            if made is not None:  # nobody but its maker is shown it
                yield Definition(kind, name, made, mode or "", table)


def _shown(session: Session, kind: str, name: str, column: int) -> Optional[str]:
    value = session.rows(f"SHOW CREATE {kind} {quote(name)}")[0][column]
    return value.decode() if isinstance(value, (bytes, bytearray)) else value


def _table(name: str, text: str) -> Definition:
    match = _COUNTER.search(text)
    if match is None:
        return Definition("table", name, text)
    return Definition("table", name, _COUNTER.sub(r"\1", text, 1), counter=int(match.group(2)))
