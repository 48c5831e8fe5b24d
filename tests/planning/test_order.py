from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from alembic_project import AlembicProject
from alembic_roundtrip.planning import NoPlanError, plan_rollback, target_below
from alembic_roundtrip.workspace import Workspace
from history.random_histories import random_history


def planned(folder: Path, target: str, current: tuple[str, ...] = ()) -> list[str] | None:
    workspace = Workspace([folder])
    (environment,) = workspace.environments
    try:
        plan = plan_rollback(workspace, environment, target, current)
    except NoPlanError:
        return None
    return [each.revision for each in plan.revisions]


@pytest.mark.parametrize("seed", range(40))
def test_it_is_the_order_of_the_steps_alembic_would_run(project: AlembicProject, seed: int) -> None:
    revisions = random_history(seed, 10)
    for each in revisions:
        project.add(
            each.id,
            after=each.down_revisions or None,
            depends_on=each.depends_on or None,
            branch_labels=each.branch_labels or None,
        )
    script = ScriptDirectory.from_config(Config("alembic.ini"))
    several = any(
        len(s._normalized_resolved_dependencies) > 1
        for s in script.revision_map._revision_map.values()
        if s
    )
    same = sorted if several else list
    heads = script.revision_map._real_heads
    first = revisions[0].id
    for target in ("base", "-1", "-2", first, first[:4], f"{first}-1", f"{heads[0]}@base", "none"):
        if target.startswith("-") and len(heads) > 1:
            continue  # refused here; Alembic takes any head and warns
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                steps = script._downgrade_revs(target, heads)
        except (CommandError, AssertionError):
            assert planned(project.folder, target) is None, target
            continue
        found = planned(project.folder, target)
        assert found is not None, target
        assert same(found) == same([step.revision.revision for step in steps]), target


def branched(project: AlembicProject) -> Path:
    """a - b - c - f        e depends on b
           |    `- d -'
    x - e -'
    """
    project.add("aaaa", after=None)
    project.add("bbbb")
    project.add("cccc")
    project.add("dddd", after="bbbb", branch_labels=("side",))
    project.add("ffff", after=("cccc", "dddd"))
    project.add("xxxx", after=None)
    project.add("eeee", depends_on="bbbb")
    return project.folder


@pytest.mark.parametrize(
    ("target", "current", "undone"),
    [
        ("aaaa", (), ["eeee", "ffff", "dddd", "cccc", "bbbb"]),
        ("cccc", ("ffff",), ["ffff"]),
        ("bbbb", ("ffff",), ["ffff", "dddd", "cccc"]),
        ("xxxx", (), ["eeee"]),
        ("fff", ("ffff",), []),
        ("side@bbbb", ("cccc", "dddd"), ["dddd"]),
        ("xxxx@base", (), ["eeee", "xxxx"]),
        ("ffff-1", (), None),
        ("-1", ("eeee",), ["eeee"]),
        ("-1", ("ffff",), None),
        ("zz", (), None),
        ("heads", (), None),
        ("dddd", ("cccc",), None),
        ("base", ("base",), None),
        ("base", ("gone",), None),
        ("ffff", ("ffff",), []),
    ],
)
def test_branches_merges_and_dependencies(
    project: AlembicProject, target: str, current: tuple[str, ...], undone: list[str] | None
) -> None:
    found = planned(branched(project), target, current)
    if undone is None:
        assert found is None
    else:
        assert found is not None
        assert sorted(found) == sorted(undone)
        assert found[:1] == undone[:1]


def test_two_heads_and_a_step_back_are_asked_which_one(project: AlembicProject) -> None:
    branched(project)
    workspace = Workspace([project.folder])
    with pytest.raises(NoPlanError) as error:
        plan_rollback(workspace, workspace.environments[0], "-1")
    assert str(error.value) == (
        "the current revision means 2 revisions: eeee, ffff; name the one that is meant, as "
        "`eeee-1` does"
    )


@pytest.mark.parametrize(
    ("revision", "undone"),
    [
        ("aaaa", ["ffff", "dddd", "cccc", "eeee", "bbbb", "aaaa"]),
        ("dddd", ["ffff", "dddd"]),
        ("ffff", ["ffff"]),
        ("xxxx", ["eeee", "xxxx"]),
        ("eeee", ["eeee"]),
    ],
)
def test_what_is_below_a_revision_undoes_it_and_what_builds_on_it(
    project: AlembicProject, revision: str, undone: list[str]
) -> None:
    folder = branched(project)
    workspace = Workspace([folder])
    history = workspace.scripts(workspace.environments[0]).history
    found = planned(folder, target_below(history, revision))
    assert found is not None
    assert sorted(found) == sorted(undone)


def test_what_the_database_would_be_at_is_what_alembic_would_write(project: AlembicProject) -> None:
    branched(project)
    workspace = Workspace([project.folder])
    (environment,) = workspace.environments
    assert plan_rollback(workspace, environment, "bbbb", ("ffff",)).left == ("bbbb",)
    assert plan_rollback(workspace, environment, "side@bbbb", ("ffff",)).left == ("cccc",)
    assert plan_rollback(workspace, environment, "xxxx").left == ("ffff", "xxxx")
    assert plan_rollback(workspace, environment, "base").left == ()
