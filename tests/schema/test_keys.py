from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.schema import Schema, schema_after

TABLE = (
    'op.create_table("t", sa.Column("id", sa.Integer()), '
    'sa.PrimaryKeyConstraint("id", name="pk_t"), sqlite_autoincrement={})'
)


@pytest.mark.parametrize(("reuses", "name"), [("True", None), ("False", "pk_t")])
def test_a_key_written_at_its_column_has_no_name(reuses: str, name: str | None) -> None:
    body = TABLE.format(reuses)
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        context = MigrationContext.configure(connection)
        exec(body, {"op": Operations(context), "sa": sa})  # noqa: S102 - our own text
        assert sa.inspect(connection).get_pk_constraint("t")["name"] == name
    engine.dispose()

    migration = read(f"def upgrade():\n    {body}\n", Path("a.py"))
    assert migration.upgrade is not None
    schema = schema_after(Schema(dialect="sqlite"), migration.upgrade.operations, "sqlite")
    assert [part.name for part in schema.tables[Name("t")].constraints] == [name]
