"""Records what up, down and up of every revision send: `record.py FILE`, in the project's folder.

The database is the one that alembic.ini names; the statements are replayed by `floor.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import event


def main() -> None:
    """Write one list of statements a step."""
    config = Config("alembic.ini")
    directory = ScriptDirectory.from_config(config)
    steps: list[list[list[object]]] = []

    def hear(_connection, _cursor, statement, parameters, _context, many):
        if steps:
            steps[-1].append([statement, parameters, many])

    def every(_heads, context):
        scripts = list(directory.walk_revisions())[::-1]
        for script in scripts:
            for upgrade in (True, False, True):
                context.impl.memo.clear()
                steps.append([])
                make = (
                    MigrationStep.upgrade_from_script
                    if upgrade
                    else MigrationStep.downgrade_from_script
                )
                yield make(directory.revision_map, script)

    event.listen(sqlalchemy.Engine, "before_cursor_execute", hear)
    environment = EnvironmentContext(config, directory, fn=every, destination_rev="heads")
    configure = environment.configure
    environment.configure = lambda connection, **options: configure(
        connection, transaction_per_migration=True, **options
    )
    with environment:
        directory.run_env()
    Path(sys.argv[1]).write_text(json.dumps(steps), encoding="utf-8")


main()
