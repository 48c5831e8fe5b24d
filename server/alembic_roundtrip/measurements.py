"""Losses that the last rehearsal measured, as sentences and at the operations behind them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

from alembic_roundtrip.context import Context
from alembic_roundtrip.evidence import Loss, RevisionEvidence
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.text import Position, Range

_AFTER = MappingProxyType({"upgrade": "after the upgrade", "round trip": "after the round trip"})
_DATABASES = MappingProxyType(
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


def count(number: int, noun: str) -> str:
    """The number and its noun, in the plural where it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def database_name(kind: str) -> str:
    """A kind of database as people write it."""
    return _DATABASES.get(kind, kind)


def database(evidence: RevisionEvidence) -> str:
    """The database something was measured on, with its version where it is known."""
    return f"{database_name(evidence.database)} {evidence.database_version}".rstrip()


def conditions(evidence: RevisionEvidence) -> str:
    """What a measurement was made with."""
    rows = f", {count(evidence.rows, 'made-up row')} a table" if evidence.rows else ""
    return f"{database(evidence)}{rows}"


def _sentence(loss: Loss) -> str:
    what = "rows" if loss.column is None else "values"
    return (
        f"The {what} of {subject_of(loss)} cannot be restored"
        f" (in a rehearsal {loss.lost} of {loss.rows})."
    )


def _place(context: Context, loss: Loss) -> Range:
    """The last operation that had to do with what is lost, in the step's own direction first."""
    upgrade, downgrade = context.upgrade_operations, context.downgrade_operations
    directions = (upgrade,) if loss.step == "upgrade" else (downgrade, upgrade)
    for column in (loss.column, None):
        for operations in directions:
            for operation in reversed(operations):
                if _is_about(operation, loss.table, column):
                    return operation.range
    header = context.migration.downgrade or context.migration.upgrade
    return header.header if header is not None else Range(Position(1, 1), Position(1, 1))


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
