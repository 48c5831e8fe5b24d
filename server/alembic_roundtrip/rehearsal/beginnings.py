"""Whether a history lacks its beginning, or is only broken, as far as reading tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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


def begins_with(environment: Environment, missing: str, models: Iterable[str]) -> bool:
    """Whether a history begins with a table, or a schema, that was made elsewhere.

    It does not where a migration may make it: then one that comes before is wrong. Nor where
    nothing says that there ever was one: then its name is.
    """
    changes = list(_upgrades(Scripts(environment, store=store_of(environment))))
    known = _same(missing, models) or any(_takes(change, missing) for change in changes)
    return known and not any(_may_make(change, missing) for change in changes)


def _upgrades(scripts: Scripts) -> Iterator[c.Change]:
    """What all upgrades of a history change; anything, where one cannot be read."""
    if scripts.history.problems:
        yield c.Unknown()
    for revision in scripts.history.topological:
        migration = scripts.migration_of(revision)
        if migration is None or migration.problems:
            yield c.Unknown()
        elif migration.upgrade is not None:
            for operation in migration.upgrade.operations:
                if not operation.may_do_anything or operation.name not in _OF_A_TABLE:
                    yield from operation.changes


def _takes(change: c.Change, table: str) -> bool:
    """Whether a change drops a table, or gives it another name."""
    return isinstance(change, c.DropTable | c.RenameTable) and _is(change.table, table)


def _may_make(change: c.Change, name: str) -> bool:
    """Whether there may be something by that name after a change: a table, a view, a schema."""
    if isinstance(change, c.Unknown):
        return change.tables is None or any(_is(each, name) for each in change.tables)
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
