"""Tables, columns and indexes as SQL defines them."""

from __future__ import annotations

from typing import Any

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from migration.sql_changes import MYSQL, POSTGRESQL, SQLITE, made, options, spelled, the


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
        "PRIMARY KEY (id), KEY ix (s), UNIQUE KEY uq (s)) ENGINE=InnoDB # by the year; all of it\n"
        "/*!50100 PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10) ENGINE = InnoDB) */",
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
