"""All migration scripts of one environment, read when asked for and kept up to date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_roundtrip.history import History, Problem, Revision
from alembic_roundtrip.history.scan import migration_files, revision_of, text_of, unidentified
from alembic_roundtrip.index.files import READS_SQL, Facts, Files, content_digest
from alembic_roundtrip.index.store import Store, digest
from alembic_roundtrip.policy import goes_back, is_upgrade_only
from alembic_roundtrip.project import Environment
from alembic_roundtrip.project.folders import walk

if TYPE_CHECKING:
    # What reads migrations is loaded where the first one is read: most runs of a large history
    # need to know only how its revisions follow one another.
    from alembic_roundtrip.deployed import Deletion, Deployed, DeployedScripts
    from alembic_roundtrip.evidence import EvidenceStore
    from alembic_roundtrip.index.schemas import Schemas
    from alembic_roundtrip.migration.model import Direction, Migration
    from alembic_roundtrip.schema import Schema

_KEPT_MIGRATIONS = 512
_KEPT_SCHEMAS = 512
_WORTH_KEEPING = 100
"""Revisions that are read and replayed faster than their schema is found on disk."""
_STRIDE = 32
"""Of the schemas on the way to one that was asked for, one in so many is kept."""


class Scripts:
    """The migrations of an environment at this moment: their history, contents and schemas.

    Nothing is read before it is needed; `set_text` and `reread` change one file without touching
    what does not depend on it.
    """

    def __init__(
        self,
        environment: Environment,
        texts: Mapping[Path, str] | None = None,
        deployed: DeployedScripts | None = None,
        store: Store | None = None,
    ) -> None:
        self.environment = environment
        self.store = store
        """Where what is known of the files is kept from one run to the next, if anywhere."""
        self._files = Files(store, _identified)
        self._digests: dict[Path, str] = {}
        self._deployed = deployed
        self._texts = dict(texts or {})
        self._migrations: OrderedDict[Path, Migration] = OrderedDict()
        self._schemas: OrderedDict[tuple[str, str | None], Schema] = OrderedDict()
        self._keys: dict[str, str] = {}
        self._goes_back: dict[Path, bool] = {}
        self._upgrade_only: bool | None = None
        self._up_to: dict[str, tuple[History, frozenset[str]]] = {}
        self._deletions: tuple[History | None, Mapping[str | None, tuple[Deletion, ...]]] = (
            None,
            {},
        )

    @cached_property
    def _revisions(self) -> dict[Path, Revision | Problem | None]:
        files = dict.fromkeys(migration_files(self.environment))
        files |= dict.fromkeys(path for path in self._texts if self._is_script(path))
        found: dict[Path, Revision | Problem | None] = {f: self._identify(f) for f in files}
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

    def set_deployed(self, deployed: DeployedScripts | None) -> None:
        """Take what git has of the migrations on the deployed ref; None where that is not known."""
        self._deployed = deployed
        self._deletions = (None, {})

    def deployed_state(self, migration: Migration) -> Deployed | None:
        """What the deployed ref has of a migration; None where there is no git to ask."""
        if self._deployed is None:
            return None
        return self._deployed.of(migration.path, migration.text, migration.id)

    def deletions(self, revision: str | None) -> tuple[Deletion, ...]:
        """Deployed migrations that are gone and are missed at a revision, or at none (None)."""
        from alembic_roundtrip.deployed import deletions

        if self._deployed is None or not self._deployed.missing:
            return ()
        if self._deletions[0] is not self.history:
            new = (path for path in self.paths if self._deployed.may_be_new(path))
            texts = (self._content(path).decode(errors="replace") for path in new)
            missed = deletions(self._deployed.missing, self.history, texts)
            self._deletions = (self.history, missed)
        return self._deletions[1].get(revision, ())

    @property
    def upgrade_only(self) -> bool:
        """Whether the project has no downgrades, as a policy."""
        if self._upgrade_only is None:
            paths = self._revisions
            self._upgrade_only = is_upgrade_only(self._goes_back.get(path, True) for path in paths)
        return self._upgrade_only

    @property
    def paths(self) -> tuple[Path, ...]:
        """Every file that Alembic would load, oldest revision first, unplaced ones last."""
        by_id = self.history.by_id
        ordered = [by_id[rev].path for rev in self.history.topological if rev in by_id]
        return tuple(dict.fromkeys([*(path for path in ordered if path), *self._revisions]))

    def digest(self, path: Path) -> str:
        """A hash of a file's content, and of what it may read; empty where it cannot be read."""
        known = self._digests.get(path, "") if self._revisions else ""
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

    def deployed_facts(self, path: Path, revision: str) -> object:
        """All that `deployed_state` and `deletions` depend on beside the file's own text."""
        if self._deployed is None:
            return None
        gone = [(str(d.path), d.ref, d.text) for d in self.deletions(revision)]
        return (*self._deployed.facts(path, revision), gone)

    def _is_script(self, path: Path) -> bool:
        return path.suffix == ".py" and self.environment.location_of(path) is not None

    def _identify(self, path: Path) -> Revision | Problem:
        self._upgrade_only = None
        self.__dict__.pop("_digests_of_schemas", None)
        try:
            if path in self._texts:
                content = self._content(path)
                facts = Facts(content_digest(content), *_identified(path, content))
            else:
                facts = self._files.facts(path)
        except OSError as error:
            return Problem("unreadable-migration", str(error), path)
        self._goes_back[path] = facts.goes_back
        self._digests[path] = facts.digest
        return facts.found

    def migration(self, path: Path) -> Migration:
        """One migration, read; a file that cannot be read gives one that says so."""
        from alembic_roundtrip.migration.naming import named

        known = self._migrations.get(path)
        if known is None:
            known = self._migrations[path] = named(self._read(path), self.convention)
            if len(self._migrations) > _KEPT_MIGRATIONS:
                self._migrations.popitem(last=False)
        return known

    @cached_property
    def convention(self) -> Mapping[str, str] | None:
        """The names that the project gives what has none."""
        from alembic_roundtrip.project.conventions import naming_convention

        return naming_convention(self.environment.env_py, self.environment.folder)

    def _read(self, path: Path) -> Migration:
        from alembic_roundtrip.migration.source import read, unreadable
        from alembic_roundtrip.migration.syntax import decode

        if path in self._texts:
            return read(self._texts[path], path, self.environment.dialects)
        try:
            text = decode(self._files.content(path))
        except OSError as error:
            return unreadable(path, f"the file cannot be opened: {error.strerror}")
        except ValueError as error:
            return unreadable(path, str(error))
        return read(text, path, self.environment.dialects)

    def read_as(self, path: Path, text: str) -> Migration:
        """What a migration would be with another text."""
        from alembic_roundtrip.migration.naming import named
        from alembic_roundtrip.migration.source import read

        return named(read(text, path, self.environment.dialects), self.convention)

    def migration_of(self, revision: str) -> Migration | None:
        """The migration of a revision; None where no file has that identifier."""
        found = self.history.by_id.get(revision)
        return self.migration(found.path) if found is not None and found.path else None

    def set_text(self, path: Path, text: str | None) -> None:
        """Take an editor's text for a file in place of the disk's; None goes back to the disk."""
        if text is None:
            self._texts.pop(path, None)
        else:
            self._texts[path] = text
        self.reread(path)

    def reread(self, path: Path) -> None:
        """A file changed, came or went: forget what was known of it and what builds on that."""
        old = self._migrations.pop(path, None)
        if "_revisions" not in self.__dict__:
            return
        before = self._revisions.get(path)
        exists = path in self._texts or (path.is_file() and self._is_script(path))
        after = self._identify(path) if exists else None
        if exists:
            self._revisions[path] = after
        else:
            self._revisions.pop(path, None)
            self._digests.pop(path, None)
            self._upgrade_only = None
        self.__dict__.pop("_digests_of_schemas", None)
        if before != after or not isinstance(after, Revision):
            self.__dict__.pop("history", None)
            self._schemas.clear()
            self._keys.clear()
            return
        later = {after.id, *self.history.descendants(after.id)}
        for rev in later & self._keys.keys():
            del self._keys[rev]
        # Ranges do not matter to a schema, and most edits change nothing else.
        if old is None or _effects(old.upgrade) != _effects(self.migration(path).upgrade):
            for key in [key for key in self._schemas if key[0] in later]:
                del self._schemas[key]

    @cached_property
    def evidence_store(self) -> EvidenceStore:
        """Where what rehearsals measured of these migrations is kept."""
        from alembic_roundtrip.evidence import evidence_store

        return evidence_store(self.environment)

    def evidence_key(self, revision: str) -> str:
        """The key that evidence of a revision has while it and its ancestors are as they are."""
        from alembic_roundtrip.evidence import evidence_keys

        wanted = {revision, *self.history.ancestors(revision)} - self._keys.keys()
        by_id = self.history.by_id
        files = {
            rev: (self._content(by_id[rev].path), by_id[rev].down_revisions + by_id[rev].depends_on)
            for rev in wanted
            if rev in by_id
        }
        self._keys = evidence_keys(files, self._keys)
        return self._keys.get(revision, "")

    def _content(self, path: Path | None) -> bytes:
        if path is None:
            return b""
        if path in self._texts:
            return self._texts[path].encode("utf-8", "surrogatepass")
        try:
            return path.read_bytes()
        except OSError:
            return b""

    def schema_at(self, revision: str, dialect: str | None) -> Schema:
        """The schema after a revision and all it builds on, replayed."""
        from alembic_roundtrip.schema import Schema

        todo: set[str] = set()
        stack = [revision] if self._kept(revision, dialect) is None else []
        while stack:
            rev = stack.pop()
            if rev not in todo and not self._is_known(rev, dialect):
                todo.add(rev)
                stack += self._parents(rev)[:1]  # the others are replayed on top of it
        for rev in sorted(todo, key=self._order.__getitem__):
            self._schemas[rev, dialect] = self._after(rev, self._joined(rev, dialect), dialect)
        for rev in todo - {revision}:
            if self._order[rev] % _STRIDE:
                del self._schemas[rev, dialect]
        found = self._kept(revision, dialect) or Schema(opaque=True, dialect=dialect)
        while len(self._schemas) > _KEPT_SCHEMAS:
            self._schemas.popitem(last=False)
        return found

    def _is_known(self, revision: str, dialect: str | None) -> bool:
        """Whether a schema is known, perhaps from the last time."""
        if (revision, dialect) not in self._schemas and self._saved is not None:
            found = self._saved.find(self._digests_of_schemas[revision][1], dialect)
            if found is not None:
                self._schemas[revision, dialect] = found
        return (revision, dialect) in self._schemas

    @cached_property
    def _saved(self) -> Schemas | None:
        from alembic_roundtrip.index.schemas import Schemas

        return None if self.store is None else Schemas(self.store)

    def keep_schemas(self, found: Mapping[tuple[str, str | None], Schema]) -> None:
        """Keep schemas for the next run."""
        for (revision, dialect), schema in found.items():
            if self._saved is not None:
                self._saved.keep(self._digests_of_schemas[revision][1], dialect, schema)

    def keep_newest_schemas(self) -> None:
        """Keep what the newest revisions, and those written next, start from, if it is at hand."""
        heads = [rev for rev in self.history.real_heads if self._order[rev] >= _WORTH_KEEPING]
        newest = {*heads, *(parent for head in heads for parent in self._parents(head)[:1])}
        known = {rev for rev, _ in self._schemas}
        for rev in newest:
            if known.intersection((rev, *self._parents(rev)[:1])):
                self.keep_schemas(
                    {(rev, name): self.schema_at(rev, name) for name in self.dialects}
                )

    def forget_old_schemas(self) -> None:
        """Forget the schemas of files as they were."""
        if self._saved is not None:
            kept = [after for _, after in self._digests_of_schemas.values()]
            self._saved.keep_only(kept, self.dialects)

    @property
    def dialects(self) -> tuple[str | None, ...]:
        """The dialects that schemas are replayed for; one that is not known where none is."""
        return self.environment.dialects or (None,)

    def take_schemas(self, found: Mapping[tuple[str, str | None], Schema]) -> None:
        """Take over schemas that were replayed elsewhere."""
        self._schemas.update(found)

    def take_after(self, migration: Migration, found: Mapping[str | None, Schema]) -> None:
        """Take over the schemas after a migration: the next one starts from there."""
        known = self.history.by_id.get(migration.id)
        if (
            known is not None and known.path == migration.path
        ):  # of two with one id, the last counts
            self._schemas.update({(known.id, name): schema for name, schema in found.items()})

    def schemas_across(self, path: Path) -> dict[tuple[str, str | None], Schema]:
        """The schemas before a file that it and those after it start from."""
        revision = self.history.at(path)
        if revision is None:
            return {}
        start = self._order[revision.id]
        later = self.history.topological[start:]
        needed = {parent for rev in later for parent in self._parents(rev)[:1]}
        before = sorted(rev for rev in needed if self._order[rev] < start)
        return {(rev, name): self.schema_at(rev, name) for rev in before for name in self.dialects}

    def _kept(self, revision: str, dialect: str | None) -> Schema | None:
        """A schema that is still known; it is the last to be forgotten."""
        found = self._schemas.get((revision, dialect))
        if found is not None:
            self._schemas.move_to_end((revision, dialect))
        return found

    def schema_before(self, revision: str, dialect: str | None) -> Schema:
        """The schema that a revision's upgrade starts from."""
        for parent in self._parents(revision)[:1]:
            self.schema_at(parent, dialect)
        return self._joined(revision, dialect)

    def prepare(self, path: Path) -> Iterator[None]:
        """Read and replay what a migration builds on, a little between any two yields."""
        dialects = self.dialects
        revision = self.migration(path).id
        parents = self._parents(revision)[:1]
        if all((parent, dialect) in self._schemas for parent in parents for dialect in dialects):
            return
        for above in sorted(self.history.ancestors(revision), key=self._order.__getitem__):
            self.migration_of(above)
            yield
            if self._order.get(above, 1) % _STRIDE == 0:
                for dialect in dialects:
                    self.schema_at(above, dialect)
                    yield

    def _parents(self, revision: str) -> tuple[str, ...]:
        if revision not in self._order:
            return ()
        return (*self.history.parents(revision), *self.history.dependencies(revision))

    @property
    def _order(self) -> dict[str, int]:
        return self.history.positions

    def _joined(self, revision: str, dialect: str | None) -> Schema:
        """The schemas of all parents brought together; unknown where a parent is missing."""
        from alembic_roundtrip.schema import Schema

        parents = self._parents(revision)
        if not parents:
            return Schema(opaque=bool(self._missing_parents(revision)), dialect=dialect)
        first, *others = parents
        schema = self._schemas.get((first, dialect), Schema(opaque=True, dialect=dialect))
        included = {first, *self.history.ancestors(first)} if others else set()
        for other in others:
            newer = {other, *self.history.ancestors(other)} - included
            for rev in sorted(newer, key=self._order.__getitem__):
                schema = self._after(rev, schema, dialect)
            included |= newer
        return schema

    def _missing_parents(self, revision: str) -> tuple[str, ...]:
        found = self.history.by_id.get(revision)
        return found.down_revisions if found else ()

    def _after(self, revision: str, schema: Schema, dialect: str | None) -> Schema:
        from alembic_roundtrip.schema import schema_after

        migration = self.migration_of(revision)
        if migration is None or migration.upgrade is None:
            return schema
        return schema_after(schema, migration.upgrade.operations, dialect)


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


def _effects(direction: Direction | None) -> list[object]:
    operations = direction.operations if direction else ()
    return [(operation.changes, operation.guards) for operation in operations]
