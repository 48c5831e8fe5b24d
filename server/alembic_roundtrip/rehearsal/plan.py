"""What is to be rehearsed, as a value."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from alembic_roundtrip.config import Settings
from alembic_roundtrip.project import Environment

TARGET_METADATA = "target_metadata"
"""As `baseline`: the models that env.py gives Alembic."""
FULL_CYCLE = "full cycle"
"""The name under which base → heads → base is reported, where a revision's would stand."""


@dataclass(frozen=True)
class WrittenBack:
    """Statements that may lead back from an upgrade, and the imports they need."""

    statements: tuple[str, ...]
    imports: tuple[str, ...]


class CannotRun(Exception):
    """Nothing could be rehearsed; one sentence says why and what to do.

    `wants` is the dialect that env.py connects to, where the scratch database is of another;
    `homeless` says that all it lacks is a home folder to write to; `history`, that Alembic refuses
    the revisions.
    """

    def __init__(
        self, sentence: str, wants: str = "", *, homeless: bool = False, history: bool = False
    ) -> None:
        super().__init__(sentence)
        self.wants = wants
        self.homeless = homeless
        self.history = history


@dataclass(frozen=True)
class Plan:
    """One rehearsal: whose migrations, which of them, and under which settings."""

    environment: Environment
    settings: Settings
    revisions: tuple[str, ...] = ()
    """Ids, partial ids, symbols, ranges `a:b`; none means all. Alembic resolves them."""
    full_cycle: bool = False
    parts: tuple[tuple[int, int], ...] = ()
    """Only the n-th of so many parts of those revisions; of that part again one, and so on."""
    jobs: int = 1
    """How many agents rehearse at the same time, a part each."""
    written: Mapping[str, WrittenBack] = field(default_factory=dict)
    """Instead of round trips: what reading has written as the downgrade of each revision."""

    home: bool = False
    """Whether the home folder is an empty one, that env.py may write to."""
    models: bool = True
    """Whether a history that begins nowhere may be rehearsed from today's models instead."""

    commits: bool = False
    """Whether every step commits, as no transaction holds them."""

    def from_models(self) -> Plan:
        """The same, from what env.py's models make, back and up again."""
        settings = replace(self.settings, baseline=TARGET_METADATA, baseline_revision="heads")
        return replace(self, settings=settings)

    def to_json(self, kind: str, folder: Path, place: Mapping[str, Any]) -> dict[str, Any]:
        """As the agent reads it; `place` is what its kind of database needs to be told."""
        config = self.environment.config
        return {
            "parent": os.getpid(),
            "kind": kind,
            "kind_is_named": self.settings.database != "auto",
            "place": dict(place),
            "folder": str(folder),
            "config": None if config is None else str(config),
            "toml": None if self.environment.toml is None else str(self.environment.toml),
            "section": self.environment.section,
            "script_location": str(self.environment.script_location),
            "x_arguments": list(self.settings.x_arguments),
            "revisions": list(self.revisions),
            "parts": self.parts,
            # Once for all parts: by the last, which has the least to do.
            "full_cycle": self.full_cycle and all(number == of for number, of in self.parts),
            "written": {revision: asdict(each) for revision, each in self.written.items()},
            "rows": self.settings.rows,
            "baseline": self.settings.baseline,
            "baseline_revision": self.settings.baseline_revision,
            "models": self.models and not self.settings.baseline and not self.written,
            "home": self.home,
            "commits": self.commits,
            "own_rows": self._own_rows(),
            "writable": [str(folder) for folder in self._writable()],
            "hand_on": None,
            "taken": None,
        }

    def _own_rows(self) -> str:
        if not self.settings.own_rows:
            return ""
        folder = self.environment.folder / self.settings.own_rows
        if not folder.is_dir():
            raise CannotRun(
                f"{folder} is not a folder; set `own-rows` to the folder with rows of your own"
            )
        return str(folder)

    def _writable(self) -> Iterator[Path]:
        for name in self.settings.writable:
            home = self.environment.folder.resolve()
            folder = (home / name).resolve()
            if home not in folder.parents:
                raise CannotRun(
                    f"{folder} may not be written to: `writable` is for folders inside {home}"
                )
            if not folder.is_dir():
                raise CannotRun(f"`writable`: {folder} is not a folder; make it, or leave it out")
            yield folder
