"""How changes of constraints change a schema."""

from __future__ import annotations

from dataclasses import replace

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Constraint, Table
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.names import known_as, numbered_as
from alembic_roundtrip.schema.state import Key
from alembic_roundtrip.schema.tables import with_keys_filled, with_known_nulls


def add_constraint(draft: Draft, change: c.AddConstraint) -> None:
    """Add a constraint; a second primary key takes the place of the first."""
    if change.index is not None:
        _take_index(draft, change, change.index)
        return
    table = draft.parts(change.table)
    if draft.recreating:
        if not draft.now.keys() >= {*change.constraint.columns}:
            return  # Alembic leaves out a constraint on names that the table did not have
        columns = tuple(draft.now[name] for name in change.constraint.columns)
        change = replace(change, constraint=replace(change.constraint, columns=columns))
        if _has_one_like(table, change.constraint):
            return  # of several with a name Alembic keeps one
    if change.constraint.kind == "primary" and draft.dialect == "sqlite":
        table = with_known_nulls(table)
    constraints = table.constraints
    if change.constraint.kind == "primary":
        # A table has one; where it has one already, this one takes its place.
        constraints = tuple(part for part in constraints if part.kind != "primary")
    draft.change(
        change.table,
        columns=table.columns if change.table in draft.tables else None,
        constraints=(*constraints, change.constraint),
    )
    if change.constraint.kind == "primary" and change.table in draft.tables:
        draft.put(with_keys_filled(draft, draft.tables[change.table]))
    _keep_numbering(draft, table)
    draft.note_constraints(change.table, (change.constraint,))


def _has_one_like(table: Table, made: Constraint) -> bool:
    """Whether a table has the same key under the same name."""
    return made.name is not None and any(
        (part.kind, part.name, part.columns) == (made.kind, made.name, made.columns)
        and (part.referent, part.referent_columns) == (made.referent, made.referent_columns)
        for part in table.constraints
        if part.kind != "check"
    )


def _take_index(draft: Draft, change: c.AddConstraint, name: str) -> None:
    """Make a constraint of an index, which is called as it is from then on."""
    index = draft.parts(change.table).index(name)
    columns = tuple(part.string or "" for part in index.columns) if index is not None else ()
    if index is None or not all(columns):
        draft.doubt_tables(change.table)
        return
    left = tuple(each for each in draft.parts(change.table).indexes if each is not index)
    draft.change(change.table, indexes=left)
    constraint = replace(change.constraint, columns=columns)
    add_constraint(draft, replace(change, constraint=constraint, index=None))


def drop_constraint(draft: Draft, change: c.DropConstraint) -> None:
    """Drop a constraint; where it is not known which, the table is in doubt."""
    table = draft.tables.get(change.table)
    if table is None:
        return
    # A table has one primary key, whatever its name.
    primary = change.kind == "primary"
    if primary and draft.dialect == "sqlite":
        table = with_known_nulls(table)
    kept = tuple(
        part
        for part in table.constraints
        if (part.kind != "primary" if primary else not part.is_known_as(change.name))
    )
    if change.name is None or len(kept) == len(table.constraints):
        if change.if_exists and change.name and all(map(_is_named, table.constraints)):
            return
        # Its name may be the database's own or a naming convention's.
        draft.doubt_tables(change.table)
    else:
        draft.change(change.table, columns=table.columns, constraints=kept)
        _keep_numbering(draft, table)


def _keep_numbering(draft: Draft, before: Table) -> None:
    """A foreign key does not change whether the database numbers rows by its column."""
    after = draft.tables.get(before.name)
    keys = {part.columns for part in before.constraints if part.kind == "primary"}
    if after is not None and draft.dialect != "sqlite" and keys:
        same = {part.columns for part in after.constraints if part.kind == "primary"} == keys
        draft.put(numbered_as(before, after) if same else after)


def rename_constraint(draft: Draft, change: c.RenameConstraint) -> None:
    """Rename a constraint; where it is not known which, the table is in doubt."""
    table = draft.tables.get(change.table)
    named = table is not None and any(p.is_known_as(change.name) for p in table.constraints)
    if table is None or not named:
        draft.doubt_tables(change.table)
        return
    constraints = tuple(
        replace(part, name=change.new_name) if part.is_known_as(change.name) else part
        for part in table.constraints
    )
    draft.change(change.table, constraints=constraints)
    draft.made.append(Key("constraint", change.table, change.new_name))


def _is_named(part: Constraint) -> bool:
    """Whether it is certain what a constraint is called."""
    return part.sure and known_as(part) is not None
