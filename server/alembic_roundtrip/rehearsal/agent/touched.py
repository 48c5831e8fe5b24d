"""Which tables a step touched, from the SQL it sent."""

from __future__ import annotations

import re
from typing import Any, Iterable, Iterator, List, Set

from sqlalchemy import event
from sqlalchemy.engine import Engine

_NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_NAME = re.compile(r'"((?:[^"]|"")+)"|`([^`]+)`|\[([^\]]+)\]|([^\W\d]\w*)')
_UNTELLING = ("PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
_REBUILT = "_alembic_tmp_"


class Statements:
    """Every distinct statement any engine sends while we listen."""

    def __init__(self) -> None:
        self._seen: Set[str] = set()
        event.listen(Engine, "before_cursor_execute", self._hear)

    def _hear(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self._seen.add(statement)

    def take(self) -> List[str]:
        """What was sent since the last call."""
        seen, self._seen = self._seen, set()
        return sorted(seen)


def _names(statement: str) -> Iterator[str]:
    if statement.lstrip()[:10].upper().startswith(_UNTELLING) or "sqlite_master" in statement:
        return
    for match in _NAME.finditer(_NOISE.sub(" ", statement)):
        name = next(group for group in match.groups() if group).lower()
        yield name.removeprefix(_REBUILT)


def tables(statements: Iterable[str], known: Iterable[str]) -> Set[str]:
    """The known tables that the statements name."""
    named = {name for statement in statements for name in _names(statement)}
    # A statement may name the schema or not; where several have such a table, all are meant.
    return {
        name for name in known if name.lower().rpartition(".")[2] in named or name.lower() in named
    }
