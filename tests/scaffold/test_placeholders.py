from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from alembic_roundtrip.scaffold.patterns import patterns
from alembic_roundtrip.workspace import Workspace
from scaffold_cases import USERS, Project

UNKNOWN = {
    "a computed name that is not in reach": (
        'name = open("name").read()\nop.create_table(name, sa.Column("id", sa.Integer()))'
    ),
    "a computed name and an enum type": (
        'op.create_table(sa.x(), sa.Column("id", sa.Enum("a", name="b")))'
    ),
    "a table that no migration made": 'op.drop_table("old")',
    "a column that no migration made": 'op.drop_column("old", "a")',
    "an index that no migration made": 'op.drop_index("ix_old", "old")',
    "a constraint that no migration made": 'op.drop_constraint("ck_old", "old")',
    "a constraint whose name a convention gives": (
        'op.create_unique_constraint(None, "users", ["bio"])'
    ),
    "computed SQL": "op.execute(open('some.sql').read())",
    "SQL that is not read": "op.execute(\"ALTER TYPE mood ADD VALUE 'x'\")",
    "rows that may be older": (
        'op.execute("INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING")'
    ),
    "rows that no key tells apart": "op.execute(\"INSERT INTO users (bio) VALUES ('x')\")",
    "rows without keys": 'op.execute("INSERT INTO users SELECT * FROM old")',
    "a dropped view": 'op.execute("DROP VIEW v")',
    "a function for other arguments": (
        'op.execute("CREATE FUNCTION f(a int) RETURNS int AS $$SELECT 1$$ LANGUAGE sql")\n'
        'op.execute("CREATE OR REPLACE FUNCTION f(a text) RETURNS int AS $$SELECT 1$$")'
    ),
    "a function that may be older": (
        "anything(op)\n"
        'op.execute("CREATE OR REPLACE FUNCTION f(a int) RETURNS int AS $$SELECT 1$$")'
    ),
    "a type of an extension": 'op.execute("ALTER TABLE users ADD x geometry")\n'
    'op.drop_column("users", "x")',
    "a condition that asks for something else": (
        'if not sa.inspect(op.get_bind()).has_table("u"):\n'
        '    op.alter_column("users", "bio", server_default="none")'
    ),
    "what may have been there before": (
        'if "n" not in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("strange")]:\n'
        '    op.add_column("strange", sa.Column("n", sa.Text()))'
    ),
    "a privilege that may have been there": 'op.execute("GRANT SELECT ON users TO reader")',
    "privileges on more than is named": (
        'op.create_table("new", sa.Column("id", sa.Integer()))\n'
        'op.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")'
    ),
    "a comment that no schema has": "op.execute(\"COMMENT ON VIEW public.v IS 'x'\")",
    "a comment on a schema": "op.execute(\"COMMENT ON SCHEMA s IS 'x'\")",
    "a function that may do anything": "op.execute(\"SELECT AddGeometryColumn('users', 'g')\")",
    "a partition of an older table": (
        'op.execute("CREATE TABLE IF NOT EXISTS part PARTITION OF public.users DEFAULT")'
    ),
    "what its rows are sorted by": 'op.execute("CLUSTER users USING users_pkey")',
    "a foreign table": 'op.execute("CREATE FOREIGN TABLE far (a int) SERVER s")',
    "a table in the place of another": 'op.execute("CREATE OR REPLACE TABLE users (id int)")',
    "one statement of several": (
        'op.execute("ALTER TABLE users ADD n int; REVOKE ALL ON TABLE users FROM PUBLIC")'
    ),
    "what a table is made anew with": (
        'with op.batch_alter_table("users", recreate="always", '
        'table_args=[sa.UniqueConstraint("bio", name="uq_bio")]) as batch_op:\n'
        '    batch_op.add_column(sa.Column("n", sa.Text()))'
    ),
    "a sequence that gets another name": (
        'with op.batch_alter_table("users", recreate="always") as batch_op:\n'
        '    batch_op.add_column(sa.Column("n", sa.Text()))'
    ),
    "a cast that has no name": 'op.alter_column("users", "bio", type_=sa.Text(), '
    'postgresql_using="x(bio)")\nop.alter_column("old", "a", type_=sa.Text(), '
    "existing_type=sa.PickleType())",
}


@pytest.mark.parametrize("upgrade", UNKNOWN.values(), ids=UNKNOWN)
def test_what_cannot_be_known_gets_a_placeholder(upgrade: str, tmp_path: Path) -> None:
    project = Project(tmp_path, USERS, upgrade, dialects=("postgresql",))
    text = project.write()
    assert PLACEHOLDER in text
    assert not project.scaffold.complete
    ast.parse(text)


COPIED = """
with op.batch_alter_table("users", copy_from=sa.Table("users", sa.MetaData(), {})) as batch_op:
    batch_op.drop_column("bio")
"""
GRANTED = """
op.create_table("new", sa.Column("id", sa.Integer(), primary_key=True))
op.execute("GRANT SELECT ON new TO reader; GRANT USAGE ON SEQUENCE new_id_seq TO reader")
op.execute("CREATE VIEW v AS SELECT 1; COMMENT ON VIEW v IS 'x'")
"""
CHECKED = """
with op.batch_alter_table("users", table_args=[sa.CheckConstraint("id > 0")]) as batch_op:
    batch_op.add_column(sa.Column("n", sa.Text()))
"""
PARTED = """
op.execute("CREATE TABLE new (a int) PARTITION BY LIST (a)")
op.execute("CREATE TABLE part PARTITION OF new FOR VALUES IN (1)")
"""
KNOWN = {
    "a privilege on what the upgrade makes": (GRANTED, "postgresql"),
    "what only a table made anew would get": (CHECKED, "postgresql"),
    "a partition of what the upgrade makes": (PARTED, "postgresql"),
    "how PostgreSQL is to cast": (
        'op.execute("ALTER TABLE users ALTER age TYPE text USING CASE WHEN age = 1 THEN 1 END")',
        "postgresql",
    ),
    "functions of the database's own": (
        "op.execute(\"SELECT setval('s', 5), pg_catalog.set_config('a', 'b', false)\")",
        "postgresql",
    ),
    "half a statement": ('op.execute("COMMENT ON")', "postgresql"),
    "an index that the copy has": (COPIED.format('sa.Index("ix_users_email", "email")'), "sqlite"),
    "how far MySQL counts": ('op.execute("ALTER TABLE users AUTO_INCREMENT = 500")', "mysql"),
    "what SQLite is asked": ('op.execute("PRAGMA user_version")', "sqlite"),
}


@pytest.mark.parametrize(("upgrade", "dialect"), KNOWN.values(), ids=KNOWN)
def test_what_goes_with_what_is_undone_needs_no_placeholder(
    upgrade: str, dialect: str, tmp_path: Path
) -> None:
    index = 'op.create_index("ix_users_email", "users", ["email"])'
    assert Project(tmp_path, USERS, index, upgrade, dialects=(dialect,)).scaffold.complete


def test_an_index_that_a_copy_may_lack_is_left_to_its_author(tmp_path: Path) -> None:
    index = 'op.create_index("ix_users_email", "users", ["email"])'
    project = Project(tmp_path, USERS, index, COPIED.format("*columns"), dialects=("sqlite",))
    assert f"{PLACEHOLDER} make ix_users_email again" in project.write()


def test_sqlite_drops_no_column_while_a_view_is_of_a_table_that_is_gone(tmp_path: Path) -> None:
    view = 'op.execute("CREATE VIEW v AS SELECT 1 FROM other")'
    other = 'op.create_table("other", sa.Column("a", sa.Text()))'
    add, drop = 'op.add_column("users", sa.Column("a", sa.Text()))', 'op.drop_table("other")'
    for number, upgrade in enumerate((add, f"{drop}\n{add}", f"{add}\n{drop}")):
        gone = [drop] * (number == 0)
        project = Project(tmp_path / str(number), USERS, other, view, *gone, upgrade)
        assert project.scaffold.complete == (number == 2)


def test_a_body_that_does_something_is_replaced_only_by_an_unsafe_fix(tmp_path: Path) -> None:
    from alembic_roundtrip.scaffold import fix

    project = Project(tmp_path, 'op.create_table("t", sa.Column("a", sa.Text()))')
    made = fix(project.context)
    assert made is not None
    assert made.safety == "safe"
    project.file.write_text(
        project.file.read_text() + '\n\ndef downgrade():\n    op.drop_index("x")\n'
    )
    made = fix(project.context)
    assert made is not None
    assert made.safety == "unsafe"


def test_what_is_half_written_is_written_only_where_somebody_asked(tmp_path: Path) -> None:
    from alembic_roundtrip.scaffold import fix

    project = Project(tmp_path, 'op.create_table("t", sa.Column("a", sa.Text()))\nmore(op)')
    made = fix(project.context)
    assert made is not None
    assert made.safety == "unsafe"
    assert made.title.endswith(", with a TODO for what is not known")


def test_a_condition_is_no_question_where_nothing_is_done_in_it(tmp_path: Path) -> None:
    upgrade = """
    for name in op.get_bind().execute(sa.text("SELECT name FROM users")):
        op.execute("UPDATE users SET name = 'x'")
    """
    written = Project(tmp_path, dedent(upgrade)).write()
    assert "# DESTRUCTIVE: The values of users.name" in written
    assert PLACEHOLDER not in written


def test_an_upgrade_of_several_databases_is_left_to_its_author(tmp_path: Path) -> None:
    from alembic_roundtrip.scaffold import fix, why_nothing

    upgrade = 'globals()["upgrade_%s" % "main"]()'
    project = Project(tmp_path, upgrade)
    project.file.write_text(
        project.file.read_text() + "\n\ndef upgrade_main():\n    op.drop_table('t')\n"
    )
    assert fix(project.context) is None
    assert "several databases" in why_nothing(project.context)


def test_nothing_is_written_where_every_engine_would_run_it(tmp_path: Path) -> None:
    project = Project(tmp_path, 'globals()["upgrade_%s" % "main"]()')
    table = "op.create_table('{}', sa.Column('id', sa.Integer()))"
    with project.file.open("a") as file:
        file.write(
            f"\n\ndef upgrade_main():\n    {table.format('a')}\n    {table.format('b')}\n"
            '\n\ndef downgrade():\n    globals()["downgrade_%s" % "main"]()\n'
            "\n\ndef downgrade_main():\n    op.drop_table('a')\n"
        )
    found = Workspace([tmp_path], {"dialects": ["sqlite"]}).diagnostics(project.file)
    (stays,) = (each for each in found if each.rule == "table-not-dropped")
    assert stays.fixes == ()
    assert patterns(project.context) == ()


def test_a_name_that_a_database_gives_is_not_known_without_a_dialect(tmp_path: Path) -> None:
    project = Project(tmp_path, USERS, 'op.create_unique_constraint(None, "users", ["bio"])')
    ini = tmp_path / "alembic.ini"
    lines = ini.read_text().splitlines(keepends=True)
    ini.write_text("".join(line for line in lines if not line.startswith("sqlalchemy.url")))
    project.dialects = ()
    assert project.context.dialects == ()
    assert "TODO(alembic-roundtrip)" in project.body


FILLED = f"{PLACEHOLDER} undo the loss of t.a by hand: fill it here"
IN_BLOCK = 'with op.batch_alter_table("t") as batch_op:\n    '


@pytest.mark.parametrize("batch", [False, True], ids=["op", "batch"])
@pytest.mark.parametrize("nullable", [False, True], ids=["required", "nullable"])
def test_a_column_without_values_is_to_be_filled_before_a_check_that_no_row_would_pass(
    batch: bool, nullable: bool, tmp_path: Path
) -> None:
    table = f"""
    op.create_table(
        "t",
        sa.Column("a", sa.Integer(), nullable={nullable}),
        sa.CheckConstraint("a IS NOT NULL", name="ck_a"),
    )
    """
    drop = f'{IN_BLOCK}batch_op.drop_column("a")' if batch else 'op.drop_column("t", "a")'
    project = Project(tmp_path, table, drop, dialects=("postgresql",))
    body = project.body.splitlines()
    at = body.index(FILLED)
    assert body.count(FILLED) == 1
    assert "add_column(" in body[at - 1]
    made = "\n".join(body[at + 1 :])
    if batch:
        assert made.startswith(
            f'{IN_BLOCK}batch_op.create_check_constraint("ck_a", "a IS NOT NULL")'
        )
    else:
        assert made.startswith('op.create_check_constraint("ck_a", "t", "a IS NOT NULL")')
    assert ("nullable=False" in made) == (not nullable)
