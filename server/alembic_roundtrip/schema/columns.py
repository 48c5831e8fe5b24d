"""How changes of columns change a schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from alembic_roundtrip.databases import MYSQL
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression, literal
from alembic_roundtrip.migration.mentions import is_on
from alembic_roundtrip.migration.objects import (
    Column,
    Constraint,
    Index,
    Name,
    Table,
    is_identity,
    option,
)
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.names import numbered_column, sequence_of, with_sequences
from alembic_roundtrip.schema.state import Key
from alembic_roundtrip.schema.tables import needed

_KEPT_BY_ALTER = ("existing_type", "existing_nullable", "existing_server_default")
_REDEFINING = frozenset({"new_column_name", "nullable", "type_", "autoincrement", "comment"})
_LOST = ("server_default", "comment")
"""What a column that MySQL defines anew is without, unless it is said."""
_NOT_OPTIONS = (
    *_KEPT_BY_ALTER,
    "existing_comment",
    "existing_autoincrement",
    "new_column_name",
    "type_",
    "nullable",
    "postgresql_using",
)


def add_column(draft: Draft, change: c.AddColumn) -> None:
    """Add a column, in the place of one of that name, with the constraints that its type brings."""
    table = draft.parts(change.table)
    others = table.columns
    if table.column(change.column.name) is not None:
        others = tuple(col for col in others if col.name != change.column.name)
    made = needed(draft, change.constraints)
    if draft.dialect == "sqlite" and not draft.recreating:
        # SQLite adds no constraint to a table; Alembic leaves out those of types.
        made = tuple(replace(part, at_column=True) for part in made if not part.of_type)
    constraints = (*table.constraints, *made) if made else None
    draft.change(change.table, columns=(*others, change.column), constraints=constraints)
    draft.now[change.column.name] = change.column.name
    draft.made.append(Key("column", change.table, change.column.name))
    draft.note_constraints(change.table, made)
    draft.know_enums(change.enums)


def drop_column(draft: Draft, change: c.DropColumn) -> None:
    """Drop a column with the indexes and constraints that it takes with it."""
    table = draft.parts(change.table)
    column = draft.name_now(change.column)
    constraints = table.constraints
    if constraints:
        constraints = tuple(_without_column(draft, constraints, column))
    indexes = tuple(_without_part(draft, table.indexes, column))
    draft.change(
        change.table,
        columns=tuple([col for col in table.columns if col.name != column]),
        # What stays the same is the same object: comparing two schemas is quick then.
        constraints=constraints if constraints != table.constraints else None,
        indexes=indexes if indexes != table.indexes else None,
    )
    draft.outdate_views(change.table.name, column)


def _without_part(draft: Draft, indexes: Iterable[Index], column: str) -> Iterator[Index]:
    dialects = () if draft.dialect is None else (draft.dialect,)
    for index in indexes:
        if not is_on(index, column, dialects):
            yield index
        elif draft.dialect in MYSQL and not index.unique:
            # It stays an index of the others.
            left = tuple(part for part in index.columns if part.value != column)
            if left and len(left) < len(index.columns):
                yield replace(index, columns=left)


def _without_column(
    draft: Draft, constraints: Iterable[Constraint], column: str
) -> Iterator[Constraint]:
    for part in constraints:
        if part.kind == "check" and draft.dialect != "sqlite" and _is_about(part, column):
            continue
        if column not in part.columns:
            yield part
        elif draft.recreating and part.kind == "primary" and len(part.columns) > 1:
            yield replace(part, columns=tuple(c for c in part.columns if c != column))


def whole(change: c.AlterColumn, table: Table) -> c.AlterColumn:
    """What MySQL makes of a change: a column is defined anew, and is what the call says."""
    given = dict(change.options)
    type_ = given.get("type_") or given.get("existing_type")
    if type_ is None or not _REDEFINING & given.keys():
        return change
    key = {name for part in table.constraints if part.kind == "primary" for name in part.columns}
    usual = {"nullable": literal(change.column not in key), **dict.fromkeys(_LOST, literal(None))}
    said = {part: given.get(f"existing_{part}", value) for part, value in usual.items()}
    return replace(change, options=tuple({**said, **given, "type_": type_}.items()))


def alter_column(draft: Draft, change: c.AlterColumn) -> None:
    """Alter a column; under a new name its constraints, indexes and foreign keys follow."""
    table = draft.parts(change.table)
    if draft.dialect in MYSQL:
        change = whole(change, table)
    name = draft.name_now(change.column)
    if table.column(name) is None:
        draft.doubt_tables(change.table)
        return
    columns = tuple([altered(col, change) if col.name == name else col for col in table.columns])
    if option(change.options, "server_default") is not None and (
        draft.dialect == "postgresql" and numbered_column(table) == name
    ):
        # The numbers are a default there, and this takes its place.
        columns = tuple(
            [
                replace(
                    col.with_option("autoincrement", literal(value=False)),
                    sequence=before.sequence or sequence_of(table.name, before.name),
                )
                if before.name == name
                else col
                for before, col in zip(table.columns, columns, strict=True)
            ]
        )
    draft.change(change.table, columns=columns, constraints=_retyped(table, name, change))
    new = option(change.options, "new_column_name")
    if new is not None and new.string is not None and new.string != name:
        draft.made.append(Key("column", change.table, new.string))
        _rename_in_parts(draft, change.table, name, new.string)
        renamed = draft.tables[change.table]
        draft.put(with_sequences(renamed, table, {name: new.string}))
        draft.outdate(name)


def _retyped(table: Table, name: str, change: c.AlterColumn) -> tuple[Constraint, ...] | None:
    """The constraints of a table with a note at the CHECKs of a column that gets another type."""
    new, column = option(change.options, "type_"), table.column(name)
    old = column.type if column is not None else None
    if new is None or old is None:
        return None
    noted = tuple(
        replace(part, retyped=(*part.retyped, (old, new)))
        if part.kind == "check" and _is_about(part, name)
        else part
        for part in table.constraints
    )
    return noted if any(part.retyped for part in noted) else None


def _rename_in_parts(draft: Draft, name: Name, old: str, new: str) -> None:
    """A column's new name in the table's constraints and indexes."""
    table = draft.tables[name]
    constraints = tuple(
        replace(
            part,
            columns=tuple(new if col == old else col for col in part.columns),
            arguments=part.arguments if draft.recreating else _renamed(part, old, new),
        )
        for part in table.constraints
    )
    indexes = tuple(
        replace(
            index,
            columns=tuple(
                replace(part, text=repr(new), value=new) if part.value == old else part
                for part in index.columns
            ),
        )
        for index in table.indexes
    )
    draft.change(name, constraints=constraints, indexes=indexes)
    if draft.recreating:
        # The new table takes the old one's place; keys that refer to it stay as they are.
        draft.now |= {key: new for key, called in draft.now.items() if called == old}
    else:
        draft.retarget(name, name, {old: new})


def _renamed(part: Constraint, old: str, new: str) -> tuple[Expression, ...]:
    """The condition of a CHECK with a column's new name; what others take stays."""
    if part.kind != "check":
        return part.arguments
    word = re.compile(rf"('(?:[^']|'')*')|\b{re.escape(old)}\b")

    def called_now(text: str) -> str:
        return word.sub(lambda found: found[1] or new, text)

    return tuple(
        argument if argument.string is None else literal(called_now(argument.string))
        for argument in part.arguments
    )


def _is_about(check: Constraint, column: str) -> bool:
    """Whether the condition of a CHECK names a column."""
    word = rf"\b{re.escape(column)}\b"
    return any(re.search(word, argument.text) for argument in check.arguments)


def altered(column: Column, change: c.AlterColumn) -> Column:
    """A column after `alter_column`."""
    given = dict(change.options)
    new_type, nullable = given.get("type_"), given.get("nullable")
    new_name = given.get("new_column_name")
    if new_type is not None:
        column = replace(column, type=new_type)
    if nullable is not None:
        known = nullable.value if isinstance(nullable.value, bool) else None
        column = replace(column, nullable=known).with_option("nullable", nullable)
    if new_name is not None and new_name.string is not None:
        column = replace(column, name=new_name.string)
    default = given.get("server_default")
    if default is not None and (column.identity is not None or is_identity(default)):
        others = [each for each in column.arguments if not is_identity(each)]
        numbering = [default] if is_identity(default) else []
        column = replace(column, arguments=(*others, *numbering))
    for name, value in change.options:
        if name == "server_default" and is_identity(value):
            column = column.with_option(name, None)
        elif name not in _NOT_OPTIONS:
            column = column.with_option(name, None if value.value in {None, False} else value)
    return column
