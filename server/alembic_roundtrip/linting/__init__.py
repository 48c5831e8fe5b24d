"""The diagnostics of many files: those that are known from the last time, and the others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.linting.checking import Checked, Job, check
from alembic_roundtrip.linting.index import DiagnosticIndex
from alembic_roundtrip.linting.records import Detail, settled
from alembic_roundtrip.project import Environment
from alembic_roundtrip.workspace import Workspace

__all__ = ["Detail", "diagnostics"]

_MANY = 150
"""Files from which on another process is worth its start."""
_CHUNK = 250
"""Files at most that a process does in a row."""


def diagnostics(
    workspace: Workspace, files: Iterable[Path], detail: Detail, jobs: int | None = None
) -> list[Diagnostic]:
    """The diagnostics of files, in their order, with as much of their fixes as is asked for."""
    by_environment: dict[Environment, list[Path]] = {}
    wanted = list(files)
    found: dict[Path, tuple[Diagnostic, ...]] = {}
    for file in wanted:
        environment = workspace.environment_of(file)
        if environment is not None:
            by_environment.setdefault(environment, []).append(file)
        else:
            document = workspace.document(file)
            found[file] = settled(workspace.diagnostics(file), document, detail)
    for environment, mine in by_environment.items():
        found |= _of(workspace, environment, mine, detail, jobs)
    return [diagnostic for file in wanted for diagnostic in found.get(file, ())]


def _of(
    workspace: Workspace,
    environment: Environment,
    files: list[Path],
    detail: Detail,
    jobs: int | None,
) -> Iterator[tuple[Path, tuple[Diagnostic, ...]]]:
    scripts, settings = workspace.scripts(environment), workspace.settings_of(environment)
    index = None
    if scripts.store is not None:
        index = DiagnosticIndex(scripts.store, scripts, settings)
    unknown = []
    for file in files:
        known = index.find(file, detail) if index is not None else None
        if known is None:
            unknown.append(file)
        else:
            yield file, known
    for file, revision, found in _checked(Job(workspace, environment, detail), unknown, jobs):
        if index is not None:
            index.keep(file, revision, detail, found)
        yield file, found
    if index is not None:
        index.save(scripts.paths)
        if unknown:
            scripts.forget_old_schemas()


def _checked(job: Job, files: Sequence[Path], processes: int | None) -> Iterator[Checked]:
    """Check files, in several processes where there are many; their number wins if it is given."""
    count = min(processes or _processors(), len(files) // _MANY)
    if count <= 1:
        yield from check(job, files)
        return
    from alembic_roundtrip.linting.workers import shared_out

    rounds = -(-len(files) // (_CHUNK * count))
    size = -(-len(files) // (rounds * count))  # as many for each process
    chunks = [files[start : start + size] for start in range(0, len(files), size)]
    done = shared_out(job, chunks, count)
    for number, chunk in enumerate(chunks):
        # What a process that was killed has not done is done here.
        yield from done.pop(number) if number in done else check(job, chunk)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
