"""All migration scripts of one environment, read when asked for and kept up to date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_roundtrip.history import History, Revision
from alembic_roundtrip.index.store import Store
from alembic_roundtrip.listing import Listing
from alembic_roundtrip.project import Environment

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


class Scripts(Listing):
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
        super().__init__(environment, texts, store)
        self._deployed = deployed
        self._migrations: OrderedDict[Path, Migration] = OrderedDict()
        self._schemas: OrderedDict[tuple[str, str | None], Schema] = OrderedDict()
        self._keys: dict[str, str] = {}
        self._deletions: tuple[History | None, Mapping[str | None, tuple[Deletion, ...]]] = (
            None,
            {},
        )

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
        if self._deployed is None or not self._deployed.missing:
            return ()
        from alembic_roundtrip.deployed import deletions

        if self._deletions[0] is not self.history:
            new = (path for path in self.paths if self._deployed.may_be_new(path))
            texts = (self._content(path).decode(errors="replace") for path in new)
            missed = deletions(self._deployed.missing, self.history, texts)
            self._deletions = (self.history, missed)
        found = self._deletions[1]
        here = found.get(revision, ())
        if self.environment.told_at is None and revision in self.history.bases[:1]:
            return (*here, *found.get(None, ()))  # there is no file beside the migrations
        return here

    def deployed_facts(self, path: Path, revision: str) -> object:
        """All that `deployed_state` and `deletions` depend on beside the file's own text."""
        if self._deployed is None:
            return None
        gone = [(str(d.path), d.ref, d.text) for d in self.deletions(revision)]
        return (*self._deployed.facts(path, revision), gone)

    def migration(self, path: Path) -> Migration:
        """One migration, read; a file that cannot be read gives one that says so."""
        known = self._migrations.get(path)
        if known is None:
            known = self._migrations[path] = self._named(self._read(path))
            if len(self._migrations) > _KEPT_MIGRATIONS:
                self._migrations.popitem(last=False)
        return known

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
        from alembic_roundtrip.migration.source import read

        return self._named(read(text, path, self.environment.dialects))

    def _named(self, migration: Migration) -> Migration:
        from alembic_roundtrip.migration.naming import named
        from alembic_roundtrip.migration.paths import placed

        return placed(named(migration, self.convention, self.environment.dialects))

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
        name = str(path)
        before = self._revisions.get(name)
        exists = path in self._texts or (path.is_file() and self._is_script(path))
        after = self._identify(path) if exists else None
        if after is not None:
            self._revisions[name] = after
        else:
            self._revisions.pop(name, None)
            self._digests.pop(name, None)
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

    def _after(self, revision: str, schema: Schema, dialect: str | None) -> Schema:
        from alembic_roundtrip.schema import schema_after

        migration = self.migration_of(revision)
        if migration is None or migration.upgrade is None:
            return schema
        return schema_after(schema, migration.upgrade.operations, dialect)


def _effects(direction: Direction | None) -> list[object]:
    operations = direction.operations if direction else ()
    return [(operation.changes, operation.guards) for operation in operations]
