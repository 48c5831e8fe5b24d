"""One connected editor: what it can do, what it has open, what it trusts."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pygls import uris

from alembic_roundtrip.config import SettingsError
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.lsp.client import Client
from alembic_roundtrip.lsp.convert import Converter
from alembic_roundtrip.migration.model import Migration
from alembic_roundtrip.project import Environment, ProjectError
from alembic_roundtrip.rehearsal.spare import Standby
from alembic_roundtrip.rulenames import UnknownRuleError
from alembic_roundtrip.scaffold.patterns import Pattern, patterns
from alembic_roundtrip.text import Range, Source
from alembic_roundtrip.textfile import TextFile
from alembic_roundtrip.workspace import Surroundings, Workspace

log = logging.getLogger(__name__)

T = TypeVar("T")

UNUSABLE = (SettingsError, ProjectError, UnknownRuleError)
"""What a user has to correct before a folder or an environment can be looked at."""
SLICE = 0.01
"""Seconds of work after which other messages are let in."""
FIRST_LOOK = 0.5
"""Seconds that the first findings wait for what git knows."""
BREATH = 0.001
"""Seconds that are left to them then."""
QUIET = 0.3
"""Seconds without an edit after which work that nobody waits for may go on."""


@dataclass(slots=True)
class OpenDocument:
    """A document the editor has open: what it calls it, its version and its text."""

    uri: str
    version: int | None
    text: str


@dataclass(slots=True)
class Session:
    """What handlers read; only notifications from the editor change it."""

    client: Client = field(default_factory=Client)
    folders: tuple[Path, ...] = ()
    """The workspace's folders, as the editor calls them."""
    visited: tuple[Path, ...] = ()
    """Folders around files that were opened on their own."""
    overrides: Mapping[str, Any] = field(default_factory=dict)
    trusted: bool = True
    reports_results: bool = False
    """Whether the client shows the results of commands itself."""
    rehearsals: set[asyncio.Future[Any]] = field(default_factory=set)
    one_rehearsal: asyncio.Lock = field(default_factory=asyncio.Lock)
    standby: Standby = field(default_factory=Standby)
    """What is ready for the next rehearsal."""
    problems: tuple[str, ...] = ()
    """What the user has to correct, a sentence each."""
    told: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the user was last told, by subject."""
    open: dict[Path, OpenDocument] = field(default_factory=dict)
    workspace: Workspace = field(default_factory=lambda: Workspace(()))
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    """Set, and replaced by a new one, when findings of other files may have changed."""
    last_edit: float = 0.0
    looking: asyncio.Task[None] | None = None
    """The first look around the migrations of these folders, while it goes on."""
    _found: dict[Path, tuple[Diagnostic, ...]] = field(default_factory=dict)
    """Diagnostics, until anything changes: an editor asks several times for the same."""
    _logged: set[tuple[str, str]] = field(default_factory=set)

    def rebuild(self) -> None:
        """Read everything anew, for other folders or settings; what is unusable is left out."""
        alone = [folder for folder in self.visited if not _lies_in(folder, self.folders)]
        folders = [*self.folders, *alone]
        problems = self._look_at(folders)
        if problems:
            unusable = {folder: self._look_at([folder]) for folder in folders}
            problems = [
                f"{text}; {folder} is not checked until then"
                for folder, texts in unusable.items()
                for text in texts
            ]
            self._look_at([folder for folder in folders if not unusable[folder]])
        for environment in self.environments:
            problems += environment.problems
        nothing: tuple[str, ...] = ()
        look = "reading the settings"
        mistakes = self.guarded(look, lambda: self.workspace.mistakes, nothing)
        problems += [text for text in mistakes if not any(map(text.startswith, problems))]
        self.problems = tuple(dict.fromkeys(problems))
        for path, document in self.open.items():
            self._set_text(path, document.text)

    def _look_at(self, folders: Sequence[Path]) -> list[str]:
        """Make these the workspace; gives why that cannot be, or nothing."""
        self._found.clear()
        self.workspace = Workspace(folders, self.overrides, Surroundings())
        try:
            assert self.workspace.environments is not None
        except UNUSABLE as error:
            return [str(error)]
        except Exception as error:  # noqa: BLE001 - whatever is in the workspace, the server lives
            self.log_once("looking for Alembic environments", error)
        return []

    @property
    def environments(self) -> tuple[Environment, ...]:
        """The workspace's Alembic environments."""
        work = "looking for Alembic environments"
        return self.guarded(work, lambda: self.workspace.environments, ())

    def _set_text(self, path: Path, text: str | None) -> None:
        self._found.clear()
        work = self.workspace.set_text
        self.guarded(f"taking over {path.name}", lambda: work(path, text), None)

    def set_document(self, document: OpenDocument) -> None:
        """A document was opened or edited."""
        path = path_of(document.uri)
        if path is None:
            return
        self.open[path] = document
        self.last_edit = asyncio.get_running_loop().time()
        self._set_text(path, document.text)

    def close_document(self, uri: str) -> None:
        """A document was closed: what is on disk counts again."""
        path = path_of(uri)
        if path is not None and self.open.pop(path, None) is not None:
            self._set_text(path, None)
            self._leave()

    def _leave(self) -> None:
        """Forget folders that were only looked at for files which are closed now."""
        needed = tuple(folder for folder in self.visited if any(map(_inside(folder), self.open)))
        if needed != self.visited:
            self.visited = needed
            self.rebuild()

    def ring(self) -> None:
        """Wake those that wait for a change."""
        self._found.clear()
        self.bell.set()
        self.bell = asyncio.Event()

    async def quiet(self) -> None:
        """Let waiting messages in, and wait while the user is typing."""
        await asyncio.sleep(0)
        while asyncio.get_running_loop().time() - self.last_edit < QUIET:  # noqa: ASYNC110 - a clock, no event
            await asyncio.sleep(QUIET / 3)

    def changed_on_disk(self, paths: Iterable[Path]) -> None:
        """Files changed, came or went."""
        self._found.clear()
        for path in paths:
            work = partial(self.workspace.changed_on_disk, path)
            self.guarded(f"looking at {path.name} again", work, None)

    def migration(self, path: Path | None) -> Migration | None:
        """The migration at a path; None for anything else, or if reading it went wrong."""
        if path is None:
            return None
        return self.guarded(f"reading {path.name}", lambda: self.workspace.migration(path), None)

    def document(self, path: Path | None) -> Migration | TextFile | None:
        """A migration or another file that is checked; None for anything else."""
        if path is None:
            return None
        return self.guarded(f"reading {path.name}", lambda: self.workspace.document(path), None)

    async def look_around(self, *, again: bool = False) -> bool:
        """Ask git and the disk what lies around the migrations; gives whether that is news.

        In a thread, because they may take long; not for folders that are not trusted, because
        git, however it is asked, is one program more that reads what they contain.
        """
        workspace = self.workspace
        if not self.trusted:
            return False
        known = workspace.surroundings if again else None
        looking = "looking around the migrations"
        found = await in_thread(
            lambda: self.guarded(looking, lambda: workspace.look_around(known), None)
        )
        if found is None or found == known or workspace is not self.workspace:
            return False
        self._found.clear()
        workspace.take(found)
        return True

    async def fetch(self, path: Path) -> None:
        """Get what git has of a migration, so that no edit has to wait for it."""
        fetch = self.workspace.fetch
        await in_thread(lambda: self.guarded("asking git", lambda: fetch(path), None))

    async def prepare(self, path: Path | None) -> None:
        """Read what a migration builds on, letting other messages in between."""
        if path is None:
            return
        if self.looking is not None and not self.looking.done():
            # Findings that git is about to take back or to add would only flicker.
            await asyncio.wait([self.looking], timeout=FIRST_LOOK)
        clock = asyncio.get_running_loop().time
        steps = self.workspace.prepare(path)
        begun = since = clock()
        while self.guarded(f"reading up to {path.name}", lambda: _goes_on(steps), otherwise=False):
            if clock() - since > SLICE:
                # Not 0: the thread that reads messages needs the interpreter for a moment.
                await asyncio.sleep(BREATH)
                since = clock()
        if clock() - begun > SLICE:
            settle_heap()

    def diagnostics(self, path: Path | None) -> tuple[Diagnostic, ...]:
        """What was found in a file; nothing for files that are no migrations."""
        if path is None:
            return ()
        found = self._found.get(path)
        if found is None:
            work = self.workspace.diagnostics
            nothing: tuple[Diagnostic, ...] = ()
            found = self.guarded(f"checking {path.name}", lambda: work(path), nothing)
            self._found[path] = found
        return found

    def patterns(self, path: Path, place: Range) -> tuple[Pattern, ...]:
        """What could be changed there to keep data; nothing for files that are no migrations."""
        context = self.context(path)
        nothing: tuple[Pattern, ...] = ()
        if context is None:
            return nothing
        return self.guarded(f"looking at {path.name}", lambda: patterns(context, place), nothing)

    def environment_of(self, path: Path | None) -> Environment | None:
        """The environment a migration belongs to; None for anything else."""
        if path is None:
            return None
        return self.guarded("placing a file", lambda: self.workspace.environment_of(path), None)

    def context(self, path: Path | None) -> Context | None:
        """What rules may know about a migration; None for anything else."""
        if path is None:
            return None
        return self.guarded(f"reading {path.name}", lambda: self.workspace.context(path), None)

    def uri(self, path: Path) -> str:
        """The editor's own name for a file it has open, else the usual one."""
        document = self.open.get(path)
        if document:
            return document.uri
        named = next((known for real, known in self._links() if real in path.parents), None)
        if named:
            path = named / path.relative_to(named.resolve())
        return uris.from_fs_path(str(path)) or path.as_uri()

    def _links(self) -> Iterator[tuple[Path, Path]]:
        """Folders that are not where the editor says, with the editor's name for them."""
        for folder in self.folders:
            real = folder.resolve()
            if real != folder:
                yield real, folder

    def holds(self, path: Path) -> bool:
        """Whether a file lies in a folder that is looked at."""
        return _lies_in(path, (*self.folders, *self.visited))

    def version(self, path: Path) -> int | None:
        """The version of an open document."""
        document = self.open.get(path)
        return document.version if document else None

    def converter(self, path: Path) -> Converter:
        """Converter for the text of a file as it is now."""
        return Converter(self._source(path), self.client.encoding)

    def _source(self, path: Path) -> Source:
        known = self.document(path)
        if known:
            return known.source
        document = self.open.get(path)
        if document:
            return Source(document.text)
        try:
            return Source(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            return Source("")

    def guarded(self, doing: str, work: Callable[[], T], otherwise: T) -> T:
        """Do work that an unforeseen document could break; its error is logged once."""
        try:
            return work()
        except UNUSABLE:
            return otherwise  # the user was told when the settings were read
        except Exception as error:  # noqa: BLE001 - one document must not take the editor down
            self.log_once(doing, error)
            return otherwise

    def log_once(self, doing: str, error: BaseException) -> None:
        """Log an error with its traceback, the first time it comes up."""
        key = (doing, repr(error))
        if key not in self._logged:
            self._logged.add(key)
            log.error("%s failed: %s", doing, error, exc_info=error)


async def in_thread(work: Callable[[], T]) -> T:
    """Do work that waits beside the loop; the end of the server does not wait for it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T) -> None:
        if not done.done():
            done.set_result(result)

    def run() -> None:
        result = work()
        with suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=run, daemon=True).start()
    return await done


async def in_slices(steps: Generator[None, None, T]) -> T:
    """Do work to its end, letting other messages in between."""
    clock = asyncio.get_running_loop().time
    since = clock()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result
        if clock() - since > SLICE:
            # Not 0: the thread that reads messages needs the interpreter for a moment.
            await asyncio.sleep(BREATH)
            since = clock()


def path_of(uri: str) -> Path | None:
    """The file a URI names, where it really is; None for what is not a file."""
    path = _named(uri)
    return path.parent.resolve() / path.name if path else None


def _named(uri: str) -> Path | None:
    path = uris.to_fs_path(uri)
    return Path(path) if path else None


def settle_heap() -> None:
    """Exempt what is known by now from the search for garbage, which would stop the typing."""
    gc.collect(1)
    gc.freeze()


def _goes_on(steps: Iterator[None]) -> bool:
    return any(True for _ in islice(steps, 1))


def _inside(folder: Path) -> Callable[[Path], bool]:
    real = folder.resolve()
    return lambda path: real in path.parents


def _lies_in(path: Path, folders: Iterable[Path]) -> bool:
    return any(folder.resolve() in (path, *path.parents) for folder in folders)


def folders_of(roots: Iterable[str]) -> tuple[Path, ...]:
    """The folders among some URIs, each once."""
    return tuple(dict.fromkeys(path for root in roots if (path := _named(root))))


def folder_around(path: Path) -> Path:
    """The folder to read for a file opened on its own: the nearest that has a configuration."""
    marks: Sequence[str] = ("alembic.ini", "pyproject.toml")
    for folder in path.parents:
        if any((folder / mark).is_file() for mark in marks):
            return folder
    return path.parent
