"""Scratch databases on a server: a new one for each real one, made by the project's own driver.

The place that the runner prepared says where the server is and as whom
migrations run there.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.pool import Pool

from ..origins import caller
from ..refusal import Refusals
from ..targets import Scratch, Target
from .proof import prove_engine

PROOF = "proof"


class Server(ABC):
    """What is the same for all servers."""

    name: str
    label: str
    drivers: tuple[str, ...]
    names: tuple[str, ...]
    """What drivers call the argument that names the database."""
    needs_network = True

    def __init__(self, scratch: Scratch, refusals: Refusals) -> None:
        self.place = scratch.place
        self.databases: dict[Target, str] = {}
        self.driver = ""
        """What the project connected with last."""
        self._refusals = refusals
        self._run = os.path.basename(scratch.folder)
        self._made = 0
        self._spare: Optional[str] = None
        self._records: Any = WeakSet()
        self.watch: Optional[Callable[[], None]] = None
        """To be told of every new connection of the project's."""
        event.listen(Pool, "connect", lambda _dbapi, record: self._records.add(record))

    @property
    def ports(self) -> tuple[int, ...]:
        """The only TCP port that the agent may reach."""
        return (int(self.place["port"]),)

    def leads_here(self, parts: Mapping[str, Any]) -> bool:
        """Whether what a driver was told leads to the scratch server and nowhere else."""
        hosts = {str(parts[name]) for name in ("host", "hostaddr") if parts.get(name)}
        others = parts.get("service") or parts.get("unix_socket") or parts.get("unix_sock")
        port = str(parts.get("port"))
        return hosts == {self.place["host"]} and port == str(self.place["port"]) and not others

    def forget_pools(self) -> None:
        """Have pools connect anew before they are used again: their databases are replaced."""
        for record in list(self._records):
            record.invalidate(soft=True)

    def forget(self, target: Target) -> None:
        """Leave a stand-in to the next real database that is asked for."""
        self._spare = self.databases.pop(target)

    def connect(self, dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> Any:
        """A connection by the project's own driver to the stand-in of what it asked for."""
        self._check_driver(dialect)
        target = self._target(dialect, cargs, cparams)
        is_named = target.database.startswith(self.place["name"])
        # Our own engines ask for it by name, and so do copies of a URL that says it.
        if self.watch is not None and not (is_named and self.leads_here(cparams)):
            self.watch()
        name = target.database if is_named else self._stand_in(dialect, target)
        return self._open(dialect, name, cparams)

    def stand_in_of(self, dialect: Any, url: Any) -> Optional[str]:
        """The scratch database that stands for the one of a URL, if there is one by now."""
        cargs, cparams = dialect.create_connect_args(url)
        return self.databases.get(self._target(dialect, cargs, cparams))

    def _stand_in(self, dialect: Any, target: Target) -> str:
        """The scratch database for a real one; made when it is first asked for."""
        self.driver = dialect.driver
        if target not in self.databases:
            name, self._spare = self._spare, None
            self.databases[target] = name or self._new(dialect)
        return self.databases[target]

    def _new(self, dialect: Any) -> str:
        self._made += 1
        name = f"{self.place['name']}_{self._run}_{self._made}"
        self._make(dialect, name)
        return name

    @abstractmethod
    def _make(self, dialect: Any, name: str) -> None:
        """Make a database of that name, by the project's own driver."""

    @abstractmethod
    def _open(self, dialect: Any, name: str, cparams: Mapping[str, Any]) -> Any:
        """Connect to a scratch database, with what may stay of the project's arguments."""

    def _check_driver(self, dialect: Any) -> None:
        """Refuse a driver of which it is not known how to lead it elsewhere."""
        if dialect.driver not in self.drivers:
            self._refusals.refuse(
                f"{caller()} connects to {self.label} with the driver {dialect.driver}; "
                f"only {', '.join(self.drivers)} can be redirected"
            )

    def _target(self, dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any]) -> Target:
        """The real database that was asked for."""
        host, port = cparams.get("host"), str(cparams.get("port") or "")
        if not port.isdecimal():  # several hosts, with a port each
            host, port = f"{host}:{port}" if port else host, ""
        name = _database(dialect, cargs, cparams, self.names)
        return Target(self.name, host and str(host), int(port) if port else None, name)

    def prove_url(self, url: str) -> None:
        """Connect once, as a project would."""
        prove_engine(f"{url}://somebody@nowhere.invalid/{PROOF}")
        self.forget(Target(self.name, "nowhere.invalid", None, PROOF))


def _database(
    dialect: Any, cargs: Sequence[Any], cparams: Mapping[str, Any], names: Sequence[str]
) -> str:
    """What the real database is called."""
    found = next((cparams[name] for name in names if cparams.get(name)), None)
    if found is None and cargs and isinstance(cargs[0], str):
        found = cargs[0]
    return str(found or cparams.get("user") or dialect.name)
