"""Files beside the migrations that rules read as text: scripts, workflows, build and settings."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from alembic_roundtrip.repository import GitError, listed_files
from alembic_roundtrip.text import Source

MARKS = re.compile(rb"\b(?:stamp|alembic_version)\b")
"""What files have that a rule has something to say of."""
LARGEST = 500_000
"""Bytes of the largest file that is read."""
_MOST = 50_000
"""Files after which a folder is no project any more."""
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "vendor", "dist", "build"})
_BY_SUFFIX = MappingProxyType(
    {
        ".py": "python",
        ".sh": "shell",
        ".bash": "shell",
        ".zsh": "shell",
        ".ksh": "shell",
        ".yml": "yaml",
        ".yaml": "yaml",
        ".mk": "make",
        ".dockerfile": "docker",
        ".toml": "toml",
        ".ini": "ini",
        ".cfg": "ini",
    }
)
_BY_NAME = MappingProxyType(
    {"makefile": "make", "gnumakefile": "make", "justfile": "make", "procfile": "yaml"}
)
_PROGRAM = re.compile(
    r"#!\s*/\S*/(?:env\s+(?:-S\s*)?)?(?:/\S*/)?(?P<name>python|(?:ba|da|k|z)?sh\b)"
)
"""What runs a script, by its first line."""


@dataclass(frozen=True)
class TextFile:
    """A file that is no migration: its kind says how to read it."""

    path: Path
    text: str = field(repr=False)
    folder: Path | None = None
    """The workspace's folder that it lies in."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the folders from the workspace's on, and its own."""
        return self.path.parts if self.folder is None else self.path.relative_to(self.folder).parts

    @cached_property
    def source(self) -> Source:
        """The text with its lines."""
        return Source(self.text)

    @property
    def kind(self) -> str:
        """What it is written in; empty for anything else than the kinds above."""
        return kind_of_name(self.path.name) or _kind_of_script(self.path.name, self.text)


def kind_of(path: Path) -> str:
    """What a file is written in, by its name or first line; empty for what is not looked at."""
    known = kind_of_name(path.name)
    return known or ("" if "." in path.name else _kind_of_script(path.name, read_text(path) or ""))


def _kind_of_script(name: str, text: str) -> str:
    """What a script is written in that has a name without an ending."""
    program = _PROGRAM.match(text) if "." not in name else None
    if program is None:
        return ""
    return "python" if program["name"] == "python" else "shell"


def kind_of_name(name: str) -> str:
    """What a file of that name is written in."""
    name = name.lower()
    suffix = name[name.rfind(".") :] if name.rfind(".") > 0 else ""
    if name.startswith(("dockerfile", "containerfile")) and suffix != ".py":
        return "docker"
    known = _BY_NAME.get(name) or _BY_SUFFIX.get(suffix)
    if known is None and "." not in name and "entrypoint" in name:
        return "shell"
    return known or ""


def files_with(
    folder: Path, pattern: re.Pattern[bytes], *, but: Container[Path] = ()
) -> Iterator[Path]:
    """Files below a folder that are of a kind that is looked at and have what a pattern finds.

    What git ignores is left out, or what is usually ignored; and so are files in the folders `but`.
    """
    count = 0
    places: dict[str, Path | None] = {}
    for root, name in _listed(folder):
        if root not in places:
            places[root] = folder / root if _SKIPPED.isdisjoint(root.split("/")) else None
        place = places[root]
        if place is None:
            continue
        if count > _MOST:
            return
        count += 1
        known = "." not in name or kind_of_name(name)
        if known and place not in but and matches(path := place / name, pattern):
            yield path


def matches(path: Path, pattern: re.Pattern[bytes]) -> bool:
    """Whether a pattern finds anything in a file; settings are looked at anyway, not by this."""
    return kind_of(path) not in {"", "toml", "ini"} and pattern.search(_bytes(path)) is not None


def read_text(path: Path) -> str | None:
    """The text of a file; None for one that is too large, binary, or cannot be read."""
    data = _bytes(path)
    return data.decode(errors="replace") if data and b"\0" not in data else None


def _bytes(path: Path) -> bytes:
    try:
        # A fifo would keep us waiting, and a link may lead anywhere.
        if path.is_symlink() or not path.is_file() or path.stat().st_size > LARGEST:
            return b""
        return path.read_bytes()
    except OSError:
        return b""


def _listed(folder: Path) -> Iterator[tuple[str, str]]:
    """Files below a folder: the path from there to their own, and their name.

    As text, because there are thousands that nothing is made of.
    """
    try:
        found = listed_files(folder)
    except GitError:
        yield from _walked(folder)
        return
    for file in found:
        root, _, name = file.rpartition("/")
        yield root, name


def _walked(top: Path) -> Iterator[tuple[str, str]]:
    for root, folders, files in os.walk(top):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [n for n in folders if n not in _SKIPPED and (n[0] != "." or n == ".github")]
        here = Path(root).relative_to(top).as_posix()
        yield from (("" if here == "." else here, name) for name in files)
