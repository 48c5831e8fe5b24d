"""What was measured, as sentences for people."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Container, Iterable, Iterator

from alembic_roundtrip.evidence import Loss, RevisionEvidence, StepError
from alembic_roundtrip.measurements import (
    loss_line,
    loss_lines,
    residue_line,
    subject_of,
    told_once,
)

_ADDED = ("DETAIL", "HINT")
"""What PostgreSQL says in lines of their own below a message."""
_WIDTH = 160


def details(evidence: RevisionEvidence, unsaid: Container[str] = ()) -> Iterator[str]:
    """What there is to say below a revision's verdict, one line each.

    `unsaid` are the tables and columns of which the migration does not say that they are lost.
    """
    if evidence.reason is not None:
        yield evidence.reason
        step = evidence.decisive_step()
        if step is not None and step.error is not None:
            yield from _about(step.error)
    if evidence.half_done is not None:
        yield evidence.half_done
    for residue in evidence.residue:
        yield residue_line(residue)
    old = evidence.old_losses()
    lines = loss_lines(evidence) if old else {}
    for loss in told_once(old):
        silent = subject_of(loss) in unsaid
        yield loss_line(loss) + ("; the migration does not say so" if silent else "")
        if evidence.path is not None and loss in lines:
            yield f"  at {shown(evidence.path)}:{lines[loss]}"
    written = evidence.new_losses()
    if written:
        yield f"rolling back also drops what was written since the upgrade: {_names(written)}"
    yield from (note.text for note in evidence.notes)


def _about(error: StepError) -> Iterator[str]:
    """What a reason leaves out of an error: the database's advice, the statement, the place."""
    for line in error.message.splitlines()[1:]:
        name, colon, said = line.partition(":")
        if colon and name in _ADDED:
            yield f"  {name.capitalize()}: {_one_line(said)}"
    if error.statement is not None:
        yield f"  Statement: {_one_line(error.statement)}"
    if error.path is not None:
        yield f"  at {shown(error.path)}:{error.line}"


def _one_line(text: str) -> str:
    return textwrap.shorten(text, _WIDTH, placeholder=" …")


def shown(path: str) -> str:
    """A path as short as the working directory allows."""
    try:
        relative = os.path.relpath(path)
    except ValueError:  # another drive
        return path
    return path if relative.startswith(os.pardir) else relative


def _names(losses: Iterable[Loss]) -> str:
    tables = [loss.table for loss in losses if loss.column is None]
    columns = [f"{loss.table}.{loss.column}" for loss in losses if loss.column is not None]
    parts = [f"rows of `{name}`" for name in tables] + [f"`{name}`" for name in columns]
    return ", ".join(dict.fromkeys(parts))
