"""Every kind of schema change on MariaDB is found, and taken back by bringing the state back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic import op
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.rehearsal.agent.dialects.mariadb import catalogue, definitions, states
from alembic_roundtrip.rehearsal.agent.dialects.mariadb.text import statements
from alembic_roundtrip.rehearsal.agent.dialects.session import Session
from alembic_roundtrip.rehearsal.agent.schema.difference import residue
from alembic_roundtrip.rehearsal.agent.schema.tables import Index, Snapshot
from alembic_roundtrip.rehearsal.agent.way_back.leftovers import Leftovers
from alembic_roundtrip.rehearsal.databases import daemon
from alembic_roundtrip.rehearsal.databases.shared import Server

BASE = """
CREATE SEQUENCE numbers START WITH 5;
CREATE TABLE p (id int PRIMARY KEY, code varchar(5) UNIQUE);
CREATE TABLE t (
  id int unsigned AUTO_INCREMENT PRIMARY KEY, a varchar(20), b int DEFAULT 1, c decimal(10, 2),
  d datetime, e enum('sad', 'it''s', 'a,b'), s set('x', 'y'), j json, u uuid, y year, f float,
  x text, q point NOT NULL, parent int COMMENT 'above', m timestamp NULL,
  l tinyint(1),
  g int GENERATED ALWAYS AS (b + 1) STORED, v int AS (b * 2) VIRTUAL,
  CONSTRAINT positive CHECK (b > 0), CONSTRAINT one UNIQUE (a, b), KEY by_a (a(5)),
  FULLTEXT KEY words (x), SPATIAL KEY places (q),
  CONSTRAINT to_p FOREIGN KEY (parent) REFERENCES p (id) ON DELETE CASCADE
) COMMENT 'all of it';
CREATE TABLE parts (id int NOT NULL) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (9));
CREATE TABLE versioned (id int PRIMARY KEY) WITH SYSTEM VERSIONING;
CREATE TABLE dated (id int, b date, e date, PERIOD FOR valid (b, e));
INSERT INTO p VALUES (1, 'a'), (2, 'b'), (3, NULL);
INSERT INTO t (id, a, q, parent) VALUES (7, 'a', POINT(1, 2), 1), (8, 'b', POINT(1, 2), 2);
INSERT INTO versioned VALUES (1);
CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x + 1;
CREATE PROCEDURE pr() SELECT 1;
CREATE PROCEDURE told() SELECT 'it\\'s A';
CREATE PROCEDURE counted() SELECT count(*) FROM p;
CREATE VIEW w AS SELECT id, f(b) AS b FROM t;
CREATE VIEW above_w AS SELECT id FROM w;
CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.b = 1;
CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SELECT 1;
"""

# What changes → the kind of residue that must name it.
CHANGES = {
    "CREATE TABLE x (id int)": "table",
    "DROP TABLE parts": "table",
    "RENAME TABLE dated TO outdated": "table",
    "ALTER TABLE dated ENGINE = MyISAM": "table options",
    "ALTER TABLE t COMMENT 'some of it'": "table options",
    "ALTER TABLE t ROW_FORMAT = COMPACT": "table options",
    "ALTER TABLE p DEFAULT CHARACTER SET latin1": "table options",
    "ALTER TABLE p CONVERT TO CHARACTER SET latin1": "table options",
    "ALTER TABLE p DEFAULT COLLATE utf8mb4_bin": "table options",
    "ALTER TABLE parts ADD PARTITION (PARTITION p1 VALUES LESS THAN (99))": "table options",
    "ALTER TABLE parts REMOVE PARTITIONING": "table options",
    "ALTER TABLE versioned DROP SYSTEM VERSIONING": "table options",
    "ALTER TABLE dated DROP PERIOD FOR valid": "table options",
    "ALTER TABLE t ADD COLUMN z int": "column",
    "ALTER TABLE t DROP COLUMN d": "column",
    "ALTER TABLE t RENAME COLUMN d TO dd": "column",
    "ALTER TABLE t MODIFY a varchar(30)": "column",
    "ALTER TABLE t MODIFY a varchar(20) COLLATE utf8mb4_bin": "column",
    "ALTER TABLE t MODIFY a varchar(20) CHARACTER SET latin1": "column",
    "ALTER TABLE t MODIFY a varchar(20) NOT NULL": "column",
    "ALTER TABLE t MODIFY b bigint DEFAULT 1": "column",
    "ALTER TABLE t MODIFY b int unsigned DEFAULT 1": "column",
    "ALTER TABLE t MODIFY b int(11) zerofill DEFAULT 1": "column",
    "ALTER TABLE t MODIFY b int DEFAULT 2": "column",
    "ALTER TABLE t ALTER b DROP DEFAULT": "column",
    "ALTER TABLE t MODIFY b int INVISIBLE DEFAULT 1": "column",
    "ALTER TABLE t MODIFY c decimal(10, 3)": "column",
    "ALTER TABLE t MODIFY d datetime(6)": "column",
    "ALTER TABLE t MODIFY d datetime DEFAULT CURRENT_TIMESTAMP": "column",
    "ALTER TABLE t MODIFY d datetime ON UPDATE CURRENT_TIMESTAMP": "column",
    "ALTER TABLE t MODIFY e enum('it''s', 'sad', 'a,b')": "column",
    "ALTER TABLE t MODIFY s set('x', 'y', 'z')": "column",
    "ALTER TABLE t MODIFY j json DEFAULT '[]'": "column",
    "ALTER TABLE t MODIFY u char(36)": "column",
    "ALTER TABLE t MODIFY f double": "column",
    "ALTER TABLE t MODIFY l tinyint(4)": "column",
    "ALTER TABLE t MODIFY parent int COMMENT 'below'": "column",
    "ALTER TABLE t MODIFY id int unsigned NOT NULL": "column",
    "ALTER TABLE t MODIFY m timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP": "column",
    "ALTER TABLE t MODIFY g int GENERATED ALWAYS AS (b + 2) STORED": "column",
    "ALTER TABLE t DROP COLUMN v, ADD COLUMN v int AS (b * 3) VIRTUAL": "column",
    "ALTER TABLE t DROP COLUMN d, ADD COLUMN d datetime": "column order",
    "ALTER TABLE t DROP PRIMARY KEY, MODIFY id int unsigned, ADD PRIMARY KEY (id, q(25))": (
        "primary key"
    ),
    "ALTER TABLE p DROP PRIMARY KEY, ADD PRIMARY KEY (id DESC)": "table options",
    "ALTER TABLE p DROP INDEX code": "index",
    "ALTER TABLE t DROP INDEX one": "index",
    "ALTER TABLE t DROP INDEX by_a, ADD INDEX by_a (a)": "index",
    "ALTER TABLE t DROP INDEX by_a, ADD INDEX by_a (a(5) DESC)": "index",
    "ALTER TABLE t DROP INDEX by_a, ADD UNIQUE INDEX by_a (a(5))": "index",
    "ALTER TABLE t ALTER INDEX by_a IGNORED": "index",
    "ALTER TABLE t DROP INDEX words": "index",
    "ALTER TABLE t DROP INDEX places": "index",
    "ALTER TABLE t RENAME INDEX by_a TO sorted": "index",
    "CREATE INDEX more ON t (b) COMMENT 'for reports'": "index",
    "ALTER TABLE t DROP CONSTRAINT to_p": "foreign key",
    "ALTER TABLE t DROP CONSTRAINT to_p; ALTER TABLE t ADD CONSTRAINT to_p FOREIGN KEY (parent) "
    "REFERENCES p (id)": "foreign key",
    "ALTER TABLE t ADD FOREIGN KEY (parent) REFERENCES p (id) ON UPDATE SET NULL": "foreign key",
    "ALTER TABLE t DROP CONSTRAINT positive": "check constraint",
    "ALTER TABLE t DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (b > -1)": (
        "check constraint"
    ),
    "ALTER TABLE t MODIFY j longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin": "check constraint",
    "CREATE OR REPLACE VIEW w AS SELECT id, b FROM t": "view",
    "CREATE OR REPLACE SQL SECURITY INVOKER VIEW w AS SELECT id, f(b) AS b FROM t": "view",
    "DROP VIEW above_w": "view",
    "DROP TRIGGER tr": "trigger",
    "CREATE OR REPLACE TRIGGER tr AFTER INSERT ON t FOR EACH ROW SET @x = 1": "trigger",
    "CREATE OR REPLACE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x + 2": "function",
    "CREATE OR REPLACE FUNCTION f(x bigint) RETURNS int DETERMINISTIC RETURN x + 1": "function",
    "DROP PROCEDURE pr": "procedure",
    "SET sql_mode = 'ANSI'; CREATE OR REPLACE PROCEDURE pr() SELECT 1": "procedure",
    "ALTER EVENT ev ON SCHEDULE EVERY 2 DAY": "event",
    "ALTER EVENT ev DISABLE": "event",
    "DROP PROCEDURE told; CREATE PROCEDURE told() SELECT 'it\\'s a'": "procedure",
    "DROP PROCEDURE counted; CREATE PROCEDURE counted() SELECT count(*) FROM P": "procedure",
    "ALTER SEQUENCE numbers INCREMENT BY 2": "sequence",
    "DROP SEQUENCE numbers": "sequence",
    "ALTER DATABASE CHARACTER SET latin1": "database",
}
# What means the same as it is written otherwise.
COSMETIC = {
    "ALTER TABLE t MODIFY parent int(5) COMMENT 'above'": "column",
    "DROP PROCEDURE pr; CREATE PROCEDURE pr()\n  select  1": "procedure",
    "DROP TRIGGER tr; CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW\n set NEW.b = 1": "trigger",
}
# What looks changed and is not: the server's own way of saying nothing.
NOTHING = [
    (
        "ALTER TABLE t DROP CONSTRAINT to_p; ALTER TABLE t ADD CONSTRAINT to_p "
        "FOREIGN KEY (parent) REFERENCES p (id) ON DELETE CASCADE ON UPDATE RESTRICT"
    ),
    "ALTER TABLE t MODIFY a varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    "ALTER TABLE t AUTO_INCREMENT = 99",
    "ALTER TABLE t DROP INDEX by_a, ADD INDEX by_a USING BTREE (a(5))",
    "SELECT nextval(numbers)",
    "DROP EVENT ev; DO SLEEP(1); CREATE EVENT ev ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    "CREATE OR REPLACE ALGORITHM = UNDEFINED VIEW w AS SELECT t.id AS id, f(t.b) AS b FROM t",
]
# Rows, counters and sessions that must be what they were, too.
ROWS = [
    "DELETE FROM t",
    "UPDATE p SET code = 'z' WHERE id = 3",
    "INSERT INTO t (a, q) VALUES ('new', POINT(0, 0)); DELETE FROM t WHERE a = 'new'",
    "SET foreign_key_checks = 0; TRUNCATE TABLE p; INSERT INTO p VALUES (9, 'x')",
    "INSERT INTO versioned VALUES (2)",
    "DROP TABLE versioned; CREATE TABLE versioned (id int PRIMARY KEY, more int)",
    "SELECT nextval(numbers); SELECT nextval(numbers)",
    "INSERT INTO parts VALUES (1)",
]


@contextmanager
def database(server: Server, name: str, script: str) -> Iterator[sa.Connection]:
    """A database of its own, by a connection that commits everything."""
    url = f"mysql+pymysql://root@/?unix_socket={server.socket}&charset=utf8mb4"
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        session = Session(connection)
        for each in (name, f"{name}_kept"):
            session.run(f"DROP DATABASE IF EXISTS {each}")
        session.run(f"CREATE DATABASE {name}")
        session.run(f"USE {name}")
        for statement in statements(script):
            session.run(statement)
        try:
            yield connection
        finally:
            for each in (name, f"{name}_kept"):
                session.run(f"DROP DATABASE IF EXISTS {each}")


@pytest.fixture(scope="module")
def running(mariadb) -> Iterator[Server]:
    del mariadb
    with daemon.running() as found:
        yield found


@pytest.fixture(scope="module")
def scratch(running) -> Iterator[tuple[Session, states.States, states.Saved]]:
    """One database for all changes: each is taken back."""
    with database(running, "changing", BASE) as connection:
        session = Session(connection)
        kept = states.States("changing")
        yield session, kept, kept.save(session)


def schema(session: Session) -> Snapshot:
    ((name,),) = session.rows("SELECT DATABASE()")
    return catalogue.take(definitions.read(session), str(name), states.charset(session), "version")


def change(session: Session, script: str) -> None:
    for statement in statements(script):
        session.rows(statement)
    session.run("SET SESSION sql_mode = DEFAULT, foreign_key_checks = 1")


def content(session: Session) -> dict[str, object]:
    """All that is in the database, as the server says it."""
    found = dict(definitions.read(session))
    rows = {
        name: session.rows(f"SELECT * FROM `{name}`")  # noqa: S608
        for kind, name in found
        if kind in {"table", "view"}
    }
    return {"definitions": found, "rows": rows}


@pytest.mark.parametrize("script", CHANGES)
def test_a_change_is_named_and_taken_back(scratch, script):
    session, kept, saved = scratch
    before, was = schema(session), content(session)
    change(session, script)
    found = residue(before, schema(session))
    kinds = {each["kind"] for each in found}
    assert CHANGES[script] in kinds
    cosmetic = {each["kind"] for each in found if each["grade"] == "cosmetic"}
    assert cosmetic <= {"column order"}
    kept.restore(session, saved)
    assert residue(before, schema(session)) == []
    assert content(session) == was


@pytest.mark.parametrize("script", NOTHING)
def test_what_only_looks_changed_is_not_named(scratch, script):
    session, kept, saved = scratch
    before = schema(session)
    change(session, script)
    assert residue(before, schema(session)) == []
    kept.restore(session, saved)


@pytest.mark.parametrize("script", COSMETIC)
def test_what_is_written_otherwise_counts_for_no_verdict(scratch, script):
    session, kept, saved = scratch
    before = schema(session)
    change(session, script)
    found = [(each["kind"], each["grade"]) for each in residue(before, schema(session))]
    assert found == [(COSMETIC[script], "cosmetic")]
    kept.restore(session, saved)


@pytest.mark.parametrize("script", ROWS)
def test_rows_and_counters_are_brought_back(scratch, script):
    session, kept, saved = scratch
    was = content(session)
    change(session, script)
    assert content(session) != was
    kept.restore(session, saved)
    assert content(session) == was


# What a way back does not come by with the server's definitions: these need a whole new table,
# which Alembic's own operations make, or more than the server says of it.
NOT_LED_BACK = {
    "CREATE TABLE x (id int)",
    "DROP TABLE parts",
    "RENAME TABLE dated TO outdated",
    "ALTER TABLE parts ADD PARTITION (PARTITION p1 VALUES LESS THAN (99))",
    "ALTER TABLE parts REMOVE PARTITIONING",
    "ALTER TABLE dated DROP PERIOD FOR valid",
    "ALTER TABLE t ALTER INDEX by_a IGNORED",
    "ALTER DATABASE CHARACTER SET latin1",
}


@pytest.mark.parametrize("script", [each for each in CHANGES if each not in NOT_LED_BACK])
def test_the_servers_definitions_lead_back(scratch, script):
    session, kept, saved = scratch
    before = schema(session)
    leftovers = Leftovers(session.connection, before)
    change(session, script)
    with Operations.context(MigrationContext.configure(session.connection)):
        for statement in leftovers.rest(schema(session)):
            exec(statement.text, {"op": op})  # noqa: S102 - as a migration would
    found = residue(before, schema(session))
    kept.restore(session, saved)
    assert [each for each in found if each["grade"] != "cosmetic"] == []


# Foreign keys, and the indexes that go by themselves when a longer one is made.
BROUGHT = {
    "FOREIGN KEY (a) REFERENCES p (id), KEY more (b, a)": {"a"},
    "CONSTRAINT own FOREIGN KEY (a) REFERENCES p (id)": {"own"},
    "KEY more (b, a), FOREIGN KEY (b, a) REFERENCES t (b, a), FOREIGN KEY (a) REFERENCES p (id)": {
        "a"
    },
    "UNIQUE KEY one (b, a), FOREIGN KEY (b) REFERENCES p (id), FOREIGN KEY (a) REFERENCES p (id), "
    "CONSTRAINT own FOREIGN KEY (a, b) REFERENCES t (a, b), KEY by_both (a, b)": set(),
    "FOREIGN KEY (b) REFERENCES p (id), FOREIGN KEY (a) REFERENCES p (id)); "
    "ALTER TABLE t DROP FOREIGN KEY t_ibfk_1, ADD KEY (b, id": {"a"},
    "FOREIGN KEY (b) REFERENCES p (id), CONSTRAINT t_ibfk_3 FOREIGN KEY (a) REFERENCES p (id)": {
        "t_ibfk_3"
    },
}


@pytest.mark.parametrize("script", BROUGHT)
def test_an_index_that_came_with_a_foreign_key_still_goes_by_itself(running, script):
    made = (
        "CREATE TABLE p (id int PRIMARY KEY); "
        f"CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY by_b (b), {script})"
    )
    with database(running, "brought", made) as connection:
        session = Session(connection)
        kept = states.States("brought")
        saved, was = kept.save(session), content(session)
        names = {index.name for index in schema_of_t(session)}
        for _ in range(2):
            session.run("DROP TABLE t")
            kept.restore(session, saved)
            assert content(session) == was
            session.run("CREATE INDEX longer ON t (a, b, id)")
            gone = names - {index.name for index in schema_of_t(session)}
            assert len(gone) == len(BROUGHT[script])


def test_a_gap_in_the_numbers_of_foreign_keys_stays(running):
    script = (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int, "
        "FOREIGN KEY (a) REFERENCES p (id), FOREIGN KEY (b) REFERENCES p (id)); "
        "ALTER TABLE t DROP FOREIGN KEY t_ibfk_1"
    )
    with database(running, "gap", script) as connection:
        session = Session(connection)
        kept = states.States("gap")
        saved, was = kept.save(session), content(session)
        session.run("DROP TABLE t")
        kept.restore(session, saved)
        assert content(session) == was


def schema_of_t(session: Session) -> tuple[Index, ...]:
    return schema(session).tables["t"].indexes


def test_alembics_own_table_is_left_out(running):
    with database(running, "own", "CREATE TABLE version (version_num varchar(32))") as connection:
        assert schema(Session(connection)).tables == {}


def test_a_database_is_cleared_but_for_alembics_own_table(running):
    with database(running, "cleared", BASE) as connection:
        session = Session(connection)
        session.run("CREATE TABLE version (version_num varchar(32))")
        session.run("INSERT INTO version VALUES ('abc')")
        states.States("cleared").clear(session, "version")
        assert list(definitions.read(session)) == [("table", "version")]
        assert session.rows("SELECT * FROM version") == []


def test_a_generated_name_of_a_constraint_is_a_matter_of_looks(running):
    script = (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int, b int, "
        "FOREIGN KEY (a) REFERENCES p (id), FOREIGN KEY (b) REFERENCES p (id), CHECK (a > 1))"
    )
    with database(running, "named", script) as connection:
        session = Session(connection)
        before = schema(session)
        change(
            session,
            "ALTER TABLE t DROP CONSTRAINT t_ibfk_1; "
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES p (id)",
        )
        (found,) = residue(before, schema(session))
        assert (found["kind"], found["grade"]) == ("foreign key name", "cosmetic")


def test_an_index_of_a_foreign_key_may_be_called_after_the_column_or_the_key(running):
    script = (
        "CREATE TABLE p (id int PRIMARY KEY); "
        "CREATE TABLE t (a int, CONSTRAINT x FOREIGN KEY (a) REFERENCES p (id))"
    )
    with database(running, "keyed", script) as connection:
        session = Session(connection)
        before = schema(session)
        change(session, "ALTER TABLE t ADD INDEX a (a), DROP INDEX x")
        assert residue(before, schema(session)) == []
        change(session, "ALTER TABLE t DROP CONSTRAINT x")
        kinds = [(each["kind"], each["change"]) for each in residue(before, schema(session))]
        assert ("foreign key", "missing") in kinds
        assert ("index", "left") in kinds
