"""The same as `commands.py` with the `alembic` command: `processes.py SERVER REVISION…`."""

from __future__ import annotations

import subprocess
import sys

import clock


def main() -> None:
    """Apply, and tell."""
    server, (parent, *revisions) = int(sys.argv[1]), sys.argv[2:]
    _alembic("upgrade", parent)
    before = clock.read(server)
    for revision in revisions:
        _alembic("upgrade", revision)
        _alembic("downgrade", "-1")
        _alembic("upgrade", revision)
    clock.tell(len(revisions), before, clock.read(server))


def _alembic(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "alembic", *arguments], check=True, capture_output=True)


main()
