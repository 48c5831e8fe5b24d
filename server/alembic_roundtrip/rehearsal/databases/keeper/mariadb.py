"""A MariaDB or MySQL server that is thrown away, by the programs of this machine."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import programs
from .programs import HOST

_END = signal.SIGKILL
"""An orderly end would write what nobody reads."""
_INSTALLERS = ("mariadb-install-db", "mysql_install_db")
_INITIAL_PACKET = 5

# Durability off: whatever happens, what is in this server is thrown away.
_SETTINGS = (
    f"--bind-address={HOST}",
    # An account at localhost is then one on the socket, and nobody's on TCP.
    "--skip-name-resolve",
    "--skip-log-bin",
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    "--innodb-use-native-aio=0",
    "--performance-schema=OFF",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--event-scheduler=OFF",
    "--max-connections=200",
    "--max-allowed-packet=64M",
    "--loose-mysqlx=OFF",
)
# Left is the one account that only the socket leads to.
_SETUP = "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1';\n"


def start(home: Path, server: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """A new server in `home`, running and ready to be used."""
    data, sockets, temporary = programs.folders(home, "data", "socket", "tmp")
    told = programs.said([server, "--no-defaults", "--version"])
    # Not where other servers are made: one that starts takes away what another has begun.
    places = f"--datadir={data}", f"--tmpdir={temporary}"
    _install(server, places, mariadb="MariaDB" in told)
    setup = home / "setup.sql"
    setup.write_text(_SETUP, encoding="utf-8")
    setup.chmod(0o644)
    port = programs.free_port()
    address = sockets / "mysql.sock"
    running = programs.started(
        [
            *(server, "--no-defaults", *places, f"--socket={address}"),
            *(f"--port={port}", f"--pid-file={data / 'pid'}"),
            *(f"--secure-file-priv={temporary}", f"--init-file={setup}", *_SETTINGS),
        ],
        home,
        answers=lambda: _answers(address),
        end=_END,
    )
    version = told.partition("Ver ")[2].split()[0]
    return running, {"socket": str(address), "host": HOST, "port": port, "version": version}


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server; nothing in it is worth saving."""
    programs.stop(server, _END)


def _install(server: Path, places: Sequence[str], *, mariadb: bool) -> None:
    """The tables that a server needs for itself; its superuser has no password."""
    if not mariadb:
        programs.said([server, "--no-defaults", "--initialize-insecure", *places])
        return
    installer = _installer(server)
    base = [f"--basedir={installer.parent.parent}"] * (installer.parent.name == "scripts")
    programs.said(
        [
            *(installer, "--no-defaults", *base, *places, "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
        ]
    )


def _installer(server: Path) -> Path:
    above = server.resolve().parent.parent
    places = [os.fspath(above / name) for name in ("bin", "scripts", "sbin")]
    path = os.pathsep.join([os.fspath(server.parent), *places, os.environ.get("PATH", os.defpath)])
    found = next(filter(None, (shutil.which(name, path=path) for name in _INSTALLERS)), None)
    if found is None:
        raise RuntimeError(f"{server} has no {_INSTALLERS[0]} beside it")
    return Path(found)


def _answers(address: Path) -> bool:
    """Whether the server greets whoever comes."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(address))
        return len(connection.recv(_INITIAL_PACKET)) == _INITIAL_PACKET
