from __future__ import annotations

import ast
from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import USERS, Project, body


def test_a_dropped_table_is_written_with_all_it_had(tmp_path: Path) -> None:
    project = Project(tmp_path, USERS, 'op.drop_table("users")')
    mark = "# DESTRUCTIVE: The rows of users cannot be restored."
    assert project.body == f"{mark}{USERS}".strip("\n")
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
    "rows that a list is made into": (
        (
            "names = ['a', 'b']\nusers = sa.Table('users', sa.MetaData())\n"
            "op.bulk_insert(users, [{'email': name, 'bio': ''} for name in names])"
        ),
        "op.execute(\"DELETE FROM users WHERE email IN ('a', 'b')\")",
    ),
    "rows of a table that is looked up": (
        'op.bulk_insert(metadata.tables["users"], [{"id": 1}])',
        'op.execute("DELETE FROM users WHERE id = 1")',
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


def test_columns_of_a_new_primary_key_take_null_again(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("a", sa.Integer()))'
    second = 'op.create_primary_key("t_pkey", "t", ["a"])'
    assert body(tmp_path, first, second) == dedent(
        """
        op.drop_constraint("t_pkey", "t", type_="primary")
        op.alter_column("t", "a", existing_type=sa.Integer(), nullable=True)
        """
    ).strip("\n")


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


@pytest.mark.parametrize(
    "dialects", [("postgresql",), ("mysql",), ("mariadb",), ("mysql", "postgresql")], ids=str
)
def test_a_check_that_goes_with_a_column_comes_back(
    dialects: tuple[str, ...], tmp_path: Path
) -> None:
    text = body(tmp_path, USERS, 'op.drop_column("users", "age")', dialects=dialects)
    assert 'op.create_check_constraint("ck_users_age", "users", "age > 0")' in text


@pytest.mark.parametrize("dialects", [("sqlite",), ("postgresql", "sqlite")], ids=str)
@pytest.mark.parametrize(
    "upgrade",
    [
        'op.drop_column("users", "age")',
        'with op.batch_alter_table("users") as b:\n    b.drop_column("age")',
    ],
    ids=["op", "batch"],
)
def test_it_comes_back_in_batch_mode_where_sqlite_is_among_the_databases(
    upgrade: str, dialects: tuple[str, ...], tmp_path: Path
) -> None:
    text = body(tmp_path, USERS, upgrade, dialects=dialects)
    assert '\n    batch_op.create_check_constraint("ck_users_age", "age > 0")' in text
    assert "op.add_column(" in text.partition("create_check_constraint")[0]


CHECKS = {
    "another column, and a string of that name": ("\"kind <> 'a'\"", ""),
    "another column in a construct": ('sa.column("kind") != "a"', ""),
    "another case": ('"A > 0"', "postgresql mysql sqlite"),
    "another case in quotes": ("'\"A\" > 0'", "sqlite"),
    "quotes that make a string on MySQL": ("'\"a\" <> kind'", "postgresql sqlite"),
    "backticks": ('"`A` > 0"', "mysql sqlite"),
    "a text": ('sa.text("upper(kind) <> upper(a)")', "postgresql mysql sqlite"),
    "a construct": ('sa.column("a") > sa.func.now()', "postgresql mysql sqlite"),
    "a computed number": ('f"a > {limit}"', "postgresql mysql sqlite"),
    "a computed string": ("f\"kind <> 'a' AND a > {limit}\"", "postgresql mysql sqlite"),
    "a list in it": ('"a IN (%s)" % ", ".join(app.VALUES)', "postgresql mysql sqlite"),
    "a format": ('"A > {}".format(app.LIMIT)', "postgresql mysql sqlite"),
    "a sum": ('"`a` > " + app.LIMIT', "postgresql mysql sqlite"),
    "a text that is computed": ('sa.text("a > %d" % app.LIMIT)', "postgresql mysql sqlite"),
    "a join": ('" OR ".join("a = %s" % x for x in app.VALUES)', "postgresql mysql sqlite"),
    "another column in what is computed": ('"kind > " + app.LIMIT', ""),
    "a value of a construct": ('sa.column("kind").in_(["a"])', ""),
    "what stands elsewhere": ("app.CONDITION", "postgresql mysql sqlite"),
    "what somebody else makes": ("app.condition()", "postgresql mysql sqlite"),
    "what is made of a string": ('*app.read("kind")', "postgresql mysql sqlite"),
    "SQL that no parser reads": ("\"a !@ 'b' !@\"", "postgresql mysql sqlite"),
    "a string in such SQL": ("\"kind !@ 'a' !@\"", ""),
}


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize("case", CHECKS)
def test_a_check_goes_with_the_columns_that_it_has_for_the_database(
    case: str, dialect: str, tmp_path: Path
) -> None:
    condition, with_column = CHECKS[case]
    before = f"""
    limit = __import__("os").getpid()
    op.create_table(
        "t",
        sa.Column("a", sa.Text()),
        sa.Column("kind", sa.Text()),
        sa.CheckConstraint({condition}, name="ck"),
    )
    """
    text = body(tmp_path, before, 'op.drop_column("t", "a")', dialects=(dialect,))
    # What the migration does not have cannot be written.
    told = PLACEHOLDER if "app." in condition else "create_check_constraint("
    assert (told in text) == (dialect in with_column.split())


def test_rows_that_a_trigger_may_have_changed_are_not_looked_for(tmp_path: Path) -> None:
    trigger = (
        'op.execute("CREATE TRIGGER lower BEFORE INSERT ON users "'
        '"FOR EACH ROW EXECUTE FUNCTION f()")'
    )
    insert = "op.execute(\"INSERT INTO users (id, email) VALUES (1, 'A')\")"
    assert "DELETE FROM users WHERE id = 1" in body(tmp_path / "bare", USERS, insert)
    assert PLACEHOLDER in body(tmp_path / "triggered", USERS, trigger, insert)


def test_a_type_does_not_bring_back_a_check_that_was_gone(tmp_path: Path) -> None:
    first = """
    op.create_table("t", sa.Column("b", sa.Boolean(create_constraint=True, name="ck_b")))
    op.drop_constraint("ck_b", "t", type_="check")
    """
    for upgrade in ('op.drop_table("t")', 'op.drop_column("t", "b")'):
        written = body(tmp_path / upgrade[8:12], first, upgrade, dialects=("mysql",))
        assert 'sa.Column("b", sa.Boolean(name="ck_b"))' in written


def test_columns_that_each_are_part_of_the_key_are_one_key(tmp_path: Path) -> None:
    first = """
    op.create_table(
        "t",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("at", sa.Text(), primary_key=True),
    )
    """
    renames = """
    op.rename_table("t", "u")
    op.execute("ALTER INDEX t_pkey RENAME TO key_of_u")
    """
    drops = 'op.drop_table("u")'
    assert 'sa.PrimaryKeyConstraint("id", "at", name="key_of_u")' in body(
        tmp_path, first, renames, drops
    )
    renames = renames.replace("key_of_u", "u_pkey")
    _, _, made = body(tmp_path / "plain", first, renames, drops).partition("\n")
    assert made == dedent(first).strip("\n").replace('"t"', '"u"')


def test_a_key_comes_back_behind_its_column_which_is_added_without(tmp_path: Path) -> None:
    def back(name: str, *columns: str) -> str:
        first = f'op.create_table("t", sa.Column("a", sa.Text()), {", ".join(columns)})'
        return body(tmp_path / name, first, 'op.drop_column("t", "id")', dialects=("postgresql",))

    counted = back("counted", 'sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True)')
    _, added, key = counted.split("\n")
    assert added.endswith('sa.Column("id", sa.Integer(), sa.Identity(), primary_key=True))')
    assert key == 'op.create_primary_key("t_pkey", "t", ["id"])'
    filled = back("filled", 'sa.Column("id", sa.Text(), primary_key=True)')
    assert 'sa.Column("id", sa.Text(), primary_key=True, nullable=True)' in filled
    assert filled.index(PLACEHOLDER) < filled.index('op.create_primary_key("t_pkey", "t", ["id"])')


def test_an_identity_that_comes_back_goes_on_behind_the_rows(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("id", sa.Integer(), sa.Identity(always=True)))'
    gone = 'op.alter_column("t", "id", server_default=None)'
    made = body(tmp_path, first, gone, dialects=("postgresql",))
    assert "server_default=sa.Identity(always=True)" in made
    assert "setval(pg_get_serial_sequence('t', 'id'), max(id)) FROM t HAVING max(id) > 0" in made
    there = body(tmp_path / "there", first, gone, made.partition("op.execute")[0])
    assert "setval" not in there
    assert "server_default=None" in there


def test_a_table_goes_back_to_the_schema_that_it_was_in(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("id", sa.Integer()))'
    there = 'op.execute("ALTER TABLE t SET SCHEMA app")'
    back = 'op.execute("ALTER TABLE app.t SET SCHEMA public")'
    assert body(tmp_path, first, there) == back
    assert (
        body(tmp_path / "back", first, there, back) == 'op.execute("ALTER TABLE t SET SCHEMA app")'
    )


@pytest.mark.parametrize(
    ("type_", "anew"), [("sa.Integer()", True), ("sa.Numeric(9, 2)", False)], ids=["other", "wider"]
)
def test_a_check_that_postgresql_would_write_casts_into_is_made_anew(
    type_: str, anew: bool, tmp_path: Path
) -> None:
    before = """
    op.create_table(
        "t",
        sa.Column("a", sa.Numeric(8, 2)),
        sa.Column("b", sa.Text()),
        sa.CheckConstraint("a <> '1'"),
        sa.CheckConstraint("b <> '1'", name="ck_b"),
        sa.CheckConstraint("b <> 'a'", name="ck_named_b"),
    )
    """
    upgrade = f'op.alter_column("t", "a", type_={type_})'
    text = body(tmp_path, before, upgrade, dialects=("postgresql",))
    dropped = 'op.drop_constraint("t_a_check", "t", type_="check")'
    made = 'op.create_check_constraint("t_a_check", "t", "a <> \'1\'")'
    assert (dropped in text and made in text) == anew
    assert not anew or text.index(dropped) < text.index("op.alter_column(") < text.index(made)
    assert "ck_b" not in text
    assert "ck_named_b" not in text


def test_a_check_is_not_said_to_be_the_same_once_postgresql_has_written_casts_into_it(
    tmp_path: Path,
) -> None:
    before = """
    op.create_table(
        "t",
        sa.Column("a", sa.Numeric(8, 2), sa.CheckConstraint("a <> '1'", name="ck")),
        sa.Column("b", sa.Text()),
    )
    """
    there = 'op.alter_column("t", "a", type_=sa.{}())'
    upgrades = ['op.drop_table("t")', 'op.drop_column("t", "a")', 'op.drop_constraint("ck", "t")']
    for number, upgrade in enumerate([*upgrades, there.format("Float")]):
        for kind, wanted in (("Integer", True), ("Numeric", False)):
            folder = tmp_path / f"{number}{kind}"
            made = body(folder, before, there.format(kind), upgrade)
            assert (f"{PLACEHOLDER} see by hand what ck was" in made) == wanted


def test_what_goes_with_a_table_that_is_dropped_with_all_that_needs_it(tmp_path: Path) -> None:
    before = """
    op.create_table("u", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_table("t", sa.Column("id", sa.Integer(), sa.ForeignKey("u.id"), primary_key=True))
    op.execute("CREATE VIEW v AS SELECT id FROM u")
    """
    drop = 'op.execute("DROP TABLE u CASCADE")'
    written = body(tmp_path / "here", before, drop)
    assert written.endswith(
        "# FRAGILE: values in t.id that u lacks would stop this.\n"
        'op.create_foreign_key("t_id_fkey", "t", "u", ["id"], ["id"])\n'
        f"{PLACEHOLDER} make v again by hand, if it went with u"
    )
    made = body(tmp_path / "before", before, drop, 'op.drop_table("t")')
    assert 'sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False)' in made
    assert "ForeignKey" not in made


def test_a_new_column_is_dropped_whatever_became_of_it(tmp_path: Path) -> None:
    add = 'op.add_column("users", sa.Column("n", sa.Text()))'
    alter = 'op.alter_column("users", "n", existing_type=sa.Text(), nullable=False)'
    drop = 'op.drop_column("users", "n")'
    assert body(tmp_path / "added", USERS, f"{add}\n{alter}") == drop
    assert "op.alter_column(" in body(tmp_path / "older", f"{USERS}\n{add}", alter)
    again = body(tmp_path / "again", f"{USERS}\n{add}", f"{alter}\n{drop}\n{add}")
    assert "op.alter_column(" in again


def test_a_loss_is_said_once_above_a_statement(tmp_path: Path) -> None:
    deletes = """
    op.execute("DELETE FROM users WHERE age = 1")
    op.execute("DELETE FROM users WHERE age = 2")
    """
    assert body(tmp_path, USERS, deletes).count("DESTRUCTIVE") == 1
