"""What is said of the revision that an agent was at when its time was up."""

from __future__ import annotations

import time

import pytest

from alembic_roundtrip.evidence import OVERDUE, Step, StepError, Verdict
from alembic_roundtrip.rehearsal.ending import Flight, Stopped
from alembic_roundtrip.rehearsal.plan import FULL_CYCLE

LONGER = "; the setting `timeout` gives it longer"
ROWS = (
    f"making rows and comparing them took most of the 10 s that it has{LONGER}, `rows` makes fewer"
)
SCHEMAS = f"comparing schemas took most of the 10 s that it has{LONGER}"
STEPS = f"its steps took 9 s of the 10 s that it has{LONGER}"
OVERDUE_STEP = "`downgrade()` did not finish"


@pytest.mark.parametrize(
    ("revision", "took", "running", "rows", "reason"),
    [
        ("a", [1.0, 1.0], None, 5, ROWS),
        ("a", [1.0, 1.0], None, 0, SCHEMAS),
        ("a", [4.0, 5.0], None, 5, STEPS),
        ("a", [9.0], None, 0, STEPS),
        ("a", [1.0], 2.0, 5, ROWS),
        ("a", [1.0], 8.0, 5, OVERDUE_STEP),
        ("a", [8.0], 1.0, 5, OVERDUE_STEP),
        (FULL_CYCLE, [90.0, 1.0], None, 5, SCHEMAS),
        (FULL_CYCLE, [90.0, 9.0], None, 5, STEPS),
        (FULL_CYCLE, [1.0], 10.0, 5, OVERDUE_STEP),
    ],
)
def test_what_took_the_time_is_said(monkeypatch, revision, took, running, rows, reason):
    now = time.monotonic()
    flight = Flight()
    for seconds in took:
        flight.enter(revision, "downgrade")
        flight.steps.append(Step("downgrade", seconds))
    flight.step = None
    if running is not None:
        flight.enter(revision, "downgrade")
        monkeypatch.setattr(time, "monotonic", lambda: now + running)
    found = flight.ended(Stopped(OVERDUE, "did not finish", None, 10.0), None, rows)
    assert found.reason == reason
    failed = reason is OVERDUE_STEP
    assert found.verdict is (Verdict.FAILED if failed else Verdict.SKIPPED)


def test_a_step_that_failed_before_is_not_forgotten():
    flight = Flight()
    flight.enter("a", "upgrade")
    flight.steps.append(Step("upgrade", 1.0, StepError("ValueError", "no")))
    flight.step = None
    found = flight.ended(Stopped(OVERDUE, "did not finish", None, 10.0), None, 5)
    assert found.verdict is Verdict.FAILED
