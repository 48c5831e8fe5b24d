"""Schemas from the last time: nothing before them has to be read and replayed again."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any

from alembic_roundtrip.databases import Database
from alembic_roundtrip.index.store import Store, digest
from alembic_roundtrip.index.values import NotPlainError, packed, unpacked
from alembic_roundtrip.layers import Layers
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Column, Constraint, EnumType, Index, Name, Table
from alembic_roundtrip.schema import Schema

_TYPES = (Expression, Name, Column, Constraint, Index, EnumType, Table)
_PREFIX = "schema-"
_LAYERED = [isinstance(getattr(Schema(), field.name), Layers) for field in fields(Schema)]


class Schemas:
    """Schemas by a hash of everything they were replayed from."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._names = store.names(_PREFIX)

    def find(self, key: str, database: Database) -> Schema | None:
        """A schema that was kept; None where there is none."""
        name = _name(key, database)
        if name not in self._names:
            return None
        try:
            values = unpacked(self._store.load(name), _TYPES)
            parts: Any = [
                Layers(dict(value)) if layered else value
                for value, layered in zip(values, _LAYERED, strict=True)
            ]
            schema = Schema(*parts)
        except (NotPlainError, TypeError, ValueError):
            self._names.discard(name)
            return None
        return schema

    def keep(self, key: str, database: Database, schema: Schema) -> None:
        """Keep a schema, but for one that holds what cannot be kept."""
        name = _name(key, database)
        if name in self._names:
            return
        values = (getattr(schema, field.name) for field in fields(Schema))
        parts = tuple(tuple(v.items()) if isinstance(v, Layers) else v for v in values)
        try:
            self._store.save(name, packed(parts, _TYPES))
        except NotPlainError:
            return
        self._names.add(name)

    def keep_only(self, keys: Collection[str], databases: Iterable[Database]) -> None:
        """Forget the schemas that were replayed from anything but these."""
        named = {_name(key, database) for database in databases for key in keys}
        if self._names - named:
            self._store.keep_only(_PREFIX, named)


def _name(key: str, database: Database) -> str:
    dialect, engine = database
    return f"{_PREFIX}{digest(repr((key, dialect, engine)).encode())}"
