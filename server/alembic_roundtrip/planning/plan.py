"""The plan of a rollback, as a value: which revisions, in which order, and what each comes to."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Literal

from alembic_roundtrip.evidence import RevisionEvidence, Statement, Step
from alembic_roundtrip.history import History, graph
from alembic_roundtrip.history.rollback import rollback
from alembic_roundtrip.migration.model import Direction, Migration
from alembic_roundtrip.planning.findings import (
    Blocker,
    Loss,
    blockers,
    left,
    losses,
    notes,
    older_lost,
)
from alembic_roundtrip.project import Environment
from alembic_roundtrip.prose import documentation, says_loss, unsaid_losses
from alembic_roundtrip.text import Position, Range
from alembic_roundtrip.workspace import Workspace

if TYPE_CHECKING:
    from alembic_roundtrip.rehearsal.sql import DowngradeSql


class NoPlanError(ValueError):
    """There is nothing to plan; one sentence says why."""


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """What undoing one revision means.

    `evidence` is what the last rehearsal measured, where it still holds; `stale` says that it
    measured another text. What is not measured is told by reading.
    """

    revision: str
    title: str
    path: Path | None
    down_revisions: tuple[str, ...]
    code: str
    """The body of its `downgrade()`."""
    says_loss: bool
    """Whether the migration says, in whatever words, that data is lost."""
    losses: tuple[Loss, ...] = ()
    unsaid: frozenset[str] = frozenset()
    """What is lost of which it does not say so."""
    blockers: tuple[Blocker, ...] = ()
    left: tuple[str, ...] = ()
    """What is otherwise afterwards than it was before the upgrade."""
    notes: tuple[str, ...] = ()
    evidence: RevisionEvidence | None = None
    stale: bool = False
    sql: tuple[DowngradeSql, ...] = ()
    """What Alembic would send, once for each database; none where that could not be written."""

    @property
    def stops(self) -> Literal["yes", "may", "no"]:
        """Whether the rollback would stop here."""
        if any(blocker.certain for blocker in self.blockers):
            return "yes"
        return "may" if self.blockers else "no"

    @property
    def documented(self) -> bool | None:
        """Whether the migration says what is lost or refused; None where nothing is."""
        if self.losses:
            return not self.unsaid
        return self.says_loss if self.blockers else None

    @property
    def explained_by_sql(self) -> bool:
        """Whether the SQL is all of it: else the code says the rest."""
        return bool(self.sql) and all(each.problem is None for each in self.sql)

    @property
    def timed(self) -> Step | None:
        """The downgrade of the rehearsal that says most about time: the one with rows."""
        steps = self.evidence.steps if self.evidence else ()
        done = [s for s in steps if s.name.startswith("downgrade") and s.error is None]
        return done[-1] if done else None

    @property
    def slowest(self) -> tuple[Statement, ...]:
        """The statements that took longest in it."""
        return self.timed.statements if self.timed else ()


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What `alembic downgrade TARGET` would do, from the revisions in `current`."""

    target: str
    current: tuple[str, ...]
    revisions: tuple[PlannedRevision, ...]
    left: tuple[str, ...]
    """The revisions that the database would be at; none for the base."""
    no_sql: str | None = None
    """Why there is no SQL in it at all."""

    @property
    def blocked(self) -> bool:
        """Whether it would stop at a revision, as far as is known."""
        return any(revision.stops == "yes" for revision in self.revisions)


def plan_rollback(
    workspace: Workspace, environment: Environment, target: str, current: Sequence[str] = ()
) -> RollbackPlan:
    """Plan by reading and by evidence; nothing is run. Raises `NoPlanError`.

    `current` names the revisions that the database is at; without any these are the heads.
    """
    steps = planning(workspace, environment, target, current)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            plan: RollbackPlan = end.value
            return plan


def planning(
    workspace: Workspace, environment: Environment, target: str, current: Sequence[str] = ()
) -> Generator[None, None, RollbackPlan]:
    """The same a little at a time, for whoever must answer others in between."""
    for problem in environment.problems:
        raise NoPlanError(problem)
    if not target or target.startswith("+"):
        given = f"`{target}` goes up" if target else "nothing is named"
        raise NoPlanError(f"{given}; name a revision below, `base`, or a step down such as `-1`")
    history = workspace.scripts(environment).history
    _refuse(history, environment)
    start = _applied(history, current) or history.real_heads
    undone = rollback(history, target, start)
    if undone.problem is not None:
        raise NoPlanError(_hinted(undone.problem, target, history.real_heads, current))
    revisions = []
    for rev in undone.ids:
        path = history.by_id[rev].path
        if path is not None:
            yield from workspace.prepare(path)
        revisions.append(_planned(workspace, environment, rev))
        yield
    return RollbackPlan(target, start, tuple(revisions), _left(history, start, undone.ids))


def _refuse(history: History, environment: Environment) -> None:
    """Raise `NoPlanError` where Alembic would not get to any revision."""
    if not history.revisions:
        folders = ", ".join(str(folder) for folder in environment.version_locations)
        raise NoPlanError(f"there are no migrations in {folders}; is that the right folder?")
    if history.refusal is not None:
        raise NoPlanError(history.refusal.sentence)


def _applied(history: History, names: Sequence[str]) -> tuple[str, ...]:
    applied: dict[str, None] = {}
    for name in names:
        found = history.resolve(name)
        if found.problem is not None or found.is_base:
            raise NoPlanError(found.problem or "there is nothing below the base to roll back to")
        applied.update(dict.fromkeys(found.ids))
    return tuple(applied)


def _left(history: History, start: Sequence[str], undone: Sequence[str]) -> tuple[str, ...]:
    """What the version table would hold afterwards."""
    remaining = graph.reachable(history.all_parents, start) - set(undone)
    heads = (r for r in remaining if remaining.isdisjoint(history.all_children[r]))
    return tuple(sorted(heads, key=lambda rev: history.positions[rev]))


def target_below(history: History, revision: str) -> str:
    """What to name so that `alembic downgrade` undoes a revision and what builds on it, no more."""
    if revision not in history:
        raise NoPlanError(f"there is no revision `{revision}`")
    parents = history.parents(revision)
    siblings = history.children(parents[0]) if parents else history.bases
    goal = parents[0] if parents else "base"
    return f"{revision}@{goal}" if len(siblings) > 1 else goal


def _hinted(problem: str, target: str, heads: Sequence[str], current: Sequence[str]) -> str:
    """The problem, with what to name where several heads make it."""
    if len(heads) > 1 and not current and target.startswith("-"):
        return f"{problem}; name the one that is meant, as `{heads[0]}{target}` does"
    return problem


def _planned(workspace: Workspace, environment: Environment, rev: str) -> PlannedRevision:
    scripts = workspace.scripts(environment)
    down = scripts.history.by_id[rev].down_revisions
    migration = scripts.migration_of(rev)
    context = workspace.context(migration.path) if migration is not None else None
    if migration is None or context is None:
        return PlannedRevision(rev, "", None, down, "", says_loss=False)
    kept = workspace.evidence(migration)
    fresh = kept[0] if kept is not None and kept[1] else None
    docstring = migration.docstring.text.strip() if migration.docstring else ""
    prose, lost = documentation(migration), tuple(losses(context))
    return PlannedRevision(
        revision=rev,
        title=docstring.partition("\n")[0].strip(),
        path=migration.path,
        down_revisions=down,
        code=_code(migration),
        says_loss=says_loss(prose),
        losses=lost,
        unsaid=unsaid_losses(prose, older_lost(context), (loss.subject for loss in lost)),
        blockers=tuple(dict.fromkeys(blockers(context))),
        left=tuple(left(context)),
        notes=tuple(notes(context)),
        evidence=fresh,
        stale=kept is not None and fresh is None,
    )


def _code(migration: Migration) -> str:
    """The statements of the downgrade, as they are written, without their indentation."""
    if migration.downgrade is None:
        return ""
    own = [
        part.downgrade
        for part in migration.parts
        if "downgrade" in part.own and part.downgrade is not None
    ]
    if not own:
        return _body(migration, migration.downgrade)
    return "\n\n".join(f"# {each.name}()\n{_body(migration, each)}" for each in own)


def _body(migration: Migration, direction: Direction) -> str:
    start, end = direction.body
    whole = Range(Position(start.line, 1), end)
    return dedent(migration.source.slice(whole)).strip()
