"""Checks the files of one environment, in as many processes as are of use."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic_roundtrip.linting.records import Detail, settled
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rule import Diagnostic
from alembic_roundtrip.workspace import Workspace

_MANY = 150
"""Files from which on another process is worth its start."""
_CHUNK = 250

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


def check_all(job: Job, files: Sequence[Path], processes: int | None = None) -> Iterator[Checked]:
    """Check files, in several processes where there are many; their number wins if it is given."""
    count = min(processes or _processors(), len(files) // _MANY)
    if count <= 1:
        yield from check(job, files)
        return
    from alembic_roundtrip.linting.workers import shared_out

    size = min(_CHUNK, -(-len(files) // count))
    chunks = [files[start : start + size] for start in range(0, len(files), size)]
    done = shared_out(job, chunks, count)
    for number, chunk in enumerate(chunks):
        # What a process that was killed has not done is done here.
        yield from done.pop(number) if number in done else check(job, chunk)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
