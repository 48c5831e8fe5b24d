"""What undoing one revision loses and stops at: by evidence, else by reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alembic_roundtrip import evidence as measured
from alembic_roundtrip.comparison.tightening import tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.losses import new_data_lost, predicted_losses
from alembic_roundtrip.measurements import conditions, residue_line, subject_of, told_once
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.rule import rules

Basis = Literal["evidence", "reading"]
Kind = Literal["irreversible", "missing", "failing", "fragile"]

# What these find in a downgrade, a database refuses.
_REFUSED = (
    "cast-needs-using",
    "existing-object",
    "generated-column-in-batch",
    "index-needed-by-foreign-key",
    "misordered-downgrade",
    "needs-autocommit",
    "needs-batch",
    "not-null-without-default",
    "unknown-object",
    "unnamed-constraint",
    "unrelated-drop",
)


@dataclass(frozen=True, slots=True)
class Loss:
    """Data that is not there any more after the rollback."""

    subject: str
    message: str
    basis: Basis
    lost: int | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Blocker:
    """What stops the rollback at this revision (`certain`), or may, depending on the data."""

    kind: Kind
    message: str
    certain: bool
    basis: Basis


def losses(context: Context) -> Iterator[Loss]:
    """Older data first, then what was written since the upgrade."""
    if context.evidence is not None and context.evidence.verdict is not Verdict.SKIPPED:
        yield from _measured(context.evidence)
        return
    told: set[str] = set()
    for loss in predicted_losses(context):
        if loss.direction == "upgrade":
            message = f"does not bring back `{loss.subject}`, which the upgrade destroys"
        else:
            message = f"can lose older data of `{loss.subject}`"
        told.add(loss.subject)
        yield Loss(loss.subject, message, "reading")
    for name in new_data_lost(context):
        if name not in told:
            yield Loss(name, f"loses what was written to `{name}` since the upgrade", "reading")


def _measured(evidence: RevisionEvidence) -> Iterator[Loss]:
    for loss in told_once(evidence.old_losses()):
        subject = subject_of(loss)
        if loss.step == "upgrade":
            yield _counted(loss, f"does not bring back `{subject}`, which the upgrade destroys")
        else:
            yield _counted(loss, f"loses older data of `{subject}`")
    # What the upgrade itself changes, upgrading again changes too: no rollback dropped that.
    upgraded = {(x.table, x.column) for x in evidence.losses if x.step == "upgrade"}
    for loss in evidence.losses:
        if loss.step == "downgrade" and (loss.table, loss.column) not in upgraded:
            what = f"loses what was written to `{subject_of(loss)}` since the upgrade"
            yield _counted(loss, what)


def _counted(loss: measured.Loss, message: str) -> Loss:
    noun = "rows" if loss.column is None else "values"
    numbers = f"{loss.lost} of {loss.rows} {noun} in the rehearsal"
    return Loss(subject_of(loss), f"{message} ({numbers})", "evidence", loss.lost, loss.rows)


def blockers(context: Context) -> Iterator[Blocker]:
    """The certain ones first."""
    evidence = context.evidence
    told = evidence is not None and evidence.verdict is not Verdict.SKIPPED
    if evidence is not None and told:
        yield from _met(evidence)
    if not (evidence is not None and told and _went_down(evidence)):
        yield from _read(context, failures=not told)


def _met(evidence: RevisionEvidence) -> Iterator[Blocker]:
    """What the rehearsal's downgrade stopped at."""
    where = f" ({conditions(evidence)})"
    stopped = [s for s in evidence.steps if s.error is not None and _is_downgrade(s)]
    reason = evidence.reason or ""
    if evidence.verdict is Verdict.IRREVERSIBLE:
        yield Blocker("irreversible", f"refuses: {reason}", certain=True, basis="evidence")
    elif evidence.verdict is Verdict.FAILED and stopped:
        yield Blocker("failing", f"{reason}{where}", certain=True, basis="evidence")
        if evidence.half_done is not None:
            yield Blocker("failing", evidence.half_done, certain=True, basis="evidence")
    for note in evidence.notes:
        if note.startswith("`downgrade()` refuses made-up rows"):
            yield Blocker("fragile", f"{note}{where}", certain=False, basis="evidence")


def _is_downgrade(step: measured.Step) -> bool:
    return step.name.startswith("downgrade")


def _went_down(evidence: RevisionEvidence) -> bool:
    """Whether a downgrade with rows went through: what reading fears did not happen."""
    done = (s for s in evidence.steps if _is_downgrade(s) and s.error is None)
    return any(s.name != "downgrade" for s in done) or evidence.verdict is Verdict.IRREVERSIBLE


def _read(context: Context, *, failures: bool) -> Iterator[Blocker]:
    migration = context.migration
    downgrade = migration.downgrade
    if downgrade is None:
        if not (migration.imported_downgrade or migration.problems):
            message = "has no `downgrade()`: Alembic refuses the whole rollback"
            yield Blocker("missing", message, certain=True, basis="reading")
        return
    if failures:
        if downgrade.kind is Body.RAISES:
            said = f": {downgrade.message}" if downgrade.message else ""
            yield Blocker("irreversible", f"refuses{said}", certain=True, basis="reading")
        for name in _REFUSED:
            for found in rules()[name].diagnostics(context):
                inside = downgrade.range.start <= found.range.start <= downgrade.range.end
                if inside and found.severity == "error":
                    yield Blocker("failing", found.message, certain=True, basis="reading")
    for tightening in tightenings(context):
        message = f"fails if there are {tightening.rows} by now"
        yield Blocker("fragile", message, certain=False, basis="reading")


def notes(context: Context) -> Iterator[str]:
    """What else the rehearsal found of a rollback: what it leaves, and that there is no way up."""
    evidence = context.evidence
    if evidence is None:
        return
    for residue in evidence.residue:
        if residue.grade != "cosmetic":
            yield residue_line(residue)
    again = [s for s in evidence.steps if s.error and s.name.startswith("upgrade again")]
    if again and evidence.verdict is Verdict.FAILED and evidence.reason:
        yield evidence.reason
