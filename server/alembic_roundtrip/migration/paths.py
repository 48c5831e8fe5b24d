"""Names without a schema, after a statement of the migration that sets PostgreSQL's search path."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, NamedTuple, TypeVar

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.literals import sql_template
from alembic_roundtrip.migration.model import Direction, Guard, GuardKind, Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql.holes import HOLE
from alembic_roundtrip.migration.sql.words import has_words, spoken

_Path = tuple[str, ...]
"""The schemas that are looked through; none where it is the database's own path."""
_MAKING = (c.CreateTable, c.CreateEnum, c.CreateObject)
_IN_NO_SCHEMA = frozenset(
    "cast event extension publication role schema server subscription user".split()
)
"""Objects that are the database's, or the server's."""
_HAVING_ONE = ("postgresql", "cockroachdb", "redshift")
_CERTAIN = frozenset({GuardKind.DIALECT, GuardKind.ENGINE})
"""Conditions that come to the same wherever they are asked again."""
_Value = TypeVar("_Value")


class _Setting(NamedTuple):
    """The path that a statement sets, None where it is computed, and which one of the SQL it is."""

    number: int
    path: _Path | None


def placed(migration: Migration) -> Migration:
    """A migration whose names have the schema that its own search path gives them."""
    if "search_path" not in migration.text.lower():
        return migration
    there: set[Name] = set()
    upgrade = _placed(migration.upgrade, there)
    return replace(migration, upgrade=upgrade, downgrade=_placed(migration.downgrade, there))


def _placed(direction: Direction | None, there: set[Name]) -> Direction | None:
    if direction is None:
        return None
    return replace(direction, operations=tuple(_followed(direction.operations, there)))


def _followed(operations: Iterable[Operation], there: set[Name]) -> Iterator[Operation]:
    """The operations with names in their schemas; `there` is what the migration has made so far."""
    path: _Path | None = ()
    under: tuple[Guard, ...] = ()
    for operation in operations:
        if not any(map(operation.runs_on, _HAVING_ONE)):
            yield operation
            continue
        before = path if operation.guards[: len(under)] == under else None
        found = tuple(_paths(operation))
        yield _looking_through(_within(found, before), operation, there)
        if found and found[-1].path != before:
            certain = all(guard.kind in _CERTAIN for guard in operation.guards)
            path, under = (found[-1].path, operation.guards) if certain else (None, ())


def _within(found: tuple[_Setting, ...], before: _Path | None) -> _Path | None:
    """The path of what an operation changes, where it sets some itself."""
    paths = {before, *(setting.path for setting in found)}
    if len(paths) == 1:
        return before
    return found[0].path if len(found) == 1 and found[0].number == 0 else None


def _looking_through(path: _Path | None, operation: Operation, there: set[Name]) -> Operation:
    changes = []
    for change in operation.changes:
        placed = change if path == () else _in_path(change, path, there)
        changes.append(placed)
        for name, made in _effects(placed):
            (there.add if made and not operation.doubtful else there.discard)(name)
    return operation if path == () else replace(operation, changes=tuple(changes))


def _effects(change: c.Change) -> Iterator[tuple[Name, bool]]:
    """Names that a change makes, or takes away."""
    if isinstance(change, c.CreateTable):
        yield change.table.name, True
    elif isinstance(change, c.CreateEnum):
        yield change.enum.name, True
    elif isinstance(change, c.CreateObject):
        yield change.name, True
    elif isinstance(change, c.RenameTable):
        yield change.table, False
        yield change.table._replace(name=change.new_name), True
    elif isinstance(change, c.DropTable):
        yield change.table, False
    elif isinstance(change, c.DropEnum | c.DropObject):
        yield change.name, False


def _paths(operation: Operation) -> Iterator[_Setting]:
    """The paths that the statements of an operation set, in their order."""
    written = next((value for key, value in operation.arguments if key == "sqltext"), None)
    if written is None:
        return
    sql = written.string or _template(written)
    if sql is None:
        if "search_path" in written.text.lower():
            yield _Setting(-1, None)
        return
    for number, tokens in enumerate(spoken(sql)):
        words = tuple(token.strip('"').upper() for token in tokens)
        if words[0] == "SET" and "SEARCH_PATH" in words[1:3]:
            yield _Setting(number, _listed(tokens[words.index("SEARCH_PATH") + 2 :]))
        elif words[0] in {"RESET", "DISCARD"} and words[1:2] in {("SEARCH_PATH",), ("ALL",)}:
            yield _Setting(number, ())
        elif words[0] == "DO" and {"SEARCH_PATH", "'SEARCH_PATH'"} & set(words):
            yield _Setting(number, None)
        elif has_words(words, "SET_CONFIG", "(", "'SEARCH_PATH'", ","):
            yield _Setting(number, _given(tokens[words.index("'SEARCH_PATH'") + 2 :]))


def _template(written: Expression) -> str | None:
    """SQL with computed parts; None where not even its beginning is known."""
    try:
        return sql_template(ast.parse(written.text, mode="eval").body)
    except (SyntaxError, ValueError):
        return None


def _given(tokens: tuple[str, ...]) -> _Path | None:
    """Schemas in the one text that `set_config` takes; None where it is computed."""
    if tokens[:1] and tokens[0][0] == "'" and tokens[1:2] in {(",",), (")",)}:
        return _listed(part.strip() for part in tokens[0].strip("'").split(","))
    return None


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


def _in_path(change: c.Change, path: _Path | None, there: set[Name]) -> c.Change:
    if getattr(change, "kind", "") in _IN_NO_SCHEMA:
        return change
    if path is not None and (len(path) == 1 or isinstance(change, _MAKING)):
        return _moved(change, path[0])
    if isinstance(change, c.WriteRows) and change.table is not None and not change.table.schema:
        first = change.table._replace(schema=path[0]) if path else None
        return replace(change, table=first if first in there else None)
    if isinstance(change, c.WriteRows):
        return change
    if isinstance(change, c.Unknown) and not change.tables:
        return change
    own = getattr(change, "name", None)
    names = c.tables_of(change) or ((own,) if isinstance(own, Name) else ())
    bare = [name for name in names if not name.schema]
    if names and not bare:
        return change
    if path is None or not names:
        return c.Unknown()
    if all(name._replace(schema=path[0]) in there for name in bare):
        return _moved(change, path[0])
    return c.Unknown(frozenset(Name(name.name, schema) for name in bare for schema in path))


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
