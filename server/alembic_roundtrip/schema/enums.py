"""How changes of enum types change a schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.objects import (
    Column,
    EnumType,
    Name,
)
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.state import Key, names_enum


def create_enum(draft: Draft, change: c.CreateEnum) -> None:
    """Create an enum type, unless it is there."""
    draft.add_enums([change.enum])


def drop_enum(draft: Draft, change: c.DropEnum) -> None:
    """Drop a type: an enum mostly, but DROP TYPE is the same for any."""
    draft.enums = draft.enums.without(change.name)
    key = ("type", change.name)
    draft.objects -= {key}
    if key in draft.definitions:
        draft.definitions = draft.definitions.without(key)


def rename_enum(draft: Draft, change: c.RenameEnum) -> None:
    """Rename an enum type; the columns of that type follow."""
    enum = draft.enums.get(change.name)
    draft.enums = draft.enums.without(change.name)
    if enum is not None:
        new = change.name._replace(name=change.new_name)
        draft.made.append(Key("enum", new))
        draft.enums = draft.enums.set(new, replace(enum, name=new))
        _retype(draft, change.name, new)


def _retype(draft: Draft, old: Name, new: Name) -> None:
    """Columns follow the name of their type."""
    for table in list(draft.tables.values()):
        if any(col.type is not None and names_enum(col.type.text, old) for col in table.columns):
            draft.put(replace(table, columns=tuple(map(_renamer(old, new), table.columns))))


def add_enum_value(draft: Draft, change: c.AddEnumValue) -> None:
    """Add a member in the place that was asked for."""
    enum = draft.enums.get(change.name)
    if enum is None or enum.members is None or change.value in enum.members:
        return
    members = list(enum.members)
    place = len(members)
    if change.before in members:
        place = members.index(change.before)
    elif change.after in members:
        place = members.index(change.after) + 1
    members.insert(place, change.value)
    draft.enums = draft.enums.set(change.name, with_members(enum, tuple(members)))


def rename_enum_value(draft: Draft, change: c.RenameEnumValue) -> None:
    """Rename a member, which keeps its place."""
    enum = draft.enums.get(change.name)
    if enum is not None and enum.members is not None:
        members = (change.new_value if m == change.value else m for m in enum.members)
        draft.enums = draft.enums.set(change.name, with_members(enum, tuple(members)))


def set_enum_values(draft: Draft, change: c.SetEnumValues) -> None:
    """Give an enum type these members, or members that are not known."""
    enum = draft.enums.get(change.name)
    if enum is None:
        return
    unknown = replace(enum, members=None, text=Expression(""))
    known = unknown if change.members is None else with_members(enum, change.members)
    draft.enums = draft.enums.set(change.name, known)


def _renamer(old: Name, new: Name) -> Callable[[Column], Column]:
    """What gives a column of an enum type the type's new name."""

    def renamed(column: Column) -> Column:
        if column.type is None or not names_enum(column.type.text, old):
            return column
        text = re.sub(
            rf"""name=(['"]){re.escape(old.name)}\1""", rf"name=\1{new.name}\1", column.type.text
        )
        return replace(column, type=replace(column.type, text=text))

    return renamed


def with_members(enum: EnumType, members: tuple[str, ...]) -> EnumType:
    """The enum type with other members, as it would be written now."""
    parts = [literal(member).text for member in members]
    parts.append(f"name={literal(enum.name.name).text}")
    parts += [f"schema={literal(enum.name.schema).text}"] if enum.name.schema else []
    text = Expression(f"sa.Enum({', '.join(parts)})", imports=("import sqlalchemy as sa",))
    return replace(enum, members=members, text=text)
