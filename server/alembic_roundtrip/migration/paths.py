"""Names without a schema, after a statement of the migration that sets PostgreSQL's search path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.model import Direction, Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.holes import HOLE
from alembic_roundtrip.migration.sql.words import spoken

_Path = tuple[str, ...]
"""The schemas that are looked through; none where it is the database's own path."""
_MAKING = (c.CreateTable, c.CreateEnum, c.CreateObject)
_IN_NO_SCHEMA = frozenset(
    "cast event extension publication role schema server subscription user".split()
)
"""Objects that are the database's, or the server's."""
_Value = TypeVar("_Value")


def placed(migration: Migration) -> Migration:
    """A migration whose names have the schema that its own search path gives them."""
    if "search_path" not in migration.text.lower():
        return migration
    return replace(
        migration, upgrade=_placed(migration.upgrade), downgrade=_placed(migration.downgrade)
    )


def _placed(direction: Direction | None) -> Direction | None:
    if direction is None:
        return None
    return replace(direction, operations=tuple(_followed(direction.operations)))


def _followed(operations: Iterable[Operation]) -> Iterator[Operation]:
    path: _Path | None = ()
    for operation in operations:
        set_here = list(_paths(operation))
        if set_here:
            path = set_here[-1]
            yield operation
        elif path == () or not operation.changes:
            yield operation
        else:
            changes = tuple(_in_path(change, path) for change in operation.changes)
            yield replace(operation, changes=changes)


def _paths(operation: Operation) -> Iterator[_Path | None]:
    """The paths that an operation sets, None for one that is computed."""
    if not operation.sql:
        computed = (v.text for key, v in operation.arguments if key == "sqltext")
        yield from (None for text in computed if "search_path" in text.lower())
        return
    for tokens in spoken(operation.sql):
        words = tuple(token.strip('"').upper() for token in tokens)
        if words[0] == "SET" and "SEARCH_PATH" in words[1:3]:
            yield _listed(tokens[words.index("SEARCH_PATH") + 2 :])
        elif words[0] in {"RESET", "DISCARD"} and words[1:2] in {("SEARCH_PATH",), ("ALL",)}:
            yield ()
        elif "SET_CONFIG" in words and "'search_path'" in tokens:
            given = tokens[tokens.index("'search_path'") + 2]
            yield _listed([part.strip() for part in given.strip("'").split(",")])


def _listed(tokens: Iterable[str]) -> _Path | None:
    """Schemas as SET lists them; None where one is computed."""
    found: list[str] = []
    for token in tokens:
        if HOLE in token.lower() or token.startswith(":"):
            return None
        quoted = token[:1] in {'"', "'"}
        name = token[1:-1] if quoted else token.lower()
        if name not in {",", "$user", "default"}:
            found.append("" if name == "public" else name)
    return () if set(found) <= {""} else tuple(found)


def _in_path(change: c.Change, path: _Path | None) -> c.Change:
    if getattr(change, "kind", "") in _IN_NO_SCHEMA:
        return change
    if path is not None and (len(path) == 1 or isinstance(change, _MAKING)):
        return _moved(change, path[0])
    names = [name for name in c.tables_of(change) if not name.schema]
    if isinstance(change, c.WriteRows):
        return replace(change, table=None) if change.table and not change.table.schema else change
    if path is None:
        return c.Unknown() if names or not c.tables_of(change) else change
    return c.Unknown(frozenset(Name(n.name, schema) for n in names for schema in path))


def _moved(value: _Value, schema: str) -> _Value:
    """A value whose names without a schema have this one."""
    made: Any = value
    if isinstance(value, Name):
        made = value if value.schema else value._replace(schema=schema)
    elif isinstance(value, tuple | frozenset):
        made = type(value)(_moved(part, schema) for part in value)
    elif is_dataclass(value) and not isinstance(value, Expression | type):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        new = {key: _moved(part, schema) for key, part in parts.items()}
        made = replace(value, **new) if new != parts else value
    return made  # type: ignore[no-any-return]
