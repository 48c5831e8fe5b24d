"""What a rule reports: findings, diagnostics, and the fixes that answer them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from alembic_roundtrip.severity import Severity
from alembic_roundtrip.text import Edit, Range

if TYPE_CHECKING:
    from alembic_roundtrip.migration.rewrite import Rewrite


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is not there yet."""

    path: Path
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that answers a diagnostic.

    A safe fix adds or moves text; an unsafe one changes what a rollback does and is never part of
    fixing everything at once. `migration.editing.edits` turns the rewrites into text edits. One
    that creates files has no rewrites.
    """

    title: str
    rewrites: tuple[Rewrite, ...]
    safety: Literal["safe", "unsafe"] = "safe"
    edits: tuple[Edit, ...] | None = None
    """The edits that the rewrites are, where somebody made them already."""
    creates: tuple[NewFile, ...] = ()
    description: str = "changes what a rollback does"
    """What an editor says beside an unsafe fix before it is made."""


Fixes = tuple[Fix, ...] | Callable[[], tuple[Fix, ...]]
"""Fixes, or what makes them when somebody asks: nothing is written while a user types."""


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that explains a diagnostic."""

    path: Path
    range: Range
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check yields; the rule adds its name and severity."""

    range: Range
    message: str
    fixes: Fixes = ()
    related: tuple[Related, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding of one rule in one migration script, or in a file that is none.

    `revision` is empty where there is none.
    """

    rule: str
    severity: Severity
    message: str
    path: Path
    revision: str
    range: Range
    offered: Fixes = field(default=(), repr=False, compare=False)
    related: tuple[Related, ...] = ()

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """The fixes, the preferred one first."""
        return self.offered() if callable(self.offered) else self.offered
