from __future__ import annotations

import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import Expression
from alembic_roundtrip.migration.objects import Name, Options
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.migration.sql import changes_of
from alembic_roundtrip.schema import Schema, replay

POSTGRESQL, MYSQL, SQLITE = ("postgresql",), ("mysql",), ("sqlite",)


def spelled(value: Any) -> Any:
    """Plain values in place of what only says how something was written."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, tuple) and not isinstance(value, Name):
        return tuple(spelled(part) for part in value)
    if is_dataclass(value):
        return {part.name: spelled(getattr(value, part.name)) for part in fields(value)}
    return value


def the(sql: str, dialects: tuple[str, ...] = POSTGRESQL) -> c.Change:
    (found,) = changes_of(sql, dialects)
    return found


def made(python: str) -> c.Change:
    """The change that a call of Alembic makes, to hold SQL against."""
    text = (
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "from sqlalchemy.dialects import mysql, postgresql\n"
        f"def upgrade():\n    {python}\n"
    )
    migration = read(text, Path("a.py"))
    assert migration.upgrade is not None
    (operation,) = migration.upgrade.operations
    return operation.changes[0]


def options(options: Options) -> dict[str, str]:
    return {key: value.text for key, value in options}


@pytest.mark.parametrize(
    ("dialects", "sql", "python"),
    [
        (POSTGRESQL, "x int", "sa.Column('x', sa.Integer())"),
        (POSTGRESQL, "x int4 NOT NULL", "sa.Column('x', sa.Integer(), nullable=False)"),
        (POSTGRESQL, "x bigint", "sa.Column('x', sa.BigInteger())"),
        (POSTGRESQL, "x character varying(30)", "sa.Column('x', sa.String(30))"),
        (POSTGRESQL, "x varchar", "sa.Column('x', sa.String())"),
        (POSTGRESQL, "x numeric(10, 2)", "sa.Column('x', sa.Numeric(10, 2))"),
        (POSTGRESQL, "x timestamptz", "sa.Column('x', sa.DateTime(timezone=True))"),
        (POSTGRESQL, "x timestamp without time zone", "sa.Column('x', sa.DateTime())"),
        (POSTGRESQL, "x bytea", "sa.Column('x', sa.LargeBinary())"),
        (POSTGRESQL, "x jsonb", "sa.Column('x', postgresql.JSONB())"),
        (POSTGRESQL, "x uuid", "sa.Column('x', postgresql.UUID())"),
        (POSTGRESQL, "x text[]", "sa.Column('x', postgresql.ARRAY(sa.Text()))"),
        (POSTGRESQL, "x tsvector", "sa.Column('x', postgresql.TSVECTOR())"),
        (
            POSTGRESQL,
            "x app.mood",
            'sa.Column("x", postgresql.ENUM(name="mood", schema="app", create_type=False))',
        ),
        (MYSQL, "x longtext", "sa.Column('x', mysql.LONGTEXT())"),
        (MYSQL, "x tinyint(1)", "sa.Column('x', sa.Boolean())"),
        (MYSQL, "x int(11) unsigned", "sa.Column('x', mysql.INTEGER(unsigned=True))"),
        (SQLITE, "x DATETIME", "sa.Column('x', sa.DateTime())"),
    ],
)
def test_a_type_is_the_one_that_sqlalchemy_has_for_it(
    dialects: tuple[str, ...], sql: str, python: str
) -> None:
    found = the(f"ALTER TABLE t ADD COLUMN {sql}", dialects)
    expected = made(f"op.add_column('t', {python})")
    assert isinstance(found, c.AddColumn)
    assert isinstance(expected, c.AddColumn)
    assert spelled(found.column.type) == spelled(expected.column.type)
    assert found.column.nullable == expected.column.nullable


@pytest.mark.parametrize("kind", ["geometry(Point, 4326)", "vector(3)", "ltree"])
def test_a_type_of_an_extension_is_not_known(kind: str) -> None:
    found = the(f"ALTER TABLE t ADD x {kind}")
    assert isinstance(found, c.AddColumn)
    assert found.column.type is None


def test_create_table_gives_columns_keys_and_constraints() -> None:
    found = the(
        """
        CREATE TABLE IF NOT EXISTS app.users (
            id serial PRIMARY KEY,
            name varchar(30) NOT NULL DEFAULT 'x'::character varying,
            made timestamptz DEFAULT now(),
            team_id int REFERENCES teams (id) ON DELETE CASCADE,
            n int CHECK (n <> 1 AND n IS NOT NULL),
            CONSTRAINT uq UNIQUE (name, made),
            FOREIGN KEY (n, team_id) REFERENCES app.other (a, b) ON UPDATE SET NULL,
            CONSTRAINT ck CHECK (n > 0)
        )
        """
    )
    assert isinstance(found, c.CreateTable)
    table = found.table
    assert table.complete
    assert table.name == Name("users", "app")
    assert [(column.name, column.nullable) for column in table.columns] == [
        ("id", False),
        ("name", False),
        ("made", True),
        ("team_id", True),
        ("n", True),
    ]
    assert spelled(table.columns[1].server_default) == '"x"'
    assert [(p.kind, p.name, p.columns) for p in table.constraints] == [
        ("primary", None, ("id",)),
        ("foreignkey", None, ("team_id",)),
        ("check", None, ("n",)),
        ("unique", "uq", ("name", "made")),
        ("foreignkey", None, ("n", "team_id")),
        ("check", "ck", ()),
    ]
    _, own, inline, _, several, check = table.constraints
    assert (own.referent, own.referent_columns) == (Name("teams"), ("id",))
    assert options(own.options) == {"ondelete": '"CASCADE"'}
    assert (several.referent, several.referent_columns) == (Name("other", "app"), ("a", "b"))
    assert options(several.options) == {"onupdate": '"SET NULL"'}
    assert inline.arguments[0].value == "n <> 1 AND n IS NOT NULL"
    assert check.arguments[0].value == "n > 0"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE a (LIKE b INCLUDING ALL)",
        "CREATE TABLE a AS SELECT * FROM b",
        "CREATE TABLE a (x int) INHERITS (b)",
        "SELECT * INTO a FROM b",
        "CREATE TABLE a (x int, EXCLUDE USING gist (x WITH =))",
        "CREATE TABLE a (x int BETTER THAN EVER)",
    ],
)
def test_a_table_with_parts_that_are_not_read_is_not_complete(sql: str) -> None:
    found = the(sql)
    assert isinstance(found, c.CreateTable)
    assert found.table.name == Name("a")
    assert not found.table.complete


def test_a_table_of_mysql_has_its_keys() -> None:
    found = the(
        "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, s varchar(3) COMMENT 'it\\'s; so', "
        "PRIMARY KEY (id), KEY ix (s), UNIQUE KEY uq (s)) ENGINE=InnoDB",
        MYSQL,
    )
    assert isinstance(found, c.CreateTable)
    assert found.table.complete
    assert [index.name for index in found.table.indexes] == ["ix"]
    assert [(p.kind, p.name) for p in found.table.constraints] == [
        ("primary", None),
        ("unique", "uq"),
    ]


def test_an_index_has_its_method_classes_expressions_and_predicate() -> None:
    found = the(
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON app.a USING gin "
        "(b gin_trgm_ops, lower(c) DESC) INCLUDE (z) WHERE d IS NOT NULL"
    )
    assert isinstance(found, c.CreateIndex)
    index = found.index
    assert (index.name, index.table, index.unique) == ("ix", Name("a", "app"), True)
    assert [part.text for part in index.columns] == ['"b"', 'sa.text("lower(c) DESC")']
    assert options(index.options) == {
        "unique": "True",
        "postgresql_using": '"gin"',
        "postgresql_ops": '{"b": "gin_trgm_ops"}',
        "postgresql_include": '["z"]',
        "postgresql_where": 'sa.text("d IS NOT NULL")',
    }


def altered(column: str, **changed: str) -> dict[str, Any]:
    return {"table": Name("a"), "column": column, "options": tuple(changed.items())}


@pytest.mark.parametrize(
    ("dialects", "action", "expected"),
    [
        (POSTGRESQL, "ALTER b TYPE text", altered("b", type_="sa.Text()")),
        (
            POSTGRESQL,
            "ALTER COLUMN b SET DATA TYPE mood USING b::text::mood",
            altered(
                "b",
                type_='postgresql.ENUM(name="mood", create_type=False)',
                postgresql_using='"b::text::mood"',
            ),
        ),
        (POSTGRESQL, "ALTER b DROP NOT NULL", altered("b", nullable="True")),
        (POSTGRESQL, "ALTER b SET NOT NULL", altered("b", nullable="False")),
        (POSTGRESQL, "ALTER b SET DEFAULT 3", altered("b", server_default='sa.text("3")')),
        (POSTGRESQL, "ALTER b DROP DEFAULT", altered("b", server_default="None")),
        (POSTGRESQL, "RENAME b TO c", altered("b", new_column_name='"c"')),
        (POSTGRESQL, "RENAME COLUMN b TO c", altered("b", new_column_name='"c"')),
        (
            MYSQL,
            "MODIFY b varchar(3) NOT NULL",
            altered("b", type_="sa.String(3)", nullable="False", server_default="None"),
        ),
        (
            MYSQL,
            "CHANGE b c int",
            altered(
                "b",
                type_="sa.Integer()",
                nullable="True",
                server_default="None",
                new_column_name='"c"',
            ),
        ),
    ],
)
def test_a_column_is_altered(
    dialects: tuple[str, ...], action: str, expected: dict[str, Any]
) -> None:
    found = the(f"ALTER TABLE a {action}", dialects)
    assert isinstance(found, c.AlterColumn)
    assert spelled(found) == expected


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
        (POSTGRESQL, "ALTER INDEX s.x RENAME TO y", c.RenameIndex("x", None, "y")),
        (POSTGRESQL, "ALTER TABLE a RENAME CONSTRAINT x TO y", c.RenameConstraint(A, "x", "y")),
        (POSTGRESQL, "ALTER TYPE m ADD VALUE 'x'", c.AddEnumValue(Name("m"), "x")),
        (
            POSTGRESQL,
            "ALTER TYPE app.m ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'y'",
            c.AddEnumValue(Name("m", "app"), "it's", before="y"),
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
        (POSTGRESQL, "ALTER TABLE a SET SCHEMA b", c.Unknown(frozenset({A, Name("a", "b")}))),
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
            [c.WriteRows("update", A, columns=("x", "z"), computed=True, read=frozenset("by"))],
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
            [c.WriteRows("update", A, columns=("x",), read=frozenset("b"))],
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
                c.WriteRows("update", A, columns=("x",), read=frozenset("b")),
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


def test_a_type_made_where_it_is_missing_is_there_afterwards() -> None:
    sql = (
        "DO $$ BEGIN CREATE TYPE mood AS ENUM ('a', 'b'); "
        "EXCEPTION WHEN duplicate_object THEN null; END $$;"
    )
    found = the(sql)
    assert isinstance(found, c.CreateEnum)
    assert found.enum.members == ("a", "b")


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
