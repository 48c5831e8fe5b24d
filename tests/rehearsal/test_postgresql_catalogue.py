"""Every kind of schema change on PostgreSQL is found, with `pg_dump` as the witness."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from alembic_roundtrip.rehearsal.agent.dialects.postgresql.access import PostgresqlAccess
from alembic_roundtrip.rehearsal.agent.dialects.postgresql.catalogue import Catalogue, Known
from alembic_roundtrip.rehearsal.agent.dialects.postgresql.changes import Writes
from alembic_roundtrip.rehearsal.agent.dialects.postgresql.planned import Planned
from alembic_roundtrip.rehearsal.agent.dialects.session import Session
from alembic_roundtrip.rehearsal.agent.schema.difference import residue
from alembic_roundtrip.rehearsal.agent.schema.tables import Snapshot
from alembic_roundtrip.rehearsal.databases import cluster
from alembic_roundtrip.rehearsal.databases.shared import Server
from rehearsal.postgresql_schemas import BASE, CHANGES


@contextmanager
def database(server: Server, name: str, script: str) -> Iterator[sa.Connection]:
    admin = f"host={server.socket} port={server.port} user=postgres dbname=postgres"
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        url = f"postgresql+psycopg://postgres@/{name}?host={server.socket}&port={server.port}"
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        try:
            with engine.connect() as made:
                Session(made).run(script)
                yield made
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="module")
def running(server) -> Iterator[Server]:
    del server
    with cluster.running() as found:
        yield found


def taken(connection: sa.Connection) -> Snapshot:
    return PostgresqlAccess(connection).schema(Catalogue("alembic_version"))


class Looks:
    """Looks at a database again and again, as a room does."""

    def __init__(self, connection: sa.Connection) -> None:
        self._access = PostgresqlAccess(connection)
        self._catalogue = Catalogue("alembic_version")
        self.known: Known | None = None
        self._writes: Writes | None = None

    def again(self) -> Snapshot:
        self.known, self._writes = self._access.look(self._catalogue, self.known, self._writes)
        self._access.set_path("public")
        return self.known.schema

    def bring_back(self, known: Known | None) -> None:
        """After a savepoint or a commit: what is known, and from when on writes count."""
        self.known = known
        self._writes, _ = self._access.writes("public")


def dumped(server: Server, name: str) -> str:
    programs = cluster.binaries()
    assert programs is not None
    place = ["-h", server.socket, "-p", str(server.port), "-U", "postgres"]
    done = subprocess.run(
        [programs / "pg_dump", "--schema-only", *place, name],
        capture_output=True,
        text=True,
        check=True,
    )
    return re.sub(r"\\(un)?restrict .*", "", done.stdout)


def test_there_are_enough_changes():
    assert len(CHANGES) >= 80


def test_every_single_change_is_found_that_pg_dump_finds(running):
    missed, misnamed, unseen = [], [], []
    # One database for all: each change is undone by a savepoint, what was is the same each time.
    with database(running, "catalogue", BASE) as connection:
        before = taken(connection)
        assert residue(before, taken(connection)) == []
        for change, kind in CHANGES.items():
            connection.exec_driver_sql("SAVEPOINT change")
            connection.exec_driver_sql(change)
            found = residue(before, taken(connection))
            back = residue(taken(connection), before)
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT change")
            if not found:
                missed.append(change)
            elif kind not in {entry["kind"] for entry in found}:
                misnamed.append((change, kind, found))
            # To fill a materialized view is nothing that a downgrade has to undo.
            if len(back) != len(found) and not change.endswith("WITH NO DATA"):
                unseen.append(change)
        assert residue(before, taken(connection)) == []
    assert missed == []
    assert misnamed == []
    assert unseen == []


CHOSEN = """
CREATE TABLE c (
  s varchar(9) CONSTRAINT few CHECK (s IN ('a', 'it''s', 'x, y')),
  n char(3) CONSTRAINT no CHECK (n NOT IN ('a', 'b')), g text GENERATED ALWAYS AS
  (CASE WHEN s IN ('a', 'b') THEN 'x' END) STORED
);
CREATE INDEX few_n ON c (n) WHERE s IN ('a', 'b');
CREATE VIEW chosen AS SELECT s FROM c WHERE s IN ('a', 'b') AND s <> ALL ('{c}'::varchar[]);
CREATE POLICY own ON c USING (s IN ('a', 'b'));
"""


def test_what_is_made_again_from_the_servers_own_words_is_the_same(running):
    with database(running, "chosen", CHOSEN) as connection:
        before = taken(connection)

        def words(of: str) -> str:
            return str(connection.exec_driver_sql(f"SELECT {of}").scalar())

        few, no = (
            words(f"pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{name}'")
            for name in ("few", "no")
        )
        policy = words("pg_get_expr(polqual, polrelid) FROM pg_policy")
        generated = words("pg_get_expr(adbin, adrelid) FROM pg_attrdef")
        view, index = (
            words("pg_get_viewdef('chosen'::regclass)"),
            words("pg_get_indexdef('few_n'::regclass)"),
        )
        Session(connection).run(
            f"DROP VIEW chosen; DROP POLICY own ON c; DROP INDEX few_n; {index};"
            f"ALTER TABLE c DROP CONSTRAINT few, ADD CONSTRAINT few {few};"
            f"ALTER TABLE c DROP CONSTRAINT no, ADD CONSTRAINT no {no};"
            f"ALTER TABLE c DROP g, ADD g text GENERATED ALWAYS AS ({generated}) STORED;"
            f"CREATE VIEW chosen AS {view}; CREATE POLICY own ON c USING ({policy})"
        )
        assert residue(before, taken(connection)) == []
        Session(connection).run(
            "CREATE OR REPLACE VIEW chosen AS SELECT s FROM c WHERE s IN ('a', 'c')"
        )
        assert [each["kind"] for each in residue(before, taken(connection))] == ["view"]


WRITTEN = """
CREATE TABLE w (
  id serial PRIMARY KEY, s varchar(20) DEFAULT 'x', n numeric(10, 2) DEFAULT 0,
  at timestamptz DEFAULT now(), f float DEFAULT 1.5, c char(3), v numeric DEFAULT 0,
  CONSTRAINT few CHECK (s IN ('a', 'b'))
);
CREATE INDEX by_s ON w (coalesce(s, '')) WHERE s IN ('a', 'b');
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE OPERATOR FAMILY related USING btree;
CREATE PUBLICATION sent FOR TABLE w;
COMMENT ON TABLE w IS 'Who pays';
CREATE TYPE pair AS ("A" int);
"""
# What is written otherwise → what is found, and whether it counts for a verdict.
OTHERWISE = {
    "ALTER TABLE w ALTER c SET DEFAULT NULL": [],
    "ALTER TABLE w DROP CONSTRAINT few, ADD CONSTRAINT few CHECK (s = ANY (ARRAY['a', 'b']))": [],
    "ALTER TABLE w ALTER s TYPE text; ALTER TABLE w ALTER s TYPE varchar(20)": [],
    "DROP PUBLICATION sent; CREATE PUBLICATION sent FOR TABLE ONLY w": [],
    "REVOKE USAGE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC": [],
    "ALTER TABLE w CLUSTER ON w_pkey; ALTER TABLE w SET WITHOUT CLUSTER": [],
    "ALTER TABLE w ALTER s SET DEFAULT 'x'::text": [("column", "cosmetic")],
    "ALTER TABLE w ALTER n SET DEFAULT '0.00'": [("column", "cosmetic")],
    "ALTER TABLE w ALTER at SET DEFAULT CURRENT_TIMESTAMP": [("column", "cosmetic")],
    "ALTER TABLE w ALTER f SET DEFAULT '1.50'": [("column", "cosmetic")],
    "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS ' select\n 1'": [
        ("function", "cosmetic")
    ],
    "ALTER TABLE w ALTER v SET DEFAULT '0'": [("column", "cosmetic")],
    "ALTER TABLE w ALTER v SET DEFAULT 0.00": [("column", "different")],
    "COMMENT ON TABLE w IS 'who  pays'": [("comment", "different")],
    'ALTER TYPE pair RENAME ATTRIBUTE "A" TO a': [("composite type", "different")],
    "ALTER TABLE w ALTER s SET DEFAULT 'x '::text": [("column", "different")],
    "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1 -- 2'": [
        ("function", "different")
    ],
}


def test_what_is_only_written_otherwise_counts_for_no_verdict(running):
    with database(running, "otherwise", WRITTEN) as connection:
        before = taken(connection)
        for change, expected in OTHERWISE.items():
            connection.exec_driver_sql("SAVEPOINT change")
            Session(connection).run(change)
            found = residue(before, taken(connection))
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT change")
            assert [(each["kind"], each["grade"]) for each in found] == expected, change


# What changes the definitions of other objects, which stay what they are.
RENAMES = (
    "ALTER TABLE p RENAME TO q",
    "ALTER TABLE p RENAME COLUMN id TO key",
    "ALTER TABLE t RENAME COLUMN b TO bb",
    "ALTER TABLE p SET SCHEMA other",
    "ALTER TYPE mood RENAME TO feeling",
    "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
    "ALTER SEQUENCE t_id_seq RENAME TO ids",
    "ALTER SEQUENCE numbers OWNED BY t.b",
    "ALTER FUNCTION tf() RENAME TO tg",
    "ALTER SCHEMA other RENAME TO another",
    "DROP TABLE p CASCADE",
    "DROP TYPE mood CASCADE",
    "ALTER TABLE t DROP COLUMN parent CASCADE",
    "DROP VIEW v; ALTER TABLE t DROP COLUMN id CASCADE, ADD COLUMN id bigserial",
    "CREATE TABLE x (id serial PRIMARY KEY, t int REFERENCES t, m mood, UNIQUE (m))",
    "COMMENT ON TABLE t IS 'x'; COMMENT ON TABLE t IS 'y'",
    "CREATE INDEX one_more ON mv (b)",
    "CREATE TABLE made (a int); DROP TABLE made",
)


@pytest.mark.parametrize(
    ("committed", "setting", "some"), [(True, "", 1), (False, "SET track_counts = off", 3)]
)
def test_a_second_look_sees_what_a_first_one_would(running, committed, setting, some):
    with database(running, "looks", f"{setting}; {BASE}") as connection:
        if committed:
            connection.commit()
        looks = Looks(connection)
        assert looks.again() == taken(connection)
        base = looks.known
        for change in (*CHANGES, *RENAMES)[::some]:
            connection.exec_driver_sql("SAVEPOINT change")
            Session(connection).run(change)
            assert looks.again() == taken(connection), change
            Session(connection).run(
                "CREATE TABLE behind (z serial, p int); DROP INDEX IF EXISTS by_a"
            )
            assert looks.again() == taken(connection), f"behind {change}"
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT change")
            looks.bring_back(base)
            assert looks.again() == taken(connection), f"undone: {change}"


ON_THE_WAY = (
    *CHANGES,
    *RENAMES,
    "CREATE TABLE {new} (id serial PRIMARY KEY, t int REFERENCES t, m mood, UNIQUE (m, t))",
    "CREATE TABLE {new} PARTITION OF parted FOR VALUES IN ({number})",
    "CREATE TABLE parted (k int, v text) PARTITION BY LIST (k)",
    "CREATE INDEX {new} ON t (c, d)",
    "CREATE TYPE {new} AS ENUM ('x', 'y')",
    "CREATE FUNCTION {new}() RETURNS int LANGUAGE sql AS 'SELECT {number}'",
    "CREATE VIEW {new} AS SELECT * FROM t",
    "CREATE TRIGGER {new} AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()",
    "CREATE TEMPORARY TABLE {new} (a int, b text)",
    "ALTER TABLE t ADD COLUMN {new} int DEFAULT {number}",
    "ALTER TABLE kid NO INHERIT p",
    "COMMENT ON CONSTRAINT one ON t IS '{number}'; ALTER TABLE t RENAME CONSTRAINT one TO {new}",
    "COMMENT ON INDEX by_a IS '{number}'; ALTER INDEX by_a RENAME TO {new}",
    "REVOKE ALL ON t FROM catalogue_reader",
    "ALTER TYPE pair RENAME ATTRIBUTE a TO {new}",
    "INSERT INTO p VALUES ({number}, '{number}')",
    "DROP FUNCTION f(int); CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT {number}'",
    "DROP SCHEMA other CASCADE",
    "DROP EXTENSION IF EXISTS hstore CASCADE; DISCARD TEMP",
)


@pytest.mark.parametrize("seed", range(3))
def test_on_any_way_a_second_look_sees_what_a_first_one_would(running, seed):
    chance = random.Random(seed)
    with database(running, f"ways_{seed}", BASE) as connection:
        session = Session(connection)
        connection.commit()
        looks = Looks(connection)
        points: list[Known | None] = []
        done = 0
        for number in range(100):
            at = chance.randrange(len(ON_THE_WAY) + 12)
            if at < len(ON_THE_WAY):
                change = ON_THE_WAY[at].replace("{new}", f"made_{number}")
                done += session.error(change.replace("{number}", str(number)), "one") is None
            elif at < len(ON_THE_WAY) + 5:
                points.append(looks.known)
                session.run(f"SAVEPOINT p{len(points)}")
            elif at < len(ON_THE_WAY) + 9 and points:
                back = chance.randrange(len(points))
                session.run(f"ROLLBACK TO SAVEPOINT p{back + 1}")
                looks.bring_back(points[back])
                del points[back + 1 :]
            elif at >= len(ON_THE_WAY) + 9:
                connection.commit()
                points.clear()
                looks.bring_back(looks.known)
            assert looks.again() == taken(connection), number
        assert done > 30


def test_a_second_look_reads_nothing_but_what_changed(running):
    with database(running, "reads", BASE) as connection:
        connection.commit()
        access, catalogue = PostgresqlAccess(connection), Catalogue("alembic_version")
        read = access.session.rows
        known, before = access.look(catalogue, None, None)
        seen = []

        class Heard(Planned):
            def again(self, query):
                found = super().again(query)
                seen.extend(row[:2] for row in found if len(row) > 3)
                return found

        planned = Heard(access.session)

        for change in (
            "ALTER TABLE public.p ADD COLUMN x int DEFAULT 5",
            "CREATE INDEX on_code ON public.p (code)",
            "DROP INDEX public.on_code",
            "ALTER TABLE public.p ALTER x DROP DEFAULT",
            "ALTER TABLE public.p DROP COLUMN x",
        ):
            connection.exec_driver_sql(change)
            now, _ = access.writes("pg_catalog")
            known = catalogue.look_again(planned, known, before, now)
            before = now
            ((number,),) = read("SELECT 'public.p'::regclass::oid::text")
            assert {owner for _, owner in seen} == {number}, change
            assert ("table", number) in seen
            seen.clear()
        connection.exec_driver_sql("UPDATE public.p SET code = 'x'")
        assert catalogue.look_again(planned, known, before, before) is known
        assert seen == []


def test_a_look_does_not_depend_on_what_the_session_has_planned(running):
    with database(running, "plans", BASE) as connection:
        looks = Looks(connection)
        for number in range(8):
            connection.exec_driver_sql(f"ALTER TABLE public.p ADD COLUMN x{number} int")
            if number == 5:
                planned = "SELECT name FROM pg_prepared_statements"
                names = connection.exec_driver_sql(planned).scalars().all()
                assert any(name.startswith("alembic_roundtrip_") for name in names)
                connection.exec_driver_sql("DEALLOCATE ALL")
            assert looks.again() == taken(connection)


@pytest.mark.parametrize("change", list(CHANGES)[::5])
def test_what_pg_dump_calls_a_change_is_one_and_nothing_else_is(running, change):
    with database(running, "witness", BASE.replace("CREATE ROLE catalogue_reader;", "")) as first:
        first.commit()
        before, text = taken(first), dumped(running, "witness")
        script = f"DO 'BEGIN CREATE ROLE catalogue_reader; EXCEPTION WHEN others THEN END';{change}"
        first.exec_driver_sql(script)
        first.commit()
        assert (residue(before, taken(first)) != []) is (dumped(running, "witness") != text)


def test_a_schema_made_in_another_order_is_the_same(running):
    lines = [line for line in BASE.split(";") if "ROLE" not in line]
    tail = lines.index(next(line for line in lines if "CREATE SCHEMA other" in line))
    moved = ";".join([*lines[tail:], *lines[:tail]])
    with (
        database(running, "one", ";".join(lines)) as one,
        database(running, "two", moved) as two,
    ):
        assert residue(taken(one), taken(two)) == []
