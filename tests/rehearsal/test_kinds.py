"""Which kind of scratch database a project gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.rehearsal.databases import kind_for
from alembic_roundtrip.rehearsal.plan import CannotRun


@pytest.mark.parametrize(
    ("dialect", "setting", "kind"),
    [
        ("sqlite", "auto", "sqlite"),
        ("postgresql", "auto", "postgresql"),
        ("mysql", "auto", "mariadb"),
        ("mariadb", "auto", "mariadb"),
        ("sqlite", "mysql", "mariadb"),
        ("sqlite", "mysql+pymysql://boss@db/app", "mariadb"),
        ("mysql", "postgres", "postgresql"),
        ("mysql", "sqlite", "sqlite"),
    ],
)
def test_the_projects_own_kind_or_the_one_that_is_set(
    tmp_path: Path, dialect: str, setting: str, kind: str
) -> None:
    environment = AlembicProject(tmp_path / "p", dialect=dialect).environment
    assert kind_for(environment, Settings(database=setting)) == kind


def test_another_kind_is_one_sentence(tmp_path: Path) -> None:
    environment = AlembicProject(tmp_path / "p", dialect="oracle").environment
    with pytest.raises(CannotRun, match="rehearsing on Oracle is not available"):
        kind_for(environment, Settings())
