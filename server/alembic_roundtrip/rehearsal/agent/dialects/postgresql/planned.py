"""Queries that a session has planned already, which takes several times as long as running them.

Drivers that do so by themselves give up what they have whenever something is dropped.
"""

from __future__ import annotations

from typing import List, Set
from zlib import crc32

from ..session import Session
from .changes import PLANNED, Row


class Planned:
    """The queries of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._asked: Set[str] = set()
        self.there: Set[str] = set()
        """Names of those that are planned; a migration can have the session forget them."""

    def rows(self, query: str) -> List[Row]:
        """What a query gives that is not asked again."""
        return self._session.rows(query)

    def again(self, query: str) -> List[Row]:
        """What a query gives; the second time it is planned for all that follow."""
        name = f"{PLANNED}{crc32(query.encode()):08x}"
        if name in self.there:
            return self.rows(f"EXECUTE {name}")
        if name in self._asked:
            self._session.run(f"PREPARE {name} AS {query}")
            self.there.add(name)
            return self.rows(f"EXECUTE {name}")
        self._asked.add(name)
        return self.rows(query)
