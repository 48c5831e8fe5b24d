from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.migration.naming import named
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.schema import Schema, schema_after
from corpus.catalogue import Sqlite, stored
from corpus.replaying import Comparison, Told, columns_of, piece
from schema.random_operations import Maker

_REVISIONS = 25


def perform(database: Any, body: str) -> bool:
    """Run the body of an upgrade with Alembic; whether it did not fail."""
    with contextlib.suppress(Exception), database.engine.begin() as connection:
        context = MigrationContext.configure(connection)
        exec(body, {"op": Operations(context), "sa": sa})  # noqa: S102 - made up by us
        return True
    return False


def migrated(schema: Schema, body: str, dialect: str) -> Schema:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = f"import sqlalchemy as sa\nfrom alembic import op\ndef upgrade():\n{lines}"
    migration = named(read(text, Path("a.py")), {})
    assert migration.upgrade is not None
    return schema_after(schema, migration.upgrade.operations, dialect)


def compared(database: Any, dialect: str, seed: int) -> tuple[Comparison, list[str]]:
    """A history of made-up revisions, each compared with the database."""
    maker = Maker(seed, batch=dialect == "sqlite")
    schema = Schema(dialect=dialect)
    states: list[tuple[Schema, dict[str, Any]]] = []
    bodies: list[str] = []
    while len(states) < _REVISIONS:
        body = maker.body(database.schema()["tables"])
        database.keep("before")
        if perform(database, body):
            schema = migrated(schema, body, dialect)
            states.append((schema, database.schema()))
            bodies.append(body)
        else:
            database.restore("before")
    columns = columns_of(schema for schema, _ in states)
    told = {column: stored(database, *map(piece, column)) for column in columns}
    found = Comparison(Told(dialect, told))
    for number, (replayed, real) in enumerate(states):
        found.add(replayed, real, str(number))
    return found, bodies


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")  # Alembic's, of what batch mode leaves out
@pytest.mark.parametrize("seed", range(12))
def test_on_sqlite_the_replay_is_what_alembic_makes(tmp_path: Path, seed: int) -> None:
    found, bodies = compared(Sqlite(f"sqlite:///{tmp_path}/scratch.db"), "sqlite", seed)
    said = "\n".join([*(f"{number}: {body}" for number, body in enumerate(bodies)), *found.lines()])
    assert not found.first, said
    assert found.agreed["column"] > 10 * found.unknown["column"], said
