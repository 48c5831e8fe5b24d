"""Made-up upgrades, with downgrades written from them: none claims more than it does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from corpus.writing import Measure, rewritten
from rehearsal.conftest import KINDS, Rehearse
from rehearsal.random_upgrades import history

FIRST, LAST = map(int, os.environ.get("ROUNDTRIP_SEEDS", "1:2").split(":"))
"""More of them by hand, as `ROUNDTRIP_SEEDS=2:99`."""
_REVISIONS = 12


@KINDS
@pytest.mark.parametrize("seed", range(FIRST, LAST))
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of what is not reflected
@pytest.mark.filterwarnings("ignore::UserWarning")  # Alembic's, of the same
@pytest.mark.timeout(600)
async def test_what_has_no_placeholder_restores(
    project: AlembicProject, rehearsed: Rehearse, tmp_path: Path, kind: str, seed: int
) -> None:
    for number, body in enumerate(history(kind, seed, _REVISIONS, tmp_path)):
        project.add(f"r{number}", body)
    dialect = {"mariadb": "mysql"}.get(kind, kind)
    (project.folder / "pyproject.toml").write_text(
        f'[tool.alembic-roundtrip]\ndialects = ["{dialect}"]\n'
    )
    written = rewritten(project.folder, project.versions, database=False)
    evidence = await rehearsed(rows=5, timeout=200.0)
    measure = Measure()
    for each in written:
        measure.add(each, evidence[each.revision].to_json())
    assert measure.revisions == _REVISIONS
    assert measure.unparsable == []
    texts = [(project.versions / f"{name}_.py").read_text() for name in measure.overclaiming]
    told = [f"{evidence[name].residue}\n{evidence[name].reason}" for name in measure.overclaiming]
    assert not texts, "\n".join(texts + told)
