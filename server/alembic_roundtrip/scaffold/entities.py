"""Views, functions, triggers and other objects that SQL makes: what undoes each."""

from __future__ import annotations

import re

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.rendering import NotKnownError, Renderer, call
from alembic_roundtrip.migration.sql.words import says
from alembic_roundtrip.scaffold.sql import sql_name
from alembic_roundtrip.scaffold.step import Inverse, Step
from alembic_roundtrip.schema import Schema

_DROPPED_BY_NAME = frozenset({"view", "sequence", "schema", "domain", "function", "procedure"})
_OF_A_TABLE = frozenset({"trigger", "policy"})
_MATERIALIZED = re.compile(r"\s*CREATE\s+MATERIALIZED\b", re.IGNORECASE)
_EVENT = re.compile(r"\s*CREATE\s+EVENT\b", re.IGNORECASE)
_CREATE = re.compile(r"\s*CREATE\s+(?!OR\s+REPLACE\b)", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"\b(?:FUNCTION|PROCEDURE)\b(.*?)\b(?:RETURNS|AS|LANGUAGE)\b", re.IGNORECASE | re.DOTALL
)


def made(change: c.CreateObject, step: Step, render: Renderer) -> Inverse:
    """DROP, of what has a name that says enough."""
    if change.kind == "extension":
        if change.definition and not says(change.definition, "IF", "NOT", "EXISTS"):
            # It was not there, and must not be when this is upgraded again.
            return _executed(f"DROP EXTENSION {sql_name(change.name)}", render)
        return Inverse([f"# The extension {change.name} stays: others may use it."])
    if change.kind in _OF_A_TABLE and change.owner is not None:
        # With its table it goes too late where its function goes before.
        if change.owner in step.made and not _calls(change.definition):
            return Inverse()
        return _executed(_drop_from(change, change.owner), render)
    if change.kind not in _DROPPED_BY_NAME or not change.definition:
        raise NotKnownError(f"the {change.kind} `{change.name}`")
    return _executed(_drop(change.kind, change.name, change.definition), render)


def _drop_from(change: c.CreateObject, owner: Name) -> str:
    """DROP of what is at a table, which PostgreSQL wants to be named, and no other database."""
    if change.kind == "policy" or _calls(change.definition):
        if _EVENT.match(change.definition):
            return f"DROP EVENT TRIGGER {sql_name(change.name)}"
        return f"DROP {change.kind.upper()} {sql_name(change.name)} ON {sql_name(owner)}"
    return f"DROP TRIGGER {sql_name(change.name)}"


def replaced(change: c.ReplaceObject, step: Step, render: Renderer) -> Inverse:
    """The definition there was; DROP where there certainly was none."""
    before = _definition(change.kind, change.name, step.before)
    if before is None:
        schema, key = step.before, (change.kind, change.name)
        new = not schema.opaque and key not in schema.objects and key not in schema.definitions
        if not new or change.kind not in _DROPPED_BY_NAME:
            raise NotKnownError(f"the {change.kind} `{change.name}` before")
        return _executed(_drop(change.kind, change.name, change.definition), render)
    if change.kind == "view":
        # CREATE OR REPLACE takes no column away from a view.
        drop = _drop(change.kind, change.name, before)
        return Inverse([*_executed(drop, render).inner, *_executed(before, render).inner])
    if _signature(before) != _signature(change.definition):
        raise NotKnownError(f"which {change.kind} `{change.name}` is meant")
    return _executed(_CREATE.sub("CREATE OR REPLACE ", before, count=1), render)


def _calls(trigger: str) -> bool:
    return any(says(trigger, "EXECUTE", kind) for kind in ("FUNCTION", "PROCEDURE"))


def dropped(change: c.DropObject, step: Step, render: Renderer) -> Inverse:
    """The statement that made it."""
    before = _definition(change.kind, change.name, step.before)
    if before is None:
        raise NotKnownError(f"the {change.kind} `{change.name}`")
    return _executed(before, render)


def _definition(kind: str, name: Name, schema: Schema) -> str | None:
    return schema.definitions.get((kind, name)) or None


def _drop(kind: str, name: Name, definition: str) -> str:
    materialized = "MATERIALIZED " if _MATERIALIZED.match(definition) else ""
    return f"DROP {materialized}{kind.upper()} {sql_name(name)}"


def _signature(definition: str) -> str:
    """The arguments of a function, which tell it from others of its name."""
    found = _SIGNATURE.search(definition)
    return " ".join(found.group(1).split()).lower() if found else ""


def _executed(sql: str, render: Renderer) -> Inverse:
    return Inverse([call("op.execute", [render.sql(sql)])])
