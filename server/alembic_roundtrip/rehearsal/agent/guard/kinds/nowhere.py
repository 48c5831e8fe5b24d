"""No database at all: for SQL that is only written. Whatever connects is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..origins import caller
from ..refusal import Refusals, Refused
from ..targets import Scratch, Target
from .proof import prove_engine

NOWHERE = "nowhere"


class Nowhere:
    """The kind that stands for no database."""

    name = NOWHERE
    dialects: tuple[str, ...] = ()
    needs_network = False
    ports: tuple[int, ...] = ()

    def __init__(self, _scratch: Scratch, refusals: Refusals) -> None:
        self.databases: dict[Target, str] = {}
        self._refusals = refusals
        self._asked = False

    def connect(self, _dialect: Any, _cargs: Sequence[Any], _cparams: Mapping[str, Any]) -> Any:
        """Refuse."""
        self._asked = True
        self._refusals.refuse(
            f"{caller()} connects to a database, which nothing may while SQL is only written"
        )

    def owns(self, _connection: Any) -> bool:
        """Nothing leads to a scratch database: there is none."""
        return False

    def leads_here(self, _parts: Mapping[str, Any]) -> bool:
        """There is no server."""
        return False

    def prove(self) -> None:
        """See that an engine is refused; raises `Refused` where it is not."""
        try:
            prove_engine("sqlite://")
        except Refused:
            if self._asked:
                return
            raise
        raise Refused("an engine could connect")
