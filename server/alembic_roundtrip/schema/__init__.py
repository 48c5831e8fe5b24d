"""The schema at a revision, replayed from the operations that made it."""

from __future__ import annotations

from alembic_roundtrip.schema.replaying import Replay, Step, applied, replay, schema_after
from alembic_roundtrip.schema.spelling import spelled, spelled_all
from alembic_roundtrip.schema.state import Key, Schema, keys_of, names_enum

__all__ = [
    "Key",
    "Replay",
    "Schema",
    "Step",
    "applied",
    "keys_of",
    "names_enum",
    "replay",
    "schema_after",
    "spelled",
    "spelled_all",
]
