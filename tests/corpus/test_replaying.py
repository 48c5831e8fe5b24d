from __future__ import annotations

from pathlib import Path

import pytest

from corpus.conftest import Place
from corpus.replaying import PARTS, Comparison, compare

LEAST = {"index": 0.97, "constraint": 0.97}
"""Of what the reader claims to know of each part, what must be so; 0.99 where nothing is said."""


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_the_schema_at_each_revision_is_what_a_database_has(
    place: Place, tmp_path: Path, dialect: str
):
    place.project.write(tmp_path, place.installed.python)
    found = compare(place.installed, tmp_path, dialect)
    said = "\n".join(found.lines())
    assert found.skipped == 0, said
    assert found.revisions == place.project.revisions
    wrong = [part for part in PARTS if known(found, part) and found.share(part) < least(part)]
    assert wrong == [], said


def least(part: str) -> float:
    return LEAST.get(part, 0.99)


def known(found: Comparison, part: str) -> int:
    return found.agreed[part] + found.disagreed[part]
