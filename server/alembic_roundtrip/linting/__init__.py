"""The diagnostics of many files: those that are known from the last time, and the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from alembic_roundtrip.linting.checking import Job, check_all
from alembic_roundtrip.linting.index import DiagnosticIndex
from alembic_roundtrip.linting.records import Detail, settled
from alembic_roundtrip.project import Environment
from alembic_roundtrip.rule import Diagnostic
from alembic_roundtrip.workspace import Workspace

__all__ = ["Detail", "diagnostics"]


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
    for file, revision, found in check_all(Job(workspace, environment, detail), unknown, jobs):
        if index is not None:
            index.keep(file, revision, detail, found)
        yield file, found
    if index is not None:
        index.save(scripts.paths)
        if unknown:
            scripts.forget_old_schemas()
