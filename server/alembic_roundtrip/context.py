"""Everything a rule may know about one migration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from alembic_roundtrip.databases import Database
from alembic_roundtrip.deployed import Deletion, Deployed
from alembic_roundtrip.diagnostic import Diagnostic
from alembic_roundtrip.evidence import RevisionEvidence
from alembic_roundtrip.history import History
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Body, Direction, Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.schema import Replay, Schema, replay, spelled_all

T = TypeVar("T")


@dataclass(frozen=True)
class RoundTrip:
    """The schema at the parent, after the upgrade, and after the downgrade, on one dialect."""

    dialect: str | None
    before: Schema
    up: Replay
    down: Replay

    @property
    def dialects(self) -> tuple[str, ...]:
        """The dialect; none where it is not known."""
        return () if self.dialect is None else (self.dialect,)


def in_same_letters(migration: Migration, parents: Mapping[str | None, Schema]) -> Migration:
    """A migration that calls everything as its history does, where no database minds letters."""
    if migration.parts:
        return migration  # each database has letters of its own
    directions = [migration.upgrade, migration.downgrade]
    own = [() if each is None else each.operations for each in directions]
    found = {spelled_all(own, schema) for schema in parents.values()}
    if len(found) != 1 or list(*found) == own:
        return migration
    upgrade, downgrade = (
        None if each is None else replace(each, operations=operations)
        for each, operations in zip(directions, *found, strict=True)
    )
    return replace(migration, upgrade=upgrade, downgrade=downgrade)


@dataclass(frozen=True)
class Context:
    """One migration, its history, and the schema at its parent for each dialect.

    `parents` has the schema at the parent revision under each of the project's dialects; a project
    whose dialect is not known has one under None, where operations for any dialect count.
    """

    migration: Migration
    history: History
    parents: Mapping[str | None, Schema] = field(default_factory=lambda: {None: Schema()})
    engines: Mapping[str, Mapping[str | None, Schema]] = field(default_factory=dict)
    """The same of each engine, where the migration is of several databases."""
    evidence: RevisionEvidence | None = None
    """What the last rehearsal measured, where that still holds."""
    stale: RevisionEvidence | None = None
    """What it measured before an edit, where it does not."""
    upgrade_only: bool = False
    """Whether the project has no downgrades, as a policy."""
    in_transaction: bool = True
    """Whether statements share a transaction, where no block says otherwise."""
    deployed: Deployed | None = None
    """What the deployed ref has of this migration; None where there is no git to ask."""
    deletions: tuple[Deletion, ...] = ()
    """Deployed migrations that are gone and are missed here."""
    unread: bool = False
    """Whether there are migrations that only Alembic can read, as their source is not there."""
    found: tuple[Diagnostic, ...] = ()
    """What the rules of the stages before found, before anything was ignored."""
    applied: frozenset[str] = frozenset()
    """The names of the rules that are applied."""
    reader: Callable[[str], Migration] | None = field(default=None, repr=False, compare=False)
    """Reads another text of this migration as the project would have it."""
    whole: Context | None = field(default=None, repr=False, compare=False)
    """What it is a part of, where it is about one of several databases."""
    _made: dict[str, object] = field(default_factory=dict, repr=False, compare=False)

    def after(self, text: str) -> Context | None:
        """The same with another text of the migration; None where nothing can read it."""
        if self.reader is None:
            return None
        migration = in_same_letters(self.reader(text), self.parents)
        return replace(self, migration=migration, found=(), _made={})

    @cached_property
    def parts(self) -> tuple[Context, ...]:
        """What it does to each of several databases; none where it is of one, or cannot go back."""
        if self.migration.downgrade is None:
            return ()
        return tuple(self._part(engine, parents) for engine, parents in self.engines.items())

    def _part(self, engine: str, parents: Mapping[str | None, Schema]) -> Context:
        migration, read = self.migration.of_engine(engine), self.reader
        assert migration is not None

        def reader(text: str) -> Migration:
            assert read is not None
            whole = read(text)
            return whole.of_engine(engine) or whole

        return replace(
            self,
            migration=in_same_letters(migration, parents),
            parents=parents,
            engines={},
            evidence=self._measured(self.evidence, engine),
            stale=self._measured(self.stale, engine),
            reader=None if read is None else reader,
            whole=self,
            _made={},
        )

    def owner(self, table: Name) -> str | None:
        """The engine that has a table, where this one is of another and names it nowhere."""
        if self.whole is None or any(trip.before.opaque for trip in self.round_trips):
            return None
        changed = (change for each in self.upgrade_operations for change in each.changes)
        if any(table in c.tables_of(change) for change in changed):
            return None
        for other in self.whole.parts:
            trips = other.round_trips if other.migration.part != self.migration.part else ()
            if any(table in trip.before.tables or table in trip.up.schema.tables for trip in trips):
                return other.migration.part.engine if other.migration.part else None
        return None

    def _measured(self, evidence: RevisionEvidence | None, engine: str) -> RevisionEvidence | None:
        several = evidence is not None and len(self.engines) > 1
        return evidence.of_engine(engine) if evidence is not None and several else evidence

    @cached_property
    def round_trips(self) -> tuple[RoundTrip, ...]:
        """What reading says of upgrade and downgrade, once for each dialect."""
        return tuple(self._round_trip(dialect) for dialect in self.parents)

    @property
    def after_upgrade(self) -> dict[Database, Schema]:
        """The schemas after the upgrade, where a rule has asked for round trips."""
        found = {}
        for each in (self, *vars(self).get("parts", ())):
            part = each.migration.part
            engine = None if part is None else part.engine
            for trip in () if each.engines else vars(each).get("round_trips", ()):
                found[Database(trip.dialect, engine)] = trip.up.schema
        return found

    def memory(self, name: str, make: Callable[[Context], T]) -> T:
        """What several rules need, made once."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]  # type: ignore[return-value]

    def with_downgrade(self, operations: tuple[Operation, ...]) -> Context:
        """The same with other operations in the downgrade; the upgrade is not replayed again."""
        assert self.migration.downgrade is not None
        downgrade = replace(self.migration.downgrade, operations=operations)
        changed = replace(self, migration=replace(self.migration, downgrade=downgrade), _made={})
        vars(changed)["round_trips"] = tuple(
            replace(trip, down=replay(trip.up.schema, operations, trip.dialect))
            for trip in self.round_trips
        )
        return changed

    def _round_trip(self, dialect: str | None) -> RoundTrip:
        before = self.parents[dialect]
        up = replay(before, self.upgrade_operations, dialect)
        return RoundTrip(dialect, before, up, replay(up.schema, self.downgrade_operations, dialect))

    @property
    def before(self) -> Schema:
        """The schema at the parent revision, on the project's first dialect."""
        return next(iter(self.parents.values()))

    @property
    def dialects(self) -> tuple[str, ...]:
        """The project's dialects; empty where they are not known."""
        return tuple(dialect for dialect in self.parents if dialect is not None)

    @property
    def upgrade_operations(self) -> tuple[Operation, ...]:
        """The upgrade's operations; none where there is no upgrade."""
        return self.migration.upgrade.operations if self.migration.upgrade else ()

    @property
    def downgrade_operations(self) -> tuple[Operation, ...]:
        """The downgrade's operations; none where there is no downgrade."""
        return self.migration.downgrade.operations if self.migration.downgrade else ()

    @property
    def written_downgrade(self) -> Direction | None:
        """The downgrade, where it has code that can be held against the upgrade."""
        downgrade = self.migration.downgrade
        return downgrade if downgrade is not None and downgrade.kind is Body.CODE else None

    @property
    def recent(self) -> bool:
        """Whether this revision is still to be judged as new; what is old is only hinted at.

        New is what the deployed ref does not have as it is here. Where nothing was committed since,
        or where there is no git, the newest is what no other revision builds on.
        """
        if self.deployed is not None and not self.deployed.unchanged:
            return True
        newest = self.deployed is None or self.deployed.latest
        # A file without an identifier is no part of the history.
        known = self.migration.id in self.history
        return newest and not (known and self.history.children(self.migration.id))
