from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Constraint, Name
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.migration.sql import changes_of, fits_values
from alembic_roundtrip.schema import Schema, replay
from migration.sql_changes import MYSQL, POSTGRESQL, SQLITE, the

A = Name("a")


@pytest.mark.parametrize(
    ("dialects", "sql", "expected"),
    [
        (POSTGRESQL, "ALTER TABLE a RENAME TO c", c.RenameTable(A, "c")),
        (POSTGRESQL, "ALTER TABLE IF EXISTS ONLY a DROP b CASCADE", c.DropColumn(A, "b")),
        (POSTGRESQL, 'ALTER TABLE "A" DROP "B"', c.DropColumn(Name("A"), "B")),
        (POSTGRESQL, "ALTER TABLE A DROP B", c.DropColumn(A, "b")),
        (SQLITE, "ALTER TABLE A DROP COLUMN B", c.DropColumn(Name("A"), "B")),
        (POSTGRESQL, "ALTER TABLE a DROP CONSTRAINT x", c.DropConstraint(A, "x", None, final=True)),
        (
            MYSQL,
            "ALTER TABLE a DROP FOREIGN KEY x",
            c.DropConstraint(A, "x", "foreignkey", final=True),
        ),
        (MYSQL, "ALTER TABLE a DROP PRIMARY KEY", c.DropConstraint(A, None, "primary")),
        (MYSQL, "ALTER TABLE a DROP INDEX x", c.DropIndex("x", A)),
        (MYSQL, "DROP INDEX x ON a", c.DropIndex("x", A)),
        (MYSQL, "ALTER TABLE a RENAME INDEX x TO y", c.RenameIndex("x", A, "y")),
        (MYSQL, "# DROP TABLE b;\nDROP TABLE a # c; d", c.DropTable(A)),
        (MYSQL, "ALTER TABLE a DROP PARTITION p0", c.WriteRows("delete", A)),
        (MYSQL, "ALTER TABLE a PARTITION BY HASH (b) PARTITIONS 4", c.Unknown(frozenset())),
        (
            POSTGRESQL,
            "ALTER TABLE a ADD PRIMARY KEY USING INDEX x",
            c.AddConstraint(A, Constraint("primary", "x", final=True), index="x"),
        ),
        (POSTGRESQL, "ALTER INDEX s.x RENAME TO y", c.RenameIndex("x", None, "y")),
        (POSTGRESQL, "ALTER TABLE a RENAME CONSTRAINT x TO y", c.RenameConstraint(A, "x", "y")),
        (POSTGRESQL, "ALTER TYPE m ADD VALUE 'x'", c.AddEnumValue(Name("m"), "x")),
        (
            POSTGRESQL,
            "ALTER TYPE app.m ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'y'",
            c.AddEnumValue(Name("m", "app"), "it's", before="y", if_not_exists=True),
        ),
        (
            POSTGRESQL,
            "ALTER TYPE m RENAME VALUE 'x' TO 'y'",
            c.RenameEnumValue(Name("m"), "x", "y"),
        ),
        (POSTGRESQL, "DROP FUNCTION app.f(int, text)", c.DropObject("function", Name("f", "app"))),
        (POSTGRESQL, "CREATE MATERIALIZED VIEW v AS SELECT 1", c.CreateObject("view", Name("v"))),
        (POSTGRESQL, "CREATE DOMAIN d AS text", c.CreateObject("domain", Name("d"))),
        (POSTGRESQL, "ALTER TABLE a VALIDATE CONSTRAINT x", c.Unknown(frozenset())),
        (POSTGRESQL, "ALTER TABLE a OWNER TO b", c.Unknown(frozenset())),
        (POSTGRESQL, "ALTER TABLE a SET SCHEMA b", c.RenameTable(A, "a", "b")),
        (
            POSTGRESQL,
            "CREATE INDEX __computed__IF NOT EXISTS i ON a (b)",
            c.Unknown(frozenset({A})),
        ),
        (POSTGRESQL, "ALTER TABLE a FROBNICATE", c.Unknown(frozenset({A}))),
        (POSTGRESQL, "FROBNICATE a", c.Unknown()),
    ],
)
def test_a_statement_is_one_change(dialects: tuple[str, ...], sql: str, expected: c.Change) -> None:
    assert the(sql, dialects) == expected


def test_an_action_that_is_not_read_spoils_no_other() -> None:
    assert changes_of("ALTER TABLE a DROP b, REPLICA IDENTITY FULL, DROP c, FROB", POSTGRESQL) == (
        c.DropColumn(A, "b"),
        c.Unknown(frozenset()),
        c.DropColumn(A, "c"),
        c.Unknown(frozenset({A})),
    )


@pytest.mark.parametrize(
    ("dialects", "sql", "expected"),
    [
        (
            POSTGRESQL,
            "UPDATE ONLY a AS t SET x = s.y = 1, z = 1 FROM b s\nWHERE s.id = t.id",
            [
                c.WriteRows(
                    "update", A, columns=("x", "z"), computed=True, read=frozenset(("b", "y", "id"))
                )
            ],
        ),
        (
            POSTGRESQL,
            "UPDATE a SET (x, y) = (SELECT 1, 2 FROM b WHERE b.z = 3)",
            [
                c.WriteRows(
                    "update",
                    A,
                    bounded=False,
                    columns=("x", "y"),
                    computed=True,
                    read=frozenset("b"),
                )
            ],
        ),
        (
            POSTGRESQL,
            "UPDATE a SET x = upper(y) || \"Z\" || 'k where l' WHERE w = 1",
            [c.WriteRows("update", A, columns=("x",), computed=True, read=frozenset("yZ"))],
        ),
        (
            MYSQL,
            "UPDATE a JOIN b ON a.id = b.id SET a.x = 1",
            [c.WriteRows("update", A, columns=("x",), read=frozenset(("b", "id")))],
        ),
        (POSTGRESQL, "DELETE FROM a USING b WHERE a.id = b.id", [c.WriteRows("delete", A)]),
        (POSTGRESQL, "DELETE FROM a", [c.WriteRows("delete", A, bounded=False)]),
        (POSTGRESQL, "DELETE a WHERE id = 1", [c.WriteRows("delete", A)]),
        (
            POSTGRESQL,
            "WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b (x) SELECT x FROM d",
            [
                c.WriteRows("delete", A, bounded=False),
                c.WriteRows("insert", Name("b"), columns=("x",), read=frozenset("adx")),
            ],
        ),
        (POSTGRESQL, "WITH d AS (SELECT 1) SELECT * FROM d", []),
        (
            POSTGRESQL,
            (
                "MERGE INTO a USING b ON a.id = b.id WHEN MATCHED THEN UPDATE SET x = 1 "
                "WHEN NOT MATCHED THEN INSERT (x) VALUES (1)"
            ),
            [
                c.WriteRows("update", A, columns=("x",), read=frozenset(("b", "id"))),
                c.WriteRows("insert", A),
            ],
        ),
        (
            POSTGRESQL,
            "TRUNCATE a, app.b CASCADE",
            [
                c.WriteRows("truncate", A, bounded=False),
                c.WriteRows("truncate", Name("b", "app"), bounded=False),
            ],
        ),
    ],
)
def test_rows_are_written(dialects: tuple[str, ...], sql: str, expected: list[c.Change]) -> None:
    assert list(changes_of(sql, dialects)) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET x = 1; DELETE FROM c; END",
        "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW BEGIN IF x THEN SET y = 1; END IF; END",
        "CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()",
    ],
)
def test_the_body_of_a_trigger_is_no_statement_of_its_own(sql: str) -> None:
    trigger = c.CreateObject("trigger", Name("t"))
    assert changes_of(f"{sql}; DROP TABLE z;", SQLITE) == (trigger, c.DropTable(Name("z")))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "IF NOT EXISTS (SELECT 1) THEN ALTER TABLE a ADD b int; END IF;",
            [c.Unknown(frozenset({A}))],
        ),
        ("UPDATE a SET x = 1;", [c.WriteRows("update", A, computed=True)]),
        ("DROP TYPE mood;", [c.DropEnum(Name("mood"))]),
        ("RAISE NOTICE 'nothing';", []),
        ("EXECUTE 'DROP TABLE a';", [c.Unknown()]),
        ("EXECUTE format('DROP TABLE %I', name);", [c.Unknown()]),
    ],
)
def test_a_do_block_may_do_what_its_statements_say(body: str, expected: list[c.Change]) -> None:
    assert list(changes_of(f"DO $body$ BEGIN {body} END $body$", POSTGRESQL)) == expected


@pytest.mark.parametrize(
    ("body", "looks"),
    [
        ("{} EXCEPTION WHEN duplicate_object THEN null;", True),
        ("IF to_regtype('mood') IS NULL THEN {} END IF;", True),
        ("IF EXISTS (SELECT) THEN PERFORM 1; ELSE {} END IF;", True),
        ("IF x THEN PERFORM 1; {} END IF;", True),
        ("IF x THEN PERFORM 1; END IF; {}", False),
        ("{}", False),
        ("{} IF x THEN RAISE EXCEPTION 'y'; END IF;", False),
    ],
)
def test_a_type_made_in_a_block_is_there_afterwards(body: str, looks: bool) -> None:
    create = "CREATE TYPE mood AS ENUM ('a', 'b');"
    found = the(f"DO $$ BEGIN {body.format(create)} END $$;")
    assert isinstance(found, c.CreateEnum)
    assert found.enum.members == ("a", "b")
    assert found.if_not_exists is looks


@pytest.mark.parametrize("dialects", [POSTGRESQL, MYSQL, ("sqlite",)])
@pytest.mark.parametrize(
    ("where", "nulls_of"),
    [
        ("x IS NULL", "x"),
        ("(a.x IS NULL)", "x"),
        ("x IS NOT NULL", None),
        ("NOT x IS NULL", None),
        ("x IS NULL AND y = 1", None),
        ("x IS NULL OR x = 0", None),
        ("lower(x) IS NULL", None),
        ("x IS TRUE", None),
        ("x IS NULL AND EXISTS (SELECT 1 FROM b)", None),
    ],
)
@pytest.mark.parametrize("sql", ["UPDATE a SET x = y", "UPDATE a SET x = 0", "DELETE FROM a"])
def test_rows_may_be_chosen_by_nulls_alone(
    sql: str, where: str, nulls_of: str | None, dialects: tuple[str, ...]
) -> None:
    found = the(f"{sql} WHERE {where}", dialects)
    assert isinstance(found, c.WriteRows)
    assert found.nulls_of == nulls_of


def test_dialects_that_differ_in_a_type_leave_only_that_unknown() -> None:
    found = the("ALTER TABLE a ADD x float NOT NULL", ("postgresql", "mysql"))
    assert isinstance(found, c.AddColumn)
    assert found.column.type is None
    assert found.column.nullable is False


def test_where_no_dialect_is_known_the_result_does_not_depend_on_luck() -> None:
    assert the("ALTER TABLE a MODIFY x int", ()) == the("ALTER TABLE a MODIFY x int", ("mysql",))
    assert the("ALTER TABLE a ALTER x TYPE int", ()) == the("ALTER TABLE a ALTER x TYPE int")


def test_a_dialect_nobody_knows_is_read_by_names() -> None:
    assert the("ALTER TABLE a ADD x int", ("nonesuch",)) == c.Unknown(frozenset({A}))
    assert the("DROP TABLE a", ("nonesuch",)) == c.DropTable(A)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE a SET x = " + "(" * 3000 + "1" + ")" * 3000,
        "UPDATE a SET x = " + "NOT " * 4000 + "1",
        "UPDATE a SET x = '" + "y" * 1_000_000 + "'",
        "INSERT INTO a VALUES " + ", ".join(["(1, 'x')"] * 50_000),  # noqa: S608 - only read
    ],
)
def test_hostile_sql_is_read_by_names(sql: str) -> None:
    found = the(sql)
    assert isinstance(found, c.WriteRows)
    assert found.table == A


def test_renames_and_enum_values_are_replayed() -> None:
    text = (
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "def upgrade():\n"
        "    op.create_table('a', sa.Column('m', sa.Enum('x', 'z', name='mood')))\n"
        "    op.create_index('ix', 'a', ['m'])\n"
        "    op.create_check_constraint('ck', 'a', 'm > 0')\n"
        "    op.execute('ALTER INDEX ix RENAME TO ix2')\n"
        "    op.execute('ALTER TABLE a RENAME CONSTRAINT ck TO ck2')\n"
        "    op.execute(\"ALTER TYPE mood ADD VALUE 'y' AFTER 'x'\")\n"
        "    op.execute(\"ALTER TYPE mood RENAME VALUE 'z' TO 'zz'\")\n"
    )
    migration = read(text, Path("a.py"), POSTGRESQL)
    assert migration.upgrade is not None
    schema = replay(Schema(), migration.upgrade.operations, "postgresql").schema
    table = schema.table(A)
    assert table is not None
    assert schema.knows(A)
    assert [index.name for index in table.indexes] == ["ix2"]
    assert [part.name for part in table.constraints] == ["ck2"]
    assert schema.enums[Name("mood")].members == ("x", "y", "zz")


def test_a_project_without_sql_does_not_wait_for_the_parser() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from alembic_roundtrip.migration.source import read\n"
        "read('def upgrade():\\n    op.execute(\"DROP TABLE a; INSERT INTO b VALUES (1)\")', "
        "Path('a.py'))\n"
        "sys.exit('sqlglot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("age", False),
        ("age::smallint", False),
        ("(age::smallint)", False),
        ("CAST(age AS smallint)", False),
        ('CAST("age" AS numeric(3, 1))', False),
        ("age::text::integer", False),
        ("nick::varchar", False),
        ("nick::varchar(30)", True),
        ("CAST(nick AS char(3))", True),
        ("made::date", True),
        ("left(nick, 30)", True),
        ("left(nick, 30)::varchar", True),
        ("CASE WHEN age > 9 THEN 9 ELSE age END", True),
        ("least(age, 9)::smallint", True),
        ("nullif(age, '')::integer", True),
        ("0", True),
        ("NULL", True),
        ("age::smallint, other", True),
        ("what (", True),
    ],
)
def test_a_cast_alone_may_refuse_values(expression: str, fits: bool) -> None:
    assert fits_values(expression, "postgresql") is fits
