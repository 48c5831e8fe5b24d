from __future__ import annotations

from typing import Any

import pytest

from alembic_roundtrip.rehearsal.agent.schema import snapshot
from rehearsal.sqlite_schemas import CHANGES, RICH, database, taken


def test_alembics_own_table_is_left_out_under_any_name() -> None:
    version = "CREATE TABLE {} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"
    with database(version.format("alembic_version"), version.format("versions")) as connection:
        assert list(snapshot.take(connection).tables) == ["versions"]
        assert list(snapshot.take(connection, "versions").tables) == ["alembic_version"]


def test_a_snapshot_tells_what_rows_need_to_know() -> None:
    taken_table = taken(*RICH).tables["t"]

    assert taken_table.key == ("id",)
    assert [(u.columns, u.where) for u in taken_table.uniques] == [
        (("a", "b"), None),
        (("a",), "b > 0"),
    ]
    assert [c.normal for c in taken_table.checks] == ["e in ( 0 , 1 )"]
    assert taken_table.foreign_keys[0].target_columns == ("id",)


def test_taking_a_snapshot_changes_nothing_and_leaves_the_transaction_alone() -> None:
    with database(*RICH) as connection:
        connection.exec_driver_sql("INSERT INTO p (id) VALUES (1)")
        driver: Any = connection.connection.dbapi_connection
        changes = driver.total_changes

        snapshot.take(connection)

        assert driver.total_changes == changes
        assert driver.in_transaction
        connection.rollback()
        assert connection.exec_driver_sql("SELECT count(*) FROM p").scalar() == 0


def test_broken_views_and_missing_modules_do_not_stop_a_snapshot() -> None:
    statements = ("CREATE TABLE t (a INT)", "CREATE VIEW v AS SELECT a FROM t", "DROP TABLE t")

    assert list(taken(*statements).views) == ["v"]


def test_names_with_quotes_spaces_and_keywords_are_read() -> None:
    text = 'CREATE TABLE "order by" ("a""b" INT CHECK ("a""b" > 0), [select] TEXT, `x,y(` TEXT)'

    found = taken(text).tables["order by"]

    assert [c.name for c in found.columns] == ['a"b', "select", "x,y("]
    assert len(found.checks) == 1


@pytest.mark.parametrize("name", CHANGES)
def test_a_second_look_with_what_is_known_sees_what_a_first_one_sees(name: str) -> None:
    known = snapshot.Known()
    for schema in (*CHANGES[name][0], CHANGES[name][0][0]):
        with database(*schema) as connection:
            assert snapshot.take(connection, known=known) == snapshot.take(connection)
