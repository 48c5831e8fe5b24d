"""What a rehearsal tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alembic_roundtrip.evidence import RevisionEvidence, Step, Verdict
from alembic_roundtrip.rehearsal.extensions import Extensions
from alembic_roundtrip.restoration import Restoration


@dataclass(frozen=True, slots=True)
class Started:
    """The rehearsal begins: on which database, behind which guard, for which revisions."""

    database: str
    version: str
    guard: str
    """`kernel` where the operating system closes every other database, else `process`."""
    revisions: tuple[str, ...]
    extensions: Extensions | None = None
    """Of a PostgreSQL server that is named, or of which migrations create some."""
    expected: str = ""
    """The kind that the project is for, as far as reading tells, where env.py connects to this."""


@dataclass(frozen=True, slots=True)
class FromModels:
    """The history begins nowhere: from now on it is rehearsed from what today's models make."""


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of a revision's round trip begins."""

    revision: str
    step: str


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended, well or not."""

    revision: str
    step: Step


@dataclass(frozen=True, slots=True)
class RevisionFinished:
    """All that was measured of one revision, and the key it is kept under."""

    evidence: RevisionEvidence
    key: str


@dataclass(frozen=True, slots=True)
class WayBackFound:
    """Instead of a round trip: how far the way back from a revision was found."""

    revision: str
    restoration: Restoration


@dataclass(frozen=True, slots=True)
class NoWayBack:
    """Instead of a way back: why there is none, as its upgrade fails perhaps."""

    revision: str
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The rehearsal is over: how many revisions came to which verdict."""

    verdicts: Mapping[Verdict, int]
    seconds: float


Event = (
    Started
    | FromModels
    | StepStarted
    | StepFinished
    | RevisionFinished
    | WayBackFound
    | NoWayBack
    | Finished
)
