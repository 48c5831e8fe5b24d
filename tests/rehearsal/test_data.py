from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.rehearsal.agent.dialects.sqlite.access import SqliteAccess
from alembic_roundtrip.rehearsal.agent.rows import data, filling
from alembic_roundtrip.rehearsal.agent.schema import snapshot
from alembic_roundtrip.rehearsal.agent.values.likeness import same

Migration = Callable[[Operations], Any]
K = 5


@contextmanager
def database(*statements: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
            yield connection
    finally:
        engine.dispose()


def read(connection: sa.Connection) -> data.Data:
    return data.read(SqliteAccess(connection), snapshot.take(connection))


def short(losses: list[dict[str, Any]]) -> list[tuple[str, str | None, int, int]]:
    return [(loss["table"], loss["column"], loss["lost"], loss["rows"]) for loss in losses]


def changed(*between: str, rows_of_t: str, step: str = "round trip") -> list[dict[str, Any]]:
    """The losses that some statements cause in table `t`."""
    with database(*rows_of_t.split(";")) as connection:
        before = read(connection)
        for statement in between:
            connection.exec_driver_sql(statement)
        return data.losses(before, read(connection), step)


KEYED = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n NUMERIC); "
    "INSERT INTO t VALUES (1, 'x', 1), (2, NULL, 2), (3, 'z', NULL)"
)


def test_a_changed_a_filled_and_an_emptied_value_are_lost() -> None:
    losses = changed(
        "UPDATE t SET a = 'new' WHERE id < 3", "UPDATE t SET n = NULL", rows_of_t=KEYED
    )

    assert losses == [
        {
            "table": "t",
            "column": "a",
            "lost": 2,
            "rows": 3,
            "step": "round trip",
            "example": "'x' → 'new'",
        },
        {
            "table": "t",
            "column": "n",
            "lost": 2,
            "rows": 3,
            "step": "round trip",
            "example": "1 → NULL",
        },
    ]


def test_a_lost_row_is_one_entry_without_a_column() -> None:
    losses = changed("DELETE FROM t WHERE id = 2", rows_of_t=KEYED)

    assert short(losses) == [("t", None, 1, 3)]
    assert losses[0]["example"] == "id 2 → gone"


def test_a_lost_table_loses_all_its_rows_but_not_on_the_way_up() -> None:
    assert short(changed("DROP TABLE t", rows_of_t=KEYED)) == [("t", None, 3, 3)]
    assert changed("DROP TABLE t", rows_of_t=KEYED, step="upgrade") == []


def test_a_lost_column_loses_its_values_but_not_its_nulls_nor_on_the_way_up() -> None:
    drop = "ALTER TABLE t DROP COLUMN a"

    assert short(changed(drop, rows_of_t=KEYED)) == [("t", "a", 2, 3)]
    assert changed(drop, rows_of_t=KEYED, step="upgrade") == []


def test_rows_whose_order_or_place_changed_are_the_same_rows() -> None:
    moved = [
        "CREATE TABLE s AS SELECT * FROM t",
        "DELETE FROM t",
        "INSERT INTO t SELECT * FROM s ORDER BY id DESC",
    ]

    assert changed(*moved, rows_of_t=KEYED) == []


def test_rows_without_a_key_are_compared_as_a_heap() -> None:
    heap = (
        "CREATE TABLE t (a TEXT, b INT); "
        "INSERT INTO t VALUES ('x', 1), ('x', 2), ('y', 3), (NULL, 4)"
    )

    assert short(changed("UPDATE t SET a = 'z' WHERE b < 3", rows_of_t=heap)) == [("t", "a", 2, 4)]
    assert short(changed("DELETE FROM t WHERE b > 2", rows_of_t=heap)) == [("t", None, 2, 4)]
    # All values are there, but no more in the rows that they were in.
    swapped = changed("UPDATE t SET b = 5 - b WHERE b IN (1, 4)", rows_of_t=heap)
    assert short(swapped) == [("t", None, 2, 4)]
    assert swapped[0]["example"] == "a 'x', b 1 → gone"


def test_rows_are_told_apart_by_another_key_where_the_first_one_changed() -> None:
    two_keys = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE, a INT); "
        "INSERT INTO t VALUES (1, 'x', 7), (2, 'y', 8)"
    )

    losses = changed(
        "UPDATE t SET id = id + 100", "UPDATE t SET a = 9 WHERE a = 8", rows_of_t=two_keys
    )

    assert short(losses) == [("t", "id", 2, 2), ("t", "a", 1, 2)]


def test_rows_whose_numbers_were_given_out_anew_are_told_apart_by_another_key() -> None:
    numbered = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT UNIQUE, a INT); "
        "INSERT INTO t VALUES (1, 'x', 7), (2, 'y', 8), (3, 'z', 9)"
    )

    losses = changed(
        "UPDATE t SET id = -id", "UPDATE t SET id = (1 - id) % 3 + 1", rows_of_t=numbered
    )

    assert short(losses) == [("t", "id", 3, 3)]


def test_a_changed_only_key_is_a_changed_column_and_not_lost_rows() -> None:
    losses = changed("UPDATE t SET id = id + 100", rows_of_t=KEYED)

    assert short(losses) == [("t", "id", 3, 3)]


def test_rows_left_behind_are_residue() -> None:
    with database(*KEYED.split(";")) as connection:
        before = read(connection)
        connection.exec_driver_sql("INSERT INTO t VALUES (8, 'n', 1), (9, 'n', 1)")

        left = data.left(before, read(connection))

    assert [(r["kind"], r["object"], r["change"], r["after"]) for r in left] == [
        ("rows", "t", "left", "2 rows")
    ]


def test_an_example_is_short_and_tells_kinds_apart() -> None:
    long = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'é" + "x" * 500 + "')"
    )

    example = changed("UPDATE t SET a = zeroblob(500)", rows_of_t=long)[0]["example"]

    assert len(example) <= 120
    assert example.startswith("'éxxx")
    assert example.endswith("→ x'0000000000000000…' (500 bytes)")


EQUAL = [
    (1, 1.0, "number"),
    (1, True, "boolean"),
    (0, "false", "boolean"),
    (1.5, "1.50", "number"),
    (10, "10.0", "number"),
    (0.1 + 0.2, 0.3, "number"),
    (5, "5", "text"),
    ('{"a": 1, "b": [1, 2]}', '{"b":[1,2],"a":1}', "json"),
    ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', "text"),
    ("2024-01-02 03:04:05", "2024-01-02 03:04:05.000000", "moment"),
    ("2024-01-02T03:04:05.1Z", "2024-01-02 03:04:05.100", "moment"),
    ("2024-01-02", "2024-01-02 00:00:00.000000", "moment"),
    ("12:30", "12:30:00", "moment"),
    (None, None, "text"),
    (b"ab", b"ab", "text"),
]
DIFFERENT = [
    ("007", 7, "text"),
    ("007", "7", "text"),
    ("1.50", "1.5", "text"),
    ("1", "1.0", "text"),
    (1.5, 1, "number"),
    (None, "", "text"),
    (None, 0, "number"),
    ("a", "A", "text"),
    ("a", "a ", "text"),
    ("x", b"x", "text"),
    ('{"a": [1, 2]}', '{"a": [2, 1]}', "json"),
    ("2024-01-02 03:04:05.000001", "2024-01-02 03:04:05", "moment"),
    ("2024-01-02 03:04:05", "2024-01-02", "moment"),
    ("2024-01-02 03:04:05+02:00", "2024-01-02 03:04:05", "moment"),
    ("NULL", None, "text"),
]


@pytest.mark.parametrize(("one", "other", "kind"), EQUAL, ids=repr)
def test_one_value_written_in_two_ways_is_the_same(one: Any, other: Any, kind: str) -> None:
    assert same(one, other, kind)
    assert same(other, one, kind)


@pytest.mark.parametrize(("one", "other", "kind"), DIFFERENT, ids=repr)
def test_two_values_that_look_alike_are_different(one: Any, other: Any, kind: str) -> None:
    assert not same(one, other, kind)
    assert not same(other, one, kind)


USERS = (
    "CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(50) NOT NULL, "
    "bio VARCHAR(200), phone VARCHAR(20), status VARCHAR(10) NOT NULL "
    "CONSTRAINT status CHECK (status IN ('active', 'legacy', 'new')))"
)
ORDERS = (
    "CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, state VARCHAR(10), "
    "price NUMERIC(10, 4) NOT NULL CONSTRAINT price CHECK (price > 0))"
)


def round_trip(upgrade: Migration, downgrade: Migration, step: str = "round trip") -> list[Any]:
    """The losses of K made-up rows; `downgrade` measures rows written after the upgrade."""
    with database(USERS, ORDERS) as connection:
        op = Operations(MigrationContext.configure(connection))
        old = snapshot.take(connection)
        filling.fill(SqliteAccess(connection), old, None, K, 7, {})
        before = read(connection)
        upgrade(op)
        if step == "upgrade":
            return short(data.losses(before, read(connection), step))
        new = snapshot.take(connection)
        if step == "downgrade":
            filling.fill(SqliteAccess(connection), new, None, K, 8, {}, before=old)
            before = read(connection)
        downgrade(op)
        if step == "downgrade":
            upgrade(op)
        return short(data.losses(before, read(connection), step))


def _drop_bio(op: Operations) -> None:
    op.drop_column("users", "bio")


def _add_bio(op: Operations) -> None:
    column = sa.Column("bio", sa.String(200), nullable=False, server_default="?")
    op.add_column("users", column)


def test_dropping_a_column_loses_all_its_values() -> None:
    assert round_trip(_drop_bio, _add_bio) == [("users", "bio", 5, 5)]


def _split(op: Operations) -> None:
    op.create_table(
        "user_phones",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("phone", sa.String(20)),
    )
    op.execute("INSERT INTO user_phones SELECT id, phone FROM users WHERE phone IS NOT NULL")
    op.drop_column("users", "phone")


def _unsplit(op: Operations) -> None:
    op.add_column("users", sa.Column("phone", sa.String(20)))
    op.drop_table("user_phones")


def test_splitting_a_table_without_moving_values_back_loses_those_that_were_there() -> None:
    assert round_trip(_split, _unsplit) == [("users", "phone", 4, 5)]


def test_rows_written_to_a_new_table_are_lost_by_the_downgrade() -> None:
    # 4 moved and 5 written; going up again nothing is left to move
    assert round_trip(_split, _unsplit, "downgrade") == [("user_phones", None, 9, 9)]


def _narrow(op: Operations) -> None:
    op.execute("UPDATE orders SET price = round(price, 0) WHERE round(price, 0) > 0")


def _nothing(op: Operations) -> None:
    del op


def test_rounding_loses_the_fractions_only() -> None:
    with database(USERS, ORDERS) as connection:
        filling.fill(SqliteAccess(connection), snapshot.take(connection), ["orders"], K, 7, {})
        query = "SELECT count(*) FROM orders WHERE round(price) > 0 AND round(price) <> price"
        fractions = connection.exec_driver_sql(query).scalar_one()
    assert fractions > 0

    assert round_trip(_narrow, _nothing) == [("orders", "price", fractions, 5)]


def _without_legacy(op: Operations) -> None:
    op.execute("UPDATE users SET status = 'active' WHERE status = 'legacy'")
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("status", type_="check")
        batch.create_check_constraint("status", "status IN ('active', 'new')")


def _with_legacy(op: Operations) -> None:
    with op.batch_alter_table("users") as batch:
        batch.drop_constraint("status", type_="check")
        batch.create_check_constraint("status", "status IN ('active', 'legacy', 'new')")


def test_removing_an_enum_label_loses_the_rows_that_had_it() -> None:
    with database(USERS) as connection:
        filling.fill(SqliteAccess(connection), snapshot.take(connection), ["users"], K, 7, {})
        query = "SELECT count(*) FROM users WHERE status = 'legacy'"
        had = connection.exec_driver_sql(query).scalar_one()
    assert had > 0

    assert round_trip(_without_legacy, _with_legacy) == [("users", "status", had, 5)]
    assert round_trip(_without_legacy, _with_legacy, "upgrade") == [("users", "status", had, 5)]


def _state_required(op: Operations) -> None:
    op.execute("UPDATE orders SET state = 'new' WHERE state IS NULL")
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("state", existing_type=sa.String(10), nullable=False)


def _state_optional(op: Operations) -> None:
    with op.batch_alter_table("orders") as batch:
        batch.alter_column("state", existing_type=sa.String(10), nullable=True)


def test_filling_nulls_is_counted_by_the_nulls() -> None:
    assert round_trip(_state_required, _state_optional) == [("orders", "state", 1, 5)]


def test_nulls_allowed_by_the_upgrade_are_filled_by_the_downgrade() -> None:
    losses = round_trip(_drop_not_null, _restore_not_null, "downgrade")

    assert [(table, column) for table, column, *_ in losses] == [("users", "name")]
    assert losses[0][2] >= 1


def _drop_not_null(op: Operations) -> None:
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", existing_type=sa.String(50), nullable=True)


def _restore_not_null(op: Operations) -> None:
    op.execute("UPDATE users SET name = '?' WHERE name IS NULL")
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", existing_type=sa.String(50), nullable=False)


def _shout(op: Operations) -> None:
    op.execute("UPDATE users SET name = name || '!'")


def test_a_data_migration_that_nothing_undoes_changes_every_value() -> None:
    assert round_trip(_shout, _nothing) == [("users", "name", 5, 5)]


def _unguarded(op: Operations) -> None:
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", existing_type=sa.String(50), nullable=False)


def test_restoring_not_null_without_a_backfill_fails_on_rows_written_since() -> None:
    with pytest.raises(sa.exc.IntegrityError, match="NOT NULL constraint failed"):
        round_trip(_drop_not_null, _unguarded, "downgrade")


def test_a_round_trip_of_batch_rewrites_loses_nothing() -> None:
    assert round_trip(_drop_not_null, _unguarded) == []


def test_reading_takes_only_the_tables_that_are_asked_for_and_there() -> None:
    with database(USERS, ORDERS) as connection:
        found = data.read(SqliteAccess(connection), snapshot.take(connection), ["USERS", "gone"])

    assert list(found.tables) == ["users"]


def test_generated_columns_are_not_counted_beside_what_they_are_made_from() -> None:
    generated = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, g INT AS (a * 2)); "
        "INSERT INTO t (id, a) VALUES (1, 2)"
    )

    assert short(changed("UPDATE t SET a = 3", rows_of_t=generated)) == [("t", "a", 1, 1)]


def test_names_that_need_quotes_are_read() -> None:
    odd = (
        'CREATE TABLE t ("a%b""c" TEXT, "select" INTEGER PRIMARY KEY); INSERT INTO t VALUES (1, 1)'
    )

    assert short(changed('UPDATE t SET "a%b""c" = 2', rows_of_t=odd)) == [("t", 'a%b"c', 1, 1)]
