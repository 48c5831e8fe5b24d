"""What the deployed ref has of an environment's migrations, and which of them are gone since."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from alembic_roundtrip.history import History, Revision
from alembic_roundtrip.history.scan import is_script_name, revision_of
from alembic_roundtrip.migration.syntax import decode
from alembic_roundtrip.project import Environment
from alembic_roundtrip.repository import Blob, Commit

_REPLACES = re.compile(r"\b(?:replac|squash|supersed)\w*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the deployed ref has of one migration.

    `text` is what it has there where that is not what the file has now; `known` is false for a
    migration that it does not have. `latest` says that HEAD is the deployed commit itself.
    """

    ref: str
    known: bool = False
    text: str | None = None
    latest: bool = False

    @property
    def unchanged(self) -> bool:
        """Whether the deployed ref has the migration as it is now."""
        return self.known and self.text is None


@dataclass(frozen=True, slots=True)
class Deletion:
    """A migration that the deployed ref has and that is gone: its file there, and its text."""

    ref: str
    path: Path
    revision: Revision = field(compare=False)
    text: str = field(repr=False)

    @property
    def id(self) -> str:
        """The revision identifier."""
        return self.revision.id


class DeployedScripts:
    """The migrations of an environment as the deployed ref has them."""

    def __init__(self, commit: Commit, environment: Environment) -> None:
        """Ask git for what differs; raises `GitError`."""
        self.commit = commit
        self._blobs = {
            path: blob
            for name, blob in commit.blobs(environment.version_locations).items()
            if environment.location_of(path := _here(environment, commit.top / name)) is not None
            and is_script_name(path.name)
        } or dict(_moved(commit, environment))
        different = [blob for path, blob in self._blobs.items() if _size(path) != blob.size]
        self._contents = dict(commit.contents(different))
        self.missing = tuple(self._missing())
        """Its migrations whose files are not there now."""

    @property
    def empty(self) -> bool:
        """Whether the ref has no migration at all."""
        return not self._blobs

    def of(self, path: Path, text: str, revision: str) -> Deployed:
        """What the ref has of a migration, by its file or, where that was moved, its identifier."""
        ref, latest = self.commit.ref, self.commit.is_head
        blob = self._blobs.get(path)
        if blob is None:
            moved = next((d for d in self.missing if d.id == revision), None)
            there = moved.text if moved else None
        elif blob.is_of(text.encode("utf-8", "surrogatepass")):
            return Deployed(ref, known=True, latest=latest)
        else:
            there = self._text(blob)
        if there is None:
            return Deployed(ref, known=blob is not None, latest=latest)
        differs = _lines(there) != _lines(text)
        return Deployed(ref, known=True, text=there if differs else None, latest=latest)

    def fetch(self, paths: Iterable[Path]) -> None:
        """Get the texts of some files before they are asked for, in one call."""
        blobs = (self._blobs[path] for path in paths if path in self._blobs)
        wanted = [blob for blob in blobs if blob.id not in self._contents]
        self._contents = {**self._contents, **self.commit.contents(wanted)}

    def facts(self, path: Path, revision: str) -> tuple[object, ...]:
        """All that `of` depends on beside the file's own text."""
        blob = self._blobs.get(path)
        moved = () if blob else tuple(d.text for d in self.missing if d.id == revision)
        return self.commit.ref, self.commit.is_head, blob and blob.id, moved

    def may_be_new(self, path: Path) -> bool:
        """Whether a file is not, or not as it is, in the deployed ref, by its size."""
        blob = self._blobs.get(path)
        return blob is None or blob.size != _size(path)

    def _missing(self) -> Iterator[Deletion]:
        for path, blob in sorted(self._blobs.items()):
            if _size(path) is None and (text := self._text(blob)) is not None:
                revision = revision_of(path, text)
                if revision is not None:
                    yield Deletion(self.commit.ref, path, revision, text)

    def _text(self, blob: Blob) -> str | None:
        """The text of a file; None where git does not have it (a partial clone) or it is none."""
        if blob.id not in self._contents:
            self._contents = {**self._contents, **self.commit.contents([blob])}
        try:
            return decode(self._contents[blob.id])
        except (KeyError, ValueError):
            return None


def deletions(
    missing: Iterable[Deletion], history: History, texts: Iterable[str]
) -> Mapping[str | None, tuple[Deletion, ...]]:
    """The deployed migrations that are gone, by the revision at which they are missed.

    That is one that names the gone one, else one that it followed; None for those that nothing
    there had to do with. Left out is what lives on under another name, and what a text says it
    replaces.
    """
    gone = {d.id: d for d in missing if d.id not in history.by_id}
    if not gone:
        return {}
    for replaced in list(_replaced(gone, texts)):
        gone.pop(replaced, None)
    named = {
        name: rev
        for rev, revision in history.by_id.items()
        for name in (*revision.down_revisions, *revision.depends_on)
    }
    found: dict[str | None, list[Deletion]] = {}
    for deletion in gone.values():
        parents = (rev for rev in deletion.revision.down_revisions if rev in history.by_id)
        found.setdefault(named.get(deletion.id) or next(parents, None), []).append(deletion)
    return {place: tuple(those) for place, those in found.items()}


def _replaced(gone: Mapping[str, Deletion], texts: Iterable[str]) -> Iterator[str]:
    """Identifiers that a squash says it replaces, with all that came before them."""
    todo = [
        name
        for text in texts
        if (found := _REPLACES.search(text))
        for name in gone
        if name in text[found.end() :]
    ]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in gone and name not in seen:
            seen.add(name)
            yield name
            todo += gone[name].revision.down_revisions


def _moved(commit: Commit, environment: Environment) -> Iterator[tuple[Path, Blob]]:
    """The migrations of a ref that has them in folders which are not there any more.

    A location stands for the folder that has most of its files, by their names and identifiers:
    Django, and any other service, calls its first migration `0001_initial.py`, too.
    """
    folders: dict[Path, set[str]] = {}
    for path in commit.names():
        if is_script_name(path.name):
            folders.setdefault(path.parent, set()).add(path.name)
    for location in environment.version_locations:
        here = {file.name for file in location.glob("*.py")}
        shared = {old: len(here & names) for old, names in folders.items()}
        alike = [
            old
            for old, names in folders.items()
            if 2 * shared[old] > len(names) and not any((old / name).exists() for name in names)
        ]
        for old in sorted(alike, key=lambda folder: -shared[folder]):
            found = commit.blobs([old]).items()
            there = {
                path.name: blob for name, blob in found if (path := commit.top / name).parent == old
            }
            blobs = {name: blob for name, blob in there.items() if name in folders[old]}
            if _has_same_revisions(commit, blobs, location):
                yield from ((location / name, blob) for name, blob in blobs.items())
                break


def _has_same_revisions(commit: Commit, blobs: Mapping[str, Blob], location: Path) -> bool:
    """Whether most migrations of a ref have the identifiers of those so called in a folder."""
    contents = commit.contents(blobs.values())
    there = {
        name: identifier
        for name, blob in blobs.items()
        if (identifier := _identifier(location / name, contents.get(blob.id)))
    }
    same = [n for n in there if there[n] == _identifier(location / n, _bytes(location / n))]
    return 2 * len(same) > len(there)


def _identifier(path: Path, data: bytes | None) -> str | None:
    """The revision of a migration; None for what is none."""
    try:
        revision = None if data is None else revision_of(path, decode(data))
    except ValueError:
        return None
    return None if revision is None else revision.id


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _here(environment: Environment, path: Path) -> Path:
    """A file of the repository as the environment calls it: it may look through a link."""
    for location in environment.version_locations:
        real = location.resolve()
        if real != location and real in path.parents:
            return location / path.relative_to(real)
    return path


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _lines(text: str) -> list[str]:
    return text.splitlines()
