"""Keeps one embedded PostgreSQL server while anybody uses it; a program of its own.

`keeper.py HOME LOCKS BINARIES IDLE` goes to the background as soon as it holds `keeper` in LOCKS
locked, makes a cluster in HOME, starts it, writes `server.json` beside it and waits. Whoever uses
the server holds `users` in LOCKS locked (shared); the system takes that lock away from a process
that dies. Nobody there for IDLE seconds: the server is stopped, HOME removed.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_LOOK_SECONDS = 0.5
_START_SECONDS = 30.0
_NOBODY = 65534
# Loaded here: where the server's user is another, it may not be allowed to read Python's files.
_SYSTEM = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
SUPERUSER = "postgres"
HOST = "127.0.0.1"

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


def main() -> int:
    """Keep a server until nobody uses it."""
    home, locks, binaries = (Path(argument) for argument in sys.argv[1:4])
    idle = float(sys.argv[4])
    alive = os.open(locks / "keeper", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(alive, fcntl.LOCK_EX)
    if os.fork():
        os._exit(0)
    users = os.open(locks / "users", os.O_RDWR | os.O_CREAT, 0o600)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = None
    try:
        server = _start(home, binaries)
        _wait_for_users_to_go(users, server, idle)
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(home, ignore_errors=True)
    return 0


def unprivileged() -> dict[str, Any]:
    """How to start the server's programs: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _start(home: Path, binaries: Path) -> subprocess.Popen[bytes]:
    """A new cluster in `home`, running and ready to be used."""
    home.mkdir(mode=0o711)
    for folder in (home / "data", home / "socket"):
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
    binaries = _reachable(binaries, home)
    _make_cluster(binaries, home / "data", _share(binaries, home))
    log = (home / "log").open("ab")
    port = _free_port()
    server = subprocess.Popen(
        [binaries / "postgres", "-D", home / "data", "-k", home / "socket", "-p", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        preexec_fn=_die_with_keeper,  # noqa: PLW1509 - this process has one thread
        **unprivileged(),
    )
    _wait_until_ready(server, home / "socket" / f".s.PGSQL.{port}", home / "log")
    version = _said([binaries / "postgres", "--version"]).split()[-1]
    state = {"socket": str(home / "socket"), "host": HOST, "port": port, "version": version}
    ready = home / "server.json.new"
    ready.write_text(json.dumps(state), encoding="utf-8")
    ready.rename(home / "server.json")
    return server


def _make_cluster(binaries: Path, data: Path, extensions: Path | None) -> None:
    _said(
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
    source = Path(__file__).with_name("extensions")
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
    share = Path(_said([binaries / "pg_config", "--sharedir"]).strip())
    return share / "extension"


def _reachable(binaries: Path, home: Path) -> Path:
    """The programs, copied to where the unprivileged user can read them if need be."""
    try:
        _said([binaries / "postgres", "--version"])
    except (OSError, RuntimeError):
        if os.geteuid() != 0:
            raise
        shutil.copytree(binaries.parent, home / "programs", symlinks=True)
        return home / "programs" / "bin"
    return binaries


def _said(command: list[Any]) -> str:
    """What a program of the server prints; raises with what it complained of."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, **unprivileged()
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"{command[0]} failed: {said[0]}")
    return done.stdout


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return int(found.getsockname()[1])


def _die_with_keeper() -> None:
    """Have the system stop the server at once if the keeper is killed (on Linux)."""
    os.setsid()
    if sys.platform == "linux":
        _SYSTEM.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _wait_until_ready(server: subprocess.Popen[bytes], address: Path, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with socket.socket(socket.AF_UNIX) as attempt:
                attempt.connect(str(address))
                if _answers(attempt):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
    _stop(server)
    raise TimeoutError("the server did not start")


def _answers(connection: socket.socket) -> bool:
    """Whether the server would talk: it answers a login with something other than an error."""
    words = b"user\0" + SUPERUSER.encode() + b"\0database\0postgres\0\0"
    message = (196608).to_bytes(4, "big") + words
    connection.sendall((len(message) + 4).to_bytes(4, "big") + message)
    return connection.recv(1) == b"R"


def _wait_for_users_to_go(users: int, server: subprocess.Popen[bytes], idle: float) -> None:
    """Returns, with `users` locked, when nobody used the server for a while or it ended."""
    idle_since = time.monotonic()
    while server.poll() is None:
        time.sleep(_LOOK_SECONDS)
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            idle_since = time.monotonic()
            continue
        if time.monotonic() - idle_since > idle:
            return
        fcntl.flock(users, fcntl.LOCK_UN)


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
