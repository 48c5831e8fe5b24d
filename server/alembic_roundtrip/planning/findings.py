"""What undoing one revision loses and stops at: by evidence, else by reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from alembic_roundtrip import evidence as measured
from alembic_roundtrip.checker import found_by
from alembic_roundtrip.comparison.tightening import tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import named
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.evidence import RevisionEvidence, Verdict
from alembic_roundtrip.losses import new_data_lost, predicted_losses
from alembic_roundtrip.measurements import (
    Failing,
    conditions,
    measured_failure,
    residue_line,
    subject_of,
    told_once,
)
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.rule import rules
from alembic_roundtrip.suppression import suppressions

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
    "unknown-object",
    "unnamed-constraint",
)
# What these find, a rollback leaves behind, or does not bring back.
_LEAVING = (
    "column-not-dropped",
    "column-not-restored",
    "constraint-not-dropped",
    "constraint-not-restored",
    "definition-not-restored",
    "empty-downgrade",
    "index-not-dropped",
    "index-not-restored",
    "leftover-enum-type",
    "nullability-not-restored",
    "primary-key-not-restored",
    "rename-not-reversed",
    "server-default-not-restored",
    "sql-object-not-dropped",
    "table-not-dropped",
    "table-not-restored",
    "type-not-restored",
)
_REFUSED_WITH_ROWS = ("not-null-without-default",)
_ON_THE_WAY_DOWN: tuple[Failing, ...] = (
    "downgrade",
    "downgrade with rows",
    "downgrade on new rows",
    "time",
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
    if context.evidence is not None and _went_down_with_rows(context.evidence):
        yield from _measured(context.evidence)
        return
    parts = _parts(context)
    subjects = Counter(name for part in parts for name in {*older_lost(part), *new_data_lost(part)})
    for part in parts:
        yield from _predicted(part, lambda name: subjects[name] > 1)


def _parts(context: Context) -> tuple[Context, ...]:
    """What is read of its own: the databases that a migration is for."""
    return context.parts or (context,)


def _predicted(context: Context, is_ambiguous: Callable[[str], bool]) -> Iterator[Loss]:
    """What reading says of one database, which is named where others have tables of that name."""
    part = context.migration.part

    def quoted(name: str) -> str:
        where = f" of {named(part.engine)}" if part is not None and is_ambiguous(name) else ""
        return f"`{name}`{where}"

    told: set[str] = set()
    for loss in predicted_losses(context):
        if loss.direction == "upgrade":
            message = f"does not bring back {quoted(loss.subject)}, which the upgrade destroys"
        else:
            message = f"can lose older data of {quoted(loss.subject)}"
        told.add(loss.subject)
        yield Loss(loss.subject, message, "reading")
    for name in new_data_lost(context):
        if name not in told:
            what = f"loses what was written to {quoted(name)} since the upgrade"
            yield Loss(name, what, "reading")


def older_lost(context: Context) -> frozenset[str]:
    """What is lost of data that was there before the upgrade."""
    if context.evidence is not None and _went_down_with_rows(context.evidence):
        return frozenset(map(subject_of, context.evidence.old_losses()))
    found = (loss for part in _parts(context) for loss in predicted_losses(part))
    return frozenset(loss.subject for loss in found)


def _measured(evidence: RevisionEvidence) -> Iterator[Loss]:
    for loss in told_once(evidence.old_losses()):
        subject = subject_of(loss)
        if loss.step == "upgrade":
            yield _counted(loss, f"does not bring back `{subject}`, which the upgrade destroys")
        else:
            yield _counted(loss, f"loses older data of `{subject}`")
    for loss in evidence.new_losses():
        yield _counted(loss, f"loses what was written to `{subject_of(loss)}` since the upgrade")


def _counted(loss: measured.Loss, message: str) -> Loss:
    noun = "rows" if loss.column is None else "values"
    numbers = f"{loss.lost} of {loss.rows} {noun} in the rehearsal"
    return Loss(subject_of(loss), f"{message} ({numbers})", "evidence", loss.lost, loss.rows)


def blockers(context: Context) -> Iterator[Blocker]:
    """The certain ones first."""
    evidence = context.evidence
    if evidence is None:
        yield from _read(context, failures=True)
        return
    yield from _met(context, evidence)
    if not (_went_down_with_rows(evidence) or evidence.verdict is Verdict.IRREVERSIBLE):
        yield from _read(context, failures=not any(map(_is_downgrade, evidence.steps)))


def _met(context: Context, evidence: RevisionEvidence) -> Iterator[Blocker]:
    """What the rehearsal's downgrade stopped at."""
    where = f" ({conditions(evidence)})"
    stopped = any(s.error is not None and _is_downgrade(s) for s in evidence.steps)
    if evidence.verdict is Verdict.IRREVERSIBLE:
        reason = evidence.reason or ""
        yield Blocker("irreversible", f"refuses: {reason}", certain=True, basis="evidence")
    for found in measured_failure(context, *_ON_THE_WAY_DOWN) if stopped else ():
        certain = found.of != "downgrade on new rows"
        yield Blocker("failing", found.message, certain, basis="evidence")
        if evidence.half_done is not None:
            yield Blocker("failing", evidence.half_done, certain, basis="evidence")
    for note in evidence.notes:
        if note.kind == "guarded":
            yield Blocker("fragile", f"{note.text}{where}", certain=False, basis="evidence")


def _is_downgrade(step: measured.Step) -> bool:
    return step.name.startswith("downgrade")


def _went_down_with_rows(evidence: RevisionEvidence) -> bool:
    """Whether a downgrade with rows went through: what reading fears did not happen."""
    done = (s for s in evidence.steps if _is_downgrade(s) and s.error is None)
    return any(s.name != "downgrade" for s in done)


def _read(context: Context, *, failures: bool) -> Iterator[Blocker]:
    migration = context.migration
    if migration.downgrade is None:
        if not (migration.imported_downgrade or migration.problems):
            message = "has no `downgrade()`: Alembic refuses the whole rollback"
            yield Blocker("missing", message, certain=True, basis="reading")
        return
    if failures:
        for part in _parts(context):
            yield from _refusing(part)
        for found in _found(context, _REFUSED):
            yield Blocker("failing", found.message, certain=True, basis="reading")
    for found in _found(context, _REFUSED_WITH_ROWS):
        yield Blocker("failing", found.message, certain=False, basis="reading")
    for tightening in (each for part in _parts(context) for each in tightenings(part)):
        message = f"fails if there are {tightening.rows} by now"
        yield Blocker("fragile", message, certain=False, basis="reading")


def _refusing(context: Context) -> Iterator[Blocker]:
    """A downgrade that raises, or that an engine lacks."""
    migration = context.migration
    downgrade, name = migration.downgrade, migration.function("downgrade")
    if downgrade is None:
        message = f"has no `{name}()`: the rollback stops there"
        yield Blocker("missing", message, certain=True, basis="reading")
    elif downgrade.kind is Body.RAISES:
        who = "refuses" if migration.part is None else f"`{name}()` refuses"
        said = f": {downgrade.message}" if downgrade.message else ""
        yield Blocker("irreversible", f"{who}{said}", certain=True, basis="reading")


def _found(context: Context, names: Iterable[str]) -> Iterator[Diagnostic]:
    """What these rules find in the downgrade, where nobody decided that it is right."""
    downgrades = [part.migration.downgrade for part in _parts(context)]
    places = [downgrade.range for downgrade in downgrades if downgrade is not None]
    ignored = suppressions(context.migration)
    for found in _diagnostics(context, names):
        inside = any(place.start <= found.range.start <= place.end for place in places)
        told = any(each.covers(found.rule, found.range) for each in ignored)
        if inside and found.severity == "error" and not told:
            yield found


def _diagnostics(context: Context, names: Iterable[str]) -> Iterator[Diagnostic]:
    for name in names:
        for found in found_by(rules()[name], context):
            if found.severity != "hint":
                yield found


def left(context: Context) -> Iterator[str]:
    """What the rollback leaves otherwise than it was before the upgrade.

    A comment that switches a rule off says that this is accepted, not that it does not happen.
    """
    evidence = context.evidence
    if evidence is None or not any(map(_is_downgrade, evidence.steps)):
        yield from dict.fromkeys(found.message for found in _diagnostics(context, _LEAVING))
        return
    for residue in evidence.residue:
        if residue.grade != "cosmetic":
            yield residue_line(residue)


def notes(context: Context) -> Iterator[str]:
    """What else the rehearsal found of a rollback: that there is no way up again."""
    evidence = context.evidence
    if evidence is not None and evidence.reason and any(measured_failure(context, "upgrade again")):
        yield evidence.reason
