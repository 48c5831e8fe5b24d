"""What stands for what: real databases, the scratch ones in their place, and kinds of both.

One class a kind, in `kinds/`. A kind says what it stands for (`connect`), recognises its own
connections (`owns`) and what leads to them (`leads_here`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional, Protocol


class Scratch(NamedTuple):
    """Where rehearsals may connect: a kind of database and a folder that holds nothing else."""

    kind: str
    folder: str
    place: Mapping[str, Any] = {}
    """What the runner prepared for this kind: a server, its port, roles."""
    writable: tuple[str, ...] = ()
    """Folders of the project that may be written to as well."""


class Target(NamedTuple):
    """The real database that something wanted to connect to."""

    dialect: str
    host: Optional[str]
    port: Optional[int]
    database: str


class Kind(Protocol):
    """A kind of scratch database."""

    name: str
    needs_network: bool
    databases: dict[Target, str]

    @property
    def dialects(self) -> tuple[str, ...]:
        """What SQLAlchemy calls it."""

    @property
    def ports(self) -> tuple[int, ...]:
        """The TCP ports that the agent may reach."""

    def leads_here(self, parts: Mapping[str, Any]) -> bool:
        """Whether arguments given to a driver lead to the scratch server and nowhere else."""

    def connect(self, dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> Any:
        """A connection by the project's own driver, to the stand-in of what it asked for."""

    def owns(self, connection: Any) -> bool:
        """Whether a DBAPI connection leads to a scratch database."""

    def prove(self) -> None:
        """Connect once as a project would; leaves nothing."""


def inside(path: str, folder: str) -> bool:
    """Whether a resolved path is the folder or lies in it."""
    return path == folder or path.startswith(folder + os.sep)
