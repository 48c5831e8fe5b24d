"""Made-up upgrades, with downgrades written from them: none claims more than it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.scaffold import PLACEHOLDER
from corpus.writing import rewritten
from rehearsal.conftest import KINDS, Rehearse
from rehearsal.random_histories import database, write

_REVISIONS = 12


def _is_broken(found: RevisionEvidence) -> bool:
    return any(residue.grade != "cosmetic" for residue in found.residue) or any(
        step.error for step in found.steps if step.name.startswith("downgrade")
    )


@KINDS
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of what is not reflected
@pytest.mark.filterwarnings("ignore::UserWarning")  # Alembic's, of the same
async def test_what_has_no_placeholder_restores(
    project: AlembicProject, rehearsed: Rehearse, tmp_path: Path, seed: int
) -> None:
    with database(project.dialect, tmp_path, f"random{seed}") as engine:
        bodies = write(project, engine, seed, _REVISIONS)
    dialect = {"mariadb": "mysql"}.get(project.dialect, project.dialect)
    (project.folder / "pyproject.toml").write_text(
        f'[tool.alembic-roundtrip]\ndialects = ["{dialect}"]\n'
    )
    written = rewritten(project.folder, project.versions, database=False)
    evidence = await rehearsed(rows=5)
    assert len(written) == len(bodies) == len(evidence) == _REVISIONS
    for each, body in zip(written, bodies, strict=True):
        found = evidence[each.revision]
        text = (project.versions / f"{each.revision}_.py").read_text()
        told = PLACEHOLDER in text or "# FRAGILE" in text
        assert told or not _is_broken(found), (body, text, found)
