"""What a report says beside its findings: what was not judged, and how an old project starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alembic_roundtrip.config import TABLE
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.workspace import Workspace

_MANY = 10
"""Failing findings from which on nobody is expected to mend them all at once."""


def uncompared(workspace: Workspace) -> Iterator[str]:
    """Why edited and deleted migrations are not looked for, where there is git."""
    for why in dict.fromkeys(workspace.surroundings.uncompared.values()):
        yield f"edited and deleted migrations are not looked for: {why}"


def way_to_start(workspace: Workspace, failing: Iterable[Diagnostic]) -> Iterator[str]:
    """The setting that leaves out what is old, where that is much and not left out yet."""
    found = [d for d in failing if d.revision]
    read = [env for env in workspace.environments if workspace.scripts(env).paths]
    if len(found) < _MANY or len(read) != 1:
        return
    heads = workspace.scripts(read[0]).history.heads
    if workspace.settings_of(read[0]).since or len(heads) != 1:
        return
    yield (
        f'to start clean, set `since = "{heads[0]}"` in `[tool.{TABLE}]` of `pyproject.toml`: only '
        "later revisions are reported on"
    )
