"""A server's programs: as whom they run, what they say, and how they end."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_START_SECONDS = 30.0
_NOBODY = 65534
# Loaded here: where the server's user is another, it may not be allowed to read Python's files.
_SYSTEM = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
HOST = "127.0.0.1"


def unprivileged() -> dict[str, Any]:
    """How to start a server's programs: they refuse to be run by root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def folders(home: Path, *names: str) -> list[Path]:
    """New folders that only the server's user can enter."""
    found = [home / name for name in names]
    for folder in found:
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, _NOBODY, _NOBODY)
    return found


def said(command: Sequence[Any]) -> str:
    """What a program prints; raises with what it complained of."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, **unprivileged()
    )
    if done.returncode:
        complaint = done.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(f"{command[0]} failed: {complaint[0]}")
    return done.stdout


def started(
    command: Sequence[Any], home: Path, *, answers: Callable[[], bool], end: signal.Signals
) -> subprocess.Popen[bytes]:
    """A server that runs and answers; it gets the signal `end` if the keeper dies (on Linux)."""

    def die_with_keeper() -> None:
        os.setsid()
        if sys.platform == "linux":
            _SYSTEM.prctl(_PR_SET_PDEATHSIG, end)

    log = home / "log"
    with log.open("ab") as output:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            preexec_fn=die_with_keeper,  # noqa: PLW1509 - this process has one thread
            **unprivileged(),
        )
    (home / "pid").write_text(str(server.pid), encoding="utf-8")
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            if answers():
                return server
        except OSError:
            pass
        time.sleep(0.02)
    sys.stderr.write(log.read_text(encoding="utf-8", errors="replace"))
    stop(server, end)
    raise TimeoutError("the server did not start")


def stop(server: subprocess.Popen[bytes], end: signal.Signals) -> None:
    """End a server by the signal that ends it fastest."""
    if server.poll() is None:
        server.send_signal(end)
        try:
            server.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def free_port() -> int:
    """A TCP port that nobody has."""
    with socket.create_server((HOST, 0)) as found:
        return int(found.getsockname()[1])
