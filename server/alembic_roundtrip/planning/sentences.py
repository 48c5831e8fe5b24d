"""The parts of a plan that every format says in the same words."""

from __future__ import annotations

from alembic_roundtrip.measurements import conditions, count
from alembic_roundtrip.planning.findings import Blocker, Loss
from alembic_roundtrip.planning.plan import PlannedRevision, RollbackPlan


def notice(plan: RollbackPlan) -> str:
    """The first line of every plan."""
    return (
        "This plan runs nothing and connects to no database: it says what "
        f"`alembic downgrade {plan.target}` would do"
    )


def headline(plan: RollbackPlan) -> str:
    """From where to where, how many revisions, and whether it gets there."""
    start = ", ".join(plan.current) or "base"
    end = ", ".join(plan.left) or "base"
    if not plan.revisions:
        return f"from {start} to {end}: there is nothing to undo"
    stops = [r.revision for r in plan.revisions if r.stops == "yes"]
    risky = [r.revision for r in plan.revisions if r.stops == "may"]
    lossy = sum(bool(r.losses) for r in plan.revisions)
    leaving = sum(bool(r.left) for r in plan.revisions)
    parts = [count(len(plan.revisions), "revision")]
    if stops:
        parts.append(f"stops at {stops[0]}")
    if risky:
        parts.append(f"{len(risky)} may refuse the rows there are")
    if lossy:
        parts.append(f"{lossy} {'loses' if lossy == 1 else 'lose'} data")
    if leaving:
        verb = "does" if leaving == 1 else "do"
        parts.append(f"{leaving} {verb} not undo all that was done")
    return f"from {start} to {end}: {', '.join(parts)}"


def basis(revision: PlannedRevision) -> str:
    """What is known from where."""
    if revision.evidence is not None:
        models = "" if revision.evidence.baseline is None else ", from today's models"
        return f"{revision.evidence.verdict.value} in the last rehearsal{models}"
    if revision.stale:
        return "by reading; the last rehearsal measured another text"
    return "by reading; not rehearsed"


def timing(revision: PlannedRevision) -> str | None:
    """How long the rehearsal's downgrade took; None where none did."""
    timed, evidence = revision.timed, revision.evidence
    if timed is None or evidence is None:
        return None
    return f"{seconds(timed.seconds)} ({conditions(evidence)})"


def slow_statements(revision: PlannedRevision) -> list[str]:
    """The statements that took longest, a line each."""
    return [f"{seconds(each.seconds)}  {each.sql}" for each in revision.slowest]


def seconds(number: float) -> str:
    """A duration, in milliseconds below a second."""
    return f"{number:.1f} s" if number >= 1 else f"{number * 1000:.1f} ms"


def blocker_line(blocker: Blocker) -> str:
    """A blocker, and whether it is one for sure."""
    return f"{'stops' if blocker.certain else 'may stop'}: {blocker.message}"


def loss_line(revision: PlannedRevision, loss: Loss) -> str:
    """A loss, and whether the migration says so."""
    return loss.message + (
        "; the migration does not say so" if loss.subject in revision.unsaid else ""
    )


def documented(revision: PlannedRevision) -> str:
    """Whether the migration says what is lost; a dash where there is nothing to say."""
    return {True: "yes", False: "no", None: "-"}[revision.documented]
