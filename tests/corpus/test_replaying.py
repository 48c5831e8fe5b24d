from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from alembic_roundtrip.rehearsal.databases import cluster
from corpus.conftest import Place
from corpus.replaying import PARTS, Comparison, compare
from corpus.servers import postgresql
from rehearsal.conftest import skip_unless

LEAST = {"index": 0.97, "constraint": 0.97}
"""Of what the reader claims to know of each part, what must be so; 0.99 where nothing is said."""
STOPS = {("optuna", "postgresql"): 7}
"""Revisions that do not upgrade when each is deployed by itself, and those that build on them."""


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this session's own, and so a server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.usefixtures("own_server")
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_the_schema_at_each_revision_is_what_a_database_has(
    place: Place, tmp_path: Path, dialect: str
):
    if dialect == "postgresql":
        skip_unless(cluster.binaries(), "the extra `postgresql` is not installed")
    server = postgresql(place.project.name) if dialect == "postgresql" else nullcontext("")
    with server as url:
        place.project.write(tmp_path, place.installed.python, url)
        found = compare(place.installed, tmp_path, url)
    said = "\n".join(found.lines())
    assert found.skipped == STOPS.get((place.project.name, dialect), 0), said
    assert found.revisions + found.skipped == place.project.revisions
    wrong = [part for part in PARTS if known(found, part) and found.share(part) < least(part)]
    assert wrong == [], said


def least(part: str) -> float:
    return LEAST.get(part, 0.99)


def known(found: Comparison, part: str) -> int:
    return found.agreed[part] + found.disagreed[part]
