"""Made-up histories, the same for the same seed, and Alembic's own graph over them."""

from __future__ import annotations

import random
from collections.abc import Iterable

from alembic.script import revision as alembic

from alembic_roundtrip.history import Revision


def random_history(seed: int, size: int | None = None) -> list[Revision]:
    """A history Alembic accepts: several bases, branches, merges, dependencies and labels."""
    rng = random.Random(seed)
    size = rng.randint(1, 24) if size is None else size
    found: list[Revision] = []
    ids = _ids(rng, size)
    labels: list[str] = []
    for number, identifier in enumerate(ids):
        downs = _downs(rng, ids[:number])
        own = (f"{rng.choice(['br', 'line', identifier[:4]])}{number}x",)
        own = own if rng.random() < 0.15 else ()
        found.append(Revision(identifier, downs, _dependencies(rng, ids[:number], labels), own))
        labels += own
    rng.shuffle(found)
    return found


def _ids(rng: random.Random, size: int) -> list[str]:
    """Ids of which some share their beginning, and some are too short for partial look-up."""
    ids: dict[str, None] = {}
    while len(ids) < size:
        start = rng.choice(["ab", "abcd", "f", ""])
        ids[start + "".join(rng.choices("abcdef0123", k=rng.choice([2, 4, 8])))] = None
    return list(ids)


def _downs(rng: random.Random, known: list[str]) -> tuple[str, ...]:
    if not known or rng.random() < 0.08:
        return ()
    if rng.random() < 0.7:
        return (rng.choice(known[-3:]),)
    return tuple(rng.sample(known, min(len(known), rng.choice([1, 2, 2, 3]))))


def _dependencies(rng: random.Random, known: list[str], labels: list[str]) -> tuple[str, ...]:
    if not known or rng.random() > 0.2:
        return ()
    names = known + labels
    return tuple(rng.sample(names, min(len(names), rng.choice([1, 1, 2]))))


def alembic_map(revisions: Iterable[Revision]) -> alembic.RevisionMap:
    """Alembic's graph of the same revisions."""
    theirs = [
        alembic.Revision(r.id, r.down_revisions or None, r.depends_on or None, r.branch_labels)
        for r in revisions
    ]
    return alembic.RevisionMap(lambda: theirs)
