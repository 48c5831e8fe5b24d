"""Paths as reports name them."""

from __future__ import annotations

from pathlib import Path


def relative(path: Path, folder: Path | None = None) -> str:
    """A path as seen from a folder, else from the working directory."""
    try:
        return path.relative_to(folder or Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
