"""Schemas of SQLite databases, and pairs of them that differ in one thing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from alembic_roundtrip.rehearsal.agent.schema import snapshot
from alembic_roundtrip.rehearsal.agent.schema.tables import Snapshot

PARENT = "CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY, code VARCHAR(5) UNIQUE, n INTEGER)"
TABLE = "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(20), b INTEGER{})"


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


def taken(*statements: str) -> Snapshot:
    with database(*statements) as connection:
        return snapshot.take(connection)


def table(rest: str = "", columns: str = "a VARCHAR(20), b INTEGER") -> str:
    return f"CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, {columns}{rest})"


def pair(before: str, after: str) -> tuple[list[str], list[str]]:
    """Two schemas that differ in what stands in a table's parentheses."""
    return [PARENT, table(columns=before)], [PARENT, table(columns=after)]


def extra(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """Two schemas that differ in the statements after the same tables."""
    return [PARENT, table(), *before], [PARENT, table(), *after]


FK = "a INTEGER, FOREIGN KEY (a) REFERENCES p (id)"

# A single change: the two schemas, and what is expected to be found.
CHANGES: dict[str, tuple[tuple[list[str], list[str]], str, str, str]] = {
    "table added": (([PARENT], [PARENT, table()]), "table", "t", "left"),
    "table dropped": (([PARENT, table()], [PARENT]), "table", "t", "missing"),
    "column added": (pair("a TEXT", "a TEXT, z INT"), "column", "t.z", "left"),
    "column dropped": (pair("a TEXT, z INT", "a TEXT"), "column", "t.z", "missing"),
    "length": (pair("a VARCHAR(20)", "a VARCHAR(10)"), "column", "t.a", "changed"),
    "type": (pair("a VARCHAR(20)", "a INTEGER"), "column", "t.a", "changed"),
    "precision": (pair("a NUMERIC(10, 2)", "a NUMERIC(10, 4)"), "column", "t.a", "changed"),
    "nullable": (pair("a INT", "a INT NOT NULL"), "column", "t.a", "changed"),
    "not null conflict": (
        pair("a INT NOT NULL", "a INT NOT NULL ON CONFLICT IGNORE"),
        "column",
        "t.a",
        "changed",
    ),
    "default added": (pair("a INT", "a INT DEFAULT 1"), "column", "t.a", "changed"),
    "default dropped": (pair("a INT DEFAULT 1", "a INT"), "column", "t.a", "changed"),
    "default value": (pair("a TEXT DEFAULT 'x'", "a TEXT DEFAULT 'X'"), "column", "t.a", "changed"),
    "default sign": (pair("a INT DEFAULT 1", "a INT DEFAULT -1"), "column", "t.a", "changed"),
    "default to now": (
        pair("a DATETIME DEFAULT CURRENT_TIMESTAMP", "a DATETIME DEFAULT CURRENT_DATE"),
        "column",
        "t.a",
        "changed",
    ),
    "default text or name": (
        pair("a TEXT DEFAULT 'CURRENT_TIMESTAMP'", "a TEXT DEFAULT CURRENT_TIMESTAMP"),
        "column",
        "t.a",
        "changed",
    ),
    "collation": (pair("a TEXT", "a TEXT COLLATE NOCASE"), "column", "t.a", "changed"),
    "autoincrement": (
        ([table()], [table().replace("PRIMARY KEY", "PRIMARY KEY AUTOINCREMENT")]),
        "column",
        "t.id",
        "changed",
    ),
    "generated": (pair("a INT, g INT", "a INT, g INT AS (a + 1)"), "column", "t.g", "changed"),
    "generated expression": (
        pair("a INT, g INT AS (a + 1)", "a INT, g INT AS (a + 2)"),
        "column",
        "t.g",
        "changed",
    ),
    "generated kind": (
        pair("a INT, g INT AS (a + 1)", "a INT, g INT AS (a + 1) STORED"),
        "column",
        "t.g",
        "changed",
    ),
    "primary key columns": (
        (
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (a))"],
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))"],
        ),
        "primary key",
        "t",
        "changed",
    ),
    "primary key order": (
        (
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))"],
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (b, a))"],
        ),
        "primary key",
        "t",
        "changed",
    ),
    "primary key dropped": (
        (["CREATE TABLE t (a INT NOT NULL PRIMARY KEY)"], ["CREATE TABLE t (a INT NOT NULL)"]),
        "primary key",
        "t",
        "changed",
    ),
    "primary key name": (
        (
            ["CREATE TABLE t (a INT, CONSTRAINT pk_t PRIMARY KEY (a))"],
            ["CREATE TABLE t (a INT, CONSTRAINT t_pkey PRIMARY KEY (a))"],
        ),
        "primary key name",
        "t",
        "changed",
    ),
    "primary key's direction": (
        (
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (a, b))"],
            ["CREATE TABLE t (a INT, b INT, PRIMARY KEY (a DESC, b))"],
        ),
        "table options",
        "t",
        "changed",
    ),
    "primary key's conflict": (
        (
            ["CREATE TABLE t (a TEXT PRIMARY KEY)"],
            ["CREATE TABLE t (a TEXT PRIMARY KEY ON CONFLICT REPLACE)"],
        ),
        "table options",
        "t",
        "changed",
    ),
    "number that no type makes one": (
        pair("a DEFAULT 1", "a DEFAULT '1'"),
        "column",
        "t.a",
        "changed",
    ),
    "user version": (([], ["PRAGMA user_version = 5"]), "pragma", "user_version", "left"),
    "rowid or key": (
        (
            ["CREATE TABLE t (a INTEGER NOT NULL PRIMARY KEY)"],
            ["CREATE TABLE t (a INT NOT NULL PRIMARY KEY)"],
        ),
        "column",
        "t.a",
        "changed",
    ),
    "foreign key added": (pair("a INTEGER", FK), "foreign key", "t", "left"),
    "foreign key dropped": (pair(FK, "a INTEGER"), "foreign key", "t", "missing"),
    "foreign key target": (
        (
            [PARENT, "CREATE TABLE q (id INT PRIMARY KEY)", table(columns=FK)],
            [
                PARENT,
                "CREATE TABLE q (id INT PRIMARY KEY)",
                table(columns=FK.replace("p (id)", "q (id)")),
            ],
        ),
        "foreign key",
        "t",
        "changed",
    ),
    "foreign key target column": (
        pair(FK, FK.replace("(id)", "(code)")),
        "foreign key",
        "t",
        "changed",
    ),
    "on delete": (pair(FK, FK + " ON DELETE CASCADE"), "foreign key", "t", "changed"),
    "on delete of a column's reference": (
        pair("a INT REFERENCES p (id) ON DELETE SET NULL", "a INT REFERENCES p (id)"),
        "foreign key",
        "t",
        "changed",
    ),
    "on update": (pair(FK + " ON UPDATE CASCADE", FK), "foreign key", "t", "changed"),
    "deferrable": (pair(FK, FK + " DEFERRABLE INITIALLY DEFERRED"), "foreign key", "t", "changed"),
    "foreign key name": (
        pair(
            "a INTEGER, CONSTRAINT f1 FOREIGN KEY (a) REFERENCES p (id)",
            "a INTEGER, CONSTRAINT f2 FOREIGN KEY (a) REFERENCES p (id)",
        ),
        "foreign key name",
        "t.f2",
        "changed",
    ),
    "unique added": (pair("a INT", "a INT UNIQUE"), "unique constraint", "t", "left"),
    "unique dropped": (pair("a INT, UNIQUE (a)", "a INT"), "unique constraint", "t", "missing"),
    "unique wider": (
        pair("a INT, b INT, CONSTRAINT u UNIQUE (a)", "a INT, b INT, CONSTRAINT u UNIQUE (a, b)"),
        "unique constraint",
        "t.u",
        "missing",
    ),
    "unique collation": (
        pair("a TEXT, UNIQUE (a)", "a TEXT, UNIQUE (a COLLATE NOCASE)"),
        "unique constraint",
        "t",
        "changed",
    ),
    "unique conflict": (
        pair("a INT UNIQUE", "a INT UNIQUE ON CONFLICT REPLACE"),
        "unique constraint",
        "t",
        "changed",
    ),
    "unique name": (
        pair("a INT, CONSTRAINT u UNIQUE (a)", "a INT, CONSTRAINT w UNIQUE (a)"),
        "unique constraint name",
        "t.w",
        "changed",
    ),
    "check added": (pair("a INT", "a INT CHECK (a > 0)"), "check constraint", "t", "left"),
    "check dropped": (
        pair("a INT, CONSTRAINT c CHECK (a > 0)", "a INT"),
        "check constraint",
        "t.c",
        "missing",
    ),
    "check expression": (
        pair("a INT, CONSTRAINT c CHECK (a > 0)", "a INT, CONSTRAINT c CHECK (a >= 0)"),
        "check constraint",
        "t.c",
        "changed",
    ),
    "check literal's case": (
        pair(
            "a TEXT, CONSTRAINT c CHECK (a IN ('x', 'y'))",
            "a TEXT, CONSTRAINT c CHECK (a IN ('x', 'Y'))",
        ),
        "check constraint",
        "t.c",
        "changed",
    ),
    "check name": (
        pair("a INT, CONSTRAINT c CHECK (a > 0)", "a INT, CONSTRAINT d CHECK (a > 0)"),
        "check constraint name",
        "t.d",
        "changed",
    ),
    "second check of a column": (
        pair("a INT CHECK (a > 0) CHECK (a < 9)", "a INT CHECK (a > 0)"),
        "check constraint",
        "t",
        "missing",
    ),
    "without rowid": (
        (
            ["CREATE TABLE t (a INT NOT NULL PRIMARY KEY)"],
            ["CREATE TABLE t (a INT NOT NULL PRIMARY KEY) WITHOUT ROWID"],
        ),
        "table options",
        "t",
        "changed",
    ),
    "strict": (
        (["CREATE TABLE t (a INT)"], ["CREATE TABLE t (a INT) STRICT"]),
        "table options",
        "t",
        "changed",
    ),
    "index added": (extra([], ["CREATE INDEX i ON t (a)"]), "index", "i", "left"),
    "index dropped": (extra(["CREATE INDEX i ON t (a)"], []), "index", "i", "missing"),
    "index unique": (
        extra(["CREATE UNIQUE INDEX i ON t (a)"], ["CREATE INDEX i ON t (a)"]),
        "index",
        "i",
        "changed",
    ),
    "index column": (
        extra(["CREATE INDEX i ON t (a)"], ["CREATE INDEX i ON t (b)"]),
        "index",
        "i",
        "changed",
    ),
    "index column order": (
        extra(["CREATE INDEX i ON t (a, b)"], ["CREATE INDEX i ON t (b, a)"]),
        "index",
        "i",
        "changed",
    ),
    "index descending": (
        extra(["CREATE INDEX i ON t (a DESC)"], ["CREATE INDEX i ON t (a)"]),
        "index",
        "i",
        "changed",
    ),
    "index collation": (
        extra(["CREATE INDEX i ON t (a COLLATE NOCASE)"], ["CREATE INDEX i ON t (a)"]),
        "index",
        "i",
        "changed",
    ),
    "index predicate dropped": (
        extra(["CREATE INDEX i ON t (a) WHERE b > 0"], ["CREATE INDEX i ON t (a)"]),
        "index",
        "i",
        "changed",
    ),
    "index predicate": (
        extra(["CREATE INDEX i ON t (a) WHERE b > 0"], ["CREATE INDEX i ON t (a) WHERE b > 1"]),
        "index",
        "i",
        "changed",
    ),
    "index expression": (
        extra(["CREATE INDEX i ON t (lower(a))"], ["CREATE INDEX i ON t (upper(a))"]),
        "index",
        "i",
        "changed",
    ),
    "index expression dropped": (
        extra(["CREATE INDEX i ON t (lower(a))"], []),
        "index",
        "i",
        "missing",
    ),
    "index table": (
        extra(["CREATE INDEX i ON t (id)"], ["CREATE INDEX i ON p (id)"]),
        "index",
        "i",
        "missing",
    ),
    "constraint or index": (
        (
            [table(columns="a INT UNIQUE")],
            [table(columns="a INT"), "CREATE UNIQUE INDEX u ON t (a)"],
        ),
        "unique constraint",
        "t",
        "missing",
    ),
    "view added": (extra([], ["CREATE VIEW v AS SELECT a FROM t"]), "view", "v", "left"),
    "view dropped": (extra(["CREATE VIEW v AS SELECT a FROM t"], []), "view", "v", "missing"),
    "view text": (
        extra(["CREATE VIEW v AS SELECT a FROM t"], ["CREATE VIEW v AS SELECT b FROM t"]),
        "view",
        "v",
        "changed",
    ),
    "trigger dropped": (
        extra(["CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM p; END"], []),
        "trigger",
        "g",
        "missing",
    ),
    "trigger text": (
        extra(
            ["CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM p; END"],
            ["CREATE TRIGGER g AFTER UPDATE ON t BEGIN DELETE FROM p; END"],
        ),
        "trigger",
        "g",
        "changed",
    ),
    "virtual table": (
        (["CREATE VIRTUAL TABLE f USING fts5(a)"], ["CREATE VIRTUAL TABLE f USING fts5(a, b)"]),
        "table",
        "f",
        "changed",
    ),
    "table named after a virtual one": (
        (
            ["CREATE VIRTUAL TABLE f USING fts5(a)", "CREATE TABLE f_old (a INT)"],
            ["CREATE VIRTUAL TABLE f USING fts5(a)"],
        ),
        "table",
        "f_old",
        "missing",
    ),
    "virtual table dropped": (
        (["CREATE VIRTUAL TABLE f USING fts5(a)"], []),
        "table",
        "f",
        "missing",
    ),
}

RICH_TABLE = (
    "CREATE TABLE t (id INTEGER NOT NULL, a VARCHAR(20) DEFAULT 'it''s' NOT NULL, b INTEGER, "
    "c NUMERIC(10, 2) DEFAULT '0', d DATETIME DEFAULT CURRENT_TIMESTAMP, e BOOLEAN, "
    "PRIMARY KEY (id), CONSTRAINT u UNIQUE (a, b), CONSTRAINT ck CHECK (e IN (0, 1)), "
    "CONSTRAINT fk FOREIGN KEY(b) REFERENCES p (id) ON DELETE CASCADE ON UPDATE SET NULL)"
)
RICH = (
    PARENT,
    RICH_TABLE,
    "CREATE UNIQUE INDEX i ON t (a) WHERE b > 0",
    "CREATE INDEX j ON t (c, d)",
)
