"""Made-up rows for every type and constraint of PostgreSQL, and what of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from alembic_roundtrip.rehearsal.agent.dialects.postgresql.access import PostgresqlAccess
from alembic_roundtrip.rehearsal.agent.dialects.postgresql.catalogue import Catalogue
from alembic_roundtrip.rehearsal.agent.rows import data, filling
from alembic_roundtrip.rehearsal.databases.shared import Server
from rehearsal.test_postgresql_catalogue import database, running  # noqa: F401 (a fixture)

TYPES = """
smallint integer bigint numeric numeric(6,2) real float8 boolean text varchar varchar(5) char
char(3) citext name uuid date timestamp timestamptz time timetz interval json jsonb bytea inet cidr
macaddr macaddr8 money int4range int8range numrange daterange tsrange tstzrange int4multirange
datemultirange tsvector tsquery hstore ltree jsonpath point line lseg box path polygon circle
pg_lsn bit(4) varbit(8) vector(3) mood email integer[] text[] varchar(4)[] uuid[] jsonb[] mood[]
timestamptz[] numeric(5,1)[] oid
""".split()
SCHEMA = """
CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION vector;
CREATE EXTENSION btree_gist;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE DOMAIN email AS varchar(40) CHECK (VALUE ~ '@' OR VALUE <> '');
CREATE DOMAIN digits AS text NOT NULL CHECK (VALUE ~ '^[0-9]{5}$');
CREATE DOMAIN mail AS text
    CHECK (VALUE ~* '^[A-Z0-9._%+-]+@[A-Z0-9.-]+[.][[:alpha:]]+$' AND length(VALUE) < 99);
CREATE DOMAIN side AS text CHECK (VALUE IN ('x', 'y'));
"""
CONSTRAINED = {
    "parent": "(id bigserial PRIMARY KEY, code varchar(10) UNIQUE NOT NULL, m mood NOT NULL)",
    "child": "(a bigint REFERENCES parent (id), b varchar REFERENCES parent (code), "
    "PRIMARY KEY (a, b))",
    "identity": "(id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    "twice int GENERATED ALWAYS AS (id * 2) STORED)",
    "checked": "(id serial PRIMARY KEY, s varchar(20) CHECK (s IN ('new', 'done')), "
    "n int CHECK (n BETWEEN 3 AND 9), x numeric CHECK (x > 0), t text CHECK (char_length(t) >= 5), "
    "l text CHECK (l LIKE 'a%b'), m text CHECK (m = ANY (ARRAY['x', 'y'])), "
    # As it comes back where a definition that the server gave was run once more.
    "v varchar CHECK (v::text = ANY (ARRAY[('x'::varchar)::text, ('y'::varchar)::text])))",
    "like_that": r"(id serial PRIMARY KEY, a text NOT NULL CHECK (a ~ '^\d{5}$'), d digits, "
    "m mail NOT NULL UNIQUE, s side NOT NULL, b bool NOT NULL, UNIQUE (s, b, d))",
    "few": "(id serial PRIMARY KEY, m mood NOT NULL, b bool NOT NULL, UNIQUE (m, b))",
    "booked": "(room int NOT NULL, during tstzrange NOT NULL, "
    "EXCLUDE USING gist (room WITH =, during WITH &&))",
    "node": "(id serial PRIMARY KEY, up int REFERENCES node (id), must int NOT NULL "
    "REFERENCES node (id))",
    "either": "(id serial PRIMARY KEY, a bigint REFERENCES parent (id), "
    "b int REFERENCES checked (id), CHECK ((a IS NULL) <> (b IS NULL)))",
    "lower": "(id uuid PRIMARY KEY DEFAULT gen_random_uuid(), mail text NOT NULL); "
    "CREATE UNIQUE INDEX ON lower (lower(mail))",
    "partial": "(id serial PRIMARY KEY, p bigint NOT NULL REFERENCES parent, d bool NOT NULL); "
    "CREATE UNIQUE INDEX ON partial (p) WHERE d",
    "parted": "(id int, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day); "
    "CREATE TABLE parted_all PARTITION OF parted DEFAULT",
    '"Odd ""name"""': '("a b" int NOT NULL UNIQUE, "select" text CHECK ("select" <> \'\'), '
    '"per%cent" text)',
    "by_day": "(id int, day date NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day); "
    "CREATE TABLE by_day_1 PARTITION OF by_day FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); "
    "CREATE TABLE by_day_2 PARTITION OF by_day FOR VALUES FROM ('9999-12-31') TO (MAXVALUE)",
    "by_moment": "(at timestamptz NOT NULL) PARTITION BY RANGE (at); CREATE TABLE by_moment_1 "
    "PARTITION OF by_moment FOR VALUES FROM ('2024-01-01 00:00:00+00') TO (MAXVALUE)",
    "by_number": "(id bigint PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE by_number_1 "
    "PARTITION OF by_number FOR VALUES FROM (MINVALUE) TO (-7); "
    "CREATE TABLE by_number_2 PARTITION OF by_number FOR VALUES FROM (1000) TO (2000)",
    "by_name": "(k text NOT NULL, d date NOT NULL) PARTITION BY LIST (k); CREATE TABLE by_name_1 "
    "PARTITION OF by_name FOR VALUES IN ('it''s', 'fr') PARTITION BY RANGE (d); "
    "CREATE TABLE by_name_2 PARTITION OF by_name_1 "
    "FOR VALUES FROM ('2020-01-01') TO ('2020-02-01')",
    "hard_a": "(id int PRIMARY KEY, b int NOT NULL)",
    "hard_b": "(id int PRIMARY KEY, a int NOT NULL REFERENCES hard_a (id)); "
    "ALTER TABLE hard_a ADD FOREIGN KEY (b) REFERENCES hard_b (id)",
    "deferred_a": "(id int PRIMARY KEY, b int NOT NULL)",
    "deferred_b": "(id int PRIMARY KEY, a int NOT NULL REFERENCES deferred_a (id) "
    "DEFERRABLE INITIALLY DEFERRED); ALTER TABLE deferred_a ADD FOREIGN KEY (b) "
    "REFERENCES deferred_b (id) DEFERRABLE",
}


@contextmanager
def made(server: Server, name: str, script: str) -> Iterator[sa.Connection]:
    with database(server, name, SCHEMA + script) as connection:
        yield connection


def every_type() -> str:
    columns = ", ".join(f"c{i} {name}, n{i} {name} NOT NULL" for i, name in enumerate(TYPES))
    return f"CREATE TABLE t (id serial PRIMARY KEY, {columns})"


@pytest.mark.parametrize("tame", [False, True])
def test_every_type_gets_rows(running, tame):  # noqa: F811
    with made(running, "types", every_type()) as connection:
        access = PostgresqlAccess(connection)
        filled = filling.fill(access, access.schema(Catalogue("x")), None, 20, 1, {}, tame=tame)
        assert filled.unfilled == {}
        assert filled.inserted == {"t": 20}
        table = access.schema(Catalogue("x")).tables["t"]
        for i, name in enumerate(TYPES):
            column = table.column(f"n{i}")
            assert column is not None
            if name not in {"boolean", "char", "mood"}:
                assert len(access.distinct(table, [column.name])) >= 3, name


@pytest.mark.parametrize("seed", [1, 2])
def test_every_constraint_is_kept(running, seed):  # noqa: F811
    script = ";".join(f"CREATE TABLE {name} {rest}" for name, rest in CONSTRAINED.items())
    with made(running, "constrained", script) as connection:
        access = PostgresqlAccess(connection)
        schema = access.schema(Catalogue("x"))
        filled = filling.fill(access, schema, None, 10, seed, {})
        assert set(filled.unfilled.values()) == {"a partition is not filled"}
        assert access.schema(Catalogue("x")) == schema
        few = {name: count for name, count in filled.inserted.items() if count < 5}
        assert few == {}
        again = filling.fill(access, schema, None, 5, seed + 7, {})
        assert again.unfilled == filled.unfilled
        # Sequences go on behind the rows.
        connection.exec_driver_sql("INSERT INTO parent (code, m) VALUES ('new one', 'ok')")
        connection.exec_driver_sql("INSERT INTO identity DEFAULT VALUES")


def test_rows_are_the_same_for_the_same_seed(running):  # noqa: F811
    found = []
    for number in range(2):
        with made(running, f"seeded_{number}", every_type()) as connection:
            access = PostgresqlAccess(connection)
            filling.fill(access, access.schema(Catalogue("x")), None, 20, 3, {})
            found.append(data.read(access, access.schema(Catalogue("x"))))
    assert found[0] == found[1]


def test_what_only_is_written_otherwise_is_not_lost(running):  # noqa: F811
    script = (
        "CREATE TABLE t (id serial PRIMARY KEY, n numeric(6,2), j json, b boolean, d timestamp)"
    )
    with made(running, "written", script) as connection:
        access = PostgresqlAccess(connection)
        filling.fill(access, access.schema(Catalogue("x")), None, 10, 1, {})
        before = data.read(access, access.schema(Catalogue("x")))
        connection.exec_driver_sql(
            "ALTER TABLE t ALTER n TYPE numeric(9,4), ALTER j TYPE jsonb, ALTER b TYPE text, "
            "ALTER d TYPE timestamptz USING d AT TIME ZONE 'UTC'"
        )
        assert (
            data.losses(before, data.read(access, access.schema(Catalogue("x"))), "round trip")
            == []
        )
        connection.exec_driver_sql("UPDATE t SET n = n + 1 WHERE id < 4")
        (loss,) = data.losses(
            before, data.read(access, access.schema(Catalogue("x"))), "round trip"
        )
        assert (loss["table"], loss["column"], loss["rows"]) == ("t", "n", 10)


def test_every_sequence_that_is_behind_its_column_is_found(running):  # noqa: F811
    tables = "one two three four empty".split()
    script = ";".join(f"CREATE TABLE {name} (id serial PRIMARY KEY)" for name in tables)
    with made(running, "behind", script) as connection:
        access = PostgresqlAccess(connection)
        schema = access.schema(Catalogue("x"))
        filling.fill(access, schema, tables[:4], 5, 1, {})
        behind = data.read(access, schema).behind
        assert behind == {}
        connection.exec_driver_sql(
            "ALTER SEQUENCE one_id_seq RESTART; ALTER SEQUENCE two_id_seq RESTART 3;"
            "SELECT setval('three_id_seq', 2)"
        )
        said = {
            name: each.partition(",")[0] for name, each in data.read(access, schema).behind.items()
        }
        assert said == {
            "one.id": "it goes on with 1",
            "two.id": "it goes on with 3",
            "three.id": "it goes on with 3",
        }


def test_rows_of_a_table_that_inherits_are_no_rows_of_its_parent(running):  # noqa: F811
    script = """
        CREATE TABLE old (id int PRIMARY KEY, note text); CREATE TABLE young () INHERITS (old);
        CREATE TABLE parts (id int, note text) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (MAXVALUE)
    """
    with made(running, "heirs", script) as connection:
        access = PostgresqlAccess(connection)
        schema = access.schema(Catalogue("x"))
        filled = filling.fill(access, schema, ["old", "parts", "young"], 5, 1, {})
        assert filled.inserted == {"old": 5, "parts": 5, "young": 5}
        before = data.read(access, schema)
        connection.exec_driver_sql("DROP TABLE young")
        now = data.read(access, access.schema(Catalogue("x")))
        lost = data.losses(before, now, "round trip")
        assert [(loss["table"], loss["column"], loss["lost"]) for loss in lost] == [
            ("young", None, 5)
        ]
