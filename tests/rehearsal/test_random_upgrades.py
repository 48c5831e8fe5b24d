"""Downgrades that a database tells, of made-up upgrades: whatever they claim, they do."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.scaffold import PLACEHOLDER
from rehearsal.conftest import KINDS, Rehearse
from rehearsal.random_upgrades import history
from rehearsal.test_way_back import HIDDEN, Result, written

FIRST, LAST = map(int, os.environ.get("ROUNDTRIP_SEEDS", "1:2").split(":"))
"""More of them by hand, as `ROUNDTRIP_SEEDS=2:99`."""
REVISIONS = 12


@KINDS
@pytest.mark.parametrize("seed", range(FIRST, LAST))
@pytest.mark.timeout(600)
async def test_what_is_written_for_a_made_up_upgrade_leaves_nothing(
    project: AlembicProject, rehearsed: Rehearse, tmp_path: Path, kind: str, seed: int
) -> None:
    bodies = history(kind, seed, REVISIONS, tmp_path)
    for number, body in enumerate(bodies):
        # Every other one shows what a database tells where reading cannot know anything.
        hidden = re.sub(r"\bop\.", "hidden.", body) if number % 2 else body
        project.add(f"r{number}", hidden, head=HIDDEN)
    found = await written(project, rehearsed, [f"r{n}" for n in range(len(bodies))])
    wrong = [told(result) for result in found.values() if overclaims(result)]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def overclaims(result: Result) -> bool:
    """Whether a downgrade without a placeholder leaves something, or stops without saying why."""
    evidence = result.evidence
    failed = {step.name for step in evidence.steps if step.error is not None}
    if PLACEHOLDER in result.text or any(name.startswith("upgrade with") for name in failed):
        return False
    stopped = evidence.verdict is Verdict.FAILED and "# FRAGILE:" in result.text
    empty = {"downgrade", "upgrade again"} & failed
    left = [each for each in evidence.residue if each.grade != "cosmetic"]
    return bool(left or empty) or (evidence.verdict is Verdict.FAILED and not stopped)


def told(result: Result) -> str:
    """A downgrade, and what is wrong with it."""
    evidence = result.evidence
    return f"{result.text}\n{evidence.verdict}: {evidence.reason}\n{evidence.residue}\n"
