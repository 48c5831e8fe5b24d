from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.model import Body, Guard, GuardKind, Migration, Operation
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.migration.syntax import decode
from alembic_roundtrip.text import Position

HEADER = "import sqlalchemy as sa\nfrom alembic import op\nrevision = 'a'\ndown_revision = None\n"


def migration(body: str, header: str = HEADER) -> Migration:
    return read(header + body, Path("versions/a.py"))


def upgrade(body: str) -> tuple[Operation, ...]:
    found = migration("def upgrade():\n" + indent(dedent(body).strip("\n"), "    "))
    assert found.upgrade is not None
    return found.upgrade.operations


def changes(body: str) -> list[c.Change]:
    return [change for operation in upgrade(body) for change in operation.changes]


def dropped(body: str) -> list[str]:
    return [str(change.table) for change in changes(body) if isinstance(change, c.DropTable)]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("down_revision = 'b'", ("b",)),
        ("down_revision: str | None = 'b'", ("b",)),
        ("down_revision = ('b', 'c')", ("b", "c")),
        ("down_revision = ['b', 'c']", ("b", "c")),
        ("down_revision = None", ()),
        ("PREVIOUS = 'b'\ndown_revision = PREVIOUS", ("b",)),
    ],
)
def test_down_revision_is_read_in_every_form(line: str, values: tuple[str, ...]) -> None:
    found = migration("", header=f"revision = 'a'\n{line}\n").down_revision
    assert found is not None
    assert (found.values, found.literal) == (values, True)


def test_a_computed_down_revision_is_known_to_be_unknown() -> None:
    found = migration("", header="import x\nrevision = 'a'\ndown_revision = x.y()\n").down_revision
    assert found is not None
    assert (found.values, found.literal) == ((), False)


@pytest.mark.parametrize(
    "body",
    [
        "op.drop_table('a')\nop.drop_table('b')",
        "for t in ('a', 'b'):\n    op.drop_table(t)",
        "tables = ['a', 'b']\nfor t in tables:\n    op.drop_table(t)",
        "for i, t in enumerate(['a', 'b']):\n    op.drop_table(t)",
        "for t in reversed(('b', 'a')):\n    op.drop_table(t)",
        "for t in {'a': 1, 'b': 2}:\n    op.drop_table(t)",
        "for t, _ in {'a': 1, 'b': 2}.items():\n    op.drop_table(t)",
        "for x in ('a', 'b'):\n    op.drop_table(f'{x}')",
        "def drop(name):\n    op.drop_table(name)\ndrop('a')\ndrop(name='b')",
        "def drop(name='a'):\n    op.drop_table(name)\ndrop()\ndrop('b')",
        "op.execute('DROP TABLE a; DROP TABLE IF EXISTS b CASCADE')",
        "op.execute(sa.text('drop table a, b'))",
        (
            "conn = op.get_bind()\nconn.execute(sa.text('DROP TABLE a'))\n"
            "conn.exec_driver_sql('DROP TABLE b')"
        ),
        "op.drop_table('%s' % 'a')\nop.drop_table('{}'.format('b'))",
    ],
)
def test_two_tables_are_dropped_however_it_is_written(body: str) -> None:
    assert dropped(body) == ["a", "b"]


@pytest.mark.parametrize(
    ("header", "call"),
    [
        ("from alembic import op as o", "o.drop_table('a')"),
        ("import alembic.op as o", "o.drop_table('a')"),
        ("import alembic.op", "alembic.op.drop_table('a')"),
        ("from alembic.op import drop_table", "drop_table('a')"),
        ("from alembic.op import drop_table as gone", "gone('a')"),
        ("from alembic import op\ngone = op.drop_table", "gone('a')"),
        ("from alembic import op", "gone = op.drop_table\ngone('a')"),
        ("", "from alembic import op as o\no.drop_table('a')"),
    ],
)
def test_operations_are_known_by_other_names(header: str, call: str) -> None:
    found = migration(f"def upgrade():\n{indent(call, '    ')}", header=f"{header}\n")
    assert found.upgrade is not None
    assert [o.changes for o in found.upgrade.operations] == [(c.DropTable(Name("a")),)]


@pytest.mark.parametrize(
    "body",
    [
        "[op.drop_table(t) for t in ['a', 'b']]",
        "[op.drop_table(t) for t in ['a', 'x', 'b'] if t != 'x']",
        "for t in ['a'] + ['b']:\n    op.drop_table(t)",
        "FIRST = ['a']\nfor t in [*FIRST, 'b']:\n    op.drop_table(t)",
        "for t in 'a b'.split():\n    op.drop_table(t)",
        "for n in range(2):\n    op.drop_table(['a', 'b'][n])",
        "for n, t in enumerate(['a', 'b']):\n    op.drop_table(f'{t}')",
    ],
)
def test_loops_are_followed_however_they_are_written(body: str) -> None:
    found = upgrade(body)
    assert [o.changes for o in found] == [(c.DropTable(Name(t)),) for t in ("a", "b")]
    assert not any(o.conditional for o in found)


@pytest.mark.parametrize("bounds", ["10**30", "1, 2, 3, 4", "0, 9, 0", "n", "'x'", "1_000_000_000"])
def test_numbers_without_end_are_not_counted(bounds: str) -> None:
    (operation,) = upgrade(f"for n in range({bounds}):\n    op.drop_table(f't{{n}}')")
    assert operation.conditional


@pytest.mark.parametrize(
    ("condition", "tables"),
    [
        ("if t == 'b':\n        continue", ["a", "c"]),
        ("if t != 'b':\n        continue", ["b"]),
        ("if t in ('b', 'c'):\n        break", ["a"]),
        ("if t in OTHERS or t == 'a':\n        continue", ["b"]),
        ("if not (t in 'ab' and t != 'a'):\n        continue", ["b"]),
    ],
)
def test_conditions_on_known_values_are_decided(condition: str, tables: list[str]) -> None:
    found = upgrade(
        f"OTHERS = ['c']\nfor t in ['a', 'b', 'c']:\n    {condition}\n    op.drop_table(t)"
    )
    assert [o.changes for o in found] == [(c.DropTable(Name(t)),) for t in tables]
    assert not any(o.doubtful for o in found)


@pytest.mark.parametrize(
    "body",
    [
        "gone = op.drop_table\ngone = print\ngone('a')",
        "for gone in [op.drop_table, print]:\n    gone('a')",
        "gone = op.drop_table if x else print\ngone('a')",
    ],
)
def test_a_name_for_several_things_is_none_for_an_operation(body: str) -> None:
    assert all(o.changes != (c.DropTable(Name("a")),) or o.doubtful for o in upgrade(body))


def test_a_batch_block_gives_its_table_to_its_operations() -> None:
    found = upgrade(
        """
        with op.batch_alter_table("users", schema="app", recreate="always") as batch_op:
            batch_op.drop_column("nick")
        """
    )
    assert [change for o in found for change in o.changes] == [
        c.DropColumn(Name("users", "app"), "nick")
    ]
    assert found[0].batch is not None
    assert [name for name, _ in found[0].batch.options] == ["recreate"]


def test_a_batch_block_made_by_a_helper_is_followed() -> None:
    assert changes(
        """
        def batch(table):
            return op.batch_alter_table(table, recreate="auto")
        with batch("users") as batch_op:
            batch_op.drop_column("nick")
        """
    ) == [c.DropColumn(Name("users"), "nick")]


def test_a_column_brings_its_constraints_index_and_enum_type() -> None:
    (created,) = changes(
        """
        state = sa.Enum("new", "paid", name="state")
        op.create_table(
            "orders",
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("user_id", sa.Integer(), sa.ForeignKey("app.users.id", ondelete="CASCADE")),
            sa.Column("code", sa.String(10), unique=True, nullable=False),
            sa.Column("state", state, index=True),
        )
        """
    )
    assert isinstance(created, c.CreateTable)
    table = created.table
    assert [(column.name, column.nullable) for column in table.columns] == [
        ("id", False),
        ("user_id", True),
        ("code", False),
        ("state", True),
    ]
    assert [(p.kind, p.columns, p.referent) for p in table.constraints] == [
        ("primary", ("id",), None),
        ("foreignkey", ("user_id",), Name("users", "app")),
        ("unique", ("code",), None),
    ]
    assert [index.name for index in table.indexes] == ["ix_orders_state"]
    assert [(enum.name.name, enum.members) for enum in created.enums] == [
        ("state", ("new", "paid"))
    ]


def test_an_enum_type_is_created_and_dropped_by_hand() -> None:
    found = changes(
        """
        state = postgresql.ENUM("a", "b", name="state", create_type=False)
        state.create(op.get_bind(), checkfirst=True)
        sa.Enum(name="old").drop(op.get_bind())
        """
    )
    assert [type(change) for change in found] == [c.CreateEnum, c.DropEnum]


@pytest.mark.parametrize(
    ("dialect", "tables"),
    [("postgresql", ["a", "d"]), ("mysql", ["b", "d"]), ("sqlite", ["c", "d"])],
)
def test_a_match_is_read_as_its_conditions(dialect: str, tables: list[str]) -> None:
    operations = upgrade(
        """
        match op.get_bind().dialect.name:
            case "postgresql":
                op.drop_table("a")
            case "mysql" | "mariadb":
                op.drop_table("b")
            case _:
                op.drop_table("c")
        op.drop_table("d")
        """
    )
    found = [o.changes for o in operations if o.runs_on(dialect)]
    assert found == [(c.DropTable(Name(table)),) for table in tables]


def test_a_case_that_is_no_value_may_or_may_not_run() -> None:
    body = """
    match anything():
        case {"key": value} if value:
            op.drop_table("a")
    """
    (operation,) = upgrade(body)
    assert operation.changes == (c.DropTable(Name("a")),)
    assert operation.doubtful


@pytest.mark.parametrize(
    ("test", "dialect", "runs"),
    [
        ("op.get_bind().dialect.name == 'postgresql'", "postgresql", True),
        ("op.get_bind().dialect.name == 'postgresql'", "sqlite", False),
        ("op.get_context().dialect.name != 'sqlite'", "sqlite", False),
        ("bind.dialect.name in ('mysql', 'mariadb')", "mysql", True),
        ("bind.dialect.name in ('mysql', 'mariadb')", "sqlite", False),
        ("not context.dialect.name.startswith('postgres')", "postgresql", False),
        ("not helpers.is_postgres(bind)", "postgresql", False),
        ("_is_sqlite()", "postgresql", False),
    ],
)
def test_a_dialect_guard_decides_where_an_operation_runs(
    test: str, dialect: str, runs: bool
) -> None:
    (operation,) = upgrade(f"if {test}:\n    op.drop_table('a')")
    assert operation.runs_on(dialect) is runs
    assert not operation.conditional


def test_an_early_return_guards_what_follows() -> None:
    (operation,) = upgrade(
        """
        if op.get_bind().dialect.name != "postgresql":
            return
        op.drop_table("a")
        """
    )
    assert operation.guards == (Guard(GuardKind.DIALECT, frozenset({"postgresql"})),)


def test_an_early_return_before_anything_happens_leaves_no_doubt() -> None:
    (operation,) = upgrade("if already_done(op):\n    return\nop.drop_table('a')")
    assert not operation.doubtful
    _, later = upgrade("op.drop_table('a')\nif already_done(op):\n    return\nop.drop_table('b')")
    assert later.doubtful
    asks = "op.get_bind().scalar(sa.text('SELECT 1 FROM a'))"
    *_, by_rows = upgrade(f"if {asks}:\n    return\nop.drop_table('a')")
    assert by_rows.doubtful


@pytest.mark.parametrize("asked", ["context.is_offline_mode()", "op.get_context().as_sql"])
def test_what_is_only_written_as_sql_is_not_what_a_database_gets(asked: str) -> None:
    (operation,) = upgrade(f"if {asked}:\n    op.drop_table('a')\n    return\nop.drop_table('b')")
    assert operation.changes == (c.DropTable(Name("b")),)
    assert operation.guards == ()


def test_an_existence_guard_is_a_condition() -> None:
    (operation,) = upgrade("if sa.inspect(bind).has_table('a'):\n    op.drop_table('a')")
    assert [guard.kind for guard in operation.guards] == [GuardKind.EXISTENCE]
    assert operation.conditional


@pytest.mark.parametrize(
    "body",
    [
        "op.execute(open('x.sql').read())",
        "op.drop_table(names[0])",
        "op.frobnicate('public', 'state', ['a'])",
        "shared.change_everything()",
        "list(map(op.drop_table, ['a', 'b']))",
        "run(op.execute, 'DROP TABLE a')",
        "class Late:\n    done = op.drop_table('a')",
        "op.execute('DO $$ BEGIN EXECUTE statement; END $$')",
    ],
)
def test_what_cannot_be_read_may_do_anything_and_says_why(body: str) -> None:
    (operation,) = upgrade(body)
    assert operation.may_do_anything
    assert operation.opaque


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "UPDATE users SET nick = 'x', n = 1",
            c.WriteRows(
                "update",
                Name("users"),
                bounded=False,
                columns=("nick", "n"),
                read=frozenset(),
            ),
        ),
        ("DELETE FROM app.users WHERE id = 1", c.WriteRows("delete", Name("users", "app"))),
        (
            "INSERT INTO users (id, name, made) VALUES (1, 'it''s', now()), (2, NULL, now())",
            c.WriteRows(
                "insert",
                Name("users"),
                columns=("id", "name", "made"),
                rows=(
                    (("id", 1), ("name", "it's"), ("made", UNKNOWN)),
                    (("id", 2), ("name", None), ("made", UNKNOWN)),
                ),
            ),
        ),
        ("INSERT INTO users SELECT * FROM old", c.WriteRows("insert", Name("users"))),
        (
            "INSERT INTO users (id) VALUES (1) ON CONFLICT DO NOTHING",
            c.WriteRows("insert", Name("users"), columns=("id",)),
        ),
        ("truncate table users", c.WriteRows("truncate", Name("users"), bounded=False)),
        ("ALTER TABLE users DROP COLUMN nick", c.DropColumn(Name("users"), "nick")),
        ("ALTER TABLE a RENAME TO b", c.RenameTable(Name("a"), "b")),
        (
            "ALTER TABLE users DROP CONSTRAINT uq",
            c.DropConstraint(Name("users"), "uq", None, final=True),
        ),
        ("DROP INDEX CONCURRENTLY IF EXISTS ix", c.DropIndex("ix", None)),
        ("CREATE VIEW v AS SELECT 1", c.CreateObject("view", Name("v"))),
        ("DROP TYPE IF EXISTS state", c.DropEnum(Name("state"))),
        ("alter type app.old rename to new", c.RenameEnum(Name("old", "app"), "new")),
    ],
)
def test_sql_is_read_as_far_as_its_verb_and_names_tell(sql: str, expected: c.Change) -> None:
    assert changes(f"op.execute({sql!r})") == [expected]


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "SET lock_timeout = '1s'", "-- only a comment", "COMMENT ON VIEW a IS ''"]
)
def test_harmless_sql_changes_nothing(sql: str) -> None:
    assert changes(f"op.execute({sql!r})") == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("pass", Body.NOTHING),
        ("...", Body.NOTHING),
        ("'''nothing to do'''", Body.NOTHING),
        ("return", Body.NOTHING),
        ("print('no way back')", Body.NOTHING),
        ("raise NotImplementedError('no way back')", Body.RAISES),
        ("op.drop_table('a')", Body.CODE),
        ("if x:\n    raise RuntimeError", Body.CODE),
    ],
)
def test_a_body_comes_to_something_nothing_or_a_refusal(body: str, kind: Body) -> None:
    found = migration("def downgrade():\n" + "    " + body.replace("\n", "\n    ")).downgrade
    assert found is not None
    assert found.kind is kind


def test_a_refusal_keeps_its_message() -> None:
    found = migration("def downgrade():\n    raise NotImplementedError('no way ' 'back')").downgrade
    assert found is not None
    assert found.message == "no way back"


def test_columns_are_code_points() -> None:
    (operation,) = upgrade("x = '😋é'; op.drop_table('a')")
    assert operation.range.start == Position(6, 5 + len("x = '😋é'; "))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_line_end_gives_the_same_operations(newline: str) -> None:
    text = (HEADER + "def upgrade():\n    op.drop_table('a')\n").replace("\n", newline)
    found = read(text, Path("a.py")).upgrade
    assert found is not None
    assert [o.range.start for o in found.operations] == [Position(6, 5)]


def test_a_form_feed_is_no_line_end() -> None:
    found = read(HEADER + "\f\ndef upgrade():\n    op.drop_table('a')\n", Path("a.py")).upgrade
    assert found is not None
    assert found.operations[0].range.start == Position(7, 5)


WHOLE = HEADER + dedent(
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
        op.add_column("users", sa.Column("😋", sa.Text(), nullable=False))


    def downgrade():
        op.drop_column("users", "😋")
        op.drop_table("tags")
    """
)


def test_no_prefix_of_a_migration_fails_to_be_read() -> None:
    for end in range(len(WHOLE) + 1):
        read(WHOLE[:end], Path("a.py"))


@pytest.mark.parametrize(
    "typed", ["op.", "op.drop_", "op.drop_table(", 'op.drop_table("x', "if", "x = ["]
)
def test_a_statement_being_typed_hides_no_other(typed: str) -> None:
    text = WHOLE.replace('    op.drop_table("tags")\n', f'    {typed}\n    op.drop_table("tags")\n')
    found = read(text, Path("a.py"))
    assert found.upgrade is not None
    assert found.downgrade is not None
    assert [o.name for o in found.upgrade.operations] == ["create_table", "add_column"]
    names = [o.name for o in found.downgrade.operations]
    assert [n for n in names if n in {"drop_column", "drop_table"}] == ["drop_column", "drop_table"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00",
        "def",
        "(" * 5000,
        "\ufeff" + WHOLE,
        "x = " + "-" * 20000 + "1",
        "\t\tx",
        "'''",
        "class",
    ],
)
def test_hostile_text_is_read_too(text: str) -> None:
    read(text, Path("a.py"))


def test_bytes_in_no_known_encoding_are_one_sentence() -> None:
    with pytest.raises(ValueError, match="save it as UTF-8"):
        decode("é = 1".encode("latin-1"))
    assert decode("# -*- coding: latin-1 -*-\né = 1".encode("latin-1")).endswith("é = 1")


@pytest.mark.parametrize(
    "body",
    [
        "names = []\nnames.append('a')\nfor n in names:\n    op.drop_table(n)",
        "names = {}\nnames['a'] = 1\nfor n in names:\n    op.drop_table(n)",
        "names = ['b']\nnames += ['a']\nfor n in names:\n    op.drop_table(n)",
        "name = 'a'\nif x():\n    name = 'b'\nop.drop_table(name)",
        "name = 'a'\nfor x in y():\n    name = x\nop.drop_table(name)",
    ],
)
def test_a_name_whose_value_changed_is_not_known(body: str) -> None:
    assert dropped(body) == []
    assert any(operation.may_do_anything for operation in upgrade(body))


@pytest.mark.parametrize(
    "body",
    [
        "name = 'a'\nop.drop_table([name for name in ('b',)][0])",
        "columns = [sa.Column('id')]\nop.create_table('t', *columns)",
        "a = 'x' * 9\n" + "a = a + a\n" * 40 + "op.drop_table(a)",
        "f = lambda t: op.drop_table(t)\nf('a')",
    ],
)
def test_odd_expressions_are_read_without_guessing(body: str) -> None:
    assert upgrade(body)[-1].opaque or changes(body)


def test_a_decorated_direction_may_not_run() -> None:
    found = migration("@skip_on_sqlite\ndef upgrade():\n    op.drop_table('a')\n").upgrade
    assert found is not None
    assert all(operation.conditional for operation in found.operations)


def test_an_f_string_that_cannot_be_unparsed_is_read() -> None:
    found = upgrade(
        """
        name = "a\\nb"
        op.execute(f"SELECT '{name!r}' {x['y']} {'''z'''}")
        op.drop_table("t")
        """
    )
    assert [operation.name for operation in found][-1] == "drop_table"


@pytest.mark.parametrize("text", ["a\nb", "it's", 'a "b"', "\\ and both \" '"])
def test_an_f_string_takes_constants_with_anything_in_them(text: str) -> None:
    found = upgrade(f"""
        import json

        NAME = {text!r}
        op.drop_table(f"old_{{NAME}}")
        op.drop_table(f"{{json.dumps(NAME)}}")
        """)
    assert found[0].changes == (c.DropTable(Name(f"old_{text}")),)
    assert [operation.name for operation in found] == ["drop_table", "drop_table"]


def test_what_cannot_be_written_back_is_read_wherever_it_stands() -> None:
    found = upgrade("""
        import json

        SQL = "SELECT 'a' FROM b\\nWHERE \\"c\\" = 1"
        if conn.scalar(sa.text(f"{json.dumps(SQL)} LIMIT 1")):
            getattr(conn, f"{json.dumps(SQL)}")()
            op.execute(f"{json.dumps(SQL)} LIMIT 1")
            op.create_table(f"{json.dumps(SQL)}", sa.Column("a", sa.Integer()))
        """)
    assert [operation.name for operation in found][-2:] == ["execute", "create_table"]
    assert found[-1].opaque == "its arguments are computed"


def test_what_sqlalchemy_statements_write_is_read_from_their_calls() -> None:
    code = """
    t = sa.table("users", sa.column("id"))
    op.execute(t.insert().values(id=1, made=sa.func.now()))
    op.execute(sa.insert(t).values([{"id": 2}, {"id": 3}]))
    op.execute(t.update().where(t.c.id == 1).values({"id": 4}))
    op.execute(t.insert().from_select(["id"], sa.select(t)))
    """
    assert changes(code) == [
        c.WriteRows("insert", Name("users"), rows=((("id", 1), ("made", UNKNOWN)),)),
        c.WriteRows("insert", Name("users"), rows=((("id", 2),), (("id", 3),))),
        c.WriteRows("update", Name("users"), columns=("id",)),
        c.WriteRows("insert", Name("users")),
    ]
