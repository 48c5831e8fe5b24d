"""A rollback's plan as one JSON document: what `plan --format json` prints and commands answer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from alembic_roundtrip.measurements import database
from alembic_roundtrip.planning.plan import PlannedRevision, RollbackPlan
from alembic_roundtrip.planning.sentences import notice
from alembic_roundtrip.wording import shown

VERSION = 1


def document(plan: RollbackPlan) -> dict[str, Any]:
    """The whole plan; paths are relative to the working directory."""
    return {
        "notice": notice(plan),
        "version": VERSION,
        "target": plan.target,
        "from": list(plan.current),
        "to": list(plan.left),
        "blocked": plan.blocked,
        "no_sql": plan.no_sql,
        "revisions": [_revision(revision) for revision in plan.revisions],
    }


def _revision(revision: PlannedRevision) -> dict[str, Any]:
    return {
        "revision": revision.revision,
        "title": revision.title,
        "path": None if revision.path is None else shown(str(revision.path)),
        "down_revisions": list(revision.down_revisions),
        "documented": revision.documented,
        "blockers": [asdict(blocker) for blocker in revision.blockers],
        "losses": [asdict(loss) for loss in revision.losses],
        "left": list(revision.left),
        "notes": list(revision.notes),
        "evidence": _evidence(revision),
        "code": revision.code,
        "sql": [
            {"database": each.database, "sql": each.sql, "problem": each.problem}
            for each in revision.sql
        ],
    }


def _evidence(revision: PlannedRevision) -> dict[str, Any]:
    """What the rehearsal says, and whether it is current: `fresh`, `stale` or `none`."""
    evidence, timed = revision.evidence, revision.timed
    if evidence is None:
        return {"state": "stale" if revision.stale else "none"}
    return {
        "state": "fresh",
        "verdict": evidence.verdict.value,
        "database": database(evidence),
        "rows": evidence.rows,
        "baseline": evidence.baseline,
        "seconds": None if timed is None else round(timed.seconds, 4),
        "slowest": [asdict(statement) for statement in revision.slowest],
    }
