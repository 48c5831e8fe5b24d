"""Parts of a history, rehearsed side by side or on different machines, are the whole history."""

from __future__ import annotations

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.rehearsal.agent.project.scripts import share
from alembic_roundtrip.rehearsal.events import Event, Finished, RevisionFinished, Started
from alembic_roundtrip.rehearsal.plan import FULL_CYCLE
from rehearsal.conftest import KINDS, collect, timeless


@pytest.mark.parametrize("of", [1, 2, 3, 7, 40])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 39, 1000])
def test_every_revision_is_in_exactly_one_part(count, of):
    items = [str(number) for number in range(count)]
    parts = [share(items, number, of) for number in range(1, of + 1)]
    assert [item for part in parts for item in part] == items
    assert len(parts[0]) >= len(parts[-1])


def history(project: AlembicProject) -> None:
    """A branch, a merge, and verdicts of all kinds."""
    project.add(
        "users",
        'op.create_table("users", sa.Column("id", sa.Integer, primary_key=True), '
        'sa.Column("name", sa.String(30)))',
        'op.drop_table("users")',
    )
    project.add("index", 'op.create_index("ix", "users", ["name"])', "pass")
    project.add("left", 'op.create_table("l", sa.Column("id", sa.Integer))', 'op.drop_table("l")')
    project.add("right", "pass", 'raise NotImplementedError("no")', after="index")
    project.add("merge", after=("left", "right"))
    project.add(
        "lossy",
        'with op.batch_alter_table("users") as batch: batch.drop_column("name")',
        'op.add_column("users", sa.Column("name", sa.String(30)))',
    )
    project.add("exit", "import os; os._exit(4)", "pass")
    project.add("behind", "pass", "pass")
    project.add("apart", 'op.create_table("a", sa.Column("id", sa.Integer))', after="index")


def evidence(events: list[Event]) -> list[RevisionEvidence]:
    return [timeless(event.evidence) for event in events if isinstance(event, RevisionFinished)]


@KINDS
async def test_agents_side_by_side_find_what_one_finds_in_the_same_order(project, kind):
    assert kind
    history(project)
    alone = await collect(project)
    together = await collect(project, jobs=3)
    assert evidence(together) == evidence(alone)
    assert [type(event) for event in together].count(Started) == 1
    assert together[0] == alone[0]
    assert isinstance(together[-1], Finished)
    assert isinstance(alone[-1], Finished)
    assert together[-1].verdicts == alone[-1].verdicts


async def test_shards_are_the_whole_together(project):
    history(project)
    alone = evidence(await collect(project))
    shards = [evidence(await collect(project, parts=((number, 3),))) for number in (1, 2, 3)]
    assert [each for shard in shards for each in shard] == alone


async def test_more_agents_than_revisions_are_no_harm(project):
    project.add("only", 'op.create_table("t", sa.Column("id", sa.Integer))', 'op.drop_table("t")')
    (found,) = evidence(await collect(project, jobs=4))
    assert (found.revision, found.verdict) == ("only", Verdict.LOSSLESS)


async def test_the_full_cycle_is_walked_once_through_everything(project):
    project.add("one", 'op.create_table("t", sa.Column("id", sa.Integer))', "pass")
    project.add("two", 'op.create_table("u", sa.Column("id", sa.Integer))', 'op.drop_table("u")')
    found = evidence(await collect(project, full_cycle=True, jobs=2))
    assert [each.revision for each in found] == ["one", "two", FULL_CYCLE]
    assert [residue.object for residue in found[-1].residue] == ["t"]
