"""Enum types and objects made by SQL that are there in both of two schemas, defined otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.statements import same_definition
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name, Table
from alembic_roundtrip.schema import Schema

_KINDS = frozenset({"function", "procedure", "trigger", "view", "materialized view"})
_VIEWS = frozenset({"view", "materialized view"})


def redefined(before: Schema, after: Schema) -> Iterator[tuple[str, Name, str]]:
    """The kind and name of what is certainly another, and in what, to go on after its name."""
    for name in before.enums.changed(after.enums):
        one, other = before.enums.get(name), after.enums.get(name)
        if one is not None and other is not None and one.members and other.members:
            sentence = _members(one.members, other.members)
            if sentence:
                yield "enum", name, sentence
    for kind, name in before.definitions.changed(after.definitions):
        was, now = (schema.definitions.get((kind, name)) for schema in (before, after))
        if kind in _KINDS and was and now and not same_definition(kind, was, now):
            yield kind, name, "is defined otherwise"


def gone(before: Schema, upgraded: Schema, after: Schema) -> Iterator[tuple[str, Name, str]]:
    """Views that the upgrade may have replaced, and that a downgrade drops as if it had made them.

    Of functions there may be others of that name.
    """
    for kind, name in before.definitions.changed(after.definitions):
        key = (kind, name)
        there = key in before.definitions and key in upgraded.definitions
        if kind in _VIEWS and there and key not in {*after.definitions, *after.objects}:
            yield kind, name, "is gone"


def defines(change: c.Change, kind: str, name: Name) -> bool:
    """Whether a change may be why it is another; a value that is added is a rule's of its own."""
    if kind == "enum" and isinstance(change, c.CreateEnum):
        return change.enum.name == name
    if kind == "enum" and isinstance(
        change, c.DropEnum | c.RenameEnum | c.RenameEnumValue | c.SetEnumValues
    ):
        return change.name == name
    if isinstance(change, c.CreateObject | c.ReplaceObject | c.DropObject):
        return (change.kind, change.name) == (kind, name)
    return False


def lost_in_batch(before: Table, after: Table) -> Iterator[tuple[str, str]]:
    """Indexes that a table made anew does not have as they were, and what to say of each.

    Made anew from what reflection sees, it has no index on an expression, and of a direction or a
    collation nothing.
    """
    now = {index.name: index for index in after.indexes}
    for index in before.indexes:
        new = now.get(index.name)
        written = [part for part in index.columns if part.string is None]
        if index.name is None or not written:
            continue
        if new is None:
            yield index.name, "is lost where a batch makes the table anew"
        elif all(part.string is not None for part in new.columns):
            yield index.name, "has lost its order or collation where a batch makes the table anew"


def _members(before: tuple[str, ...], after: tuple[str, ...]) -> str | None:
    lost = [repr(member) for member in before if member not in after]
    new = [repr(member) for member in after if member not in before]
    if lost:
        return f"lacks {', '.join(lost)}"
    if new:
        return f"has {', '.join(new)} besides"
    return "has its values in another order" if before != after else None
