from __future__ import annotations

import datetime as dt
import enum
import ipaddress
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.dialects import postgresql

from alembic_roundtrip.rehearsal.agent.dialects.sqlite.access import SqliteAccess
from alembic_roundtrip.rehearsal.agent.rows import data, filling
from alembic_roundtrip.rehearsal.agent.schema import snapshot
from alembic_roundtrip.rehearsal.agent.values.patterns import matching

NASTY = {
    "parent": "CREATE TABLE parent (id INTEGER PRIMARY KEY, name VARCHAR(10) NOT NULL UNIQUE, "
    "s VARCHAR(5) CHECK (s IN (('a'), ('b'), ('c'))), n INT CHECK (n BETWEEN 3 AND 9), "
    "x NUMERIC(6, 2) CHECK (x > 0))",
    "child": "CREATE TABLE child (a INT NOT NULL REFERENCES parent (id), "
    "b INT NOT NULL REFERENCES parent, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "only": "CREATE TABLE only (id INTEGER PRIMARY KEY CHECK (id = 1), v TEXT NOT NULL)",
    "either": "CREATE TABLE either (id INTEGER PRIMARY KEY, a INT REFERENCES parent (id), "
    "b INT REFERENCES only (id), CHECK ((a IS NULL) <> (b IS NULL)))",
    "node": "CREATE TABLE node (id INTEGER PRIMARY KEY, up INT REFERENCES node (id), "
    "must INT NOT NULL REFERENCES node (id), label CHAR(2) NOT NULL UNIQUE)",
    "soft_a": "CREATE TABLE soft_a (id INTEGER PRIMARY KEY, b INT NOT NULL REFERENCES soft_b (id))",
    "soft_b": "CREATE TABLE soft_b (id INTEGER PRIMARY KEY, a INT REFERENCES soft_a (id), "
    "t TEXT CHECK (length(t) >= 5 AND length(t) <= 8))",
    "hard_a": "CREATE TABLE hard_a (id INTEGER PRIMARY KEY, b INT NOT NULL REFERENCES hard_b (id))",
    "hard_b": "CREATE TABLE hard_b (id INTEGER PRIMARY KEY, a INT NOT NULL REFERENCES hard_a (id))",
    "tenant": "CREATE TABLE tenant (t INT, id INT, PRIMARY KEY (t, id))",
    "kid": "CREATE TABLE kid (t INT NOT NULL, id INT NOT NULL, up INT, other INT NOT NULL, "
    "PRIMARY KEY (t, id), FOREIGN KEY (t, up) REFERENCES kid (t, id), "
    "FOREIGN KEY (t, other) REFERENCES tenant (t, id))",
    "heir": "CREATE TABLE heir (id INTEGER PRIMARY KEY REFERENCES parent (id), extra TEXT)",
    "spans": "CREATE TABLE spans (id TEXT PRIMARY KEY, a DATETIME NOT NULL, b DATETIME NOT NULL, "
    "j JSON NOT NULL CHECK (json_valid(j)), e VARCHAR(20) CHECK (e LIKE '%@%'), "
    "f VARCHAR(9) CHECK (lower(f) = f), g INT GENERATED ALWAYS AS (length(e)) VIRTUAL, "
    "CHECK (a < b))",
    "strict": "CREATE TABLE strict (id INT PRIMARY KEY, b BLOB NOT NULL, r REAL, k ANY, "
    "t TEXT NOT NULL) STRICT",
    "itself": "CREATE TABLE itself (a TEXT NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b), "
    "FOREIGN KEY (a, b) REFERENCES itself (a, b))",
    "partial": "CREATE TABLE partial (id INTEGER PRIMARY KEY, p INT NOT NULL REFERENCES parent "
    "(id), d BOOL NOT NULL); CREATE UNIQUE INDEX pu ON partial (p) WHERE d",
    "folded": "CREATE TABLE folded (id INTEGER PRIMARY KEY, m VARCHAR(30) NOT NULL); "
    "CREATE UNIQUE INDEX fu ON folded (lower(m))",
    "nocase": "CREATE TABLE nocase (m VARCHAR(3) COLLATE NOCASE NOT NULL PRIMARY KEY)",
    "odd": 'CREATE TABLE "odd %s" ("a b" INT NOT NULL UNIQUE, "select" TEXT '
    "CHECK (\"select\" <> ''))",
    "open": "CREATE TABLE open (id INTEGER PRIMARY KEY, a REAL CHECK (a > 0 AND a < 1), "
    "b INT NOT NULL CHECK (b % 2 = 0), c INT CHECK (c NOT IN (0, 1)), "
    "d TEXT NOT NULL CHECK (d GLOB '[a-z]*[0-9]'), e TEXT CHECK (length(e) = 3))",
    "shaped": "CREATE TABLE shaped (id INTEGER PRIMARY KEY, "
    "j TEXT NOT NULL CHECK (json_type(j) = 'array'), "
    "k JSON NOT NULL CHECK (json_type(k) = 'object'), h BLOB NOT NULL CHECK (length(h) = 16), "
    "p TEXT NOT NULL CHECK (substr(p, 1, 1) = '/'), t TEXT NOT NULL CHECK (typeof(t) = 'text'), "
    "n NUMERIC(3, 3) NOT NULL UNIQUE)",
    "nested": "CREATE TABLE nested (id INTEGER PRIMARY KEY, a INT NOT NULL UNIQUE, "
    "z INT NOT NULL UNIQUE, CHECK (a < z))",
    "derived": "CREATE TABLE derived (id INTEGER PRIMARY KEY, a INT NOT NULL, "
    "b INT GENERATED ALWAYS AS (a + 1) STORED UNIQUE)",
    "states": "CREATE TABLE states (id INTEGER PRIMARY KEY, state TEXT NOT NULL, done DATETIME, "
    "CHECK ((state = 'done' AND done IS NOT NULL) OR (state = 'open' AND done IS NULL)))",
}


@contextmanager
def database(*statements: str, foreign_keys: bool = True) -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA foreign_keys = {foreign_keys:d}")
            connection.commit()
            for text in statements:
                for statement in text.split("; "):
                    connection.exec_driver_sql(statement)
            connection.commit()
            yield connection
    finally:
        engine.dispose()


def fill(connection: sa.Connection, **options: Any) -> filling.Filled:
    taken = snapshot.take(connection)
    options = {"tables": None, "count": 100, "seed": 1, "types": {}} | options
    return filling.fill(SqliteAccess(connection), taken, **options)


def column(connection: sa.Connection, name: str, table: str = "t") -> list[Any]:
    return list(connection.exec_driver_sql(f"SELECT {name} FROM {table}").scalars())  # noqa: S608


@pytest.mark.parametrize("tame", [False, True], ids=["unkind", "tame"])
@pytest.mark.parametrize("foreign_keys", [False, True], ids=["unchecked", "checked"])
def test_every_table_of_a_nasty_schema_is_filled(*, foreign_keys: bool, tame: bool) -> None:
    with database(*NASTY.values(), foreign_keys=foreign_keys) as connection:
        filled = fill(connection, tame=tame)

        assert filled.unfilled == {}
        assert filled.few == {"only": "every key it could have is taken"}
        assert {n: c for n, c in filled.inserted.items() if c != 100} == {"only": 1}
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        for name, count in filled.inserted.items():
            assert column(connection, "count(*)", f'"{name}"') == [count]


@pytest.mark.parametrize("foreign_keys", [False, True], ids=["unchecked", "checked"])
def test_rows_are_added_to_rows_without_touching_them(*, foreign_keys: bool) -> None:
    with database(*NASTY.values(), foreign_keys=foreign_keys) as connection:
        fill(connection, count=30)
        before = data.read(SqliteAccess(connection), snapshot.take(connection))

        filled = fill(connection, count=20, seed=2)

        assert filled.unfilled == {}
        assert filled.inserted["node"] == 20
        assert (
            data.losses(before, data.read(SqliteAccess(connection), snapshot.take(connection)), "x")
            == []
        )
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall() == []


def test_each_parent_is_found_that_may_have_one_child_only() -> None:
    child = "CREATE TABLE one (id INTEGER PRIMARY KEY, p INT NOT NULL UNIQUE REFERENCES t (id))"
    with database("CREATE TABLE t (id INTEGER PRIMARY KEY)", child) as connection:
        assert fill(connection).inserted == {"t": 100, "one": 100}
        assert fill(connection, seed=2).inserted == {"t": 100, "one": 100}


def test_self_references_and_nullable_cycles_are_closed() -> None:
    with database(*NASTY.values()) as connection:
        fill(connection)

        assert len(set(column(connection, "up", "node"))) > 20
        assert len(set(column(connection, "a", "soft_b"))) > 50
        assert None in column(connection, "a", "soft_b")
        assert len(set(column(connection, "up", "kid"))) > 1


def test_rows_of_two_references_do_not_always_meet() -> None:
    with database(NASTY["parent"], NASTY["child"]) as connection:
        fill(connection)

        pairs = connection.exec_driver_sql("SELECT count(*) FROM child WHERE a = b").scalar_one()
        assert pairs < 10


def test_a_longer_key_has_rows_that_a_shorter_one_would_refuse() -> None:
    keys = "FOREIGN KEY (a) REFERENCES parent (id), FOREIGN KEY (b) REFERENCES parent (id)"
    pair = f"CREATE TABLE pair (a INT NOT NULL, b INT NOT NULL, kind TEXT NOT NULL, {keys}"
    with database(NASTY["parent"], f"{pair}, UNIQUE (a, b, kind))") as connection:
        fill(connection)
        alike = "SELECT a FROM pair GROUP BY a, b HAVING count(*) > 1"
        assert connection.exec_driver_sql(alike).first() is not None


SAMPLE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, s VARCHAR(12), x TEXT, n INTEGER, m SMALLINT, "
    "p NUMERIC(8, 2), b BOOLEAN, d DATETIME, j JSON, raw BLOB, kind TEXT NOT NULL "
    "CHECK (kind IN ('one', 'two', 'three')))"
)


def test_unkind_rows_have_nulls_limits_and_every_member() -> None:
    with database(SAMPLE) as connection:
        fill(connection)

        first = connection.exec_driver_sql("SELECT * FROM t ORDER BY id").fetchone()
        assert first is not None
        assert first[1:-1] == (None,) * 9
        second = connection.exec_driver_sql("SELECT * FROM t WHERE id = 2").fetchone()
        assert second is not None
        assert None not in second
        assert max(len(s) for s in column(connection, "s") if s is not None) == 12
        assert not all(s.isascii() for s in column(connection, "s") if s is not None)
        assert {2_147_483_647, -2_147_483_648, 0} <= set(column(connection, "n"))
        assert {32_767, -32_768} <= set(column(connection, "m"))
        assert {999_999.99, -999_999.99, 0.01} <= set(column(connection, "p"))
        assert set(column(connection, "b")) == {None, 0, 1}
        assert set(column(connection, "kind")) == {"one", "two", "three"}
        assert "" in column(connection, "s")


def test_few_rows_still_have_every_member() -> None:
    with database(SAMPLE) as connection:
        fill(connection, count=5)

        assert set(column(connection, "kind")) == {"one", "two", "three"}


def test_tame_rows_are_short_ascii_small_and_never_null() -> None:
    with database(SAMPLE) as connection:
        fill(connection, tame=True)

        for row in connection.exec_driver_sql("SELECT * FROM t"):
            assert None not in row
            assert all(v.isascii() and len(v) < 30 for v in row if isinstance(v, str))
            assert all(0 <= v <= 101 for v in row if isinstance(v, (int, float)))


def test_what_a_columns_name_promises_is_kept() -> None:
    names = "email, home_url, user_uuid, payload_json, params, client_ip, created_at"
    columns = ", ".join(f"{name} TEXT NOT NULL" for name in names.split(", "))
    with database(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {columns})") as connection:
        fill(connection)

        assert all("@" in value for value in column(connection, "email"))
        assert all(value.startswith("https://") for value in column(connection, "home_url"))
        assert all(uuid.UUID(value) for value in column(connection, "user_uuid"))
        assert all(json.loads(value) for value in column(connection, "payload_json"))
        assert all(json.loads(value) for value in column(connection, "params"))
        assert all(ipaddress.ip_address(v.strip()) for v in column(connection, "client_ip"))
        assert all(dt.datetime.fromisoformat(v) for v in column(connection, "created_at"))


@pytest.mark.parametrize("unique", ["", " NOT NULL UNIQUE"])
@pytest.mark.parametrize("name", ["email", "url", "slug", "path", "name"])
def test_texts_of_every_kind_show_what_tidying_them_loses(name: str, unique: str) -> None:
    with database(f"CREATE TABLE t (id INTEGER PRIMARY KEY, {name} TEXT{unique})") as connection:
        fill(connection)

        texts = [text for text in column(connection, name) if text is not None]
        for tidied in (
            [text.lower() for text in texts],
            [text.strip() for text in texts],
            [text.replace("-", "_").replace("_", "-") for text in texts],
            [text.replace(" ", "_").replace("_", " ") for text in texts],
        ):
            assert tidied != texts


def test_jsons_null_is_where_nulls_may_be() -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY, may JSON, must JSON NOT NULL)"
    with database(table) as connection:
        fill(connection)

        assert {"null", "{}", None} <= set(column(connection, "may"))
        assert "null" not in column(connection, "must")


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Wrapped(sa.types.TypeDecorator[Any]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        del dialect
        return None if value is None else json.dumps({"wrapped": value})

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        del dialect
        return None if value is None else json.loads(value)["wrapped"]


class Refusing(sa.types.TypeDecorator[Any]):
    impl = sa.Integer
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        raise TypeError(value, dialect)


TYPES: dict[str, tuple[sa.types.TypeEngine[Any], Any]] = {
    "colour": (sa.Enum(Colour), Colour),
    "plain_enum": (sa.Enum("x", "y", name="xy"), str),
    "flag": (sa.Boolean(), bool),
    "moment": (sa.DateTime(), dt.datetime),
    "zoned": (sa.DateTime(timezone=True), dt.datetime),
    "day": (sa.Date(), dt.date),
    "hour": (sa.Time(), dt.time),
    "span": (sa.Interval(), dt.timedelta),
    "money": (sa.Numeric(10, 2), Decimal),
    "ratio": (sa.Float(), float),
    "key": (sa.Uuid(), uuid.UUID),
    "text_key": (sa.Uuid(as_uuid=False), str),
    "doc": (sa.JSON(), (dict, list)),
    "raw": (sa.LargeBinary(), bytes),
    "pickled": (sa.PickleType(), object),
    "wrapped": (Wrapped(), str),
    "big": (sa.BigInteger().with_variant(sa.Integer(), "sqlite"), int),
    "jsonb": (sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), (dict, list)),
    "name": (sa.Unicode(30), str),
}


def typed_table() -> sa.Table:
    columns = [sa.Column(name, of) for name, (of, _) in TYPES.items()]
    return sa.Table("t", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), *columns)


def test_values_are_written_as_sqlalchemys_types_write_and_read_them() -> None:
    table = typed_table()
    with database() as connection:
        table.create(connection)
        recorded = {("t", c.name): c.type for c in table.columns}

        filled = fill(connection, types=recorded)

        assert filled.inserted == {"t": 100}
        found = connection.execute(table.select()).fetchall()
        for name, (_, python) in TYPES.items():
            values = [getattr(row, name) for row in found]
            assert any(value is not None for value in values), name
            assert all(isinstance(v, python) for v in values if v is not None), name
        assert {row.colour for row in found} == {None, *Colour}


def test_without_recorded_types_the_declared_names_serve() -> None:
    table = typed_table()
    plain = set(TYPES) - {"colour", "plain_enum", "pickled", "wrapped"}
    with database() as connection:
        table.create(connection)
        fill(connection)

        found = connection.execute(sa.select(*(table.c[name] for name in plain))).fetchall()
        for name in plain - {"text_key"}:
            values = [getattr(row, name) for row in found]
            assert all(isinstance(v, TYPES[name][1]) for v in values if v is not None), name


def test_a_recorded_type_the_column_no_longer_has_is_not_used() -> None:
    with database("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)") as connection:
        fill(connection, types={("t", "a"): sa.Enum("x", "y")})

        assert all(isinstance(value, int) for value in column(connection, "a"))


def test_a_type_that_takes_none_of_our_values_is_filled_as_it_is_stored() -> None:
    with database("CREATE TABLE t (id INTEGER PRIMARY KEY, a INTEGER NOT NULL)") as connection:
        filled = fill(connection, types={("t", "a"): Refusing()})

        assert filled.inserted == {"t": 100}


def test_a_table_that_cannot_be_filled_is_named_with_the_reason() -> None:
    statements = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT NOT NULL CHECK (a > 5 AND a < 3))",
        "CREATE TABLE kid (id INTEGER PRIMARY KEY, t INT NOT NULL REFERENCES t (id))",
        "CREATE TABLE guarded (id INTEGER PRIMARY KEY)",
        "CREATE TRIGGER g BEFORE INSERT ON guarded BEGIN SELECT RAISE(ABORT, 'closed'); END",
        "CREATE VIRTUAL TABLE f USING fts5(a)",
        "CREATE TABLE fine (id INTEGER PRIMARY KEY)",
    )
    with database() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)

        filled = fill(connection)

    assert filled.inserted == {"fine": 100}
    assert filled.unfilled["t"].startswith("CHECK constraint failed: a > 5")
    assert filled.unfilled["guarded"] == "closed"
    assert filled.unfilled["f"] == "a virtual table is not filled"
    assert set(filled.unfilled) == {"t", "kid", "guarded", "f"}


@pytest.mark.parametrize(
    "pattern", [r"(^([a-z]+_?)+$)", r"^([a-z]+-?)+\Z", r"^[[:alpha:]]{3}$", r"\bfoo\b"]
)
def test_texts_that_match_are_made_without_a_search_that_may_not_end(pattern: str) -> None:
    texts = matching(pattern)

    assert texts
    assert max(map(len, texts)) <= 130
    plain = pattern.replace("[:alpha:]", "a-z")
    assert all(re.search(plain, text, re.IGNORECASE) for text in texts)


@pytest.mark.parametrize(
    "pattern",
    ["^.{20000}$", "((a{50}){50}){50}", "[[:punct:]]", "[_[:punct:]]", "[[a-z]", "a{99999999999}"],
)
def test_no_texts_are_made_for_what_is_not_understood_or_long(pattern: str) -> None:
    assert matching(pattern) == ()


def test_what_must_not_match_is_filled_with_other_texts() -> None:
    checks = (
        "NOT (s REGEXP '^abc')",
        "NOT s REGEXP '^abc'",
        "s NOT REGEXP '^abc'",
        "s IS NOT NULL AND s REGEXP '^abc$'",
    )
    with database() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.create_function("regexp", 2, lambda p, s: bool(re.search(p, str(s))))
        for number, check in enumerate(checks):
            connection.exec_driver_sql(f"CREATE TABLE t{number} (s TEXT NOT NULL, CHECK ({check}))")

        filled = fill(connection, count=9)

    assert filled.inserted == {"t0": 9, "t1": 9, "t2": 9, "t3": 9}


def test_a_trigger_that_rolls_everything_back_is_survived_and_told() -> None:
    trigger = "CREATE TRIGGER g BEFORE INSERT ON t BEGIN SELECT RAISE(ROLLBACK, 'closed'); END"
    with database() as connection:
        for statement in ("CREATE TABLE a (id INTEGER PRIMARY KEY)", SAMPLE, trigger):
            connection.exec_driver_sql(statement)
        connection.commit()

        filled = fill(connection)

        assert filled.inserted == {}
        assert set(filled.unfilled) == {"a", "t"}
        assert column(connection, "count(*)", "a") == [0]


def test_empty_parents_are_filled_with_the_tables_that_need_them() -> None:
    with database(*NASTY.values()) as connection:
        filled = fill(connection, tables=["CHILD", "not there"])

        assert set(filled.inserted) == {"parent", "child"}


def test_the_same_seed_gives_the_same_rows_in_every_process() -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1].split('|')\n"
        "import hashlib, rehearsal.test_rows as t\n"
        "with t.database(*t.NASTY.values()) as c:\n"
        "    t.fill(c, seed=int(sys.argv[2]))\n"
        "    print(hashlib.sha256('\\n'.join(c.connection.iterdump()).encode()).hexdigest())\n"
    )
    path = "|".join([os.path.dirname(os.path.dirname(__file__)), *sys.path])  # noqa: PTH120

    def digest(seed: int, hashing: str) -> str:
        command = [sys.executable, "-c", program, path, str(seed)]
        environment = os.environ | {"PYTHONHASHSEED": hashing}
        return subprocess.check_output(command, env=environment, text=True)

    assert digest(1, "1") == digest(1, "2")
    assert digest(1, "1") != digest(2, "1")


def test_a_hundred_tables_take_well_below_a_second() -> None:
    columns = ", ".join(f"c{i} VARCHAR(50)" for i in range(8))
    tables = [
        f"CREATE TABLE t{n} (id INTEGER PRIMARY KEY, {columns}, "
        f"up INT REFERENCES t{max(n - 1, 0)} (id), at DATETIME, UNIQUE (c0))"
        for n in range(100)
    ]
    with database(*tables) as connection:
        taken = snapshot.take(connection)
        start = time.process_time()

        filled = filling.fill(SqliteAccess(connection), taken, None, 100, 1, {})

        assert sum(filled.inserted.values()) == 10_000
        # Measured 0.4 s; the margin is for slow machines.
        assert time.process_time() - start < 2


OLD_TABLE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(5) NOT NULL, "
    "kind VARCHAR(9) NOT NULL, CONSTRAINT u UNIQUE (code), "
    "CONSTRAINT k CHECK (kind IN ('a', 'b')))"
)
OLD = (
    OLD_TABLE,
    "CREATE TABLE other (id INTEGER PRIMARY KEY, t INT REFERENCES t (id))",
)


def test_after_an_upgrade_rows_are_added_that_only_the_new_schema_allows() -> None:
    with database(*OLD, foreign_keys=False) as connection:
        old = snapshot.take(connection)
        filling.fill(SqliteAccess(connection), old, None, 20, 1, {})
        before = data.read(SqliteAccess(connection), old)
        op = Operations(MigrationContext.configure(connection))
        with op.batch_alter_table("t") as batch:
            batch.drop_constraint("u", type_="unique")
            batch.drop_constraint("k", type_="check")
            batch.create_check_constraint("k", "kind IN ('a', 'b', 'new')")
            batch.alter_column("code", type_=sa.String(40), nullable=True)
            batch.add_column(sa.Column("added", sa.Integer))
        op.create_table("made", sa.Column("id", sa.Integer, primary_key=True))

        filled = fill(connection, count=20, seed=2, before=old)

        assert set(filled.inserted) == {"t", "made"}
        codes = [code for code in column(connection, "code") if code is not None]
        assert None in column(connection, "code")
        assert max(map(len, codes)) == 40
        assert len(codes) - len(set(codes)) >= 3
        assert "new" in column(connection, "kind")
        assert any(column(connection, "added"))
        after = data.read(SqliteAccess(connection), snapshot.take(connection))
        assert data.losses(before, after, "upgrade") == []
        assert [r["object"] for r in data.left(before, after)] == ["t"]


def test_references_that_went_are_dangling_in_new_rows() -> None:
    with database(*OLD) as connection:
        old = snapshot.take(connection)
        filling.fill(SqliteAccess(connection), old, None, 20, 1, {})
        connection.exec_driver_sql("ALTER TABLE other RENAME TO gone")
        connection.exec_driver_sql("CREATE TABLE other (id INTEGER PRIMARY KEY, t INT)")
        connection.exec_driver_sql("INSERT INTO other SELECT * FROM gone")

        fill(connection, count=20, before=old)

        query = "SELECT count(*) FROM other WHERE t NOT IN (SELECT id FROM t)"
        assert connection.exec_driver_sql(query).scalar_one() > 0


def test_rows_belong_to_the_transaction_that_is_active() -> None:
    with database(SAMPLE) as connection:
        connection.exec_driver_sql("INSERT INTO t (id, kind) VALUES (900, 'one')")
        fill(connection)
        connection.rollback()

        assert column(connection, "count(*)") == [0]
