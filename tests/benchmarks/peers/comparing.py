"""Snapshot and difference of a schema against reflection and `compare_metadata`.

`comparing.py URL AGENT TABLES`: makes the tables on the database first; both look at a schema that
is as expected, and take turns.
"""

from __future__ import annotations

import importlib.util
import json
import statistics
import sys
import time

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

_ROUNDS = 5


def main() -> None:
    """Tell the medians, wall and CPU."""
    url, agent, count = sys.argv[1:]
    engine = sa.create_engine(url)
    _metadata(int(count)).create_all(engine)
    look, differ = _ours(agent, engine.dialect.name)
    costs: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": []}
    with engine.connect() as connection:
        before = look(connection)
        assert len(before.tables) == int(count)
        expected = sa.MetaData()
        expected.reflect(connection)
        for _ in range(_ROUNDS):
            costs["ours"].append(_timed(lambda: differ(before, look(connection))))
            costs["theirs"].append(_timed(lambda: _compared(connection, expected)))
    middle = {
        name: [statistics.median(column) for column in zip(*times, strict=True)]
        for name, times in costs.items()
    }
    sys.stdout.write(f"{json.dumps(middle)}\n")


def _compared(connection, expected):
    reflected = sa.MetaData()
    reflected.reflect(connection)
    return compare_metadata(MigrationContext.configure(connection), expected)


def _timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    assert work() == []
    return time.perf_counter() - wall, time.process_time() - cpu


def _metadata(count):
    metadata = sa.MetaData()
    for number in range(count):
        references = [sa.ForeignKey(f"table_{number - 1}.id")] if number else []
        sa.Table(
            f"table_{number}",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("parent_id", sa.Integer, *references, index=True),
            sa.Column("name", sa.String(120), nullable=False, unique=True),
            *(sa.Column(f"column_{n}", sa.Numeric(12, 2)) for n in range(8)),
        )
    return metadata


def _ours(agent, dialect):
    spec = importlib.util.spec_from_file_location(
        "agent", f"{agent}/__init__.py", submodule_search_locations=[agent]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["agent"] = package
    spec.loader.exec_module(package)
    from agent.dialects.postgresql.access import PostgresqlAccess
    from agent.dialects.postgresql.catalogue import Catalogue
    from agent.schema import difference, snapshot

    if dialect == "sqlite":
        return snapshot.take, difference.residue
    return (
        lambda connection: PostgresqlAccess(connection).schema(Catalogue("alembic_version")),
        difference.residue,
    )


main()
