"""Which migrations changed against another state of the user's git repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alembic_roundtrip.cli._workspace import NothingToReadError
from alembic_roundtrip.project import Environment
from alembic_roundtrip.repository import Blob, Commit, GitError, deployed_commit


def changed_files(environment: Environment, files: Iterable[Path], ref: str) -> frozenset[Path]:
    """Migrations changed or added since the merge base with `ref`, committed or not, or untracked.

    Raises `NothingToReadError` where there is no git, no repository or no such ref.
    """
    try:
        known = [_known(location, ref) for location in environment.version_locations]
    except GitError as error:
        raise NothingToReadError(
            f"--changed-since {ref}: git says: {error}; name a branch, tag or commit that HEAD has "
            "a commit in common with, and fetch it first where a checkout is shallow"
        ) from error
    return frozenset(f for f in files if all(_differs(f, commit, blobs) for commit, blobs in known))


def _known(location: Path, ref: str) -> tuple[Commit, dict[str, Blob]]:
    commit = deployed_commit(location, ref)
    assert commit is not None, "a ref was named"
    return commit, dict(commit.blobs([location]))


def _differs(file: Path, commit: Commit, blobs: dict[str, Blob]) -> bool:
    blob = blobs.get(commit.name(file) or "")
    try:
        return blob is None or not blob.is_of(file.read_bytes())
    except OSError:
        return True  # what cannot be read is to be reported
