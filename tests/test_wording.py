from __future__ import annotations

from alembic_roundtrip.evidence import Loss, RevisionEvidence, Verdict
from alembic_roundtrip.wording import details


def told(*losses: Loss) -> list[str]:
    evidence = RevisionEvidence("a1", None, Verdict.LOSSY, 0.1, losses=losses)
    return list(details(evidence, documented=True))


def test_what_was_written_since_the_upgrade_is_named_once() -> None:
    assert told(Loss("t", "a", 1, 9, "downgrade"), Loss("u", None, 9, 9, "downgrade")) == [
        "rolling back also drops what was written since the upgrade: rows of `u`, `t.a`"
    ]


def test_what_the_upgrade_changes_each_time_is_not_said_to_be_dropped_by_the_rollback() -> None:
    lines = told(
        Loss("order", "status", 33, 100, "upgrade", "'sent' → 'returned'"),
        Loss("order", "status", 33, 100, "round trip", "'sent' → 'returned'"),
        Loss("order", "status", 25, 200, "downgrade", "'sent' → 'returned'"),
    )
    (line,) = lines
    assert line.startswith("upgrading loses `order.status`: 33 of 100 values differ")
