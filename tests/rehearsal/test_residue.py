"""What is found between two snapshots, and what is the same in other words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from alembic_roundtrip.rehearsal.agent.schema import difference, snapshot
from rehearsal.sqlite_schemas import CHANGES, FK, PARENT, RICH, database, table, taken


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
    "each row": (
        "CREATE TRIGGER g AFTER INSERT ON p BEGIN SELECT 1; END",
        "CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW BEGIN SELECT 1; END",
    ),
    "ascending": (
        "CREATE TABLE t (a INT, b INT, UNIQUE (b), PRIMARY KEY (a))",
        "CREATE TABLE t (a INT, b INT, UNIQUE (b ASC), PRIMARY KEY (a ASC))",
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
