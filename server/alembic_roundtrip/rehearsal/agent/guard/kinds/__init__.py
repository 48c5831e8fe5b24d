"""The kinds of scratch databases, one module each; a new one is added here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..refusal import Refusals, Refused
from ..targets import Kind, Scratch
from .mariadb import MariadbServer
from .nowhere import Nowhere
from .postgresql import PostgresqlServer
from .sqlite import SqliteFiles

_KINDS: Mapping[str, Callable[[Scratch, Refusals], Kind]] = {
    SqliteFiles.name: SqliteFiles,
    PostgresqlServer.name: PostgresqlServer,
    MariadbServer.name: MariadbServer,
}


def kind(scratch: Scratch, refusals: Refusals) -> Kind:
    """The scratch databases of a kind; refuses a kind there is none of."""
    if scratch.kind == Nowhere.name:
        return Nowhere(scratch, refusals)
    if scratch.kind not in _KINDS:
        raise Refused(
            f"rehearsing on {scratch.kind} is not available in this version; "
            f"what there is: {', '.join(sorted(_KINDS))}"
        )
    return _KINDS[scratch.kind](scratch, refusals)
