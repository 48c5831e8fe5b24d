"""Which revisions a downgrade to a target would undo, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alembic_roundtrip.history import History, graph
from alembic_roundtrip.history.resolution import is_relative


@dataclass(frozen=True, slots=True)
class Rollback:
    """The revisions that `alembic downgrade TARGET` would undo, in its order."""

    ids: tuple[str, ...] = ()
    problem: str | None = None
    """Why Alembic would refuse; a sentence."""


def rollback(history: History, target: str, current: Sequence[str] | None = None) -> Rollback:
    """What a downgrade would undo, from the revisions in `current` or else from the heads."""
    applied = history.real_heads if current is None else tuple(current)
    unknown = [rev for rev in applied if rev not in history]
    if unknown:
        return Rollback(problem=f"the current revision {unknown[0]} does not exist")
    branch, _, symbol = target.rpartition("@")
    # Alembic checks the branch of `label@abc1-1`, but not of `label@abc1`.
    found = history.resolve(target if is_relative(symbol) else symbol, applied)
    if found.problem is not None:
        return Rollback(problem=found.problem)
    if len(found.ids) > 1:
        names = ", ".join(found.ids)
        return Rollback(problem=f"`{target}` means {len(found.ids)} revisions: {names}")
    goal = found.ids[0] if found.ids else None
    if symbol.startswith("-") and not branch:
        branch = applied[0]
    roots = history.bases if goal is None else history.children(goal)
    if branch and len(roots) > 1:
        line = _line(history, branch)
        roots = tuple(root for root in roots if root in line)
        if not roots:
            return Rollback(problem=f"`{target}` is no target for a downgrade of this branch")
    return _undone(history, goal, roots, applied)


def _line(history: History, branch: str) -> frozenset[str]:
    owner = history.resolve(branch)
    if len(owner.ids) != 1:
        return frozenset()
    return history.ancestors(owner.ids[0], dependencies=False) | set(owner.ids)


def _undone(
    history: History, goal: str | None, roots: tuple[str, ...], applied: tuple[str, ...]
) -> Rollback:
    above = graph.reachable(history.all_children, roots)
    active = graph.reachable(history.all_parents, applied)
    undone = above & active
    if goal is not None and not undone and goal not in applied:
        names = ", ".join(applied) or "base"
        return Rollback(problem=f"revision {goal} is not below the current revision {names}")
    return Rollback(history.downgrade_order(undone))
