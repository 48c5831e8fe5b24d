"""What only SQLite does: rebuilds tables, and cannot change some things otherwise."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from textwrap import indent
from typing import Any

import pytest
import sqlalchemy as sa

from alembic_project import AlembicProject
from alembic_roundtrip.evidence import Verdict
from alembic_roundtrip.rehearsal.agent.dialects.sqlite.room import SqliteRoom, _empty
from alembic_roundtrip.rehearsal.events import RevisionFinished
from rehearsal.conftest import collect
from rehearsal.test_verdicts import users


async def test_what_the_database_cannot_do_is_a_failure_and_no_refusal(project, rehearsed):
    users(project)
    project.add(
        "key",
        'with op.batch_alter_table("users") as b:\n    b.create_unique_constraint("uq", ["id"])',
        'op.drop_constraint("uq", "users", type_="unique")',
    )
    evidence = (await rehearsed())["key"]
    assert evidence.verdict is Verdict.FAILED
    assert "No support for ALTER of constraints in SQLite" in (evidence.reason or "")


@pytest.mark.parametrize("on", [True, False], ids=["enforced", "not enforced"])
async def test_rebuilding_a_parent_can_empty_its_children(tmp_path, on):
    from rehearsal.test_histories import FOREIGN_KEYS_ON

    folder = tmp_path / "cascade"
    folder.mkdir()
    project = AlembicProject(folder, env=FOREIGN_KEYS_ON) if on else AlembicProject(folder)
    project.add(
        "tables",
        """
        op.create_table(
            "parents",
            sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9)),
        )
        op.create_table(
            "children",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("parent", sa.Integer, sa.ForeignKey("parents.id", ondelete="CASCADE")),
        )
        """,
        'op.drop_table("children")\nop.drop_table("parents")',
    )
    batch = 'with op.batch_alter_table("parents", recreate="always") as batch:\n    '
    change = batch + 'batch.alter_column("name", type_=sa.String(20))'
    project.add("it", change, change.replace("20", "9"))
    events = await collect(project, "it", rows=4)
    (evidence,) = [e.evidence for e in events if isinstance(e, RevisionFinished)]
    gone = {(x.table, x.column, x.lost, x.rows, x.step) for x in evidence.old_losses()}
    if on:
        # One of the four has no parent.
        assert gone == {("children", None, 3, 4, step) for step in ("upgrade", "round trip")}
    else:
        assert gone == set()


_TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY)"


@pytest.fixture
def connection(tmp_path) -> Iterator[sa.Connection]:
    """Env.py's."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/scratch.sqlite")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def room(tmp_path, connection) -> SqliteRoom:
    room = SqliteRoom(f"{tmp_path}/scratch.sqlite", "alembic_version")
    room.enter(connection)
    return room


def _step(room: SqliteRoom, connection: sa.Connection) -> None:
    connection.exec_driver_sql(_TABLE)
    room.settle(connection)


@pytest.mark.parametrize(
    "change",
    [
        _step,
        lambda room, _: room.lend(lambda own: own.exec_driver_sql(_TABLE)),
        lambda room, _: room.run_script(_TABLE),
    ],
    ids=["a step", "a statement of ours", "a script"],
)
def test_what_is_saved_is_what_there_is(room, connection, change):
    before = room.save()
    assert room.save() is before  # copied once
    assert list(room.snapshot().tables) == []

    change(room, connection)
    after = room.save()
    assert list(room.snapshot().tables) == ["t"]

    for saved, tables in ((before, []), (after, ["t"])):
        room.restore(saved)
        room.refresh(connection)
        assert list(room.snapshot().tables) == tables


def test_rows_that_were_put_in_are_saved(room):
    room.run_script(_TABLE)
    (table,) = room.snapshot().tables.values()
    empty = room.save()

    room.work(lambda access: access.insert(table, [{"id": 1}]))
    assert room.save() is not empty

    assert room.count(table) == 1
    room.restore(empty)
    assert room.count(table) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"row_factory": lambda _, row: {"of the project's": row}},
        {"text_factory": bytes},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_look_does_not_depend_on_how_the_project_has_its_rows(room, connection, change):
    driver: Any = connection.connection.dbapi_connection
    for name, value in change.items():
        setattr(driver, name, value)
    _step(room, connection)
    (table,) = room.snapshot().tables.values()

    assert table.name == "t"
    assert room.count(table) == 0


def test_a_look_leaves_the_project_its_transaction(room, connection):
    _step(room, connection)
    connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    driver: Any = connection.connection.dbapi_connection
    assert driver.in_transaction

    assert list(room.snapshot().tables) == ["t"]

    assert driver.in_transaction
    connection.rollback()
    assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0


async def test_a_step_that_fails_while_it_reads_keeps_nothing_locked(project, rehearsed):
    users(project)
    project.add(
        "it",
        """
        connection = op.get_bind()
        found = connection.execute(sa.text("SELECT id FROM users"))
        for (key,) in found:
            connection.execute(sa.text("UPDATE users SET id = 1"))
        """,
    )
    reason = (await rehearsed())["it"].reason or ""
    assert "fails with made-up rows in the tables: IntegrityError: UNIQUE" in reason


@pytest.mark.parametrize("value", ["ON", "OFF"])
async def test_what_one_migration_sets_for_its_connection_is_gone_at_the_next(
    project, rehearsed, value
):
    users(project)
    project.add("sets", f'op.execute("PRAGMA foreign_keys = {value}")')
    project.add(
        "asks",
        """
        (value,) = op.get_bind().execute(sa.text("PRAGMA foreign_keys")).one()
        op.execute(f"CREATE TABLE foreign_keys_{value} (x)")
        """,
        'op.execute("DROP TABLE foreign_keys_0")',
    )
    assert (await rehearsed())["asks"].verdict is Verdict.LOSSLESS


def test_a_database_that_keeps_a_log_of_its_own_can_be_emptied(tmp_path):
    path = f"{tmp_path}/scratch.sqlite"
    with closing(sqlite3.connect(path)) as database:
        for statement in ("PRAGMA page_size = 1024", "PRAGMA journal_mode = WAL", _TABLE):
            database.execute(statement)
    _empty(path)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)


def test_a_temporary_table_of_the_projects_stands_for_no_other(room, connection):
    _step(room, connection)
    (table,) = room.snapshot().tables.values()
    connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    room.settle(connection)
    connection.exec_driver_sql("CREATE TEMP TABLE t (id INTEGER)")
    room.settle(connection)
    assert room.count(table) == 1


BLOBS = 'op.create_table("t", sa.Column("b", sa.LargeBinary))'
NO_BLOBS = 'op.drop_table("t")'
FILLS = """
op.get_bind().exec_driver_sql("PRAGMA max_page_count = 30")
op.get_bind().exec_driver_sql("INSERT INTO t VALUES (zeroblob(999999))")
"""
IF_ROWS = "if op.get_bind().exec_driver_sql('SELECT count(*) FROM t').scalar():\n"


@pytest.mark.parametrize(
    ("upgrade", "downgrade"),
    [
        (BLOBS + FILLS, NO_BLOBS),
        (BLOBS, FILLS + NO_BLOBS),
        (BLOBS, IF_ROWS + indent(FILLS, "    ") + NO_BLOBS),
    ],
    ids=["by the upgrade", "by the downgrade", "by the downgrade of rows"],
)
async def test_a_disk_that_is_full_is_no_fault_of_the_migrations(
    project, rehearsed, upgrade, downgrade
):
    project.add("big", upgrade, downgrade)
    found = (await rehearsed())["big"]
    assert found.verdict is Verdict.SKIPPED
    assert found.reason == (
        "there is no room left for the scratch database: database or disk is full; make some, or "
        "have `rows` make fewer"
    )


async def test_a_disk_that_is_full_on_the_way_back_to_base_is_none_either(project, rehearsed):
    project.add("first", BLOBS, FILLS + NO_BLOBS)
    found = (await rehearsed(full_cycle=True))["full cycle"]
    assert found.verdict is Verdict.SKIPPED
    assert "no room left" in (found.reason or "")


@pytest.mark.parametrize("full", [(FILLS, ""), ("", FILLS)], ids=["down", "up again"])
async def test_a_disk_that_is_full_while_a_baseline_is_taken_back_is_none_either(
    project, rehearsed, full
):
    down, up = full
    (project.folder / "baseline.sql").write_text("CREATE TABLE t (b BLOB);")
    project.add("first", BLOBS + up, down + NO_BLOBS)
    found = (await rehearsed(baseline="baseline.sql", baseline_revision="heads"))["first"]
    assert found.verdict is Verdict.SKIPPED
    assert (found.reason or "").startswith("there is no room left for the scratch database")
