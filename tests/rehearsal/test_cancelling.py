"""A rehearsal that is left at any moment leaves nothing behind, and the next one is as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, suppress

import psycopg
import pymysql
import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.config import Settings
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.databases import cluster, daemon
from alembic_roundtrip.rehearsal.events import Event, RevisionFinished
from alembic_roundtrip.rehearsal.folder import PREFIX, place
from alembic_roundtrip.rehearsal.plan import Plan
from alembic_roundtrip.rehearsal.runner import rehearse
from rehearsal.conftest import KINDS, agents_on, collect

LISTED = {
    "postgresql": (
        "SELECT datname FROM pg_database WHERE datname LIKE 'alembic_roundtrip_%' "
        "UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'alembic_roundtrip_%'"
    ),
    "mariadb": (
        "SELECT schema_name FROM information_schema.schemata "
        "WHERE schema_name LIKE 'alembic_roundtrip_%' "
        "UNION ALL SELECT user FROM mysql.user WHERE user LIKE 'alembic_roundtrip_%'"
    ),
}


class Left:
    """What there is of ours on the machine and on the server."""

    def __init__(self, kind: str, stack: ExitStack) -> None:
        self._kind = kind
        self._connection: object = None
        if kind == "postgresql":
            server = stack.enter_context(cluster.running())
            where = f"host={server.socket} port={server.port} user=postgres dbname=postgres"
            self._connection = stack.enter_context(psycopg.connect(where, autocommit=True))
        elif kind == "mariadb":
            server = stack.enter_context(daemon.running())
            self._connection = stack.enter_context(
                pymysql.connect(unix_socket=server.socket, user="root", autocommit=True)
            )
        self._kept = self._on_the_server()
        """States that tests before this one may have had kept, as they should be."""

    def behind(self) -> list[object]:
        new = [found for found in self._on_the_server() if found not in self._kept]
        return [*place().glob(f"{PREFIX}*"), *agents_on(str(place())), *new]

    def _on_the_server(self) -> list[object]:
        if not isinstance(self._connection, (psycopg.Connection, pymysql.Connection)):
            return []
        cursor = self._connection.cursor()
        cursor.execute(LISTED[self._kind])
        return [*cursor.fetchall()]


@pytest.fixture
def left(project: AlembicProject, kind: str) -> Iterator[Left]:
    project.add(
        "first",
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))',
        'op.drop_table("t")',
    )
    project.add(
        "second",
        'op.add_column("t", sa.Column("x", sa.Integer))',
        'with op.batch_alter_table("t") as batch:\n    batch.drop_column("x")',
    )
    with ExitStack() as stack:
        yield Left(kind, stack)


def rehearsal(project: AlembicProject) -> Plan:
    return Plan(project.environment, Settings(rows=5))


@KINDS
async def test_left_after_any_event(project: AlembicProject, left: Left) -> None:
    everything = len(await collect(project))
    assert left.behind() == []
    for count in range(1, everything, 4):
        async with aclosing(rehearse(rehearsal(project))) as events:
            for _ in range(count):
                await anext(events)
        assert left.behind() == [], f"after {count} events"
    await as_ever(project)


@KINDS
async def test_cancelled_while_it_starts(project: AlembicProject, left: Left) -> None:
    async def consume() -> None:
        async with aclosing(rehearse(rehearsal(project))) as events:
            async for _ in events:
                pass

    for seconds in (0.0, 0.02, 0.1, 0.3, 1.0):
        task = asyncio.create_task(consume())
        await asyncio.sleep(seconds)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert left.behind() == [], f"after {seconds} seconds"
    await as_ever(project)


async def as_ever(project: AlembicProject) -> None:
    events: list[Event] = await collect(project)
    verdicts = [e.evidence.verdict for e in events if isinstance(e, RevisionFinished)]
    assert verdicts == [Verdict.LOSSLESS, Verdict.LOSSLESS]
