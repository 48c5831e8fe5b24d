"""Keeps one server of ours while anybody uses it; a program of its own, started by file name.

`python keeper KIND HOME LOCKS PROGRAMS IDLE` goes to the background as soon as it holds `keeper`
in LOCKS locked, makes a server of that kind in HOME, starts it, writes `server.json` beside it and
waits. Whoever uses the server holds `users` in LOCKS locked (shared); the system takes that lock
away from a process that dies. Nobody there for IDLE seconds: the server is stopped, HOME removed.
"""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_PACKAGE = "_alembic_roundtrip_keeper"
_LOOK_SECONDS = 0.5


def main() -> int:
    """Keep a server until nobody uses it."""
    maker = _maker(sys.argv[1])
    home, locks, programs = (Path(argument) for argument in sys.argv[2:5])
    idle = float(sys.argv[5])
    alive = os.open(locks / "keeper", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(alive, fcntl.LOCK_EX)
    if os.fork():
        os._exit(0)
    users = os.open(locks / "users", os.O_RDWR | os.O_CREAT, 0o600)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    server = None
    try:
        home.mkdir(mode=0o711)
        server, state = maker.start(home, programs)
        _publish(home, state)
        _wait_for_users_to_go(users, server, idle)
    finally:
        if server is not None:
            maker.stop(server)
        shutil.rmtree(home, ignore_errors=True)
    return 0


def _maker(kind: str) -> Any:
    """The module that makes servers of a kind; found without the project it is a part of."""
    here = Path(__file__).parent
    spec = spec_from_file_location(
        _PACKAGE, here / "__init__.py", submodule_search_locations=[str(here)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f"{_PACKAGE}.{kind}")


def _publish(home: Path, state: dict[str, Any]) -> None:
    ready = home / "server.json.new"
    ready.write_text(json.dumps(state), encoding="utf-8")
    ready.rename(home / "server.json")


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


if __name__ == "__main__":
    sys.exit(main())
