"""Operations applied to a schema, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.schema.draft import Draft
from alembic_roundtrip.schema.making import make
from alembic_roundtrip.schema.recreation import with_recreations
from alembic_roundtrip.schema.state import Key, Schema

Step = tuple[Operation, c.Change, Schema]
"""One change of an operation, and the schema before it."""


@dataclass(frozen=True)
class Replay:
    """The schema after a series of operations, and which operation made what is in it.

    `steps` are the changes with the schema that each meets if nothing that is doubtful happened.
    """

    schema: Schema
    origins: Mapping[Key, Operation]
    steps: tuple[Step, ...]
    unread: bool = False
    """Whether an operation may have done anything."""


def replay(schema: Schema, operations: Iterable[Operation], dialect: str | None = None) -> Replay:
    """Apply operations in order, those that run on a dialect (None: all of them)."""
    draft = Draft(schema)
    origins: dict[Key, Operation] = {}
    steps: list[Step] = []
    certain: Draft | None = None
    """The schema without doubts, once there is one."""
    running = [o for o in operations if o.changes and o.runs_on(dialect)]
    for operation, recreation in with_recreations(running, schema.dialect):
        for each in (draft, certain):
            if each is not None:
                each.enter(recreation)
        for change in operation.changes:
            steps.append((operation, change, (certain or draft).schema()))
            make(draft, change, operation)
            if certain is not None:
                make(certain, change, operation)
        if operation.doubtful:
            certain = certain or Draft(draft.schema())
            draft.doubt(operation.changes)
        origins |= dict.fromkeys(draft.take_made(), operation)
    unread = any(operation.may_do_anything for operation in running)
    return Replay(draft.schema(), origins, tuple(steps), unread)


def schema_after(schema: Schema, operations: Iterable[Operation], dialect: str | None) -> Schema:
    """The schema after operations, without the way there."""
    draft = Draft(schema)
    running = [o for o in operations if o.changes and o.runs_on(dialect)]
    for operation, recreation in with_recreations(running, schema.dialect):
        draft.enter(recreation)
        for change in operation.changes:
            make(draft, change, operation)
        if operation.doubtful:
            draft.doubt(operation.changes)
    return draft.schema()


def applied(schema: Schema, change: c.Change, operation: Operation) -> Schema:
    """The schema after one change of an operation."""
    draft = Draft(schema)
    make(draft, change, operation)
    return draft.schema()
