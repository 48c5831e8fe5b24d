"""Whether a history lacks its beginning, or is only broken, as far as reading tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alembic_roundtrip.index.store import store_of
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.operations import SIGNATURES
from alembic_roundtrip.project import Environment
from alembic_roundtrip.scripts import Scripts

_OF_A_TABLE = SIGNATURES.keys() - {
    "create_table",
    "rename_table",
    "create_geospatial_table",
    "create_entity",
    "replace_entity",
    "revert_entity",
    "execute",
}
"""Operations that make no table, whichever theirs is."""
_SEVERAL = 2
"""So many migrations are not wrong about the same table."""


@dataclass(frozen=True)
class Missing:
    """A table, or a schema, that a migration missed, and what had been run by then."""

    name: str
    revision: str = ""
    line: int = 0
    """Where its `upgrade()` stopped."""
    applied: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Missing:
        """As an agent tells it."""
        return cls(
            told["name"] or "", told["revision"], told["line"] or 0, frozenset(told["applied"])
        )


@dataclass(frozen=True)
class _Made:
    """A change of an upgrade: of which revision, and whether it had been made by then."""

    revision: str
    change: c.Change
    done: bool = False


def begins_with(environment: Environment, missing: Missing, models: Iterable[str]) -> bool:
    """Whether a history begins with a table, or a schema, that was made elsewhere.

    It does not where a migration may make it: then one that comes before is wrong. Nor where
    nothing says that there ever was one: then its name is. What was run already made none, nor
    does what cannot be read, where other migrations that come before it use the table as well.
    """
    made = list(_upgrades(environment, missing))
    known = _same(missing.name, models) or any(_takes(each.change, missing.name) for each in made)
    return known and not any(
        _may_make(each.change, missing.name) for each in _makers(made, missing)
    )


def advice(environment: Environment, missing: Missing, *, sure: bool) -> str:
    """What to do where a table is missing; `sure`, where there was none at all."""
    made = list(_upgrades(environment, missing))
    makers = [each for each in made if _makes(each.change, missing.name)]
    if makers:
        later = next((each.revision for each in makers if not each.done), None)
        return f"; `{missing.name}` is made later, by {later}" if later else ""
    sure = sure and not any(isinstance(each.change, c.Unknown) for each in _to_come(made))
    start = "this history does not start from an empty database: the"
    if not sure:
        start = "where this history does not start from an empty database, the"
    return (
        f"; {start} setting `baseline` names what makes its first tables, "
        "or, with `baseline-revision`, those of today's models"
    )


def _makers(made: Iterable[_Made], missing: Missing) -> Iterator[_Made]:
    """What is still to come and may be the first that makes a table."""
    users = {missing.revision} - {""}
    for each in made:
        if any(_is(table, missing.name) for table in _used(each.change)):
            users.add(each.revision)
        opaque = each.change == c.Unknown()
        if not each.done and not (opaque and len(users - {each.revision}) >= _SEVERAL):
            yield each


def _to_come(made: Iterable[_Made]) -> Iterator[_Made]:
    return (each for each in made if not each.done)


def _upgrades(environment: Environment, missing: Missing) -> Iterator[_Made]:
    """What all upgrades of a history change; anything, where one cannot be read."""
    scripts = Scripts(environment, store=store_of(environment))
    if scripts.history.problems:
        yield _Made("", c.Unknown())
    for revision in scripts.history.topological:
        migration = scripts.migration_of(revision)
        applied = revision in missing.applied
        if migration is None or migration.problems:
            yield _Made(revision, c.Unknown(), applied)
        elif migration.upgrade is not None:
            for operation in migration.upgrade.operations:
                before = operation.statement.start.line < missing.line
                done = applied or (revision == missing.revision and before)
                if not operation.may_do_anything or operation.name not in _OF_A_TABLE:
                    yield from (_Made(revision, change, done) for change in operation.changes)


def _takes(change: c.Change, table: str) -> bool:
    """Whether a change drops a table, or gives it another name."""
    return isinstance(change, c.DropTable | c.RenameTable) and _is(change.table, table)


def _used(change: c.Change) -> tuple[Name, ...]:
    """The tables that are there already, where a change is made."""
    if isinstance(change, c.WriteRows):
        return () if change.table is None else (change.table,)
    return c.tables_of(change)


def _may_make(change: c.Change, name: str) -> bool:
    """Whether there may be something by that name after a change."""
    if isinstance(change, c.Unknown):
        return change.tables is None or any(_is(each, name) for each in change.tables)
    return _makes(change, name)


def _makes(change: c.Change, name: str) -> bool:
    """Whether there is something by that name after a change: a table, a view, a schema."""
    if isinstance(change, c.CreateTable):
        return _is(change.table.name, name)
    if isinstance(change, c.RenameTable):
        return _same(name, [change.new_name])
    return isinstance(change, c.CreateObject | c.ReplaceObject) and _is(change.name, name)


def _is(name: Name, table: str) -> bool:
    return _same(table, [name.name])


def _same(table: str, names: Iterable[str]) -> bool:
    """Whether a name is among others; databases may say it in other letters than Python does."""
    return table.lower() in {name.lower() for name in names}
