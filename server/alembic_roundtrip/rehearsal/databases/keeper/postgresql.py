"""A PostgreSQL cluster that is thrown away, by the programs of a wheel."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from . import programs
from .programs import HOST

SUPERUSER = "postgres"
_END = signal.SIGQUIT
"""PostgreSQL's own signal for an end at once."""

# Durability off: whatever happens, what is in this server is thrown away.
_SETTINGS = {
    "listen_addresses": HOST,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "jit": "off",
    "io_method": "sync",
    # In files of the cluster, so that a killed server leaves nothing elsewhere.
    "dynamic_shared_memory_type": "mmap",
    "logging_collector": "off",
    "log_min_messages": "error",
    "log_statement": "none",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
}
# The superuser has no password, so only the socket, in a folder of ours, leads to it.
_ACCESS = f"local all {SUPERUSER} trust\nhost all all {HOST}/32 scram-sha-256\n"


def start(home: Path, binaries: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """A new cluster in `home`, running and ready to be used."""
    data, sockets = programs.folders(home, "data", "socket")
    binaries = _reachable(binaries, home)
    _make_cluster(binaries, data, _share(binaries, home))
    port = programs.free_port()
    address = sockets / f".s.PGSQL.{port}"
    server = programs.started(
        [binaries / "postgres", "-D", data, "-k", sockets, "-p", str(port)],
        home,
        answers=lambda: _answers(address),
        end=_END,
    )
    version = programs.said([binaries / "postgres", "--version"]).split()[-1]
    return server, {"socket": str(sockets), "host": HOST, "port": port, "version": version}


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server; nothing in it is worth saving."""
    programs.stop(server, _END)


def _make_cluster(binaries: Path, data: Path, extensions: Path | None) -> None:
    programs.said(
        [
            binaries / "initdb",
            *("-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync"),
            *("--no-instructions", "--wal-segsize=1"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
    )
    settings = dict(_SETTINGS)
    if extensions is not None:
        settings["extension_control_path"] = f"{extensions}:$system"
    lines = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(lines)
    (data / "pg_hba.conf").write_text(_ACCESS, encoding="utf-8")


def _share(binaries: Path, home: Path) -> Path | None:
    """A copy of our extensions that the server can read; the project's files may be private."""
    source = Path(__file__).parent.with_name("extensions")
    if not source.is_dir():
        return None
    target = home / "share" / "extension"
    shutil.copytree(source, target)
    # Untrusted only because of what C code could do; it installs nothing but a type.
    for control in _system_extensions(binaries).glob("vector.control"):
        for script in control.parent.glob("vector--*.sql"):
            shutil.copy(script, target)
        text = control.read_text(encoding="utf-8")
        (target / control.name).write_text(f"{text}\ntrusted = true\n", encoding="utf-8")
    for path in (target.parent, target, *target.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target.parent


def _system_extensions(binaries: Path) -> Path:
    share = Path(programs.said([binaries / "pg_config", "--sharedir"]).strip())
    return share / "extension"


def _reachable(binaries: Path, home: Path) -> Path:
    """The programs, copied to where the unprivileged user can read them if need be."""
    try:
        programs.said([binaries / "postgres", "--version"])
    except (OSError, RuntimeError):
        if os.geteuid() != 0:
            raise
        shutil.copytree(binaries.parent, home / "programs", symlinks=True)
        return home / "programs" / "bin"
    return binaries


def _answers(address: Path) -> bool:
    """Whether the server would talk: it answers a login with something other than an error."""
    words = b"user\0" + SUPERUSER.encode() + b"\0database\0postgres\0\0"
    message = (196608).to_bytes(4, "big") + words
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(address))
        connection.sendall((len(message) + 4).to_bytes(4, "big") + message)
        return connection.recv(1) == b"R"
