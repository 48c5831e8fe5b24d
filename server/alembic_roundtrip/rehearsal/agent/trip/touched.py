"""Which tables a step touched, from the SQL it sent, and how long that took."""

from __future__ import annotations

import re
import time
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Set

from sqlalchemy import event
from sqlalchemy.engine import Engine

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([^\W\d]\w*)')
_UNTELLING = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_REBUILT = "_alembic_tmp_"


_VERSION = "version_num"
"""The column of Alembic's version table, whose name a project may change."""
_SHOWN = 5
_LONGEST = 300


class Statements:
    """Every distinct statement any engine sends while we listen, with the seconds it took."""

    def __init__(self) -> None:
        self._seen: Dict[str, float] = {}
        self._begun = 0.0
        event.listen(Engine, "before_cursor_execute", self._hear)
        event.listen(Engine, "after_cursor_execute", self._time)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self._seen.setdefault(statement, 0.0)
        self._begun = time.perf_counter()

    def _time(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement in self._seen:
            self._seen[statement] += time.perf_counter() - self._begun

    def take(self) -> Dict[str, float]:
        """What was sent since the last call."""
        seen, self._seen = self._seen, {}
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
    for spellings in _NAME.findall(_NOISE.sub(" ", statement)):
        yield "".join(spellings).lower().removeprefix(_REBUILT)


def tables(statements: Iterable[str], known: Iterable[str]) -> Set[str]:
    """The known tables that the statements name."""
    named = {name for statement in statements for name in _names(statement)}
    # A statement may name the schema or not; where several have such a table, all are meant.
    return {
        name for name in known if name.lower().rpartition(".")[2] in named or name.lower() in named
    }
