from __future__ import annotations

from dataclasses import replace

from alembic_roundtrip.evidence import Loss, RevisionEvidence, Step, StepError, Verdict
from alembic_roundtrip.lsp.wording import lens, report
from alembic_roundtrip.wording import details


def test_what_a_database_says_below_its_message_hides_neither_place_nor_statement() -> None:
    error = StepError(
        "IntegrityError",
        "duplicate key\nDETAIL:  Key (id)=(1) already exists.\nLINE 1: INSERT",
        "/nowhere/a1.py",
        12,
        statement="INSERT INTO t\n  VALUES (1)",
    )
    reason = "`upgrade()` fails: IntegrityError: duplicate key"
    steps = (Step("upgrade", 0.1, error),)
    evidence = RevisionEvidence("a1", None, Verdict.FAILED, 0.1, steps, reason=reason)
    assert list(details(evidence)) == [
        reason,
        "  Detail: Key (id)=(1) already exists.",
        "  Statement: INSERT INTO t VALUES (1)",
        "  at /nowhere/a1.py:12",
    ]


def told(*losses: Loss) -> list[str]:
    evidence = RevisionEvidence("a1", None, Verdict.LOSSY, 0.1, losses=losses)
    return list(details(evidence))


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


def test_what_models_made_is_told_from_what_the_history_made() -> None:
    alone = RevisionEvidence("a1", None, Verdict.LOSSLESS, 0.1, rows=9)
    models = replace(alone, baseline="target_metadata")
    for each, told in ((alone, False), (models, True)):
        says = [lens((each, True)), next(report((each, True)))]
        assert ["from today's models" in sentence for sentence in says] == [told, told]
