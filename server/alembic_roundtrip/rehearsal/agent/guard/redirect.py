"""Every connection goes to a scratch database or is refused, whatever env.py does.

The layers, in the order they are put on: the kernel (where it can), environment variables, what
is remembered of who hands work to whom, audit hook, database drivers, arguments of `create_engine`,
SQLAlchemy's `do_connect`, and a check of each new connection. One that does not go on refuses the
run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

from . import audit, drivers, engines, kernel, kinds, logs, origins, touches
from .kinds.sqlite import SqliteByHand
from .refusal import NoDriver, Refusals, Refused
from .targets import Kind, Scratch, Target

__all__ = ["Guard", "NoDriver", "Refused", "Scratch", "Target", "install"]

# Nothing on the machine can listen here: it is the broadcast address of the loopback network.
NOWHERE = "127.255.255.255"
_LEADING_SOMEWHERE = {
    "PGHOST": NOWHERE,
    "MYSQL_HOST": NOWHERE,
    "MYSQL_UNIX_PORT": os.devnull,
    "PGPASSWORD": "scratch",
    "MYSQL_PWD": "scratch",
}
_RECOGNISED = 60
SCRATCH = "{scratch}"
"""In the variables that a user gives: where env.py may write."""
_READ_BY_DRIVERS = ("PGSERVICE", "PGSSLKEY", "PGSSLCERT", "MYSQL_GROUP_SUFFIX")


class Guard:
    """The layers in force, what they refused, and the scratch databases they led to."""

    def __init__(
        self, kind: Kind, refusals: Refusals, layers: tuple[str, ...], seen: audit.Seen
    ) -> None:
        self.layers = layers
        self.seen = seen
        self._kind = kind
        self._refusals = refusals

    @property
    def level(self) -> str:
        """`kernel` where the system itself closes files and network, otherwise `process`."""
        return "kernel" if _is_closed(self.layers, self._kind) else "process"

    @property
    def refusals(self) -> list[str]:
        """What tried to connect where, a sentence each; also what the project's code swallowed."""
        return self._refusals.sentences()

    @property
    def let_pass(self) -> str:
        """What was refused outside of migrations, though the project's code went on."""
        return self._refusals.of_run()

    def denied_before(self, sentence: str) -> str:
        """Which connection was denied before something else failed, where that does not say it."""
        denied = self._refusals.of_run() or self._refusals.denied
        return f"; before that {denied}" if denied and denied[:_RECOGNISED] not in sentence else ""

    def step(self, script: str) -> AbstractContextManager[list[str]]:
        """While a script's migration runs. Raises `Refused` if it tried to connect anywhere.

        Gives a list that has, in the end, what else it may depend on.
        """
        return self._refusals.step(script)

    @property
    def databases(self) -> dict[Target, str]:
        """The scratch database that stands for each real one seen so far."""
        return dict(self._kind.databases)

    @property
    def kind(self) -> Kind:
        """The scratch databases."""
        return self._kind


def install(where: Scratch) -> Guard:
    """Put all layers on; raises `Refused` if one of them does not hold.

    To be called once, before anything of the project is imported and before any thread is started:
    the kernel confines the calling thread and what descends from it.
    """
    folder = os.path.realpath(where.folder)
    os.makedirs(os.path.join(folder, "tmp"), exist_ok=True)
    refusals = Refusals(folder)
    kind = kinds.kind(where._replace(folder=folder), refusals)
    by_hand = SqliteByHand(folder, kind.databases, refusals)
    seen = audit.Seen()
    folders = (folder, *map(os.path.realpath, where.writable))
    layers: list[str] = _put_on("kernel", lambda: _confine(folders, kind))
    for name, layer in (
        ("environment", lambda: _set_variables(folder)),
        ("origins", origins.follow),
        (
            "audit hook",
            lambda: audit.install(
                folders,
                refusals,
                kind,
                by_hand.judge,
                seen,
                databases=drivers.PACKAGES,
                closed=_is_closed(layers, kind),
            ),
        ),
        ("logs", logs.let_go),
        ("touches", touches.let_be),
        ("database drivers", lambda: drivers.install(by_hand, kind, refusals)),
        ("engine arguments", engines.strip_arguments),
        ("new connections", lambda: engines.connect_instead(kind, refusals)),
        ("names of databases", lambda: engines.tell_names(kind)),
        ("new databases", engines.have_databases),
    ):
        _put_on(name, layer)
        layers.append(name)
    checked = _put_on("marker check", lambda: engines.check_marks(kind, refusals))
    _put_on("proof", lambda: engines.prove(kind, checked))
    return Guard(kind, refusals, (*layers, "marker check"), seen)


def _put_on(name: str, layer: Callable[[], Any]) -> Any:
    try:
        return layer()
    except NoDriver:
        raise
    except (Exception, Refused) as error:
        raise Refused(
            f"the guard's layer “{name}” could not be installed, so nothing was run: {error}"
        ) from error


def _confine(folders: tuple[str, ...], kind: Kind) -> list[str]:
    """Close what this kernel can close; gives what that was."""
    closed = []
    found = kernel.version()
    if found:
        kernel.confine(folders, found, ports=kind.ports)
        closed += ["kernel: files"] * (found >= kernel.FILES_VERSION)
        closed += ["kernel: TCP"] * (found >= kernel.TCP_VERSION)
    if kernel.takes_filters():
        kernel.deny_leaving()
        if kind.needs_network:
            kernel.deny_other_sockets()
            closed.append("kernel: other sockets")
        else:
            kernel.deny_connections()
            closed.append("kernel: connections")
    return closed


def _is_closed(layers: Collection[str], kind: Kind) -> bool:
    """Whether the system itself closes files and network, for whatever is started too."""
    wanted = {"kernel: files", "kernel: TCP"}
    if kind.needs_network:
        wanted.add("kernel: other sockets")
    elif "kernel: connections" in layers:
        wanted.discard("kernel: TCP")
    return wanted.issubset(layers)


def _set_variables(folder: str) -> None:
    """Leave drivers no variable that leads to a server; names stay, for code that reads them."""
    for name, value in os.environ.items():
        if SCRATCH in value:
            os.environ[name] = value.replace(SCRATCH, os.path.join(folder, "tmp"))
    for name in _READ_BY_DRIVERS:
        os.environ.pop(name, None)
    for name in _LEADING_SOMEWHERE.keys() & os.environ.keys():
        os.environ[name] = _LEADING_SOMEWHERE[name]
    os.environ.update(
        PGHOSTADDR=NOWHERE,  # libpq goes here whatever host or socket folder it is told
        PGPASSFILE=os.devnull,
        PGSERVICEFILE=os.devnull,
        PGSYSCONFDIR=folder,
        MYSQL_HOME=folder,
        PYTHONDONTWRITEBYTECODE="1",
        **dict.fromkeys(("TMPDIR", "TEMP", "TMP", "SQLITE_TMPDIR"), os.path.join(folder, "tmp")),
    )
    sys.dont_write_bytecode = True
    tempfile.tempdir = None
