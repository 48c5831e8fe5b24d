"""All migration scripts of one environment, read when asked for and kept up to date."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from alembic_roundtrip.databases import Database
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

_At = tuple[str, Database]
"""A revision, and the database that it is applied to."""
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
        self._schemas: OrderedDict[_At, Schema] = OrderedDict()
        self._engines: dict[str, None] = {}
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
            if known.parts:
                self._engines.update(dict.fromkeys(part.engine for part in known.parts))
            if len(self._migrations) > _KEPT_MIGRATIONS:
                self._migrations.popitem(last=False)
        return known

    def _read(self, path: Path) -> Migration:
        from alembic_roundtrip.migration.source import read, unreadable
        from alembic_roundtrip.migration.syntax import decode

        known = self.environment.dialects, self.environment.engines
        if path in self._texts:
            return read(self._texts[path], path, *known)
        try:
            text = decode(self._files.content(path))
        except OSError as error:
            return unreadable(path, f"the file cannot be opened: {error.strerror}")
        except ValueError as error:
            return unreadable(path, str(error))
        return read(text, path, *known)

    def read_as(self, path: Path, text: str) -> Migration:
        """What a migration would be with another text."""
        from alembic_roundtrip.migration.source import read

        known = self.environment.dialects, self.environment.engines
        return self._named(read(text, path, *known))

    def _named(self, migration: Migration) -> Migration:
        from alembic_roundtrip.migration.naming import named
        from alembic_roundtrip.migration.paths import placed

        found = placed(named(migration, self.convention, self.environment.dialects))
        if not migration.parts:
            return found
        parts = []
        for part in migration.parts:
            dialects = self.environment.engines.get(part.engine, self.environment.dialects)
            alone = replace(migration, upgrade=part.upgrade, downgrade=part.downgrade, parts=())
            own = placed(named(alone, self.convention, dialects))
            parts.append(replace(part, upgrade=own.upgrade, downgrade=own.downgrade))
        return replace(found, parts=tuple(parts))

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

    def schema_at(self, revision: str, dialect: str | None, engine: str | None = None) -> Schema:
        """The schema after a revision and all it builds on, replayed; of one engine of several."""
        return self._schema_at(revision, Database(dialect, engine))

    def _schema_at(self, revision: str, database: Database) -> Schema:
        from alembic_roundtrip.schema import Schema

        todo: set[str] = set()
        stack = [revision] if self._kept(revision, database) is None else []
        while stack:
            rev = stack.pop()
            if rev not in todo and not self._is_known(rev, database):
                todo.add(rev)
                stack += self._parents(rev)[:1]  # the others are replayed on top of it
        for rev in sorted(todo, key=self._order.__getitem__):
            self._schemas[rev, database] = self._after(rev, self._joined(rev, database), database)
        for rev in todo - {revision}:
            if self._order[rev] % _STRIDE:
                del self._schemas[rev, database]
        found = self._kept(revision, database) or Schema(opaque=True, dialect=database.dialect)
        while len(self._schemas) > _KEPT_SCHEMAS:
            self._schemas.popitem(last=False)
        return found

    def _is_known(self, revision: str, database: Database) -> bool:
        """Whether a schema is known, perhaps from the last time."""
        if (revision, database) not in self._schemas and self._saved is not None:
            found = self._saved.find(self._digests_of_schemas[revision][1], database)
            if found is not None:
                self._schemas[revision, database] = found
        return (revision, database) in self._schemas

    @cached_property
    def _saved(self) -> Schemas | None:
        from alembic_roundtrip.index.schemas import Schemas

        return None if self.store is None else Schemas(self.store)

    def keep_schemas(self, found: Mapping[_At, Schema]) -> None:
        """Keep schemas for the next run."""
        for (revision, database), schema in found.items():
            if self._saved is not None:
                self._saved.keep(self._digests_of_schemas[revision][1], database, schema)

    def keep_newest_schemas(self) -> None:
        """Keep what the newest revisions, and those written next, start from, if it is at hand."""
        heads = [rev for rev in self.history.real_heads if self._order[rev] >= _WORTH_KEEPING]
        newest = {*heads, *(parent for head in heads for parent in self._parents(head)[:1])}
        known = {rev for rev, _ in self._schemas}
        for rev in newest:
            if known.intersection((rev, *self._parents(rev)[:1])):
                self.keep_schemas(
                    {(rev, each): self._schema_at(rev, each) for each in self.databases}
                )

    def forget_old_schemas(self) -> None:
        """Forget the schemas of files as they were."""
        if self._saved is not None:
            kept = [after for _, after in self._digests_of_schemas.values()]
            self._saved.keep_only(kept, self.databases)

    @property
    def databases(self) -> tuple[Database, ...]:
        """What schemas are replayed for: the dialects, of each engine where there are several."""
        engines = self.environment.engines or self._engines
        return tuple(each for engine in engines or (None,) for each in self._databases_of(engine))

    def _databases_of(self, engine: str | None) -> tuple[Database, ...]:
        """One for each dialect, or one that is not known where none is."""
        environment = self.environment
        dialects = environment.dialects
        if engine is not None:
            dialects = environment.engines.get(engine, dialects)
        return tuple(Database(dialect, engine) for dialect in dialects or (None,))

    def databases_of(self, migration: Migration) -> tuple[Database, ...]:
        """Those of them that a migration is run on."""
        engines = [part.engine for part in migration.parts]
        return tuple(each for engine in engines or (None,) for each in self._databases_of(engine))

    def take_schemas(self, found: Mapping[_At, Schema]) -> None:
        """Take over schemas that were replayed elsewhere."""
        self._schemas.update(found)

    def take_after(self, migration: Migration, found: Mapping[Database, Schema]) -> None:
        """Take over the schemas after a migration: the next one starts from there."""
        known = self.history.by_id.get(migration.id)
        if (
            known is not None and known.path == migration.path
        ):  # of two with one id, the last counts
            self._schemas.update({(known.id, each): schema for each, schema in found.items()})

    def schemas_across(self, path: Path) -> dict[_At, Schema]:
        """The schemas before a file that it and those after it start from."""
        revision = self.history.at(path)
        if revision is None:
            return {}
        start = self._order[revision.id]
        later = self.history.topological[start:]
        needed = {parent for rev in later for parent in self._parents(rev)[:1]}
        before = sorted(rev for rev in needed if self._order[rev] < start)
        databases = self.databases
        return {(rev, each): self._schema_at(rev, each) for rev in before for each in databases}

    def _kept(self, revision: str, database: Database) -> Schema | None:
        """A schema that is still known; it is the last to be forgotten."""
        found = self._schemas.get((revision, database))
        if found is not None:
            self._schemas.move_to_end((revision, database))
        return found

    def schema_before(
        self, revision: str, dialect: str | None, engine: str | None = None
    ) -> Schema:
        """The schema that a revision's upgrade starts from."""
        database = Database(dialect, engine)
        for parent in self._parents(revision)[:1]:
            self._schema_at(parent, database)
        return self._joined(revision, database)

    def prepare(self, path: Path) -> Iterator[None]:
        """Read and replay what a migration builds on, a little between any two yields."""
        migration = self.migration(path)
        databases, revision = self.databases_of(migration), migration.id
        parents = self._parents(revision)[:1]
        if all((parent, each) in self._schemas for parent in parents for each in databases):
            return
        for above in sorted(self.history.ancestors(revision), key=self._order.__getitem__):
            self.migration_of(above)
            yield
            if self._order.get(above, 1) % _STRIDE == 0:
                for each in databases:
                    self._schema_at(above, each)
                    yield

    def _joined(self, revision: str, database: Database) -> Schema:
        """The schemas of all parents brought together; unknown where a parent is missing."""
        from alembic_roundtrip.schema import Schema

        parents, dialect = self._parents(revision), database.dialect
        if not parents:
            return Schema(opaque=bool(self._missing_parents(revision)), dialect=dialect)
        first, *others = parents
        schema = self._schemas.get((first, database), Schema(opaque=True, dialect=dialect))
        included = {first, *self.history.ancestors(first)} if others else set()
        for other in others:
            newer = {other, *self.history.ancestors(other)} - included
            for rev in sorted(newer, key=self._order.__getitem__):
                schema = self._after(rev, schema, database)
            included |= newer
        return schema

    def _after(self, revision: str, schema: Schema, database: Database) -> Schema:
        from alembic_roundtrip.schema import Schema, schema_after, spelled

        migration = self.migration_of(revision)
        if migration is None or migration.upgrade is None:
            return schema
        dialect, engine = database
        if (engine is None) is bool(migration.parts):
            # The project has, or had, another number of databases then: which of them this was is
            # not written anywhere.
            changes = any(operation.changes for operation in migration.upgrade.operations)
            return Schema(opaque=True, dialect=dialect) if changes else schema
        met = migration if engine is None else migration.of_engine(engine)
        if met is None or met.upgrade is None:
            return schema
        return schema_after(schema, spelled(met.upgrade.operations, schema), dialect)


def _effects(direction: Direction | None) -> list[object]:
    operations = direction.operations if direction else ()
    return [(operation.changes, operation.guards) for operation in operations]
