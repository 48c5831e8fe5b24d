"""Checks files of one environment in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.linting.records import Detail, settled
from alembic_roundtrip.project import Environment
from alembic_roundtrip.workspace import Workspace

Checked = tuple[Path, str, tuple[Diagnostic, ...]]
"""A file, its revision, and its diagnostics."""


@dataclass(frozen=True)
class Job:
    """What is to be done with files, whoever does it."""

    workspace: Workspace
    environment: Environment
    detail: Detail


def check(job: Job, files: Sequence[Path]) -> Iterator[Checked]:
    """Check files in this process."""
    scripts = job.workspace.scripts(job.environment)
    for file in files:
        found = job.workspace.diagnostics(file)
        migration = scripts.migration(file)
        yield file, migration.id, settled(found, migration, job.detail)
    scripts.keep_newest_schemas()
