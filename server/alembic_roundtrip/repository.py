"""What git knows of a user's files, asked with commands that run nothing of theirs.

A repository can name programs in its configuration: hooks, filters, file monitors, text
converters. So only the object store is read (`ls-tree`, `cat-file`), and what differs is found by
hashing files here: nothing that a clean filter or a diff driver has a part in.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 20
_LARGEST = 1_000_000
"""Bytes of the largest file that is read from the object store."""
_QUIET = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=",
    "-c",
    "safe.bareRepository=explicit",
)
_OF_ANOTHER_REPOSITORY = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_EXTERNAL_DIFF",
)
"""What git tells its hooks, and would then say of every other folder."""
_NEVER = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    # A partial clone would fetch what it lacks, with programs that its configuration names.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)
_SHA1 = 40
_SILENT = "it says nothing"


class GitError(Exception):
    """Git could not answer; its own words."""


class NothingSharedError(GitError):
    """There is no commit that HEAD shares with a ref, as far as the repository knows."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A file in the object store."""

    id: str
    size: int

    def is_of(self, data: bytes) -> bool:
        """Whether these are its bytes, but for the line ends that git may have changed."""
        if self.id == _blob_id(data, self.id):
            return True
        return b"\r\n" in data and self.id == _blob_id(data.replace(b"\r\n", b"\n"), self.id)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of a repository: `ref` is what people call it, `top` the work tree's folder."""

    ref: str
    id: str
    top: Path
    is_head: bool = False

    def name(self, path: Path) -> str | None:
        """A path as git names it; None for what lies outside of the work tree."""
        real = Path(os.path.realpath(path.parent), path.name)
        try:
            return real.relative_to(self.top).as_posix()
        except ValueError:
            return None

    def blobs(self, folders: Iterable[Path]) -> Mapping[str, Blob]:
        """The files below some folders, by the name that git has for them."""
        names = [name for name in map(self.name, folders) if name is not None]
        if not names:
            return {}
        where = [] if "." in names else ["--", *names]
        listed = _git(self.top, "ls-tree", "-r", "-l", "-z", "--full-tree", self.id, *where)
        return dict(_blobs(listed))

    def names(self) -> Iterator[Path]:
        """All files, without what is slow to ask for: their sizes."""
        listed = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", "--name-only", self.id)
        return (self.top / os.fsdecode(name) for name in listed.split(b"\0") if name)

    def contents(self, blobs: Iterable[Blob]) -> Mapping[str, bytes]:
        """The bytes of some files by their ids, in one call; those that git lacks are left out."""
        wanted = [blob.id for blob in blobs if blob.size <= _LARGEST]
        if not wanted:
            return {}
        asked = "".join(f"{name}\n" for name in dict.fromkeys(wanted)).encode()
        return dict(_contents(_git(self.top, "cat-file", "--batch", asked=asked)))


def deployed_commit(folder: Path, ref: str = "") -> Commit | None:
    """The commit up to which a folder's files count as deployed.

    That is the last one that HEAD shares with `ref`, or with the default branch where none is
    named; None where there is no default branch. Raises `GitError` without git or a repository,
    and for a ref that shares nothing with HEAD.
    """
    found = _git(folder, "rev-parse", "--show-toplevel", "HEAD").decode(errors="surrogateescape")
    top, head = found.rstrip("\n").rsplit("\n", 1)
    name = ref or _default_branch(folder)
    if name is None:
        return None
    short = name.removeprefix("refs/remotes/").removeprefix("refs/heads/")
    try:
        shared = _git(folder, "merge-base", "--", name, "HEAD").decode().strip()
    except GitError as error:
        said = f"HEAD has no commit in common with `{short}` here"
        raise NothingSharedError(said if str(error) == _SILENT else str(error)) from error
    return Commit(short, shared, Path(os.path.realpath(top)), shared == head)


def listed_files(folder: Path) -> list[str]:
    """Files below a folder, tracked or new, without those that `.gitignore` names: paths in it.

    Raises `GitError` without git or a repository.
    """
    kinds = ("--cached", "--others", "--exclude-standard", "--deduplicate")
    found = _git(folder, "ls-files", "-z", *kinds)
    return [os.fsdecode(name) for name in found.split(b"\0") if name]


def _default_branch(folder: Path) -> str | None:
    form = "--format=%(refname)%00%(symref)"
    lines = _git(folder, "for-each-ref", form, *_DEFAULT_BRANCHES).decode(errors="replace")
    found = dict(line.split("\0", 1) for line in lines.splitlines())
    name = next((name for name in _DEFAULT_BRANCHES if name in found), None)
    return None if name is None else found[name] or name


def _blobs(listed: bytes) -> Iterator[tuple[str, Blob]]:
    for entry in listed.split(b"\0"):
        facts, _, name = entry.partition(b"\t")
        words = facts.decode().split()
        # Git says BAD of what it has not got, in a partial clone.
        if len(words) == 4 and words[1] == "blob" and words[3].isdecimal():  # noqa: PLR2004
            yield os.fsdecode(name), Blob(words[2], int(words[3]))


def _contents(answer: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(answer):
        end = answer.index(b"\n", at)
        words = answer[at:end].decode().split()
        at = end + 1
        if len(words) == 3:  # noqa: PLR2004 - id, kind, size; else it is missing
            size = int(words[2])
            yield words[0], answer[at : at + size]
            at += size + 1


def _blob_id(data: bytes, like: str) -> str:
    algorithm = hashlib.sha1 if len(like) == _SHA1 else hashlib.sha256
    return algorithm(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _git(folder: Path, *arguments: str, asked: bytes = b"") -> bytes:
    environment = {k: v for k, v in os.environ.items() if k not in _OF_ANOTHER_REPOSITORY}
    command = ["git", "--no-pager", "--literal-pathspecs", *_QUIET, *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment | _NEVER,
            input=asked,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GitError(f"git did not run: {error}") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [_SILENT]
        raise GitError(said[0].removeprefix("fatal: "))
    return done.stdout
