"""pytest-mrt on a project: its check of every revision, which is up and down, and then up.

As `stairway.py`. It has no check without rows: it puts three into every table.
"""

from __future__ import annotations

import os

import clock
from pytest_mrt import MRTConfig
from pytest_mrt.plugin import MRTFixture


def test_reversible(capsys):
    mrt = MRTFixture(MRTConfig(alembic_ini="alembic.ini", db_url=os.environ["URL"]))
    revisions = [script.revision for script in mrt._runner.get_revisions()]
    mrt.upgrade_to(revisions[len(revisions) // 2 - 1])

    def check(revision):
        mrt.check_revision(revision)
        mrt.upgrade_to(revision)

    with capsys.disabled():
        clock.take(revisions[len(revisions) // 2 :], check)
