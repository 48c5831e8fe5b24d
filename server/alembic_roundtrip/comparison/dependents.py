"""What a database refuses to drop as something else still uses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import Constraint, Name, option
from alembic_roundtrip.migration.sql import has_column
from alembic_roundtrip.schema import Schema
from alembic_roundtrip.schema.replaying import Replay

DEPENDED_ON: c.Kinds = (
    *(c.DropColumn, c.DropTable, c.AlterColumn, c.DropConstraint),
    *(c.DropEnum, c.DropObject),
)
"""The changes that something can be in the way of."""

_EXECUTED = r"\bEXECUTE\s+(?:FUNCTION|PROCEDURE)\s+(?:\w+\.)?\"?{}\"?\s*\("
_OWNER = re.compile(r'\bON\s+(?:"?(\w+)"?\.)?"?(\w+)"?', re.IGNORECASE)
_NO_TYPE = ("native_enum", "with_variant")


def depended_on(context: Context) -> Iterator[tuple[Operation, str]]:
    """Operations of the downgrade that drop what is still used, and what uses it.

    SQLite only looks whether its texts of tables, indexes and views can still be read.
    """
    if context.written_downgrade is not None:
        yield from _depended_on(context, lambda trip: trip.down)


def depended_on_in_upgrade(context: Context) -> Iterator[tuple[Operation, str]]:
    """The same of the upgrade; nothing where that may have dropped it by a computed name."""
    if not any(c.Unknown(frozenset()) in each.changes for each in context.upgrade_operations):
        yield from _depended_on(context, lambda trip: trip.up)


def _depended_on(
    context: Context, replayed: Callable[[RoundTrip], Replay]
) -> Iterator[tuple[Operation, str]]:
    for trip in context.round_trips:
        way = replayed(trip)
        if way.unread or trip.dialect not in _KINDS:
            continue
        if trip.dialect == "sqlite" and context.dialects[0] != "sqlite":
            continue  # for tests mostly, which never go back
        if trip.dialect == "sqlite":
            yield from _made_again(way)
        for operation, change, schema in way.steps:
            if operation.doubtful or operation.says("CASCADE"):
                continue
            for using in _KINDS[trip.dialect]:
                yield from ((operation, what) for what in using(change, operation, schema))


def _viewed(change: c.Change, operation: Operation, schema: Schema) -> Iterator[str]:
    """Views of a table, or with a column."""
    if not isinstance(change, c.DropColumn | c.AlterColumn | c.DropTable):
        return
    if isinstance(change, c.AlterColumn) and "type_" not in dict(change.options):
        return
    column = None if isinstance(change, c.DropTable) else change.column
    dropped = isinstance(change, c.DropColumn) and operation.batch is None
    if schema.dialect == "sqlite" and not dropped:
        return
    for kind, name in schema.objects if change.table in schema.tables else ():
        text = schema.definitions.get((kind, name), "") if kind == "view" else ""
        if text and _reads(text, change.table, column, schema):
            yield f"the view `{name}` still uses it"


def _reads(text: str, table: Name, column: str | None, schema: Schema) -> bool:
    if table.name not in text or (column is not None and column not in text):
        return False
    from alembic_roundtrip.migration.sql.views import view

    found = view(text, schema.dialect or "")
    if found is None or table not in found.tables.values():
        return False
    tables = [schema.table(name) for name in found.tables.values()]
    if any(each is None or not schema.knows(each.name) for each in tables):
        return False
    if column is None:
        return True
    having = {each.name for each in tables if each is not None and each.column(column)}
    return found.names(table, column, alone=having == {table})


def _parts(change: c.Change, operation: Operation, schema: Schema) -> Iterator[str]:
    """Indexes and constraints with a column: SQLite drops none along with it."""
    if not isinstance(change, c.DropColumn) or operation.batch is not None:
        return
    yield from (f"the index `{name}` still uses it" for name in _indexes(change, schema))
    table = schema.table(change.table) if schema.knows(change.table) else None
    for part in table.constraints if table is not None else ():
        if _goes_on(part, change.column):
            yield f"{_NAMES[part.kind]}{f' `{part.name}`' if part.name else ''} still uses it"


def _indexes(change: c.DropColumn, schema: Schema) -> Iterator[str]:
    table = schema.table(change.table) if schema.knows(change.table) else None
    for index in table.indexes if table is not None else ():
        where = option(index.options, "sqlite_where")
        texts = [part.sql for part in (*index.columns, where) if part and not part.string]
        if index.name and (
            any(part.value == change.column for part in index.columns)
            or any(text and has_column(text, change.column, ("sqlite",)) for text in texts)
        ):
            yield index.name


def _made_again(way: Replay) -> Iterator[tuple[Operation, str]]:
    """Columns dropped in a batch that makes an index on them again, on a table without them."""
    for operation, change, schema in way.steps:
        batch = operation.batch
        if batch is None or operation.doubtful or not isinstance(change, c.DropColumn):
            continue
        same = [other for o, other, _ in way.steps if o.batch == batch]
        dropped = {other.name for other in same if isinstance(other, c.DropIndex)}
        for name in () if option(batch.options, "copy_from") else _indexes(change, schema):
            if name not in dropped:
                yield operation, f"the index `{name}` still uses it"


_NAMES = {
    "primary": "the primary key",
    "unique": "the constraint",
    "foreignkey": "the foreign key",
    "check": "the constraint",
}


def _goes_on(part: Constraint, column: str) -> bool:
    """Whether it is in a column's way; what is part of the column's own text goes with it."""
    if part.kind in {"primary", "unique"}:
        return column in part.columns
    if part.kind == "foreignkey":
        return column in part.columns and not part.at_column
    texts = [argument.sql for argument in part.arguments] if part.kind == "check" else []
    return (
        not (part.inline or part.of_type)
        and len(texts) == 1
        and has_column(texts[0] or "", column, ("sqlite",))
    )


def _typed(change: c.Change, _: Operation, schema: Schema) -> Iterator[str]:
    """Columns of an enum type."""
    if not isinstance(change, c.DropEnum) or change.name not in schema.enums:
        return
    for table, column in schema.users_of(change.name):
        text = column.type.text if column.type is not None else ""
        if table not in schema.unknown and not any(word in text for word in _NO_TYPE):
            yield f"`{table}.{column.name}` is still of this type"


def _numbered(change: c.Change, _: Operation, schema: Schema) -> Iterator[str]:
    """Columns that have their default from a sequence."""
    if not isinstance(change, c.DropObject) or change.kind != "sequence":
        return
    sequence = re.escape(change.name.name)
    called = re.compile(rf"nextval\(\s*'\"?{sequence}\"?'", re.IGNORECASE)
    for table in schema.tables.values():
        for column in table.columns if table.name not in schema.unknown else ():
            default = column.server_default
            if default is not None and called.search(default.sql or ""):
                yield f"the default of `{table.name}.{column.name}` still uses it"


def _executed(change: c.Change, _: Operation, schema: Schema) -> Iterator[str]:
    """Triggers that call a function, on tables that are there."""
    if not isinstance(change, c.DropObject) or change.kind != "function":
        return
    calls = re.compile(_EXECUTED.format(re.escape(change.name.name)), re.IGNORECASE)
    for kind, name in schema.objects:
        text = schema.definitions.get((kind, name), "") if kind == "trigger" else ""
        owner = _OWNER.search(text) if calls.search(text) else None
        if owner is not None and schema.knows(Name.of(owner[2], owner[1])):
            yield f"the trigger `{name}` still calls it"


def _referred(change: c.Change, _: Operation, schema: Schema) -> Iterator[str]:
    """Foreign keys that refer to the columns of a key, where there is no other key on them."""
    if not isinstance(change, c.DropConstraint) or not schema.knows(change.table):
        return
    table = schema.tables[change.table]
    keys = [part for part in table.constraints if part.kind in {"unique", "primary"}]
    dropped = [part for part in keys if part.is_known_as(change.name)]
    if len(dropped) != 1:
        return
    columns = set(dropped[0].columns)
    indexes = ({part.value for part in index.columns} for index in table.indexes if index.unique)
    if sum(set(part.columns) == columns for part in keys) > 1 or columns in list(indexes):
        return
    for other in schema.tables.values():
        for part in other.constraints if other.name not in schema.unknown else ():
            if part.referent == table.name and set(part.referent_columns) == columns:
                key = f"the foreign key `{part.name}`" if part.name else "a foreign key"
                yield f"{key} of `{other.name}` still refers to it"


_Using = Callable[[c.Change, Operation, Schema], Iterator[str]]
_KINDS: dict[str | None, tuple[_Using, ...]] = {
    "postgresql": (_viewed, _typed, _numbered, _executed, _referred),
    "sqlite": (_viewed, _parts),
}
