"""What runs below a server process, seen from outside."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from alembic_roundtrip.rehearsal.folder import PREFIX

PROC = Path("/proc")


def agents_of(server: int) -> dict[int, Path]:
    """Living agents that a server started, by process id, with their scratch folders."""
    found = {}
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if entry.name.isdigit() and _parent(entry) == server and alive(int(entry.name)):
            command = _command(entry)
            plans = [part for part in command if part.endswith(b".json")]
            if plans and b"agent" in command[1]:
                found[int(entry.name)] = Path(plans[0].decode()).parent
            elif command[2:3] == [b"wait"] and (folder := _scratch_folder(entry)):
                found[int(entry.name)] = folder
    return found


def _command(entry: Path) -> list[bytes]:
    try:
        return (entry / "cmdline").read_bytes().split(b"\0")
    except OSError:  # it has ended meanwhile
        return []


def _scratch_folder(entry: Path) -> Path | None:
    """Where an agent that has waited works by now: it has a file open there."""
    for descriptor in _descriptors(entry):
        with suppress(OSError):
            file = descriptor.readlink()
            for folder in file.parents:
                if folder.name.startswith(PREFIX):
                    return folder
    return None


def _descriptors(entry: Path) -> list[Path]:
    try:
        return [*(entry / "fd").iterdir()]
    except OSError:  # it has ended meanwhile
        return []


def alive(pid: int) -> bool:
    """Whether a process is there and not only waiting to be looked at."""
    return _stat(PROC / str(pid))[:1] not in ([], ["Z"])


def _parent(entry: Path) -> int:
    stat = _stat(entry)
    return int(stat[1]) if stat else 0


def _stat(entry: Path) -> list[str]:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
