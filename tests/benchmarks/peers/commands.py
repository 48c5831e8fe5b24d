"""Up, down and up of some revisions as `alembic.command` does: `commands.py SERVER REVISION…`.

The first revision is the parent of the others, and is applied before the clock starts.
"""

from __future__ import annotations

import sys

import clock
from alembic import command
from alembic.config import Config


def main() -> None:
    """Apply, and tell."""
    server, (parent, *revisions) = int(sys.argv[1]), sys.argv[2:]
    config = Config("alembic.ini")
    command.upgrade(config, parent)
    before = clock.read(server)
    for revision in revisions:
        command.upgrade(config, revision)
        command.downgrade(config, "-1")
        command.upgrade(config, revision)
    clock.tell(len(revisions), before, clock.read(server))


main()
