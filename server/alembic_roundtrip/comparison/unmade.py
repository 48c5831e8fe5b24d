"""Parts of tables that no migration has made: what the two directions say of them by name.

Of the first tables of a history that starts from `create_all()` or a dump nothing is known. What an
upgrade adds to one is there all the same until something takes that name away, and what it drops is
gone until something is made under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from alembic_roundtrip.context import RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.mentions import is_on
from alembic_roundtrip.migration.model import GuardKind, Operation
from alembic_roundtrip.migration.objects import Constraint, Index, Name, option
from alembic_roundtrip.schema import Key, Schema

_WHOLE = (c.CreateTable, c.DropTable, c.RenameTable, c.Unknown)
_ANYWHERE = (c.DropIndex, c.RenameIndex)
"""They may not say which table they are about."""
_MAKING = (
    *("ALTER", "CREATE", "DELETE", "EXECUTE", "INSERT", "MERGE", "TRUNCATE", "UPDATE"),
    *("CALL", "PERFORM"),
)


@dataclass(slots=True)
class _Said:
    """What changes say of the parts of one table, one after the other."""

    there: dict[Key, Operation] = field(default_factory=dict)
    """Parts that were made, by what made them."""
    gone: dict[Key, Operation] = field(default_factory=dict)
    made_of: dict[Key, Index | Constraint] = field(default_factory=dict)


def left(trip: RoundTrip, up: Iterable[Operation]) -> Iterator[tuple[Key, Operation]]:
    """Parts of such tables that the upgrade adds and nothing in the downgrade takes away."""
    for table, said in _by_table(trip, up).items():
        after = [change for _, change, _ in trip.down.steps if _is_about(change, table)]
        dropped = {change.column for change in after if isinstance(change, c.DropColumn)}
        for key, operation in said.there.items():
            part = said.made_of.get(key)
            goes_along = part is not None and _goes_with(part, dropped, trip)
            if not goes_along and not any(_takes(change, key) for change in after):
                yield key, operation


def lost(trip: RoundTrip, up: Iterable[Operation]) -> Iterator[tuple[Key, Operation]]:
    """Parts of such tables that the upgrade drops and nothing in the downgrade makes again."""
    for table, said in _by_table(trip, up).items():
        after = [change for _, change, _ in trip.down.steps if _is_about(change, table)]
        back = {key for change in after for key in _made(change)}
        columns = [key for key in said.gone if key.kind == "column" and key not in back]
        # An index and a constraint may be one thing under one name.
        names = {key.name for key in back if key.kind != "column"}
        others = names - {key.name for key in said.gone}
        for key, operation in said.gone.items():
            if key.kind == "column":
                gone = key in columns
            else:
                # What goes with a column comes with it; another name may stand for the same.
                gone = key.name not in names and not (columns or others or _brings_parts(after))
            if gone:
                yield key, operation


def lost_tables(trip: RoundTrip, up: Sequence[Operation]) -> Iterator[tuple[Key, Operation]]:
    """Such tables that the upgrade drops and that nothing makes, before or again."""
    for operation in up:
        certain = operation.runs_on(trip.dialect) and not operation.doubtful
        for change in operation.changes if certain else ():
            if not isinstance(change, c.DropTable) or _asks(operation, change):
                continue
            unknown = change.table not in trip.before.tables
            if unknown and len(_whole(trip, up, {change.table})) == 1:
                yield Key("table", change.table), operation


def keeps_name(trip: RoundTrip, up: Iterable[Operation], old: Key, new: Key) -> bool:
    """Whether such a table, or a column of one, is called by its new name to the end."""
    whole = _whole(trip, up, {old.table, new.table})
    if new.kind == "table":
        return len(whole) == 1
    changes = [change for operation in up for change in operation.changes]
    changes += [change for _, change, _ in trip.down.steps]
    return not whole and not any(_takes(change, new) for change in changes)


def is_remade(trip: RoundTrip, up: Iterable[Operation], table: Name) -> bool:
    """Whether either direction makes, drops or renames a table as a whole."""
    return bool(_whole(trip, up, {table}))


def drops_nothing(operation: Operation, schema: Schema) -> bool:
    """Whether it only drops, and only where it is there, what no revision has made."""
    changes = operation.changes
    return bool(changes) and all(
        _asks(operation, change) and _is_drop_of_absent(change, operation, schema)
        for change in changes
    )


def _is_drop_of_absent(change: c.Change, operation: Operation, schema: Schema) -> bool:
    if isinstance(change, c.Unknown) and change.tables:
        # What a block drops is not sure to go: it is as if it were not read.
        named = any(name in schema.tables for name in change.tables)
        return (
            not named
            and not any(operation.says(word) for word in _MAKING)
            and not _calls(operation)
        )
    if isinstance(change, c.DropTable):
        return not schema.has(Key("table", change.table))
    if isinstance(change, c.DropColumn):
        return not schema.has(Key("column", change.table, change.column))
    if isinstance(change, c.DropConstraint):
        table = schema.table(change.table)
        parts = table.constraints if table is not None else ()
        named = all(part.sure and (part.name or part.generated) for part in parts)
        return named and not any(part.is_known_as(change.name) for part in parts)
    if isinstance(change, c.DropIndex) and change.name is not None:
        return not _has_index(change.name, change.table, schema)
    if isinstance(change, c.DropEnum):
        return change.name not in schema.enums and not schema.has(Key("type", change.name))
    return isinstance(change, c.DropObject) and (change.kind, change.name) not in schema.objects


def _calls(operation: Operation) -> bool:
    """Whether it selects, and so may call functions, other than to ask whether something exists."""
    return operation.says("SELECT") and not operation.says("EXISTS", "(", "SELECT")


def _has_index(name: str, table: Name | None, schema: Schema) -> bool:
    """Whether there is an index of that name, or a constraint that is one."""
    constraint = table is not None and schema.has(Key("constraint", table, name))
    return constraint or schema.index(name, table) is not None


def _whole(trip: RoundTrip, up: Iterable[Operation], tables: set[Name]) -> list[c.Change]:
    """What either direction makes, drops or renames of some tables, or does that is not read."""
    before = (change for operation in up for change in operation.changes)
    changes = (*before, *(change for _, change, _ in trip.down.steps))
    whole = (change for change in changes if isinstance(change, _WHOLE))
    return [change for change in whole if not tables.isdisjoint(c.tables_of(change))]


def _by_table(trip: RoundTrip, up: Iterable[Operation]) -> dict[Name, _Said]:
    """What the upgrade says of tables that are not known, and that stay what they are.

    Left out are those that either direction makes, drops or renames, or does to what is not read.
    """
    operations = [operation for operation in up if operation.runs_on(trip.dialect)]
    steps = [(operation, change) for operation in operations for change in operation.changes]
    unknown = {name for _, change in steps for name in c.tables_of(change)}
    unknown -= {name for name in unknown if name in trip.before.tables}
    if not unknown:  # by far the most migrations are about tables of their own history
        return {}
    for change in _whole(trip, operations, unknown):
        unknown.difference_update(c.tables_of(change))
    after = (change for _, change, _ in trip.down.steps)
    unknown -= _views((*(change for _, change in steps), *after))
    found = {table: _Said() for table in sorted(unknown)}
    for operation, change in steps:
        anywhere = isinstance(change, _ANYWHERE) and change.table is None
        for table in unknown if anywhere else unknown.intersection(c.tables_of(change)):
            _note(found[table], operation, change, table)
    return found


def _views(changes: Iterable[c.Change]) -> set[Name]:
    """Materialized views that are made or dropped: their indexes go with them."""
    views = (x for x in changes if isinstance(x, c.CreateObject | c.ReplaceObject | c.DropObject))
    return {change.name for change in views if change.kind == "view"}


def _note(said: _Said, operation: Operation, change: c.Change, table: Name) -> None:
    certain = not (operation.doubtful or _asks(operation, change))
    own = any(_takes(change, key) for key in said.there)
    for key in (*said.there, *said.gone):
        if _takes(change, key):
            said.there.pop(key, None)
    for key in _made(change):
        again = [gone for gone in said.gone if _is_one(gone, key)]
        for gone in again:
            del said.gone[gone]
        if certain and not again:
            said.there[key] = operation
    if _brings_parts([change]):
        said.gone = {key: by for key, by in said.gone.items() if key.kind == "column"}
    if isinstance(change, c.CreateIndex) and change.index.name:
        said.made_of[Key("index", table, change.index.name)] = change.index
    if isinstance(change, c.AddConstraint) and change.constraint.name:
        said.made_of[Key("constraint", table, change.constraint.name)] = change.constraint
    dropped = _dropped(change)
    if dropped is not None and certain and not own:
        said.gone[dropped] = operation


def _is_one(one: Key, other: Key) -> bool:
    """Whether two parts of a table may be one: an index can be a constraint of its name."""
    columns = "column" in {one.kind, other.kind}
    return one == other if columns else one.name == other.name


def _asks(operation: Operation, change: c.Change) -> bool:
    """Whether it may find that there is nothing to do."""
    asked = option(operation.arguments, "if_exists") or option(operation.arguments, "if_not_exists")
    itself = getattr(change, "if_not_exists", False) or getattr(change, "if_exists", False)
    guarded = any(guard.kind is GuardKind.EXISTENCE for guard in operation.guards)
    return bool(itself or guarded or asked is not None or operation.says("IF", "EXISTS"))


def _made(change: c.Change) -> Iterator[Key]:
    """The parts that a change certainly makes, by their names."""
    if isinstance(change, c.AddColumn):
        yield Key("column", change.table, change.column.name)
    elif isinstance(change, c.AlterColumn):
        new = option(change.options, "new_column_name")
        if new is not None and new.string is not None:
            yield Key("column", change.table, new.string)
    elif isinstance(change, c.CreateIndex) and change.index.name and change.index.sure:
        yield Key("index", change.index.table, change.index.name)
    elif isinstance(change, c.AddConstraint) and change.constraint.kind != "primary":
        if change.constraint.name and change.constraint.sure:
            yield Key("constraint", change.table, change.constraint.name)
    elif isinstance(change, c.RenameConstraint):
        yield Key("constraint", change.table, change.new_name)


def _dropped(change: c.Change) -> Key | None:
    """The part that a change drops by its name; what is renamed is another rule's."""
    if isinstance(change, c.DropColumn):
        return Key("column", change.table, change.column)
    if isinstance(change, c.DropIndex) and change.name and change.table:
        return Key("index", change.table, change.name)
    if isinstance(change, c.DropConstraint) and change.name and change.kind != "primary":
        return Key("constraint", change.table, change.name)
    return None


def _takes(change: c.Change, key: Key) -> bool:
    """Whether a part may be gone, or be called otherwise, after a change."""
    if isinstance(change, c.DropColumn):
        return key == Key("column", change.table, change.column)
    if isinstance(change, c.AlterColumn):
        renamed = option(change.options, "new_column_name") is not None
        return renamed and key == Key("column", change.table, change.column)
    if isinstance(change, c.DropIndex | c.RenameIndex | c.DropConstraint | c.RenameConstraint):
        # An index stands for a constraint on some databases, and no name for any.
        return key.kind != "column" and change.name in {None, key.name}
    if isinstance(change, c.AddConstraint):
        return change.index is not None and key == Key("index", change.table, change.index)
    return False


def _goes_with(part: Index | Constraint, dropped: set[str], trip: RoundTrip) -> bool:
    """Whether an index or constraint goes with a column, or with the table that it refers to."""
    if isinstance(part, Index):
        return any(is_on(part, column, trip.dialects) for column in dropped)
    gone = {x.table for _, x, _ in trip.down.steps if isinstance(x, c.DropTable)}
    if part.referent in gone:
        return True
    unread = part.kind in {"check", "exclude"}
    return bool(dropped) if unread else not dropped.isdisjoint(part.columns)


def _brings_parts(changes: Iterable[c.Change]) -> bool:
    """Whether something is made whose name the migration does not say."""
    return any(
        (isinstance(change, c.AddColumn) and change.constraints)
        or (isinstance(change, c.AddConstraint | c.CreateIndex) and not any(_made(change)))
        for change in changes
    )


def _is_about(change: c.Change, table: Name) -> bool:
    anywhere = isinstance(change, _ANYWHERE) and change.table is None
    return anywhere or table in c.tables_of(change)
