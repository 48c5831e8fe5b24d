"""What the last rehearsal measured, as sentences and at the operations behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import named
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.evidence import (
    OVERDUE,
    Loss,
    Residue,
    RevisionEvidence,
    Step,
    StepError,
    Verdict,
)
from alembic_roundtrip.history import History
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Direction, GuardKind, Operation
from alembic_roundtrip.text import Position, Range, Source, within

_AFTER = MappingProxyType({"upgrade": "after the upgrade", "round trip": "after the round trip"})
DATABASES = MappingProxyType(
    {"sqlite": "SQLite", "postgresql": "PostgreSQL", "mariadb": "MariaDB", "mysql": "MySQL"}
)


@dataclass(frozen=True, slots=True)
class MeasuredLoss:
    """A loss of older data, where to show it, and what to say: here and in a docstring."""

    loss: Loss
    range: Range
    message: str
    sentence: str


def measured_losses(context: Context, step: str) -> Iterator[MeasuredLoss]:
    """What the last rehearsal lost of older data in one step, `upgrade` or `round trip`."""
    evidence = context.evidence
    if evidence is None:
        return
    for loss in told_once(evidence.old_losses()):
        if loss.step == step:
            message = f"{loss_line(loss)} ({conditions(evidence)})"
            yield MeasuredLoss(loss, _place(context, loss), message, _sentence(loss))


Failing = Literal[
    "upgrade", "downgrade", "downgrade with rows", "downgrade on new rows", "upgrade again", "time"
]
"""What of a round trip failed; `time` where it did not come to an end."""


@dataclass(frozen=True, slots=True)
class MeasuredFailure:
    """A step that failed, where to show it, and what to say."""

    of: Failing
    range: Range
    message: str


def measured_failure(context: Context, *of: Failing) -> Iterator[MeasuredFailure]:
    """What the last rehearsal failed on, where it is one of these."""
    evidence = context.evidence
    if evidence is None or evidence.verdict is not Verdict.FAILED or not evidence.reason:
        return
    step = evidence.decisive_step()
    if step is None or step.error is None:
        return
    found = _failing(step, evidence)
    if found in of:
        upgrades = step.name.startswith("upgrade")
        direction = context.migration.upgrade if upgrades else context.migration.downgrade
        inside = step.error.path == evidence.path
        line = _found_again(step.error, context.migration.source) if inside else None
        reason, _, _ = evidence.reason.partition("\n")
        message = f"{reason} ({conditions(evidence)})"
        yield MeasuredFailure(found, _failing_place(context, direction, line), message)


def _failing(step: Step, evidence: RevisionEvidence) -> Failing:
    if step.error is not None and step.error.type == OVERDUE:
        return "time"
    if step.name.startswith("upgrade again"):
        return "upgrade again"
    if step.name.startswith("upgrade"):
        return "upgrade"
    if step.name == "downgrade":
        return "downgrade"
    old_only = [s for s in evidence.steps if s.name.startswith("downgrade with old")]
    works = any(s.error is None for s in old_only)
    return "downgrade on new rows" if works else "downgrade with rows"


def _found_again(error: StepError, source: Source) -> int | None:
    """The line of an error by now: the nearest one that reads as it did."""
    if error.line is None or error.source is None:
        return error.line
    lines = range(1, source.line_count + 1)
    alike = [number for number in lines if source.line(number).strip() == error.source]
    was = error.line
    return min(alike, key=lambda number: abs(number - was), default=was)


def _failing_place(context: Context, direction: Direction | None, line: int | None) -> Range:
    """The operation at a line of the file, else that line, else where the direction begins."""
    migration = context.migration
    if line is None:
        return _header(context, direction)
    for operation in direction.operations if direction else ():
        if operation.range.start.line <= line <= operation.range.end.line:
            return operation.range
    return migration.source.code_range(line)


def measured_residue(context: Context) -> Iterator[tuple[Residue, Range]]:
    """What the last downgrade left, lost or changed, each at the operation it is about."""
    for residue in context.evidence.residue if context.evidence is not None else ():
        if residue.grade != "cosmetic":
            yield residue, _place_of_residue(context, residue)


def _place_of_residue(context: Context, residue: Residue) -> Range:
    for nearness in range(3):
        for operations in (context.downgrade_operations, context.upgrade_operations):
            for operation in reversed(operations):
                names = _names_there(context, operation, residue.object)
                if {_wider(name)[nearness] for name in names} & _names_in(operation):
                    return operation.range
    return _header_of(context, residue.object)


def _wider(name: str) -> tuple[str, str, str]:
    """An object's name, without its table's (if it has one), and that of its table."""
    table, _, own = name.rpartition(".")
    return name, own if table else "", table or name


def _names_there(context: Context, operation: Operation, name: str) -> Iterator[str]:
    """What a rehearsal calls so, as an operation would: without the engine, if it is for that."""
    parts = context.migration.parts
    if len(parts) < 2:  # noqa: PLR2004 - one database needs no name
        yield name
        return
    guards = [guard.names for guard in operation.guards if guard.kind is GuardKind.ENGINE]
    for engine in guards[0] if guards else [part.engine for part in parts]:
        if name.startswith(f"{named(engine)}."):
            yield name.removeprefix(f"{named(engine)}.")


def found_with(context: Context, name: str) -> tuple[str, tuple[Diagnostic, ...]]:
    """What is called so in its own database, and what was found before of that one."""
    parts = context.migration.parts
    for part in parts:
        if part.own and name.startswith(f"{named(part.engine)}."):
            others = [direction for p in parts if p is not part for direction in p.own_directions]
            about = (
                found
                for found in context.found
                if not any(within(found.range, other.range) for other in others)
            )
            return name.removeprefix(f"{named(part.engine)}."), tuple(about)
    return name, context.found


def _header_of(context: Context, name: str) -> Range:
    """Where the downgrade begins; that of the engine that a rehearsal names."""
    for part in context.migration.parts:
        if part.downgrade is not None and name.startswith(f"{named(part.engine)}."):
            return part.downgrade.header
    return _header(context, context.migration.downgrade)


def _names_in(operation: Operation) -> set[str]:
    """The names of what an operation changes: tables, columns as `table.column`, and others."""
    found = set()
    for change in operation.changes:
        tables = {str(name) for name in c.tables_of(change)}
        made = [getattr(change, kind, None) for kind in ("column", "constraint", "index", "enum")]
        names = {one if isinstance(one, str) else getattr(one, "name", None) for one in made}
        names |= {getattr(change, "name", None)}
        found |= {str(name) for name in names if name} | tables
        found |= {f"{table}.{name}" for table in tables for name in names if name}
        if isinstance(change, c.WriteRows):
            found.add(str(change.table))
    return found


def subject_of(loss: Loss) -> str:
    """The table or column whose values are lost."""
    return loss.table if loss.column is None else f"{loss.table}.{loss.column}"


def told_once(losses: Iterable[Loss]) -> Iterator[Loss]:
    """Losses without those of the round trip that the upgrade alone already explains."""
    losses = tuple(losses)
    going_up = {(loss.table, loss.column): loss.lost for loss in losses if loss.step == "upgrade"}
    for loss in losses:
        if loss.step == "upgrade" or loss.lost > going_up.get((loss.table, loss.column), 0):
            yield loss


def loss_line(loss: Loss) -> str:
    """One loss of values that were there before the upgrade."""
    example = f" ({loss.example})" if loss.example else ""
    who = "upgrading loses" if loss.step == "upgrade" else "rolling back loses"
    if loss.column is None:
        what = f"rows of `{loss.table}`: {loss.lost} of {loss.rows} are gone"
    else:
        what = f"`{loss.table}.{loss.column}`: {loss.lost} of {loss.rows} values differ"
    return f"{who} {what} {_AFTER[loss.step]}{example}"


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


def count(number: int, noun: str) -> str:
    """The number and its noun, in the plural where it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def database_name(kind: str) -> str:
    """A kind of database as people write it."""
    return DATABASES.get(kind, kind)


def database(evidence: RevisionEvidence) -> str:
    """The database something was measured on, with its version where it is known."""
    return f"{database_name(evidence.database)} {evidence.database_version}".rstrip()


def conditions(evidence: RevisionEvidence) -> str:
    """What a measurement was made with."""
    rows = f", {count(evidence.rows, 'made-up row')} a table" if evidence.rows else ""
    models = "" if evidence.baseline is None else ", from today's models"
    return f"{database(evidence)}{rows}{models}"


def _sentence(loss: Loss) -> str:
    what = "rows" if loss.column is None else "values"
    return (
        f"The {what} of {subject_of(loss)} cannot be restored"
        f" (in a rehearsal {loss.lost} of {loss.rows})."
    )


def loss_lines(evidence: RevisionEvidence) -> Mapping[Loss, int]:
    """The line of what had to do with each loss, as the migration reads now, if it can be read."""
    if evidence.path is None or not evidence.losses:
        return {}
    from alembic_roundtrip.migration.source import read

    path = Path(evidence.path)
    try:
        migration = read(path.read_text(encoding="utf-8"), path)
    except (OSError, ValueError):
        return {}
    context = Context(migration, History(()))
    return {loss: _place(context, loss).start.line for loss in evidence.losses}


def _place(context: Context, loss: Loss) -> Range:
    """The last operation that had to do with what is lost, in the step's own direction first."""
    upgrade, downgrade = context.upgrade_operations, context.downgrade_operations
    directions = (upgrade,) if loss.step == "upgrade" else (downgrade, upgrade)
    for column in (loss.column, None):
        for operations in directions:
            for operation in reversed(operations):
                for table in _names_there(context, operation, loss.table):
                    if _is_about(operation, table, column):
                        return operation.range
    if loss.step == "upgrade":
        return _header(context, context.migration.upgrade)
    return _header_of(context, loss.table)


def _header(context: Context, direction: Direction | None) -> Range:
    """Where a direction begins; without one, where the other does; else where the file does."""
    found = direction or context.migration.downgrade or context.migration.upgrade
    return found.header if found is not None else Range(Position(1, 1), Position(1, 1))


def _is_about(operation: Operation, table: str, column: str | None) -> bool:
    for change in operation.changes:
        written = (change.table,) if isinstance(change, c.WriteRows) else ()
        if table not in {str(name) for name in (*c.tables_of(change), *written)}:
            continue
        if column is None or isinstance(change, c.CreateTable | c.DropTable):
            return True
        names = {str(getattr(change, "column", "")), *getattr(change, "columns", ())}
        if isinstance(change, c.AddColumn):
            names = {change.column.name}
        if column in names:
            return True
    return False
