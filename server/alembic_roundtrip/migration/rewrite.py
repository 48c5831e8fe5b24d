"""Edits that keep the rest of a migration as it is written; the only importer of LibCST."""

from __future__ import annotations

from dataclasses import dataclass

from alembic_roundtrip.text import Range


@dataclass(frozen=True, slots=True)
class WriteBody:
    """Give a direction this body in place of the one it has; make the function where it lacks.

    `statements` are whole statements of Python at no indentation, `imports` what they need.
    """

    direction: str
    statements: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InsertStatements:
    """Put statements before the top-level statement of that index (its length: at the end)."""

    direction: str
    index: int
    statements: tuple[str, ...]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddWarning:
    """Say in the module docstring's WARNING paragraph what a downgrade loses."""

    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddComment:
    """Put a comment line above a statement."""

    statement: Range
    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the text in a range."""

    range: Range
    text: str


Rewrite = WriteBody | InsertStatements | AddWarning | AddComment | Replace
