"""The MariaDB or MySQL server of this machine: its programs, run as a server of ours."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic_roundtrip.rehearsal.databases.shared import Recipe, Server
from alembic_roundtrip.rehearsal.databases.shared import running as shared_running
from alembic_roundtrip.rehearsal.plan import CannotRun

INSTALL = "apt-get install mariadb-server-core mariadb-client-core"
_PROGRAMS = ("mariadbd", "mysqld")
# Where servers are that no shell is to find by accident.
_PLACES = (
    "/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/libexec",
    "/usr/local/mysql/bin", "/usr/local/mariadb/bin", "/opt/mysql/bin", "/opt/mariadb/bin",
    "/opt/homebrew/opt/mariadb/bin", "/opt/homebrew/opt/mysql/bin",
    "/usr/local/opt/mariadb/bin", "/usr/local/opt/mysql/bin",
)  # fmt: skip


def program() -> Path | None:
    """The server's program, MariaDB's before MySQL's; None where there is none."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_PLACES])
    found = next(filter(None, (shutil.which(name, path=path) for name in _PROGRAMS)), None)
    return None if found is None else Path(found)


@contextmanager
def running() -> Iterator[Server]:
    """The server, started if nobody else did; raises `CannotRun`."""
    found = program()
    if found is None:
        raise CannotRun(
            "rehearsing on MariaDB or MySQL needs a server: install one (on Debian and Ubuntu "
            f"`{INSTALL}`), or name one of yours in the setting `database`"
        )
    with shared_running(Recipe("mariadb", f"the server {found}", found)) as server:
        yield server
