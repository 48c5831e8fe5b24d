"""Up, down and up of every revision in one run of env.py, by Alembic alone: `record.py SERVER`.

In the project's folder, on the database that alembic.ini names. With `record.py SERVER FILE` what
it sends is recorded, to be replayed by `floor.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import clock
import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import event


def main() -> None:
    """Tell what it took, or write one list of statements a step."""
    config = Config("alembic.ini")
    directory = ScriptDirectory.from_config(config)
    steps: list[list[list[object]]] = []

    def hear(_connection, _cursor, statement, parameters, _context, many):
        if steps:
            steps[-1].append([statement, parameters, many])

    def every(_heads, context):
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

    server, *files = sys.argv[1:]
    if files:
        event.listen(sqlalchemy.Engine, "before_cursor_execute", hear)
    scripts = list(directory.walk_revisions())[::-1]
    before = clock.read(int(server))
    environment = EnvironmentContext(config, directory, fn=every, destination_rev="heads")
    configure = environment.configure
    environment.configure = lambda connection, **options: configure(
        connection, transaction_per_migration=True, **options
    )
    with environment:
        directory.run_env()
    clock.tell(len(scripts), before, clock.read(int(server)))
    for file in files:
        Path(file).write_text(json.dumps(steps), encoding="utf-8")


main()
