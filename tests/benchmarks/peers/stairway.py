"""pytest-alembic on a project: up, down and up of every revision, by its own runner.

Copied into the project as a test; URL and SERVER come as environment variables.
"""

from __future__ import annotations

import os
from pathlib import Path

import clock
import pytest
import sqlalchemy


@pytest.fixture
def alembic_engine():
    return sqlalchemy.create_engine(os.environ["URL"])


def test_round_trips(alembic_runner, capsys):
    server = int(os.environ["SERVER"])
    revisions = [r for r in alembic_runner.history.revisions if r not in {"base", "heads"}]
    before = clock.read(server)
    for revision in revisions:
        alembic_runner.migrate_up_to(revision)
        alembic_runner.migrate_down_one()
        alembic_runner.migrate_up_one()
    after = clock.read(server)
    with capsys.disabled():
        clock.tell(len(revisions), before, after)
    assert Path("alembic.ini").is_file()
