from __future__ import annotations

from textwrap import indent

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.expression import UNKNOWN
from alembic_roundtrip.migration.model import Body
from alembic_roundtrip.migration.objects import Name
from migration.reading import changes, dropped, migration, upgrade


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
        "for t in ['b', 'a'][::-1]:\n    op.drop_table(t)",
        "for t in ('x', 'a', 'b', 'y')[1:-1]:\n    op.drop_table(t)",
        "for x, *names in [(1, 'a', 'b')]:\n    for t in names:\n        op.drop_table(t)",
        "for *_, t in [(1, 'a'), (2, 3, 'b')]:\n    op.drop_table(t)",
        "for t in ['a', 'b']:\n    op.execute('DROP TABLE %(t)s' % {'t': t})",
        "for sql in sqlparse.split('DROP TABLE a; DROP TABLE b;'):\n    op.execute(sql)",
        "drop = lambda t: op.drop_table(t)\ndrop('a')\ndrop(t='b')",
        "drop = functools.partial(op.drop_table, schema=None)\ndrop('a')\ndrop('b')",
        "def drop(*args, **kw):\n    op.drop_table(*args, **kw)\ndrop('a', schema=None)\ndrop('b')",
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
    "body",
    [
        "gone = op.drop_table\ngone = print\ngone('a')",
        "for gone in [op.drop_table, print]:\n    gone('a')",
        "gone = op.drop_table if x else print\ngone('a')",
    ],
)
def test_a_name_for_several_things_is_none_for_an_operation(body: str) -> None:
    assert all(o.changes != (c.DropTable(Name("a")),) or o.doubtful for o in upgrade(body))


def test_functions_of_a_class_are_followed_where_they_are_called_on_it() -> None:
    header = """
class Ops:
    @staticmethod
    def drop(name):
        op.drop_table(name)
    @classmethod
    def all(cls, *names):
        for name in names:
            op.drop_table(name)
    @classmethod
    def one(cls=None, name='c'):
        op.drop_table(name)
    @classmethod
    def other(cls, name, /):
        op.drop_table(name)
"""
    calls = ("Ops.drop('a')", "Ops.all('b')", "Ops.one()", "Ops.other('d')")
    found = migration(f"{header}def upgrade():\n    {'; '.join(calls)}\n").upgrade
    assert found is not None
    assert [o.changes for o in found.operations] == [(c.DropTable(Name(t)),) for t in "abcd"]


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


def test_a_decorated_direction_may_not_run() -> None:
    found = migration("@skip_on_sqlite\ndef upgrade():\n    op.drop_table('a')\n").upgrade
    assert found is not None
    assert all(operation.conditional for operation in found.operations)


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
