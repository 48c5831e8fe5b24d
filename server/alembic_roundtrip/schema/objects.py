"""How changes of what is neither a table nor a type change a schema."""

from __future__ import annotations

from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.enums import drop_enum
from alembic_roundtrip.schema.state import Key
from alembic_roundtrip.schema.tables import drop_table


def create_object(draft: Draft, change: c.CreateObject) -> None:
    """Create a view, function, trigger, sequence or schema."""
    key = (change.kind, change.name)
    # Two of a name: functions for other arguments, triggers of other tables.
    draft.definitions = draft.definitions.set(
        key, "" if key in draft.objects else change.definition
    )
    if key not in draft.objects:
        draft.made.append(Key(change.kind, change.name))
        draft.objects |= {key}


def replace_object(draft: Draft, change: c.ReplaceObject) -> None:
    """Give what is there another definition."""
    key = (change.kind, change.name)
    draft.definitions = draft.definitions.set(key, change.definition)
    draft.objects |= {key}


def drop_object(draft: Draft, change: c.DropObject) -> None:
    """Drop it; a schema goes with what is in it."""
    key = (change.kind, change.name)
    draft.objects -= {key}
    if key in draft.definitions:
        draft.definitions = draft.definitions.without(key)
    if change.kind == "sequence":
        for table in list(draft.tables.values()):
            if any(column.sequence == change.name.name for column in table.columns):
                columns = tuple(
                    replace(col, sequence="") if col.sequence == change.name.name else col
                    for col in table.columns
                )
                draft.change(table.name, columns=columns)
    if change.kind == "view" and change.name in draft.tables:
        # A materialized view takes its indexes with it.
        draft.change(change.name, indexes=())
    if change.kind == "schema":
        # PostgreSQL refuses where there is something in it, but for CASCADE.
        for name in [name for name in draft.tables if name.schema == change.name.name]:
            drop_table(draft, c.DropTable(name))
        for name in [name for name in draft.enums if name.schema == change.name.name]:
            drop_enum(draft, c.DropEnum(name))
