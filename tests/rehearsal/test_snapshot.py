from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.rehearsal.agent import difference, snapshot
from alembic_roundtrip.rehearsal.agent.schema import Snapshot

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
    "virtual table dropped": (
        (["CREATE VIRTUAL TABLE f USING fts5(a)"], []),
        "table",
        "f",
        "missing",
    ),
}


def test_there_are_enough_single_changes() -> None:
    assert len(CHANGES) >= 45


@pytest.mark.parametrize("name", CHANGES)
def test_every_single_schema_change_is_found(name: str) -> None:
    (before, after), kind, subject, change = CHANGES[name]

    found = difference.residue(taken(*before), taken(*after))

    assert (kind, subject, change, "different") in [
        (r["kind"], r["object"], r["change"], r["grade"]) for r in found
    ]


@pytest.mark.parametrize("name", CHANGES)
def test_a_schema_has_no_residue_against_itself(name: str) -> None:
    for schema in CHANGES[name][0]:
        assert difference.residue(taken(*schema), taken(*schema)) == []


@pytest.mark.parametrize("name", CHANGES)
def test_residue_the_other_way_round_has_as_many_entries(name: str) -> None:
    before, after = (taken(*schema) for schema in CHANGES[name][0])

    assert len(difference.residue(before, after)) == len(difference.residue(after, before))


SAME = {
    "quoted names": (table(), table().replace(" a ", ' "a" ').replace(" b ", " [b] ")),
    "keyword case and space": (
        table(),
        table().lower().replace(" ", "  \n ").replace("varchar", "VarChar"),
    ),
    "comments": (table(), table().replace("a VARCHAR", "-- x, (y\n a /* ) */ VARCHAR")),
    "type spelling": (table(columns="a NUMERIC(10, 2)"), table(columns="a numeric ( 10,2 )")),
    "default in parentheses": (
        table(columns="a TEXT DEFAULT 'x'"),
        table(columns="a TEXT DEFAULT ('x')"),
    ),
    "default in double quotes": (
        table(columns="a TEXT DEFAULT 'x'"),
        table(columns='a TEXT DEFAULT "x"'),
    ),
    "number as text": (table(columns="a INT DEFAULT 1"), table(columns="a INT DEFAULT '1'")),
    "number in text column": (
        table(columns="a TEXT DEFAULT 0"),
        table(columns="a TEXT DEFAULT '0'"),
    ),
    "boolean default": (
        table(columns="a BOOLEAN DEFAULT true"),
        table(columns="a BOOLEAN DEFAULT 1"),
    ),
    "null default": (table(columns="a TEXT DEFAULT NULL"), table(columns="a TEXT")),
    "now's case": (
        table(columns="a DATE DEFAULT current_date"),
        table(columns="a DATE DEFAULT (CURRENT_DATE)"),
    ),
    "explicit null": (table(columns="a TEXT NULL"), table(columns="a TEXT")),
    "binary collation": (table(columns="a TEXT COLLATE BINARY"), table(columns="a TEXT")),
    "key in the column or after": (
        "CREATE TABLE t (id INTEGER PRIMARY KEY)",
        "CREATE TABLE t (id INTEGER NOT NULL, PRIMARY KEY (id))",
    ),
    "unique in the column or after": (
        table(columns="a INT UNIQUE"),
        table(columns="a INT, UNIQUE (a)"),
    ),
    "reference in the column or after": (
        table(columns="a INT REFERENCES p (id) ON DELETE CASCADE"),
        table(columns="a INT, FOREIGN KEY(a) REFERENCES p(id) ON DELETE CASCADE"),
    ),
    "no action": (table(columns=FK), table(columns=FK + " ON DELETE NO ACTION NOT DEFERRABLE")),
    "own key not spelled": (
        table(columns="a INT REFERENCES t"),
        table(columns="a INT REFERENCES t (id)"),
    ),
    "another's key not spelled": (
        table(columns="a INT REFERENCES p"),
        table(columns="a INT REFERENCES p (id)"),
    ),
    "check in the column or after": (
        table(columns="a INT CHECK (a > 0)"),
        table(columns='a INT, CHECK (("a">0))'),
    ),
    "check with double-quoted text": (
        table(columns="a TEXT CHECK (a IN ('x', 'y'))"),
        table(columns='a TEXT CHECK (a IN ("x","y"))'),
    ),
    "not equal": (table(columns="a INT CHECK (a <> 1)"), table(columns="a INT CHECK (a != 1)")),
    "order of constraints": (
        table(columns="a INT, CHECK (a > 0), UNIQUE (a), CHECK (a < 9)"),
        table(columns="a INT, UNIQUE (a), CHECK (a < 9), CHECK (a > 0)"),
    ),
    "always": (
        table(columns="a INT, g INT GENERATED ALWAYS AS (a+1) VIRTUAL"),
        table(columns="a INT, g INT AS ( a + 1 )"),
    ),
    "order of options": (
        "CREATE TABLE t (a INT PRIMARY KEY) STRICT, WITHOUT ROWID",
        "CREATE TABLE t (a INT NOT NULL PRIMARY KEY) without rowid, strict",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_other_spellings_of_the_same_leave_no_residue(name: str) -> None:
    before, after = SAME[name]

    assert difference.residue(taken(PARENT, before), taken(PARENT, after)) == []


COSMETIC = {
    "column order": (table(columns="a INT, b INT"), table(columns="b INT, a INT"), "column order"),
    "type synonym": (table(columns="a INT"), table(columns="a INTEGER"), "column"),
    "case of a column": (table(columns="a INT"), table(columns="A INT"), "column"),
    "name given to a check": (
        table(columns="a INT CHECK (a > 0)"),
        table(columns="a INT CONSTRAINT c CHECK (a > 0)"),
        "check constraint name",
    ),
    "name given to a key": (
        table(columns=FK),
        table(columns=FK.replace("FOREIGN", "CONSTRAINT f FOREIGN")),
        "foreign key name",
    ),
    "name of a unique constraint lost": (
        table(columns="a INT, CONSTRAINT u UNIQUE (a)"),
        table(columns="a INT UNIQUE"),
        "unique constraint name",
    ),
}


@pytest.mark.parametrize("name", COSMETIC)
def test_what_changes_nothing_is_cosmetic(name: str) -> None:
    before, after, kind = COSMETIC[name]

    found = difference.residue(taken(PARENT, before), taken(PARENT, after))

    assert [(r["kind"], r["grade"]) for r in found] == [(kind, "cosmetic")]


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
Rewrite = Callable[[Operations], Any]


def _recreate(op: Operations) -> None:
    with op.batch_alter_table("t", recreate="always"):
        pass


def _add_and_drop(op: Operations) -> None:
    with op.batch_alter_table("t", recreate="always") as batch:
        batch.add_column(sa.Column("z", sa.Integer()))
    with op.batch_alter_table("t", recreate="always") as batch:
        batch.drop_column("z")


def _plain_add_and_drop(op: Operations) -> None:
    op.add_column("t", sa.Column("z", sa.Integer()))
    op.drop_column("t", "z")


def _rename_and_back(op: Operations) -> None:
    op.rename_table("p", "parents")
    op.rename_table("parents", "p")


def _rename_column_and_back(op: Operations) -> None:
    op.execute("ALTER TABLE t RENAME COLUMN b TO bb")
    op.execute("ALTER TABLE t RENAME COLUMN bb TO b")


def _nullable_and_back(op: Operations) -> None:
    for nullable in (True, False):
        with op.batch_alter_table("t") as batch:
            batch.alter_column("a", existing_type=sa.String(20), nullable=nullable)


def _index_again(op: Operations) -> None:
    op.drop_index("i", "t")
    op.create_index("i", "t", ["a"], unique=True, sqlite_where=sa.text('"b" > 0'))


@pytest.mark.parametrize(
    "rewrite",
    [
        _recreate,
        _add_and_drop,
        _plain_add_and_drop,
        _rename_and_back,
        _rename_column_and_back,
        _nullable_and_back,
        _index_again,
    ],
)
def test_rewriting_by_alembic_that_changes_nothing_leaves_no_residue(rewrite: Rewrite) -> None:
    with database(*RICH) as connection:
        before = snapshot.take(connection)

        rewrite(Operations(MigrationContext.configure(connection)))

        assert difference.residue(before, snapshot.take(connection)) == []


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")
def test_an_expression_index_that_batch_mode_drops_in_silence_is_found() -> None:
    with database(*RICH, "CREATE INDEX low ON t (lower(a))") as connection:
        before = snapshot.take(connection)

        _recreate(Operations(MigrationContext.configure(connection)))

        found = difference.residue(before, snapshot.take(connection))
    assert [(r["kind"], r["object"], r["change"]) for r in found] == [("index", "low", "missing")]


def test_a_trigger_that_batch_mode_drops_in_silence_is_found() -> None:
    trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE p SET n = 1; END"
    with database(*RICH, trigger) as connection:
        before = snapshot.take(connection)

        _recreate(Operations(MigrationContext.configure(connection)))

        found = difference.residue(before, snapshot.take(connection))
    assert [(r["kind"], r["object"], r["change"]) for r in found] == [("trigger", "g", "missing")]


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
    known: snapshot.Known = {}
    for schema in (*CHANGES[name][0], CHANGES[name][0][0]):
        with database(*schema) as connection:
            assert snapshot.take(connection, known=known) == snapshot.take(connection)
