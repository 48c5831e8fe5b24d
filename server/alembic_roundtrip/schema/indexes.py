"""How changes of indexes change a schema."""

from __future__ import annotations

from dataclasses import replace

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Constraint, Name
from alembic_roundtrip.schema.constraints import rename_constraint
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.names import known_as
from alembic_roundtrip.schema.state import Key


def create_index(draft: Draft, change: c.CreateIndex) -> None:
    """Create an index."""
    table = draft.parts(change.index.table)
    index = change.index
    if draft.recreating:
        index = replace(index, columns=tuple(map(draft.part_now, index.columns)))
    draft.change(change.index.table, indexes=(*table.indexes, index))
    if change.index.name:
        draft.made.append(Key("index", change.index.table, change.index.name))


def drop_index(draft: Draft, change: c.DropIndex) -> None:
    """Drop an index, of whichever table has one of that name."""
    named = [draft.tables.get(change.table)] if change.table else draft.tables.values()
    for table in named if change.name is not None else ():
        kept = tuple(i for i in table.indexes if i.name != change.name) if table else ()
        if table is not None and len(kept) < len(table.indexes):
            draft.change(table.name, indexes=kept)
        elif table is not None and draft.dialect in MYSQL:
            # There a unique constraint is nothing but its index.
            parts = tuple(p for p in table.constraints if not _is_unique(p, change.name))
            if len(parts) < len(table.constraints):
                draft.change(table.name, constraints=parts)


def rename_index(draft: Draft, change: c.RenameIndex) -> None:
    """Rename an index, or the constraint that it belongs to."""
    for table in list(draft.tables.values()):
        if any(index.name == change.name for index in table.indexes):
            indexes = tuple(
                replace(index, name=change.new_name) if index.name == change.name else index
                for index in table.indexes
            )
            draft.change(table.name, indexes=indexes)
            draft.made.append(Key("index", table.name, change.new_name))
            return
    # It may be the index of a constraint, or of a table that is not known.
    for table in list(draft.tables.values()):
        if any(part.is_known_as(change.name) for part in table.constraints):
            rename_constraint(draft, c.RenameConstraint(table.name, change.name, change.new_name))
            return
    draft.doubt_tables(*([change.table] if change.table else _owners(draft, change.name)))


def _is_unique(part: Constraint, name: str | None) -> bool:
    return part.kind == "unique" and part.is_known_as(name)


def _owners(draft: Draft, constraint: str) -> list[Name]:
    """Tables with a constraint of that name, or one whose name is not known."""
    return [
        table.name
        for table in draft.tables.values()
        if any(known_as(part) in {None, constraint} for part in table.constraints)
    ]
