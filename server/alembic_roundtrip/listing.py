"""The migration scripts of one environment, by what is known of them without reading any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from alembic_roundtrip.history import History, Problem, Revision
from alembic_roundtrip.history.scan import migration_files, revision_of, text_of, unidentified
from alembic_roundtrip.index.files import READS_SQL, Facts, Files, content_digest
from alembic_roundtrip.index.store import Store, digest
from alembic_roundtrip.policy import goes_back, is_upgrade_only
from alembic_roundtrip.project import Environment
from alembic_roundtrip.project.folders import walk


class Listing:
    """How an environment's scripts follow one another, and a hash of all that each builds on.

    Texts of an editor go before those of the disk.
    """

    def __init__(
        self, environment: Environment, texts: Mapping[Path, str] | None, store: Store | None
    ) -> None:
        self.environment = environment
        self.store = store
        """Where what is known of the files is kept from one run to the next, if anywhere."""
        self._files = Files(store, _identified)
        self._digests: dict[str, str] = {}
        self._texts = dict(texts or {})
        self._goes_back: dict[str, bool] = {}
        self._upgrade_only: bool | None = None
        self._up_to: dict[str, tuple[History, frozenset[str]]] = {}

    @cached_property
    def _revisions(self) -> dict[str, Revision | Problem]:
        """What each file says of itself, by its name: of thousands of paths that takes as long."""
        files = {str(path): path for path in migration_files(self.environment)}
        files |= {str(path): path for path in self._texts if self._is_script(path)}
        found = {name: self._identify(path) for name, path in files.items()}
        self._files.save()
        return found

    @cached_property
    def history(self) -> History:
        """The revision graph."""
        found = self._revisions.values()
        return History(
            (revision for revision in found if isinstance(revision, Revision)),
            (problem for problem in found if isinstance(problem, Problem)),
        )

    def up_to(self, revision: str) -> frozenset[str]:
        """A revision and everything before it; none where there is no such revision."""
        history = self.history
        known = self._up_to.get(revision)
        if known is None or known[0] is not history:
            found = history.get(revision)
            before = frozenset() if found is None else history.ancestors(found.id) | {found.id}
            known = self._up_to[revision] = (history, before)
        return known[1]

    @property
    def upgrade_only(self) -> bool:
        """Whether the project has no downgrades, as a policy."""
        if self._upgrade_only is None:
            files = self._revisions
            self._upgrade_only = is_upgrade_only(self._goes_back.get(file, True) for file in files)
        return self._upgrade_only

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that Alembic would load, oldest revision first, unplaced ones last."""
        by_id = self.history.by_id
        ordered = [by_id[rev].path for rev in self.history.topological if rev in by_id]
        every = (found.path for found in self._revisions.values())
        return tuple(dict.fromkeys(path for path in (*ordered, *every) if path))

    def digest(self, path: Path) -> str:
        """A hash of a file's content, and of what it may read; empty where it cannot be read."""
        known = self._digests.get(str(path), "") if self._revisions else ""
        return f"{known} {self._sql_files}" if known.endswith(READS_SQL) else known

    @cached_property
    def _sql_files(self) -> str:
        """A hash that another state of the SQL files beside the migrations has not."""
        places = dict.fromkeys(place.parent for place in self.environment.version_locations)
        files = (
            folder / name
            for place in places
            for folder, names in walk(place)
            for name in names
            if name.endswith(".sql")
        )
        states = [(str(file), (found := file.stat()).st_mtime_ns, found.st_size) for file in files]
        return digest(repr(sorted(states)).encode())

    @cached_property
    def convention(self) -> Mapping[str, str] | None:
        """The names that the project gives what has none."""
        from alembic_roundtrip.project.conventions import naming_convention

        return naming_convention(self.environment.env_py, self.environment.folder)

    @cached_property
    def in_transaction(self) -> bool:
        """Whether env.py is known to have statements of a migration share a transaction."""
        from alembic_roundtrip.project.transactions import in_transaction

        return in_transaction(self.environment)

    def digest_before(self, revision: str) -> str:
        """A hash of all that the schema before a revision depends on."""
        return self._digests_of_schemas.get(revision, ("", ""))[0]

    @cached_property
    def _digests_of_schemas(self) -> dict[str, tuple[str, str]]:
        """Hashes of what the schemas before and after each revision are replayed from."""
        found: dict[str, tuple[str, str]] = {}
        above: dict[str, int] = {}
        start = repr(self.convention)
        for rev in self.history.topological:
            first, *others = self._parents(rev) or ("",)
            before = found[first][1] if first in found else f"{start} {self._missing_parents(rev)}"
            above[rev] = above.get(first, 0) | 1 << self._order[rev]
            for other in others:
                # One number for a set of revisions: there are thousands of both.
                newer = above.get(other, 0) & ~above[rev]
                above[rev] |= newer
                names = [self.history.topological[at] for at in _bits(newer)]
                before += "".join(self._content_digest(name) for name in names)
            after = digest(f"{before} {self._content_digest(rev)}".encode())
            found[rev] = (before, after)
        return found

    def _content_digest(self, revision: str) -> str:
        path = self.history.by_id[revision].path
        return "" if path is None else self.digest(path)

    def _is_script(self, path: Path) -> bool:
        return path.suffix == ".py" and self.environment.location_of(path) is not None

    def _identify(self, path: Path) -> Revision | Problem:
        self._upgrade_only = None
        self.__dict__.pop("_digests_of_schemas", None)
        try:
            if self._texts and path in self._texts:
                content = self._content(path)
                facts = Facts(content_digest(content), *_identified(path, content))
            else:
                facts = self._files.facts(path)
        except OSError as error:
            return Problem("unreadable-migration", str(error), path)
        self._goes_back[str(path)] = facts.goes_back
        self._digests[str(path)] = facts.digest
        return facts.found

    def _content(self, path: Path | None) -> bytes:
        if path is None:
            return b""
        if path in self._texts:
            return self._texts[path].encode("utf-8", "surrogatepass")
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def _parents(self, revision: str) -> tuple[str, ...]:
        if revision not in self._order:
            return ()
        return (*self.history.parents(revision), *self.history.dependencies(revision))

    @property
    def _order(self) -> dict[str, int]:
        return self.history.positions

    def _missing_parents(self, revision: str) -> tuple[str, ...]:
        found = self.history.by_id.get(revision)
        return found.down_revisions if found else ()


def _identified(path: Path, content: bytes) -> tuple[bool, Revision | Problem]:
    """Whether a migration script goes back, and its place in the history."""
    try:
        text = text_of(content)
    except ValueError as error:
        return True, Problem("unreadable-migration", str(error), path)
    return goes_back(text), revision_of(path, text) or unidentified(path)


def _bits(number: int) -> Iterator[int]:
    """The places of the ones in a number, the smallest first."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
