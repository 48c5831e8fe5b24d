"""Tables that a downgrade looks for, or makes again, in another schema than theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from alembic_roundtrip.context import Context, RoundTrip
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.syntax import parse
from alembic_roundtrip.schema import Schema

_COMMENT = re.compile(r"--\s[^\n]*|/\*.*?\*/", re.DOTALL)
"""A comment in SQL; `--search_path=app` is an option of a connection."""


@dataclass(frozen=True, slots=True)
class Misplaced:
    """An operation of the downgrade, the table it names, and the one that is meant."""

    operation: Operation
    named: Name
    meant: Name


def misplaced(context: Context) -> tuple[Misplaced, ...]:
    """Tables that the upgrade names in one schema and the downgrade in another, each once.

    A table that the history knows under both names is left alone, and so is a migration that sets
    the search path: it may join them.
    """
    return context.memory("misplaced tables", lambda context: tuple(_misplaced(context)))


def _misplaced(context: Context) -> Iterator[Misplaced]:
    downgrade = context.written_downgrade
    if downgrade is None or sets_search_path(context.migration):
        return
    seen: set[Operation] = set()
    for trip in context.round_trips:
        upgrade = {
            name
            for operation in context.upgrade_operations
            if operation.runs_on(trip.dialect)
            for change in operation.changes
            for name in c.tables_of(change)
        }
        if trip.down.unread:
            continue
        for operation, change, schema in trip.down.steps:
            if operation in seen or operation.doubtful:
                continue
            # What gets another name is asked for, and not the name that it gets.
            renamed = (change.table,) if isinstance(change, c.RenameTable) else None
            for name in renamed or c.tables_of(change):
                meant = _meant(name, change, schema, upgrade, trip)
                if meant is not None:
                    seen.add(operation)
                    yield Misplaced(operation, name, meant)


def sets_search_path(migration: Migration) -> bool:
    """Whether any code or text but prose names it: SQL, options of the connection, a body."""
    if "search_path" not in migration.text.lower():
        return False
    nodes = list(ast.walk(parse(migration.source).tree))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return any(_names_search_path(node) for node in nodes if id(node) not in prose)


def _names_search_path(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return "search_path" in _COMMENT.sub("", node.value).lower()
    names = (getattr(node, field, None) for field in ("id", "attr", "arg", "name"))
    return any(isinstance(name, str) and "search_path" in name.lower() for name in names)


def _meant(
    name: Name, change: c.Change, schema: Schema, upgrade: set[Name], trip: RoundTrip
) -> Name | None:
    if name in upgrade or name in trip.before.tables:
        return None
    others = {other for other in upgrade if other.name == name.name and other != name}
    if len(others) != 1:
        return None
    other = others.pop()
    if isinstance(change, c.CreateTable):
        gone = other in trip.before.tables and other not in trip.down.schema.tables
        return other if gone else None
    made_here = any(name == made for made in schema.tables)
    return other if other in schema.tables and not made_here else None
