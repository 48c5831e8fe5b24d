"""What was measured, as sentences for people."""

from __future__ import annotations

import os
from collections.abc import Iterator

from alembic_roundtrip.evidence import Loss, Residue, RevisionEvidence, StepError
from alembic_roundtrip.measurements import loss_line, told_once


def details(evidence: RevisionEvidence, *, documented: bool) -> Iterator[str]:
    """What there is to say below a revision's verdict, one line each."""
    if evidence.reason is not None:
        yield evidence.reason
        error = decisive_error(evidence)
        if error is not None and error.path is not None:
            yield f"  at {shown(error.path)}:{error.line}"
    for residue in evidence.residue:
        yield residue_line(residue)
    for loss in told_once(evidence.old_losses()):
        yield loss_line(loss) + ("" if documented else "; the migration does not say so")
    # What the upgrade itself changes, upgrading again changes too: no rollback dropped that.
    upgraded = {(loss.table, loss.column) for loss in evidence.losses if loss.step == "upgrade"}
    written = [
        loss
        for loss in evidence.losses
        if loss.step == "downgrade" and (loss.table, loss.column) not in upgraded
    ]
    if written:
        yield f"rolling back also drops what was written since the upgrade: {_names(written)}"
    yield from evidence.notes


def residue_line(residue: Residue) -> str:
    """One thing a downgrade left, lost or changed."""
    name = f"{residue.kind} `{residue.object}`"
    if residue.change == "left":
        what = f"leaves {name} behind" + (f": {residue.after}" if residue.after else "")
    elif residue.change == "missing":
        what = f"does not restore {name}" + (f": {residue.before}" if residue.before else "")
    else:
        what = f"restores {name} differently: {residue.before} → {residue.after}"
    extra = {
        "broken": "; the next upgrade fails",
        "cosmetic": " (cosmetic)",
    }.get(residue.grade, "")
    return f"`downgrade()` {what}{extra}"


def shown(path: str) -> str:
    """A path as short as the working directory allows."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith(os.pardir) else relative


def decisive_error(evidence: RevisionEvidence) -> StepError | None:
    """The exception that the reason of a verdict is about."""
    errors = [step.error for step in evidence.steps if step.error is not None]
    return next((error for error in errors if error.message in (evidence.reason or "")), None)


def _names(losses: list[Loss]) -> str:
    tables = [loss.table for loss in losses if loss.column is None]
    columns = [f"{loss.table}.{loss.column}" for loss in losses if loss.column is not None]
    parts = [f"rows of `{name}`" for name in tables] + [f"`{name}`" for name in columns]
    return ", ".join(dict.fromkeys(parts))
