"""Which files changed against another state of the user's git repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from alembic_roundtrip.cli._workspace import NothingToReadError

_SECONDS = 60


def changed_files(folder: Path, ref: str) -> frozenset[Path]:
    """Files changed or added since the merge base with `ref`, committed or not, or untracked.

    Raises `NothingToReadError` where there is no git, no repository or no such ref.
    """
    top = Path(_git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
    try:
        base = _git(folder, "merge-base", "--", ref, "HEAD").strip()
    except NothingToReadError as error:
        raise NothingToReadError(
            f"--changed-since {ref}: git finds no common commit of it and HEAD; name a branch, tag "
            "or commit, and fetch it first where a checkout is shallow"
        ) from error
    changed = _git(top, "diff", "--name-only", "-z", "--no-ext-diff", "--diff-filter=d", base)
    untracked = _git(top, "ls-files", "-z", "--others", "--exclude-standard")
    names = f"{changed}\0{untracked}".split("\0")
    return frozenset((top / name).resolve() for name in names if name)


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NothingToReadError(
            f"--changed-since needs git, which did not run: {error}"
        ) from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[0]
        raise NothingToReadError(f"--changed-since: git failed: {said}")
    return done.stdout
