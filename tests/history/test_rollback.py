from __future__ import annotations

import warnings
from itertools import product

import pytest
from alembic.script.revision import RevisionError

from alembic_roundtrip.history import History, Revision
from alembic_roundtrip.history.rollback import rollback
from history.random_histories import alembic_map, random_history


@pytest.mark.parametrize("seed", range(200))
def test_a_downgrade_undoes_what_alembic_would_undo_in_its_order(seed: int) -> None:
    revisions = random_history(seed)
    ours, theirs = History(revisions), alembic_map(revisions)
    several = any(
        len(theirs.get_revision(i)._normalized_resolved_dependencies) > 1 for i in ours.by_id
    )
    branches = ["", *(f"{b}@" for b in [*ours.labelled, *list(ours.by_id)[:3]])]
    targets = ["base", "-1", "-2", *list(ours.by_id)[:8], *(f"{i}-1" for i in list(ours.by_id)[:4])]
    currents = [ours.real_heads, *((i,) for i in list(ours.by_id)[:4])]
    for current, branch, target in product(currents, branches, targets):
        if target.startswith("-") and not branch and len(current) > 1:
            continue  # refused here; Alembic takes any head and warns
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                steps = theirs.iterate_revisions(
                    current, branch + target, select_for_downgrade=True
                )
                expected = [r.revision for r in steps]
        except (RevisionError, AssertionError):
            expected = None
        found = rollback(ours, branch + target, current)
        assert (found.problem is None) == (expected is not None), (current, branch + target)
        if expected is not None:
            same = sorted if several else list
            assert same(found.ids) == same(expected), (current, branch + target)


def test_why_a_downgrade_is_refused_is_said() -> None:
    history = History([Revision("aaaa"), Revision("bbbb", ("aaaa",)), Revision("cccc", ("aaaa",))])
    assert rollback(history, "cccc", ("bbbb",)).problem == (
        "revision cccc is not below the current revision bbbb"
    )
    assert rollback(history, "heads").problem == "`heads` means 2 revisions: bbbb, cccc"
    assert rollback(history, "none").problem == "there is no revision or branch `none`"
    assert rollback(history, "aaaa", ("gone",)).problem == (
        "the current revision gone does not exist"
    )
    assert rollback(history, "-1", ()).problem == "no revision to step down from"
    assert rollback(history, "base").ids == ("bbbb", "cccc", "aaaa")
