"""SQLAlchemy's DDL as a migration runs it: `CreateSequence(…)`, `Table(…).create(…)`."""

from __future__ import annotations

import ast

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.definitions import Definitions, last
from alembic_roundtrip.migration.literals import value_of
from alembic_roundtrip.migration.objects import Name

_ELEMENTS = {
    "CreateSequence": "create",
    "DropSequence": "drop",
    "CreateTable": "create",
    "DropTable": "drop",
}


def construct(node: ast.expr, definitions: Definitions) -> tuple[c.Change, ...] | None:
    """What executing a DDL construct changes; None where it is none that can be read."""
    if not isinstance(node, ast.Call) or not node.args:
        return None
    name, first = last(node.func), definitions.scope.resolve(node.args[0])
    if name in {"CreateSchema", "DropSchema"}:
        schema = value_of(first)
        if not isinstance(schema, str):
            return None
        return (_object("schema", Name(schema), "create" if name == "CreateSchema" else "drop"),)
    return element(first, _ELEMENTS[name], definitions) if name in _ELEMENTS else None


def element(node: ast.expr, verb: str, definitions: Definitions) -> tuple[c.Change, ...] | None:
    """What `.create(…)` or `.drop(…)` of a sequence or table does; None for anything else."""
    if not isinstance(node, ast.Call) or last(node.func) not in {"Sequence", "Table"}:
        return None
    name = definitions.named(node)
    if name is None:
        return None
    if last(node.func) == "Sequence":
        return (_object("sequence", name, verb),)
    if verb == "drop":
        return (c.DropTable(name),)
    starred = any(isinstance(part, ast.Starred) for part in node.args)
    # The second argument is the MetaData.
    table, enums = definitions.table(name, tuple(node.args[2:]), (), complete=not starred)
    return (c.CreateTable(table, enums),)


def _object(kind: str, name: Name, verb: str) -> c.Change:
    return c.CreateObject(kind, name) if verb == "create" else c.DropObject(kind, name)
