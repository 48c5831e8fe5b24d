"""The tables of a database, as Alembic's autogenerate would reflect them."""

from __future__ import annotations

from typing import Any, Optional

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, Table, event, inspect

from ..schema.tables import Snapshot


def reflect(context: MigrationContext, now: Snapshot, version_table: str) -> MetaData:
    """The tables of a database, as autogenerate would reflect them."""
    connection, impl = context.connection, context.impl
    assert connection is not None
    metadata = MetaData()
    inspector = inspect(connection)

    def adapt(_inspector: Any, table: Any, column: Any) -> None:
        # A SERIAL column comes back as that, not as one with a sequence of somebody else's.
        impl.autogen_column_reflect(inspector, table, column)  # type: ignore[no-untyped-call]

    event.listen(metadata, "column_reflect", adapt)
    schemas = {table.schema for table in now.tables.values()}
    for schema in {None, *schemas} - {inspector.default_schema_name, ""}:
        metadata.reflect(
            bind=connection,
            schema=schema,
            only=lambda name, _: name != version_table,
            resolve_fks=False,  # SQLite may have keys to tables that are gone
        )
    _add_rules(metadata, now)
    _add_lost_tables(metadata)
    return metadata


def _add_lost_tables(metadata: MetaData) -> None:
    """What keys of SQLite refer to, although it is gone: nothing can be said of them without."""
    keys = [key for table in metadata.tables.values() for key in table.foreign_keys]
    for key in keys:
        name, _, column = key.target_fullname.rpartition(".")
        table = metadata.tables.get(name)
        if table is None:
            Table(
                name.rpartition(".")[2],
                metadata,
                Column(column),
                schema=name.rpartition(".")[0] or None,
            )
        elif column not in table.c:
            table.append_column(Column(column))


def _add_rules(metadata: MetaData, now: Snapshot) -> None:
    """What SQLAlchemy does not read everywhere: rules of keys, collations, AUTOINCREMENT."""
    for table in metadata.tables.values():
        known = now.find(table.name if table.schema in (None, "public") else table.fullname)
        if known is None:
            continue
        if any(column.autoincrement for column in known.columns):
            table.kwargs["sqlite_autoincrement"] = True
        for column in table.columns:
            kind: Any = column.type
            said = known.column(column.name)
            if said is not None and said.collation and getattr(kind, "collation", "") is None:
                kind.collation = said.collation
        for key in table.foreign_key_constraints:
            columns = tuple(key.column_keys)
            for rule in [each for each in known.foreign_keys if each.columns == columns][:1]:
                key.ondelete = key.ondelete or _unless_default(rule.on_delete)
                key.onupdate = key.onupdate or _unless_default(rule.on_update)
                for part in key.elements:
                    part.ondelete, part.onupdate = key.ondelete, key.onupdate


def _unless_default(rule: str) -> Optional[str]:
    return rule if rule not in ("", "NO ACTION") else None
