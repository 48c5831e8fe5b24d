"""Which tables a step touched, from the SQL it sent, and how long that took."""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Mapping, Set, Tuple

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ..dialects import taken
from ..schema.tables import Snapshot, Table
from .asked import Asked, add

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([^\W\d]\w*)')
_UNTELLING = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_REBUILT = "_alembic_tmp_"
_SAYS_MORE = re.compile(r"\b(?:PREPARE|EXECUTE|SETVAL)\b", re.IGNORECASE)
"""What takes a statement, or a name, as a text."""
_DELETES = re.compile(r"\b(?:DELETE\s+FROM|TRUNCATE)\b", re.IGNORECASE)
_OWNER = re.compile(r"\bON\s+(?:\w+\.)?[\"`\[]?(\w+)", re.IGNORECASE)


_VERSION = "version_num"
"""The column of Alembic's version table, whose name a project may change."""
_SHOWN = 5
_LONGEST = 300


class Statements:
    """Every distinct statement any engine sends while we listen, with the seconds it took."""

    def __init__(self) -> None:
        self._seen: Dict[str, float] = {}
        self._begun = 0.0
        self.unheard = False
        """Whether there may have been others."""
        self.asked: Asked = {}
        """Which values they asked columns for."""
        taken.listen(self._not_hear)
        event.listen(Engine, "before_cursor_execute", self._hear)
        event.listen(Engine, "after_cursor_execute", self._time)

    def _hear(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        self._seen.setdefault(statement, 0.0)
        if _VERSION not in statement:
            add(self.asked, statement, parameters)
        self._begun = time.perf_counter()

    def _time(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement in self._seen:
            self._seen[statement] += time.perf_counter() - self._begun

    def _not_hear(self, _where: Any) -> None:
        self.unheard = True

    def take(self) -> Dict[str, float]:
        """What was sent since the last call."""
        seen, self._seen, self.unheard, self.asked = self._seen, {}, False, {}
        return dict(sorted(seen.items()))


def slowest(statements: Mapping[str, float]) -> List[Dict[str, Any]]:
    """The few statements that took longest, as `evidence.Statement` has them."""
    telling = [
        (" ".join(sql.split()), seconds)
        for sql, seconds in statements.items()
        if not sql.lstrip()[:10].upper().startswith(_UNTELLING) and _VERSION not in sql
    ]
    telling.sort(key=lambda pair: -pair[1])
    return [
        {"sql": sql[:_LONGEST], "seconds": round(seconds, 6)} for sql, seconds in telling[:_SHOWN]
    ]


def _names(statement: str) -> Iterator[str]:
    if statement.lstrip()[:10].upper().startswith(_UNTELLING) or "sqlite_master" in statement:
        return
    yield from _words(statement)


@lru_cache(maxsize=4096)
def _words(text: str) -> FrozenSet[str]:
    plain = text if _SAYS_MORE.search(text) else _NOISE.sub(" ", text)
    found = ("".join(spellings) for spellings in _NAME.findall(plain))
    return frozenset(name.lower().removeprefix(_REBUILT) for name in found)


def tables(statements: Iterable[str], *schemas: Snapshot) -> Set[str]:
    """The tables that statements name, themselves or through what these call or set off."""
    named = {name for statement in statements for name in _names(statement)}
    code = [each for schema in schemas for each in _code(schema)]
    while code:
        reached = [text for key, text in code if key in named]
        code = [(key, text) for key, text in code if key not in named]
        if not reached:
            break
        named.update(*map(_words, reached))
    # A statement may name the schema or not; where several have such a table, all are meant.
    known = {name: table for schema in schemas for name, table in schema.tables.items()}
    found = {
        name for name in known if name.lower().rpartition(".")[2] in named or name.lower() in named
    }
    return found | _parents(found, known)


def emptied(statements: Iterable[str], *schemas: Snapshot) -> Set[str]:
    """The tables that deleting statements name, and those whose rows go with theirs by CASCADE."""
    pending = tables(filter(_DELETES.search, statements), *schemas)
    going: Set[str] = set()
    while pending:
        going |= pending
        lower = {name.lower() for name in pending}
        pending = {
            name
            for schema in schemas
            for name, table in schema.tables.items()
            if any(
                k.on_delete == "CASCADE" and k.target.lower() in lower for k in table.foreign_keys
            )
        } - going
    return going


def _code(schema: Snapshot) -> Iterator[Tuple[str, str]]:
    """What a schema has beside tables that tells of some: what is to be named for it, its text."""
    for kind, texts in (
        ("view", schema.views),
        ("trigger", schema.triggers),
        *schema.objects.items(),
    ):
        if kind not in _CODE:
            continue
        for name, text in texts.items():
            # Of a sequence both may say to which column it belongs.
            yield _key(kind, name, text), f"{name} {text}" if kind == "sequence" else text


_CODE = frozenset(
    "view|materialized view|function|procedure|aggregate|trigger|rule|sequence".split("|")
)


def _key(kind: str, name: str, text: str) -> str:
    """A function's own name; of a trigger or a rule that of its table."""
    name = name.partition("(")[0].rstrip().lower()
    if kind == "rule":
        name = name.rpartition(".")[0]
    elif kind == "trigger":
        owner = _OWNER.search(_NOISE.sub(" ", text))
        name = owner.group(1).lower() if owner else name
    return name.rpartition(".")[2]


def _parents(names: Iterable[str], known: Mapping[str, Table]) -> Set[str]:
    """What partitions are of, and what else has the rows of these tables as its own."""
    found: Set[str] = set()
    pending = list(names)
    while pending:
        for option in known[pending.pop()].options:
            for spelling in _INHERITS.findall(option):
                parent = spelling.replace('"', "")
                if parent in known and parent not in found:
                    found.add(parent)
                    pending.append(parent)
    return found


_INHERITS = re.compile(r"\bINHERITS ([^,]+)")
