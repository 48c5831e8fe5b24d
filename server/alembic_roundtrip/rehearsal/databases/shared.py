"""A server of ours: one for all rehearsals of a user, there while one runs and a little longer.

Users hold a lock; the keeper, a process of its own, starts the server and ends it when the lock has
been free for a while. So it ends however they end, and two rehearsals share one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from alembic_roundtrip.rehearsal import folder
from alembic_roundtrip.rehearsal.plan import CannotRun

_PREFIX = "alembic_roundtrip."
_KEEPER = Path(__file__).with_name("keeper") / "__main__.py"
_ROOM_NEEDED = 512 * 1024 * 1024
_START_SECONDS = 60.0
IDLE_SECONDS = 180.0
"""How long a server stays for the next rehearsal, with the states that are kept on it."""


@dataclass(frozen=True)
class Recipe:
    """A server that can be made: its kind, its name in sentences, and its programs."""

    kind: str
    name: str
    programs: Path


@dataclass(frozen=True)
class Server:
    """A running server: the way to its superuser's socket, and the port for everybody else."""

    socket: str
    host: str
    port: int
    version: str


@contextmanager
def running(recipe: Recipe) -> Iterator[Server]:
    """The server, started if nobody else did; raises `CannotRun`."""
    if sys.platform == "win32":
        raise CannotRun(
            f"{recipe.name} runs on Linux and macOS; name a server in the setting `database`"
        )
    import fcntl

    home, locks = places(recipe)
    users = os.open(locks / "users", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(users, fcntl.LOCK_SH)  # waits only while a keeper cleans up
        yield _found_or_started(recipe, home, locks)
    finally:
        os.close(users)


def places(recipe: Recipe) -> tuple[Path, Path]:
    """Where the server is, and where its locks are: those stay, as others may wait for them."""
    programs = f"{recipe.programs} {_KEEPER}".encode("utf-8", "surrogateescape")
    key = hashlib.sha256(programs).hexdigest()[:12]
    locks = _lock_folder(Path(recipe.kind, key))
    place = folder.place()
    if shutil.disk_usage(place).free < _ROOM_NEEDED:
        place = Path(tempfile.gettempdir())
    name = hashlib.sha256(os.fsencode(locks)).hexdigest()[:12]
    return place / f"{_PREFIX}{recipe.kind}-{os.getuid()}-{name}", locks


def _lock_folder(name: Path) -> Path:
    """In the user's cache; for users without a home beside the temporary files of others."""
    kept = Path(platformdirs.user_cache_path("alembic-roundtrip")) / name
    with suppress(OSError):
        kept.mkdir(parents=True, exist_ok=True)
        if os.access(kept, os.W_OK):
            return kept
    own = Path(tempfile.gettempdir()) / f"{_PREFIX}locks-{os.getuid()}"
    try:
        own.mkdir(mode=0o700, exist_ok=True)
        found = own.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(f"{own} is somebody else's")
        (own / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRun(
            f"no rehearsal: neither {kept} nor {own} can be made ({error}), and locks must be kept "
            "somewhere; set XDG_CACHE_HOME to a folder that may be written to"
        ) from error
    return own / name


def _found_or_started(recipe: Recipe, home: Path, locks: Path) -> Server:
    import fcntl

    starting = os.open(locks / "starting", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(starting, fcntl.LOCK_EX)
        if _is_kept(locks):
            # Its keeper cannot leave while we hold `users`; it may still be on its way to be ready.
            return _ready(recipe, home, locks)
        _remove_leftovers(recipe, home)
        keeper = [sys.executable, "-I", str(_KEEPER), recipe.kind]
        with (locks / "log").open("wb") as log:
            subprocess.run(
                [*keeper, home, locks, recipe.programs, str(IDLE_SECONDS)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                check=True,
            )
        return _ready(recipe, home, locks)
    finally:
        os.close(starting)


def _is_kept(locks: Path) -> bool:
    import fcntl

    keeper = os.open(locks / "keeper", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(keeper, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(keeper)
    return False


def _ready(recipe: Recipe, home: Path, locks: Path) -> Server:
    deadline = time.monotonic() + _START_SECONDS
    while _is_kept(locks) and time.monotonic() < deadline:
        with suppress(OSError, ValueError):
            state = json.loads((home / "server.json").read_text(encoding="utf-8"))
            return Server(**state)
        time.sleep(0.02)
    said = (locks / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
    reason = said[-1] if said else "it said nothing"
    raise CannotRun(
        f"{recipe.name} did not start: {reason} (all it said is in {locks / 'log'}); "
        "name a server in the setting `database`"
    )


def _remove_leftovers(recipe: Recipe, home: Path) -> None:
    """What a killed keeper left: its server, where the system did not end it, and its files."""
    if not home.exists():
        return
    if home.is_symlink() or home.stat().st_uid != os.getuid():
        raise CannotRun(f"{home} is not ours, so {recipe.name} cannot be started there; remove it")
    with suppress(OSError, ValueError):
        number = int((home / "pid").read_text(encoding="utf-8"))
        if _command_of(number).find(str(home)) >= 0:
            os.kill(number, signal.SIGQUIT)
            _wait_for_end(number)
    shutil.rmtree(home, ignore_errors=True)


def _command_of(process: int) -> str:
    done = subprocess.run(
        ["ps", "-o", "command=", "-p", str(process)],  # noqa: S607 - wherever the system has it
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


def _wait_for_end(process: int) -> None:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        os.kill(process, 0)  # raises once it is gone
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
