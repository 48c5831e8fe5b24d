from __future__ import annotations

import time
from pathlib import Path

import pytest
from alembic.script.revision import RevisionError

from alembic_roundtrip.history import History, Revision
from history.random_histories import alembic_map, random_history


def kinds(history: History) -> list[str]:
    return [problem.kind for problem in history.problems]


def use_everything(history: History) -> None:
    for revision in history:
        history.ancestors(revision.id)
        history.descendants(revision.id)
        history.labels(revision.id)
        for identifier in (revision.id, f"{revision.id}-2", f"{revision.id}+2", "none"):
            history.resolve(identifier)
    for identifier in ("head", "heads", "base", "-1", "+1", "-9", "head-3", "@", "", "a@", "@b"):
        history.resolve(identifier)
    assert sorted(history.topological) == sorted(history.by_id)


def test_a_missing_down_revision_is_named_and_makes_no_base() -> None:
    history = History([Revision("bbbb", ("aaaa",)), Revision("cccc", ("bbbb",))])
    assert [p.message for p in history.problems] == [
        "revision bbbb revises aaaa, which does not exist"
    ]
    assert history.problems[0].others == ("aaaa",)
    assert (history.bases, history.heads) == ((), ("cccc",))
    assert history.topological == ("bbbb", "cccc")
    assert history.resolve("cccc-2").problem == "revision bbbb revises aaaa, which does not exist"


def test_a_missing_dependency_is_named() -> None:
    history = History([Revision("aaaa", (), ("there",))])
    assert kinds(history) == ["unknown-dependency"]


def test_of_two_files_with_one_id_both_are_named_and_the_last_counts() -> None:
    first = Revision("aaaa", path=Path("one.py"))
    last = Revision("aaaa", ("root",), path=Path("two.py"))
    history = History([first, Revision("root"), last])
    assert [(p.kind, p.path) for p in history.problems] == [
        ("duplicate-revision", Path("one.py")),
        ("duplicate-revision", Path("two.py")),
    ]
    assert history.problems[0].message == (
        "revision aaaa is present more than once: `one.py` and `two.py`"
    )
    assert history.by_id["aaaa"] is last
    assert history.heads == ("aaaa",)
    assert history.at(Path("one.py")) is first


@pytest.mark.parametrize(
    ("revisions", "kind", "loop"),
    [
        ([Revision("a", ("a",))], "revision-cycle", {"a"}),
        ([Revision("a", ("b",)), Revision("b", ("a",))], "revision-cycle", {"a", "b"}),
        ([Revision("a", (), ("b",)), Revision("b", ("a",))], "dependency-cycle", {"a", "b"}),
        ([Revision("a", (), ("a",))], "dependency-cycle", {"a"}),
    ],
)
def test_a_circle_is_found_where_alembic_finds_it(
    revisions: list[Revision], kind: str, loop: set[str]
) -> None:
    history = History(revisions)
    assert [(p.kind, set(p.others)) for p in history.problems] == [(kind, loop)]
    use_everything(history)
    with pytest.raises(RevisionError):
        alembic_map(revisions)._revision_map  # noqa: B018 - reading it is what raises


def test_a_circle_beside_a_sound_line_is_found_though_alembic_loads_it() -> None:
    revisions = [
        Revision("r"),
        Revision("a", ("r", "b")),
        Revision("b", ("a",)),
        Revision("h", ("b",)),
    ]
    history = History(revisions)
    assert [(p.kind, set(p.others)) for p in history.problems] == [("revision-cycle", {"a", "b"})]
    use_everything(history)
    assert alembic_map(revisions).heads == history.heads == ("h",)


def test_a_label_used_twice_or_named_like_a_revision_is_a_problem() -> None:
    revisions = [
        Revision("aaaa", (), (), ("line",)),
        Revision("bbbb", ("aaaa",), (), ("line",)),
        Revision("cccc", ("bbbb",), (), ("aaaa",)),
    ]
    history = History(revisions)
    assert [(p.kind, p.others) for p in history.problems] == [
        ("duplicate-label", ("line", "aaaa")),
        ("duplicate-label", ("aaaa", "aaaa")),
    ]
    use_everything(history)


@pytest.mark.parametrize("identifier", ["a-b", "a+b", "a@b", "a:b"])
def test_an_id_with_characters_alembic_forbids_is_a_problem(identifier: str) -> None:
    assert kinds(History([Revision(identifier)])) == ["illegal-revision"]
    with pytest.raises(RevisionError):
        alembic_map([Revision(identifier)])


def test_a_computed_down_revision_makes_no_base_and_ends_a_walk() -> None:
    history = History([Revision("aaaa", computed=("down_revision",)), Revision("bbbb", ("aaaa",))])
    assert history.bases == ()
    assert history.problems == ()
    assert history.resolve("bbbb-2").problem == (
        "the down revision of aaaa is computed, so it is not known here"
    )


def test_an_empty_history_has_nothing_and_no_problems() -> None:
    history = History([])
    assert (history.heads, history.bases, history.topological, history.problems) == ((),) * 4
    assert history.resolve("head").is_base
    assert history.get("head") is None


@pytest.mark.parametrize("seed", range(200))
def test_damaged_histories_raise_nowhere(seed: int) -> None:
    revisions = random_history(seed)
    damaged = revisions[::2] + revisions[::5]
    if damaged:
        last = damaged[-1]
        circle = Revision(last.id, (damaged[0].id, *last.down_revisions), (last.id, "gone"))
        damaged.append(circle)
    history = History(damaged)
    use_everything(history)
    assert history.problems


def test_why_an_identifier_means_nothing_is_said() -> None:
    history = History([Revision("a"), Revision("abcd", ("a",)), Revision("abce", ("a",))])
    assert history.resolve("a@none").problem == "there is no revision or branch `none`"
    assert history.resolve("abc").problem == "2 revisions or branches start with `abc`: abcd, abce"
    assert history.resolve("head").problem == "`head` means 2 revisions: abcd, abce"
    assert history.resolve("a+1").problem == "a step from a can lead to abcd, abce"
    assert history.resolve("abcd@abce").problem == "revision abce is not a member of branch `abcd`"
    assert history.resolve("abcd-3").problem == "there are not 3 revisions below to step over"


def seconds_for(size: int) -> float:
    chain = [Revision(f"r{n:05}", (f"r{n - 1:05}",) if n else ()) for n in range(size)]
    # Every tenth revision has a sibling that is merged again two steps later.
    for n in range(10, size - 2, 10):
        chain.append(Revision(f"s{n:05}", (f"r{n:05}",)))
        chain[n + 2] = Revision(f"r{n + 2:05}", (f"r{n + 1:05}", f"s{n:05}"))
    started = time.process_time()
    history = History(chain)
    assert len(history.topological) == len(chain)
    assert history.heads == (f"r{size - 1:05}",)
    assert history.problems == ()
    return time.process_time() - started


def test_the_cost_grows_with_the_number_of_revisions_and_not_faster() -> None:
    small = min(seconds_for(1_000) for _ in range(5))
    large = min(seconds_for(8_000) for _ in range(5))
    assert large < small * 8 * 5  # eight times is linear, sixty-four times would be quadratic
