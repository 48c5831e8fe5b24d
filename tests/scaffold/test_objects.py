from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import USERS, body

GREETING = "CREATE FUNCTION greet(name text) RETURNS text AS $$\n    SELECT '{}'\n$$ LANGUAGE sql"
OBJECTS = {
    "a view": ("CREATE VIEW v AS SELECT 1", "DROP VIEW v"),
    "a trigger": (
        "CREATE TRIGGER t AFTER UPDATE OF a ON users EXECUTE FUNCTION f()",
        "DROP TRIGGER t ON users",
    ),
    "a trigger of another database": (
        "CREATE TRIGGER t AFTER INSERT ON users BEGIN SELECT 1; END",
        "DROP TRIGGER t",
    ),
    "an event trigger": (
        "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION f()",
        "DROP EVENT TRIGGER t",
    ),
    "a function that was not there": (
        GREETING.format("a").replace("CREATE", "CREATE OR REPLACE"),
        "DROP FUNCTION greet",
    ),
    "another name for a view": (
        'ALTER VIEW public.old RENAME TO "New"',
        'ALTER VIEW public."New" RENAME TO old',
    ),
    "another name for a function": (
        "ALTER FUNCTION f(int, text) RENAME TO g;",
        "ALTER FUNCTION g(int, text) RENAME TO f",
    ),
    "a dropped view": ("DROP VIEW old", "CREATE VIEW old AS\n    SELECT id\n    FROM users"),
}


@pytest.mark.parametrize(("sql", "expected"), OBJECTS.values(), ids=OBJECTS)
def test_what_sql_makes_is_undone_by_sql(sql: str, expected: str, tmp_path: Path) -> None:
    view = 'op.execute("""CREATE VIEW old AS\n    SELECT id\n    FROM users""")'
    written = body(tmp_path, USERS, view, f"op.execute({sql!r})")
    (statement,) = ast.parse(written).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert ast.literal_eval(statement.value.args[0]).split() == expected.split()


def test_a_function_gets_the_body_it_had(tmp_path: Path) -> None:
    first, second = GREETING.format("a\\b"), GREETING.format("c")
    replaced = second.replace("CREATE", "CREATE OR REPLACE")
    guarded = f'if op.get_bind().dialect.name == "postgresql":\n    op.execute({replaced!r})'
    written = body(tmp_path, f"op.execute({first!r})", guarded, dialects=("postgresql",))
    (guard,) = ast.parse(written).body
    assert isinstance(guard, ast.If)
    assert isinstance(guard.body[0], ast.Expr)
    assert isinstance(guard.body[0].value, ast.Call)
    said = ast.literal_eval(guard.body[0].value.args[0]).strip()
    assert said == first.replace("CREATE", "CREATE OR REPLACE")


def test_a_view_that_was_replaced_is_made_anew(tmp_path: Path) -> None:
    first = 'op.execute("CREATE VIEW v AS SELECT 1 AS a")'
    second = 'op.execute("CREATE OR REPLACE VIEW v AS SELECT 1 AS a, 2 AS b")'
    assert body(tmp_path, first, second) == dedent(
        """
        op.execute("DROP VIEW v")
        op.execute("CREATE VIEW v AS SELECT 1 AS a")
        """
    ).strip("\n")


@pytest.mark.parametrize("gone", ['op.drop_table("t")', 'op.drop_column("t", "a")'])
def test_a_view_on_what_is_gone_is_left_to_its_author_on_mysql(gone: str, tmp_path: Path) -> None:
    table = 'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer()))'
    view = 'op.execute("CREATE VIEW v AS SELECT a FROM t")'
    other = 'op.execute("CREATE VIEW w AS SELECT b FROM u")'
    dropped = 'op.execute("DROP VIEW v")\nop.execute("DROP VIEW w")'
    upgrades = (table, f"{view}\n{other}", gone, dropped)
    mysql, sqlite = (
        body(tmp_path / dialect, *upgrades, dialects=(dialect,)) for dialect in ("mysql", "sqlite")
    )
    assert mysql.count(PLACEHOLDER) == 1
    assert mysql.count("CREATE VIEW w") == 1
    assert PLACEHOLDER not in sqlite, "it takes a view on anything"


@pytest.mark.parametrize(
    "rename",
    [
        'op.rename_table("users", "people")',
        'op.alter_column("users", "email", new_column_name="mail")',
    ],
)
def test_a_view_on_what_is_called_otherwise_now_is_left_to_its_author(
    rename: str, tmp_path: Path
) -> None:
    view = 'op.execute("CREATE VIEW v AS SELECT email FROM users")'
    assert PLACEHOLDER in body(tmp_path, USERS, view, rename, 'op.execute("DROP VIEW v")')


def test_a_function_on_what_is_called_otherwise_now_is_not_dropped_as_if_it_were_new(
    tmp_path: Path,
) -> None:
    first = "CREATE OR REPLACE FUNCTION f() RETURNS text AS 'SELECT email FROM users'"
    second = first.replace("users", "people")
    rename = 'op.rename_table("users", "people")'
    changes = (f"op.execute({first!r})", rename, f"op.execute({second!r})")
    written = body(tmp_path, USERS, *changes, dialects=("postgresql",))
    assert PLACEHOLDER in written
    assert "DROP FUNCTION" not in written


def test_a_body_of_plpgsql_comes_back_whatever_its_tables_are_called(tmp_path: Path) -> None:
    first = (
        "CREATE OR REPLACE FUNCTION f() RETURNS trigger "
        "AS $$BEGIN DELETE FROM users; END$$ LANGUAGE plpgsql"
    )
    second = first.replace("users", "people")
    upgrade = f'op.rename_table("users", "people")\nop.execute("{second}")'
    assert body(tmp_path, USERS, f'op.execute("{first}")', upgrade) == dedent(
        f"""
        op.execute(
            "{first}",
        )
        op.rename_table("people", "users")
        """
    ).strip("\n")
