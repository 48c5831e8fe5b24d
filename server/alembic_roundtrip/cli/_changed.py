"""Which files changed against another state of the user's git repository."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alembic_roundtrip.cli._workspace import NothingToReadError
from alembic_roundtrip.repository import Blob, Commit, GitError, NothingSharedError, deployed_commit


def changed_files(folders: Iterable[Path], files: Iterable[Path], ref: str) -> frozenset[Path]:
    """Files below some folders that changed or came since the merge base with `ref`, or untracked.

    Raises `NothingToReadError` where there is no git, no repository or no such ref.
    """
    try:
        known = [_known(folder, ref) for folder in folders]
    except NothingSharedError as error:
        raise NothingToReadError(
            f"--changed-since {ref}: git says: {error}; name a branch, tag or commit that HEAD has "
            "a commit in common with, and fetch it first where a checkout is shallow"
        ) from error
    except GitError as error:
        raise NothingToReadError(
            f"--changed-since {ref}: git says: {error}; it needs a repository with a commit"
        ) from error
    return frozenset(f for f in files if all(_differs(f, commit, blobs) for commit, blobs in known))


def _known(folder: Path, ref: str) -> tuple[Commit, dict[str, Blob]]:
    commit = deployed_commit(folder, ref)
    assert commit is not None, "a ref was named"
    return commit, dict(commit.blobs([folder]))


def _differs(file: Path, commit: Commit, blobs: dict[str, Blob]) -> bool:
    blob = blobs.get(commit.name(file) or "")
    try:
        return blob is None or not blob.is_of(file.read_bytes())
    except OSError:
        return True  # what cannot be read is to be reported
