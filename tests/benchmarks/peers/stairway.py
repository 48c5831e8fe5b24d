"""pytest-alembic on a project: up, down and up of every revision, by its own runner.

Copied into the project as a test; URL, SERVER and SECONDS come as environment variables. Begins in
the middle and ends with the history, or when its time is up: later revisions take it longer.
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
    revisions = [r for r in alembic_runner.history.revisions if r not in {"base", "heads"}]
    alembic_runner.migrate_up_to(revisions[len(revisions) // 2 - 1])

    def round_trip(revision):
        alembic_runner.migrate_up_to(revision)
        alembic_runner.migrate_down_one()
        alembic_runner.migrate_up_one()

    with capsys.disabled():
        clock.take(revisions[len(revisions) // 2 :], round_trip)
    assert Path("alembic.ini").is_file()
