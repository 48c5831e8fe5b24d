"""Made-up rows for every type and constraint of MariaDB, and what of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from alembic_roundtrip.rehearsal.agent.dialects.mariadb.access import MariadbAccess
from alembic_roundtrip.rehearsal.agent.rows import data, filling
from alembic_roundtrip.rehearsal.agent.schema.tables import Column, Snapshot
from alembic_roundtrip.rehearsal.databases.shared import Server
from rehearsal.test_mariadb_catalogue import database, running, schema  # noqa: F401 (a fixture)

TYPES = [
    *"tinyint smallint mediumint int bigint float double decimal decimal(6,2)".split(),
    *"tinyint(1) bit bit(8) year date datetime datetime(6) timestamp timestamp(3) time".split(),
    *"char char(3) char(36) varchar(5) varchar(600) tinytext text mediumtext longtext".split(),
    *"decimal(40,10) json binary(4) binary varbinary(9) tinyblob blob longblob uuid".split(),
    *"inet4 inet6 point linestring".split(),
    *"polygon multipoint multilinestring multipolygon geometrycollection geometry".split(),
    *(f"{kind} unsigned" for kind in "tinyint smallint mediumint int bigint decimal(5,1)".split()),
    "int zerofill",
    "enum('sad', 'it''s', 'very, happy')",
    "set('a', 'b', 'c')",
    "varchar(20) CHARACTER SET latin1",
    "varchar(20) COLLATE utf8mb4_bin",
]
FEW = {"tinyint(1)", "bit", "char", "binary", "enum('sad', 'it''s', 'very, happy')"}
CONSTRAINED = {
    "parent": "(id bigint unsigned AUTO_INCREMENT PRIMARY KEY, code varchar(10) UNIQUE NOT NULL, "
    "m enum('x', 'y') NOT NULL)",
    "child": "(a bigint unsigned, b varchar(10), PRIMARY KEY (a, b), "
    "FOREIGN KEY (a) REFERENCES parent (id), FOREIGN KEY (b) REFERENCES parent (code))",
    "generated": "(id int AUTO_INCREMENT PRIMARY KEY, twice int AS (id2 * 2) STORED, id2 int, "
    "hidden int INVISIBLE)",
    "checked": "(id int AUTO_INCREMENT PRIMARY KEY, s varchar(20) CHECK (s IN ('new', 'done')), "
    "n int CHECK (n BETWEEN 3 AND 9), x decimal(8,2) CHECK (x > 0), "
    "t text CHECK (char_length(t) >= 5), l varchar(99) CHECK (l LIKE 'a%b'), j json NOT NULL)",
    "node": "(id int AUTO_INCREMENT PRIMARY KEY, up int, must int NOT NULL, "
    "FOREIGN KEY (up) REFERENCES node (id), FOREIGN KEY (must) REFERENCES node (id))",
    "either": "(id int AUTO_INCREMENT PRIMARY KEY, a bigint unsigned, b int, "
    "CHECK ((a IS NULL) <> (b IS NULL)), FOREIGN KEY (a) REFERENCES parent (id), "
    "FOREIGN KEY (b) REFERENCES checked (id))",
    "by_bytes": "(id binary(16) PRIMARY KEY, mail varchar(250) NOT NULL, UNIQUE (mail(20)))",
    "of_bytes": "(id int PRIMARY KEY, owner binary(16) NOT NULL REFERENCES by_bytes (id))",
    "by_bits": "(a bit(20) PRIMARY KEY, u uuid UNIQUE)",
    "pair": "(x int NOT NULL, y char(2) NOT NULL, z date, PRIMARY KEY (x, y), UNIQUE (z))",
    "of_pair": "(x int, y char(2), FOREIGN KEY (x, y) REFERENCES pair (x, y))",
    "`Odd ``name```": "(`a b` int NOT NULL UNIQUE, `select` text CHECK (`select` <> ''), "
    "`per%cent` text, `q'uote` varchar(9) DEFAULT '\\'')",
    "entangled_a": "(id int PRIMARY KEY, b int NOT NULL)",
    "entangled_b": "(id int PRIMARY KEY, a int NOT NULL REFERENCES entangled_a (id)); "
    "ALTER TABLE entangled_a ADD FOREIGN KEY (b) REFERENCES entangled_b (id)",
}


@contextmanager
def made(server: Server, name: str, script: str) -> Iterator[tuple[MariadbAccess, Snapshot]]:
    with database(server, name, script) as connection:
        access = MariadbAccess(connection)
        access.session.run("SET autocommit = 0")
        yield access, schema(access.session)


def every_type() -> str:
    columns = ", ".join(f"c{i} {name}, n{i} {name} NOT NULL" for i, name in enumerate(TYPES))
    return f"CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, {columns})".replace(
        "timestamp,", "timestamp NULL,"
    ).replace("timestamp(3),", "timestamp(3) NULL,")


@pytest.mark.parametrize("tame", [False, True])
def test_every_type_gets_rows(running, tame):  # noqa: F811
    with made(running, "types", every_type()) as (access, found):
        filled = filling.fill(access, found, None, 20, 1, {}, tame=tame)
        assert filled.unfilled == {}
        assert filled.inserted == {"t": 20}
        for i, name in enumerate(TYPES):
            if name not in FEW:
                assert len(access.distinct(found.tables["t"], [f"n{i}"])) >= 3, name
        nothing = [
            row for row in access.read(found.tables["t"], [column(found, "c0")]) if not row[0]
        ]
        assert bool(nothing) != tame


def column(found: Snapshot, name: str) -> Column:
    known = found.tables["t"].column(name)
    assert known is not None
    return known


@pytest.mark.parametrize("seed", [1, 2])
def test_every_constraint_is_kept(running, seed):  # noqa: F811
    script = ";".join(f"CREATE TABLE {name} {rest}" for name, rest in CONSTRAINED.items())
    with made(running, "constrained", script) as (access, found):
        filled = filling.fill(access, found, None, 10, seed, {})
        assert filled.unfilled == {}
        assert {name: count for name, count in filled.inserted.items() if count < 5} == {}
        again = filling.fill(access, found, None, 5, seed + 7, {})
        assert again.unfilled == {}
        # Automatic keys go on behind the rows.
        access.session.run("INSERT INTO parent (code, m) VALUES ('new one', 'x')")
        assert access.session.rows("SELECT @@foreign_key_checks, @@sql_mode LIKE 'STRICT%'") == [
            (1, 1)
        ]


def test_rows_are_the_same_for_the_same_seed(running):  # noqa: F811
    read = []
    for number in range(2):
        with made(running, f"seeded_{number}", every_type()) as (access, found):
            filling.fill(access, found, None, 20, 3, {})
            read.append(data.read(access, found))
    assert read[0] == read[1]


def test_what_only_is_written_otherwise_is_not_lost(running):  # noqa: F811
    script = (
        "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n decimal(6,2), j json, b boolean, "
        "d datetime, x float, v varbinary(20))"
    )
    with made(running, "written", script) as (access, found):
        filling.fill(access, found, None, 10, 1, {})
        before = data.read(access, found)
        access.session.run(
            "ALTER TABLE t MODIFY n decimal(9,4), MODIFY j longtext, MODIFY b int, "
            "MODIFY d datetime(3), MODIFY x double, MODIFY v blob"
        )
        after = schema(access.session)
        assert data.losses(before, data.read(access, after), "round trip") == []
        access.session.run("UPDATE t SET n = n + 1 WHERE id < 4")
        (loss,) = data.losses(before, data.read(access, after), "round trip")
        assert (loss["table"], loss["column"], loss["rows"]) == ("t", "n", 10)


def test_a_cut_of_digits_shows(running):  # noqa: F811
    script = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, x double NOT NULL)"
    with made(running, "cut", script) as (access, found):
        filling.fill(access, found, None, 10, 1, {})
        before = data.read(access, found)
        access.session.run("ALTER TABLE t MODIFY x float NOT NULL")
        access.session.run("ALTER TABLE t MODIFY x double NOT NULL")
        (loss,) = data.losses(before, data.read(access, found), "round trip")
        assert loss["column"] == "x"
