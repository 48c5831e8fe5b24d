from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import Project

USERS = """
op.create_table(
    "users",
    sa.Column("id", sa.Integer(), nullable=False),
    sa.Column("email", sa.String(length=80), nullable=False),
    sa.Column("bio", sa.Text(), nullable=True),
    sa.Column("age", sa.Integer(), server_default="18", nullable=False),
    sa.Column("boss_id", sa.Integer(), nullable=True),
    sa.CheckConstraint("age > 0", name="ck_users_age"),
    sa.ForeignKeyConstraint(["boss_id"], ["users.id"], name="fk_boss", ondelete="SET NULL"),
    sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    sa.UniqueConstraint("email", name="uq_users_email"),
)
op.create_index(op.f("ix_users_bio"), "users", ["bio"], unique=False)
op.create_index("ix_users_both", "users", ["bio", sa.text("age DESC")], unique=True)
"""
ORDERS = """
op.create_table(
    "orders",
    sa.Column("user_id", sa.Integer(), sa.ForeignKey("users.id", ondelete="CASCADE")),
    sa.Column("number", sa.Integer(), primary_key=True),
    sa.Column("line", sa.Integer(), primary_key=True),
    sa.Column("state", sa.Enum("new", "paid", name="state"), index=True),
    sa.Column("code", sa.String(3), unique=True),
)
"""
BATCH = 'with op.batch_alter_table("users", schema=None) as batch_op:\n    '
ROUND_TRIPS = {
    "a table with everything": (USERS,),
    "tables that refer to each other": (USERS + ORDERS,),
    "a dropped table with keys, checks and indexes": (USERS, 'op.drop_table("users")'),
    "two dropped tables in the order of their keys": (
        USERS + ORDERS,
        """
        op.drop_index("ix_orders_state", "orders")
        op.drop_table("orders")
        op.drop_table("users")
        """,
    ),
    "a renamed table that others refer to": (USERS + ORDERS, 'op.rename_table("users", "people")'),
    "a dropped table that referred to a renamed one": (
        USERS + ORDERS,
        'op.rename_table("users", "people")',
        'op.drop_table("orders")',
    ),
    "an added column with an index": (
        USERS,
        'op.add_column("users", sa.Column("nick", sa.String(30), index=True))',
    ),
    "a dropped column with its indexes": (
        USERS,
        (
            'op.drop_index("ix_users_both", "users")\nop.drop_index("ix_users_bio", "users")\n'
            'op.drop_column("users", "bio")'
        ),
    ),
    "a renamed column": (
        USERS,
        'op.alter_column("users", "bio", new_column_name="about")',
    ),
    "a dropped index": (USERS, 'op.drop_index(op.f("ix_users_bio"), table_name="users")'),
    "a batch of everything": (
        USERS,
        BATCH + 'batch_op.add_column(sa.Column("nick", sa.String(30), nullable=True))\n    '
        'batch_op.create_index(batch_op.f("ix_users_nick"), ["nick"])\n    '
        'batch_op.alter_column("email", existing_type=sa.String(length=80), '
        "type_=sa.Text(), nullable=True)\n    "
        'batch_op.drop_constraint("uq_users_email", type_="unique")\n    '
        'batch_op.create_unique_constraint("uq_users_nick", ["nick"])\n    '
        'batch_op.drop_constraint("fk_boss", type_="foreignkey")',
    ),
    "a renamed column in a batch": (
        USERS,
        BATCH + 'batch_op.alter_column("email", new_column_name="mail")\n    '
        'batch_op.alter_column("age", server_default=None, nullable=True)',
    ),
    "an index moved to a renamed column in two batches": (
        USERS,
        BATCH + 'batch_op.drop_index("ix_users_bio")\n    '
        'batch_op.alter_column("bio", new_column_name="about")\n'
        + BATCH
        + 'batch_op.create_index("ix_users_about", ["about"])',
    ),
    "a column dropped in a batch with its constraint": (
        USERS,
        BATCH + 'batch_op.drop_constraint("fk_boss", type_="foreignkey")\n    '
        'batch_op.drop_column("boss_id")',
    ),
    "a required column dropped in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("uq_users_email", type_="unique")\n    '
        'batch_op.drop_column("email")',
    ),
    "a required column dropped": (
        (
            'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer(), '
            "nullable=False))"
        ),
        'op.drop_column("t", "b")',
    ),
    "a check in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("ck_users_age", type_="check")\n    '
        'batch_op.create_check_constraint("ck_users_adult", "age > 17")',
    ),
    "a primary key in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("pk_users", type_="primary")\n    '
        'batch_op.create_primary_key("pk_two", ["id", "email"])',
    ),
    "a table copied to a new one": (
        USERS,
        """
        op.create_table("new", sa.Column("id", sa.Integer(), primary_key=True))
        op.execute("INSERT INTO new (id) SELECT id FROM users")
        op.drop_table("users")
        op.rename_table("new", "users")
        """,
    ),
    "a table made and dropped again": (
        USERS,
        """
        op.create_table("park", sa.Column("id", sa.Integer()))
        op.add_column("users", sa.Column("nick", sa.Text()))
        op.drop_table("park")
        """,
    ),
    "a column beside a generated one": (
        USERS.replace(
            'sa.Column("age"',
            'sa.Column("next", sa.Integer(), sa.Computed("age + 1", persisted=True)),\n    '
            'sa.Column("age"',
        ),
        BATCH + 'batch_op.add_column(sa.Column("nick", sa.String(30), nullable=True))',
    ),
    "an enum type on its own": (
        USERS,
        """
        state = sa.Enum("a", "b", name="mood")
        state.create(op.get_bind(), checkfirst=True)
        op.add_column("users", sa.Column("mood", state))
        """,
    ),
    "a view": (USERS, 'op.execute("CREATE VIEW grown AS SELECT id FROM users")'),
    "only another dialect's": (
        USERS,
        """
        op.add_column("users", sa.Column("nick", sa.Text()))
        if op.get_bind().dialect.name == "postgresql":
            op.execute("CREATE VIEW grown AS SELECT id FROM users")
        if op.get_bind().dialect.name not in ("postgresql", "mysql"):
            op.create_index("ix_nick", "users", ["nick"])
        """,
    ),
    "a loop": (
        USERS,
        (
            'for name in ("a", "b"):\n    op.create_table(name, sa.Column("id", sa.Integer()))\n'
            '    op.create_index(f"ix_{name}", name, ["id"])'
        ),
    ),
}


@pytest.mark.parametrize("upgrades", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_upgrade_and_written_downgrade_leave_the_catalogue_as_it_was(
    upgrades: tuple[str, ...], tmp_path: Path
) -> None:
    before, after = Project(tmp_path, *upgrades).round_trip()
    assert after == before


def body(tmp_path: Path, *upgrades: str, dialects: tuple[str, ...] = ("postgresql",)) -> str:
    project = Project(tmp_path, *upgrades, dialects=dialects)
    project.write()
    return project.body


def test_a_dropped_table_is_written_with_all_it_had(tmp_path: Path) -> None:
    project = Project(tmp_path, USERS, 'op.drop_table("users")')
    assert project.body == dedent(
        """
        # DESTRUCTIVE: The rows of users cannot be restored.
        op.create_table(
            "users",
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column("email", sa.String(length=80), nullable=False),
            sa.Column("bio", sa.Text(), nullable=True),
            sa.Column("age", sa.Integer(), server_default="18", nullable=False),
            sa.Column("boss_id", sa.Integer(), nullable=True),
            sa.CheckConstraint("age > 0", name="ck_users_age"),
            sa.ForeignKeyConstraint(["boss_id"], ["users.id"], name="fk_boss", ondelete="SET NULL"),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
            sa.UniqueConstraint("email", name="uq_users_email"),
        )
        op.create_index(op.f("ix_users_bio"), "users", ["bio"], unique=False)
        op.create_index("ix_users_both", "users", ["bio", sa.text("age DESC")], unique=True)
        """
    ).strip("\n")
    assert project.scaffold.lost == ("The rows of users cannot be restored.",)
    assert project.scaffold.complete
    text = project.write()
    assert "WARNING: Downgrade will result in data loss. The rows of users cannot be" in text


INVERSES = {
    "names keep their spelling": (
        "op.create_index(op.f('ix_a'), 'other', ['a'])",
        "op.drop_index(op.f('ix_a'), table_name='other')",
    ),
    "schemas are kept": (
        (
            'op.add_column("t", sa.Column("a", sa.Text()), schema="s")\n'
            'op.create_foreign_key("fk", "t", "u", ["a"], ["b"], source_schema="s")\n'
            'op.create_table("v", sa.Column("a", sa.Text()), schema="s")'
        ),
        (
            'op.drop_table("v", schema="s")\n'
            'op.drop_constraint("fk", "t", type_="foreignkey", schema="s")\n'
            'op.drop_column("t", "a", schema="s")'
        ),
    ),
    "concurrent indexes go concurrently": (
        (
            "with op.get_context().autocommit_block():\n"
            '    op.create_index("ix", "users", ["bio"], postgresql_concurrently=True)'
        ),
        (
            "with op.get_context().autocommit_block():\n"
            '    op.drop_index("ix", table_name="users", postgresql_concurrently=True)'
        ),
    ),
    "only what changed is changed back": (
        'op.alter_column("users", "age", existing_type=sa.Integer(), server_default=None)',
        'op.alter_column("users", "age", existing_type=sa.Integer(), server_default="18")',
    ),
    "a type is cast back": (
        'op.alter_column("users", "age", type_=sa.Text(), existing_type=sa.Integer())',
        (
            "# FRAGILE: values in users.age that sa.Integer() cannot hold would stop this.\n"
            "op.alter_column(\n"
            '    "users",\n    "age",\n    existing_type=sa.Text(),\n    type_=sa.Integer(),\n'
            '    existing_nullable=False,\n    existing_server_default="18",\n'
            "    postgresql_using='age::integer',\n)"
        ),
    ),
    "what an unknown column was is taken from the call": (
        'op.alter_column("old", "a", existing_type=sa.Text(), nullable=False)',
        'op.alter_column("old", "a", existing_type=sa.Text(), nullable=True)',
    ),
    "PostgreSQL's own names": (
        (
            'op.create_foreign_key(None, "t", "u", ["a"], ["b"])\n'
            'op.create_unique_constraint(None, "t", ["a", "b"])'
        ),
        (
            'op.drop_constraint("t_a_b_key", "t", type_="unique")\n'
            'op.drop_constraint("t_a_fkey", "t", type_="foreignkey")'
        ),
    ),
    "an enum type goes after its table": (
        'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))',
        'op.drop_table("t")\nsa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)',
    ),
    "an enum type made by hand goes once": (
        (
            'mood = sa.Enum("a", name="mood")\nmood.create(op.get_bind())\n'
            'op.add_column("users", sa.Column("mood", mood))'
        ),
        (
            'op.drop_column("users", "mood")\n'
            'sa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)'
        ),
    ),
    "a comment on a table": (
        'op.create_table_comment("users", "people")',
        'op.drop_table_comment("users")',
    ),
    "rows with literal keys are deleted": (
        'op.bulk_insert(sa.table("users", sa.column("id")), [{"id": 1}, {"id": 2}])',
        'op.execute("DELETE FROM users WHERE id IN (1, 2)")',
    ),
    "a filled new column is only dropped": (
        'op.add_column("users", sa.Column("n", sa.Text()))\nop.execute("UPDATE users SET n = bio")',
        'op.drop_column("users", "n")',
    ),
    "overwritten values are lost": (
        'op.execute("UPDATE users SET bio = NULL")',
        "# DESTRUCTIVE: The values of users.bio that the upgrade overwrote cannot be restored.",
    ),
    "rows of SQL with a unique column": (
        "op.execute(\"INSERT INTO users (email, bio) VALUES ('a:b''c', now()), ('d', 'e')\")",
        "op.execute(\"DELETE FROM users WHERE email IN ('a\\\\:b''c', 'd')\")",
    ),
    "rows of a statement": (
        (
            't = sa.table("users", sa.column("id"), sa.column("bio"))\n'
            "op.execute(t.insert().values(id=7, bio=sa.func.now()))"
        ),
        'op.execute("DELETE FROM users WHERE id = 7")',
    ),
    "deleted rows are lost": (
        'op.execute("DELETE FROM users WHERE id = 1")',
        "# DESTRUCTIVE: The rows of users that the upgrade deleted cannot be restored.",
    ),
    "a materialized view": (
        'op.execute("CREATE MATERIALIZED VIEW v AS SELECT 1")',
        'op.execute("DROP MATERIALIZED VIEW v")',
    ),
    "an extension that was not there goes": (
        "op.execute('CREATE EXTENSION \"uuid-ossp\"')",
        "op.execute('DROP EXTENSION \"uuid-ossp\"')",
    ),
    "a trigger goes before its function": (
        (
            'op.create_table("t", sa.Column("id", sa.Integer()))\n'
            'op.execute("CREATE FUNCTION f() RETURNS trigger AS $$BEGIN END$$ LANGUAGE plpgsql")\n'
            'op.execute("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")'
        ),
        'op.execute("DROP TRIGGER g ON t")\nop.execute("DROP FUNCTION f")\nop.drop_table("t")',
    ),
    "an extension stays": (
        'op.execute("CREATE EXTENSION IF NOT EXISTS citext")',
        "# The extension citext stays: others may use it.",
    ),
    "what only says what there is": (
        'op.alter_column("users", "age", existing_type=sa.Integer(), autoincrement=False)',
        "",
    ),
    "a type that was another one where the call was written": (
        'op.alter_column("users", "bio", type_=sa.Text(), existing_type=sa.String(9))',
        (
            'op.alter_column(\n    "users",\n    "bio",\n    existing_type=sa.Text(),\n'
            "    type_=sa.String(9),\n    existing_nullable=True,\n)"
        ),
    ),
    "nothing to undo": ('op.execute("SELECT 1")', ""),
    "circular keys of new tables": (
        (
            'op.create_table("a", sa.Column("b", sa.Integer()))\n'
            'op.create_table("b", sa.Column("a", sa.Integer()))\n'
            'op.create_foreign_key("fk_a", "a", "b", ["b"], ["a"])\n'
            'op.create_index("ix", "a", ["b"])'
        ),
        (
            'op.drop_constraint("fk_a", "a", type_="foreignkey")\n'
            'op.drop_table("b")\nop.drop_table("a")'
        ),
    ),
}


@pytest.mark.parametrize(("upgrade", "expected"), INVERSES.values(), ids=INVERSES)
def test_an_operation_is_undone_by_its_inverse(upgrade: str, expected: str, tmp_path: Path) -> None:
    plain = USERS.replace("op.f(", "(")
    project = Project(tmp_path, plain, upgrade, dialects=("postgresql",))
    project.write()
    assert project.body == expected
    assert project.scaffold.complete


ORDER = """
op.create_table(
    "order",
    sa.Column("id", sa.Integer(), primary_key=True),
    sa.Column("to", sa.Text()),
    sa.Column("n", sa.Integer()),
    sa.UniqueConstraint("to", "n"),
)
"""


@pytest.mark.parametrize(("dialect", "quote"), [("postgresql", '"'), ("mysql", "`")])
def test_rows_are_deleted_by_names_that_the_database_takes(
    dialect: str, quote: str, tmp_path: Path
) -> None:
    upgrade = 'op.bulk_insert(sa.table("order"), [{"to": "a", "n": 1}, {"to": "b", "n": 2}])'
    sql = "DELETE FROM 'order' WHERE ('to' = 'a' AND n = 1) OR ('to' = 'b' AND n = 2)"
    for name in ("order", "to"):
        sql = sql.replace(f"'{name}'", f"{quote}{name}{quote}")
    written = body(tmp_path, ORDER, upgrade, dialects=(dialect,))
    (statement,) = ast.parse(written).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    assert ast.literal_eval(statement.value.args[0]) == sql


COMPUTED = """
op.create_table(Tag.__tablename__, sa.Column("id", sa.Integer()))
op.add_column(Tag.__tablename__, sa.Column("n", sa.Text()))
op.create_index(f"ix_{Tag.__tablename__}", Tag.__tablename__, ["n"])
"""


def test_what_has_a_computed_name_is_dropped_by_the_same_computation(tmp_path: Path) -> None:
    project = Project(tmp_path, COMPUTED)
    text = project.file.read_text()
    project.file.write_text(text.replace("import sql", "from app import Tag\nimport sql", 1))
    project.write()
    assert project.body == dedent(
        """
        op.drop_index(f"ix_{Tag.__tablename__}", table_name=Tag.__tablename__)
        op.drop_column(Tag.__tablename__, "n")
        op.drop_table(Tag.__tablename__)
        """
    ).strip("\n")


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
    "what is done only where it is missing": (
        'if not sa.inspect(op.get_bind()).has_table("t"):\n'
        '    op.create_table("t", sa.Column("a", sa.Text()))'
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


def test_dialect_guards_stand_in_the_inverse_too(tmp_path: Path) -> None:
    upgrade = """
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_a", "users", ["bio"])
        op.create_index("ix_b", "users", ["bio"])
    else:
        op.create_index("ix_c", "users", ["bio"])
    """
    assert body(tmp_path, USERS, upgrade, dialects=("postgresql", "sqlite")) == dedent(
        """
        if op.get_context().dialect.name != "postgresql":
            op.drop_index("ix_c", table_name="users")
        if op.get_context().dialect.name == "postgresql":
            op.drop_index("ix_b", table_name="users")
            op.drop_index("ix_a", table_name="users")
        """
    ).strip("\n")


def test_an_enum_type_that_is_used_elsewhere_or_that_no_database_has_stays(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.create_table("u", sa.Column("s", sa.Enum("a", name="mood", create_type=False)))'
    assert body(tmp_path / "used", first, second) == 'op.drop_table("u")'
    assert body(tmp_path / "other", first, dialects=("sqlite",)) == 'op.drop_table("t")'


@pytest.mark.parametrize(
    ("dialects", "type_"),
    [
        (("postgresql",), 'postgresql.ENUM("a", name="mood", create_type=False)'),
        (
            ("postgresql", "sqlite"),
            (
                'sa.Enum("a", name="mood").with_variant('
                'postgresql.ENUM("a", name="mood", create_type=False), "postgresql")'
            ),
        ),
        (("sqlite",), 'sa.Enum("a", name="mood")'),
    ],
)
def test_a_table_comes_back_with_the_enum_type_that_stayed(
    dialects: tuple[str, ...], type_: str, tmp_path: Path
) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    written = body(tmp_path, first, 'op.drop_table("t")', dialects=dialects)
    assert f'    sa.Column("s", {type_}),\n' in written


def test_a_table_and_its_enum_type_come_back_together(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.drop_table("t")\nop.execute("DROP TYPE mood")'
    written = body(tmp_path, first, second)
    assert written.startswith('sa.Enum("a", name="mood").create(op.get_bind(), checkfirst=True)\n')
    assert "create_type=False" in written


GREETING = "CREATE FUNCTION greet(name text) RETURNS text AS $$\n    SELECT '{}'\n$$ LANGUAGE sql"
OBJECTS = {
    "a view": ("CREATE VIEW v AS SELECT 1", "DROP VIEW v"),
    "a trigger": (
        "CREATE TRIGGER t AFTER UPDATE OF a ON users EXECUTE FUNCTION f()",
        "DROP TRIGGER t ON users",
    ),
    "a function that was not there": (
        GREETING.format("a").replace("CREATE", "CREATE OR REPLACE"),
        "DROP FUNCTION greet",
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


def test_columns_of_a_new_primary_key_take_null_again(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("a", sa.Integer()))'
    second = 'op.create_primary_key("t_pkey", "t", ["a"])'
    assert body(tmp_path, first, second) == dedent(
        """
        op.drop_constraint("t_pkey", "t", type_="primary")
        op.alter_column("t", "a", existing_type=sa.Integer(), nullable=True)
        """
    ).strip("\n")


def test_operations_are_imported_where_only_the_upgrade_has_them(tmp_path: Path) -> None:
    project = Project(tmp_path, 'from alembic import op\nop.create_table("t", sa.Column("a"))')
    text = project.file.read_text().replace("\nfrom alembic import op\n\n", "\n", 1)
    project.file.write_text(text)
    assert "\nfrom alembic import op\n" in project.write()


SWAP = """
op.execute("ALTER TYPE mood RENAME TO mood_old")
op.execute("CREATE TYPE mood AS ENUM ('a', 'b', 'it''s')")
op.execute('''
    ALTER TABLE t ALTER COLUMN s
    TYPE mood USING s::text::mood
''')
op.execute("DROP TYPE mood_old")
"""


def test_an_enum_type_that_was_replaced_gets_its_members_back(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood")))'
    assert body(tmp_path, first, SWAP) == dedent(
        """
        # FRAGILE: values in t.s that the old mood lacks would stop this.
        op.execute("ALTER TYPE mood RENAME TO mood_old")
        op.execute("CREATE TYPE mood AS ENUM ('a', 'c')")
        op.execute("ALTER TABLE t ALTER COLUMN s TYPE mood USING s::text::mood")
        op.execute("DROP TYPE mood_old")
        """
    ).strip("\n")


def test_a_column_of_a_replaced_enum_type_is_still_known(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", "c", name="mood")))'
    written = body(tmp_path, first, SWAP, 'op.drop_column("t", "s")')
    column = 'sa.Column("s", postgresql.ENUM(name="mood", create_type=False), nullable=True)'
    assert column.replace(", nullable=True", "") in written.replace("'", '"')


def test_an_enum_type_that_was_renamed_has_its_columns_still(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("s", sa.Enum("a", name="mood")))'
    second = 'op.execute("ALTER TYPE mood RENAME TO humour")'
    written = body(tmp_path, first, second, 'op.drop_table("t")')
    assert 'postgresql.ENUM("a", name="humour", create_type=False)' in written


def test_types_of_other_modules_come_with_their_import_or_not_at_all(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        "op.create_table('t', sa.Column('a', JSONB()), sa.Column('b', Mine()))",
        'op.drop_column("t", "a")',
        'op.drop_column("t", "b")',
    )
    versions = project.file.parent
    first = versions / "r1_change_things.py"
    first.write_text(
        first.read_text().replace(
            "import sqlalchemy",
            "from sqlalchemy.dialects.postgresql import JSONB\nimport sqlalchemy",
        )
        + "\n\nclass Mine(sa.Text):\n    pass\n"
    )
    assert PLACEHOLDER in project.write()
    project.file = versions / "r2_change_things.py"
    assert "from sqlalchemy.dialects.postgresql import JSONB\n" in project.write()


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


def test_rows_moved_into_a_new_table_are_said_to_be_lost(tmp_path: Path) -> None:
    upgrade = """
    op.create_table("bios", sa.Column("bio", sa.Text()))
    op.execute("INSERT INTO bios (bio) SELECT bio FROM users")
    op.drop_column("users", "bio")
    """
    project = Project(tmp_path, USERS, upgrade)
    assert project.scaffold.lost == (
        "The values of users.bio cannot be restored.",
        "The rows of bios are lost.",
    )


def test_a_file_with_single_quotes_gets_single_quotes(tmp_path: Path) -> None:
    project = Project(tmp_path, "op.create_table('t', sa.Column('a', sa.Text()))")
    text = project.file.read_text().replace('"r1"', "'r1'")
    project.file.write_text(text)
    project.write()
    assert project.body == "op.drop_table('t')"


def test_written_again_it_keeps_its_quotes(tmp_path: Path) -> None:
    alike = "op.create_index('i', 't', ['a'])\nop.create_index(\"j\", \"t\", [\"a\"])\n"
    project = Project(tmp_path, "op.create_table('t', sa.Column('a', sa.Text()))", alike)
    written = project.write()
    assert project.write() == written


def test_an_upgrade_of_several_databases_is_left_to_its_author(tmp_path: Path) -> None:
    from alembic_roundtrip.scaffold import fix, why_nothing

    upgrade = 'globals()["upgrade_%s" % "main"]()'
    project = Project(tmp_path, upgrade)
    project.file.write_text(
        project.file.read_text() + "\n\ndef upgrade_main():\n    op.drop_table('t')\n"
    )
    assert fix(project.context) is None
    assert "several databases" in why_nothing(project.context)


def test_what_was_dropped_in_batch_mode_is_required_again_in_batch_mode(tmp_path: Path) -> None:
    upgrade = 'with op.batch_alter_table("users") as b:\n    b.drop_column("email")'
    created = (
        'op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("email", sa.String(50), nullable=False))'
    )
    project = Project(tmp_path, created, upgrade, dialects=("postgresql",))
    project.write()
    last = 'with op.batch_alter_table("users") as batch_op:\n    batch_op.alter_column('
    assert last in project.body
    assert "op.alter_column" not in project.body.replace("batch_op.alter_column", "")
    before, after = project.round_trip()
    assert after == before


FRAGILE = {
    "NULLs in users.email": 'op.alter_column("users", "email", nullable=True)',
    "duplicates in users.email": 'op.drop_constraint("uq_users_email", "users", type_="unique")',
    "duplicates for ix_users_both in users": 'op.drop_index("ix_users_both", "users")',
    "rows of users against ck_users_age": 'op.drop_constraint("ck_users_age", "users")',
    "values in users.boss_id that users lacks": 'op.drop_constraint("fk_boss", "users")',
    "values in users.email that sa.String(length=80) cannot hold": (
        'op.alter_column("users", "email", type_=sa.String(90))'
    ),
}


@pytest.mark.parametrize(("rows", "upgrade"), FRAGILE.items(), ids=FRAGILE)
def test_rows_that_would_stop_it_are_named(rows: str, upgrade: str, tmp_path: Path) -> None:
    written = body(tmp_path, USERS, upgrade, dialects=("postgresql",))
    assert written.startswith(f"# FRAGILE: {rows} would stop this.\n")


def test_on_sqlite_a_narrower_type_only_stops_where_rows_are_told_apart_by_it(
    tmp_path: Path,
) -> None:
    wider = 'op.alter_column("users", "{}", type_=sa.Text())'
    key, other = (
        body(tmp_path / name, USERS, wider.format(name), dialects=("sqlite",))
        for name in ("id", "age")
    )
    assert "# FRAGILE: values in users.id that sa.Integer() cannot hold would stop this." in key
    assert "FRAGILE" not in other


def test_rows_that_the_new_schema_refuses_too_stop_nothing(tmp_path: Path) -> None:
    upgrade = """
    op.drop_constraint("fk_boss", "users")
    op.create_foreign_key("fk_boss", "users", "users", ["boss_id"], ["id"], ondelete="CASCADE")
    op.drop_index("ix_users_both", "users")
    op.create_index("ix_users_bio_only", "users", ["bio"], unique=True)
    op.alter_column("users", "email", type_=sa.String(70))
    """
    assert "FRAGILE" not in body(tmp_path, USERS, upgrade, dialects=("postgresql",))


def test_a_check_that_postgresql_drops_with_a_column_comes_back(tmp_path: Path) -> None:
    text = body(tmp_path, USERS, 'op.drop_column("users", "age")')
    assert 'op.create_check_constraint("ck_users_age", "users", "age > 0")' in text


def test_rows_that_a_trigger_may_have_changed_are_not_looked_for(tmp_path: Path) -> None:
    trigger = (
        'op.execute("CREATE TRIGGER lower BEFORE INSERT ON users "'
        '"FOR EACH ROW EXECUTE FUNCTION f()")'
    )
    insert = "op.execute(\"INSERT INTO users (id, email) VALUES (1, 'A')\")"
    assert "DELETE FROM users WHERE id = 1" in body(tmp_path / "bare", USERS, insert)
    assert PLACEHOLDER in body(tmp_path / "triggered", USERS, trigger, insert)
