"""A downgrade that is written anew keeps what somebody has written of rows into the present one."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from textwrap import dedent, indent

import pytest
from alembic import command
from alembic.config import Config

from alembic_roundtrip.scaffold import PLACEHOLDER
from alembic_roundtrip.workspace import Workspace
from scaffold_cases import USERS, Project

_MOVED = """
op.add_column("users", sa.Column("about", sa.Text()))
op.execute("UPDATE users SET about = bio")
op.drop_index("ix_users_both", table_name="users")
op.drop_index("ix_users_bio", table_name="users")
op.drop_column("users", "bio")
"""
_ADD = 'op.add_column("users", sa.Column("bio", sa.Text(), nullable=True))'
_UPDATE = 'op.execute("UPDATE users SET bio = about")'
_DROP = 'op.drop_column("users", "about")'
_BACK = """
op.add_column("users", sa.Column("bio", sa.Text(), nullable=True))
# As it was.
op.execute(
    '''
    UPDATE users
    SET bio = about
    '''
)
op.drop_column("users", "about")
"""
_TABLE = 'T = sa.table("users", sa.column("id"), sa.column("bio"), sa.column("about"))'
_LOCAL = """
from sqlalchemy import func, table as t
from sqlalchemy.sql import column as c
T = t("users", c("bio"))
"""
_ROWS = [(1, "a@x", "one", 3), (2, "b@x", "two", 4)]


def project_of(folder: Path, upgrade: str, downgrade: str, above: str = "") -> Project:
    """A migration of `users` with a downgrade, and with what its module has above that."""
    project = Project(folder, USERS, upgrade)
    with project.file.open("a", encoding="utf-8") as file:
        body = indent(dedent(downgrade).strip(chr(10)), "    ")
        file.write(f"\n\n{dedent(above)}\n\ndef downgrade():\n{body}\n")
    return project


def written(folder: Path, upgrade: str, downgrade: str, above: str = "") -> str:
    """The body of the downgrade that is written over another one; a second time it is the same."""
    project = project_of(folder, upgrade, downgrade, above)
    text = project.write()
    assert project.write() == text
    return dedent(text.rpartition("def downgrade():\n")[2])


def restored(folder: Path) -> list[tuple[object, ...]]:
    """The rows of `users` after the last upgrade and its downgrade, which run on SQLite."""
    config = Config(str(folder / "alembic.ini"))
    command.upgrade(config, "r1")
    with sqlite3.connect(folder / "scratch.db") as connection:
        connection.executemany("INSERT INTO users (id, email, bio, age) VALUES (?, ?, ?, ?)", _ROWS)
    connection.close()
    command.upgrade(config, "head")
    command.downgrade(config, "r1")
    connection = sqlite3.connect(folder / "scratch.db")
    try:
        return connection.execute("SELECT id, email, bio, age FROM users ORDER BY id").fetchall()
    finally:
        connection.close()


def test_an_update_stands_between_the_columns_that_it_names(tmp_path: Path) -> None:
    body = written(tmp_path, _MOVED, _BACK)
    assert "# As it was.\nop.execute(\n    '''\n    UPDATE users\n" in body
    assert "TODO" not in body
    assert "DESTRUCTIVE" not in body
    assert body.count("op.create_index") == 2
    assert restored(tmp_path) == _ROWS


@pytest.mark.parametrize(
    ("above", "statement"),
    [
        ('RESTORE = "UPDATE users SET bio = about"', "op.execute(RESTORE)"),
        ('RESTORE = "UPDATE users SET bio = about"', "op.execute(sa.text(RESTORE))"),
        ("", 'op.execute("UPDATE USERS SET BIO = ABOUT")'),
        ("", 'op.execute("UPDATE users SET bio = about WHERE about IS NOT NULL")'),
        ("", 'sql = "UPDATE users SET bio = about"\nop.get_bind().execute(sa.text(sql))'),
        (_TABLE, "op.execute(T.update().values(bio=T.c.about))"),
        (_TABLE, "op.execute(T.update().where(T.c['about'] != None).values({T.c.bio: T.c.about}))"),
        ("", f"{_TABLE}\nop.get_bind().execute(sa.update(T).values(bio=T.c.about))"),
        ("", f"{_LOCAL}\nop.execute(T.update().values(bio=func.coalesce(c('about'), None)))"),
    ],
)
def test_it_is_placed_by_what_it_executes(above: str, statement: str, tmp_path: Path) -> None:
    body = written(tmp_path, _MOVED, f"{_ADD}\n{statement}\n{_DROP}", above)
    assert "TODO" not in body
    assert restored(tmp_path) == _ROWS


def test_rows_are_inserted_from_where_the_upgrade_has_put_them(tmp_path: Path) -> None:
    upgrade = """
    op.create_table("tags", sa.Column("id", sa.Integer()), sa.Column("user_id", sa.Integer()))
    op.drop_index("ix_users_both", table_name="users")
    """
    move = """
    tags = sa.table("tags", sa.column("id"), sa.column("user_id"))
    users = sa.table("users", sa.column("id"), sa.column("email"), sa.column("age"))
    rows = sa.select(tags.c.user_id, sa.literal("c@x"), tags.c.id)
    op.execute(users.insert().from_select(["id", "email", "age"], rows))
    op.drop_table("tags")
    """
    body = written(tmp_path, upgrade, move)
    assert body.index("users = sa.table") < body.index("from_select") < body.index("drop_table")
    assert PLACEHOLDER not in body
    assert restored(tmp_path) == _ROWS


def test_comments_stand_above_what_does_what_they_were_about(tmp_path: Path) -> None:
    body = written(
        tmp_path,
        _MOVED,
        """
        # ### commands auto generated by Alembic - please adjust! ###
        # First the column,
        op.add_column("users", sa.Column("bio", sa.Text(), nullable=True))  # without a default;
        # then its values.
        op.execute("UPDATE users SET bio = about")  # all of them
        # Nobody needs this.
        unused = 1
        # MySQL would refuse to
        # do it earlier.
        op.drop_column(
            "users",
            "about",  # noqa: E501
        )
        # The end.
        # ### end Alembic commands ###
        """,
    )
    assert body.startswith(
        "# ### commands auto generated by Alembic - please adjust! ###\n"
        "# First the column,\n"
        "# without a default;\n"
        'op.add_column("users", sa.Column("bio", sa.Text(), nullable=True))\n'
        "# then its values.\n"
        'op.execute("UPDATE users SET bio = about")  # all of them\n'
    )
    assert body.endswith(
        "# Nobody needs this.\n# MySQL would refuse to\n# do it earlier.\n"
        'op.drop_column("users", "about")\n'
        "# The end.\n# ### end Alembic commands ###\n"
    )
    assert restored(tmp_path) == _ROWS


def test_comments_are_quoted_with_what_is_quoted(tmp_path: Path) -> None:
    body = written(tmp_path, _MOVED, '# Rows first.\nop.execute(open("down.sql").read())')
    assert body.count("# Rows first.") == 1
    assert "#     # Rows first.\n#     op.execute(open" in body


_NEW = 'op.create_unique_constraint("uq", "users", ["bio"])'
_GONE = 'op.drop_constraint("uq_users_email", "users")'


@pytest.mark.parametrize(
    ("upgrade", "back", "quoted"),
    [
        (_NEW, 'op.drop_constraint(None, "users", type_="unique")', False),
        (_NEW, 'op.drop_constraint(None, "users", type_="check")', True),
        (_GONE, 'op.create_unique_constraint(None, "users", ["email"])', False),
        (_GONE, 'op.create_unique_constraint(None, "users", ["age"])', True),
    ],
)
def test_a_constraint_without_a_name_is_the_one_that_has_a_name(
    upgrade: str, back: str, quoted: bool, tmp_path: Path
) -> None:
    # What cannot be read says that more may be left to do.
    project = Project(tmp_path, USERS, f"{upgrade}\nop.execute(open('x').read())")
    with project.file.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef downgrade():\n    {back}\n")
    assert (f"#     {back}" in project.write()) == quoted


def test_changes_of_other_tables_hold_it_nowhere(tmp_path: Path) -> None:
    upgrade = f'op.create_table("tags", sa.Column("id", sa.Integer()))\n{_MOVED}'
    body = written(tmp_path, upgrade, f'op.drop_table("tags")\n{_BACK.strip()}')
    assert body.index("SET bio = about") < body.index('"users", "about"') < body.index("drop_table")
    assert restored(tmp_path) == _ROWS


def test_tables_that_a_foreign_key_binds_to_it_hold_it(tmp_path: Path) -> None:
    upgrade = (
        'op.create_table("tags", sa.Column("id", sa.Integer(), sa.ForeignKey("users.id")))\n'
        'op.create_table("more", sa.Column("id", sa.Integer()))'
    )
    delete = 'op.execute("DELETE FROM users WHERE age = 4")'
    body = written(tmp_path, upgrade, f'op.drop_table("tags")\n{delete}\nop.drop_table("more")')
    assert body.index('"more"') < body.index('"tags"') < body.index("DELETE")
    assert restored(tmp_path) == _ROWS[:1]


def test_they_stay_in_their_order(tmp_path: Path) -> None:
    statements = ["SET bio = about", "DELETE FROM users WHERE age = 3", "SET age = 9"]
    update, delete, other = statements
    texts = [f"UPDATE users {update}", delete, f"UPDATE users {other}"]
    body = written(tmp_path, _MOVED, "\n".join(f'op.execute("{text}")' for text in texts))
    places = list(map(body.index, statements))
    assert places == sorted(places)
    assert restored(tmp_path) == [(2, "b@x", "two", 9)]


def test_what_binds_its_names_comes_with_it_and_nothing_else(tmp_path: Path) -> None:
    body = written(
        tmp_path,
        _MOVED,
        """
        op.add_column("users", sa.Column("bio", sa.Text(), nullable=True))
        unused = 1
        connection = op.get_bind()
        connection.execute(sa.text("UPDATE users SET bio = about"))
        connection.execute(sa.text("UPDATE users SET age = 5"))
        op.drop_column("users", "about")
        """,
    )
    assert body.count("connection = op.get_bind()") == 1
    assert "unused" not in body
    assert "TODO" not in body
    assert [row[2:] for row in restored(tmp_path)] == [("one", 5), ("two", 5)]


_CHECK = """
def _check():
    raise ValueError
"""
_MORE = [
    ("", 'op.execute(open("down.sql").read())'),
    ("", 'if True:\n    op.execute("UPDATE users SET bio = about")'),
    ("", """
        count = op.execute("SELECT 1")
        op.execute(f"UPDATE users SET bio = {count}")
    """),
    ("", """
        a = 1; b = 2
        if a:
            op.execute("UPDATE users SET bio = about")
        else:
            op.execute("UPDATE users SET bio = email")
    """),
    ("""
        def _restore():
            op.execute("UPDATE users SET bio = about")
    """, "_restore()"),
    ("""
        T = sa.table("users", sa.column("bio"))
    """, "op.execute(T.update().values(bio=sa.func.restored(T.c.id)))"),
    ("""
        T = sa.table("users", sa.column("bio"))
    """, "op.execute(T.update())"),
    ("from json import dumps as table", 'op.execute(table("users").update().values(bio="x"))'),
    ("""
        T = sa.table("users", sa.column("id"), sa.column("bio"))
    """, "op.execute(T.insert().from_select(['id', 'bio'], sa.select(T)))"),
    ("", """
        def sql(name):
            return f"UPDATE users SET {name} = about"
        op.execute(sql("bio"))
    """),
    ("", """
        conn = op.get_bind()
        conn.execute(sa.text("UPDATE users SET bio = about, x = y"))
        conn.execute(sa.text("UPDATE users SET age = 1"))
    """),
    ("", """
        rows = op.get_bind().execute(sa.text("SELECT id, about FROM users")).fetchall()
        for row in rows:
            op.execute(f"UPDATE users SET bio = '{row[1]}'")
    """),
    ("", 'op.execute("UPDATE users SET bio = about"); x = 1'),
    ("", """
        session = Session(bind=op.get_bind())
        session.execute(sa.text("UPDATE users SET bio = about"))
        session.commit()
    """),
    ("", """
        if op.get_bind().dialect.name == "sqlite":
            return
        op.execute("UPDATE users SET bio = about")
    """),
    ("", """
        if op.get_bind().execute(sa.text("SELECT 1 FROM users")).scalar():
            raise ValueError
        op.execute("UPDATE users SET bio = about")
    """),
    ("", 'op.execute("GRANT SELECT ON users TO x")'),
    ("", 'op.execute("SET x = 1")\n\nx = 1  # why'),
    # What keeps rows, or may.
    ("", 'op.execute("CREATE TABLE users_about AS SELECT id, about FROM users")'),
    ("", 'op.execute("CREATE TABLE users_about AS TABLE users")'),
    ("", 'op.rename_table("users", "users_backup")'),
    ("", 'op.alter_column("users", "about", new_column_name="about_backup")'),
    ("", 'op.add_column("users", sa.Column("kept", sa.Text()))'),
    ("from json import dumps as restore_bio", "n = restore_bio(op.get_bind())"),
    ("import json as helpers", "res = helpers.restore_bio()"),
    ("import json as helpers", "kept = helpers\nres = kept.restore_bio()"),
    ("import subprocess", 'subprocess_result = subprocess.run(["restore"], check=True)'),
    ("", 'answer = input("Sure?")'),
    ("", "count = op.run_async(restore)"),
    ("from sqlalchemy.orm import Session", """
        session = Session(bind=op.get_bind())
        count = session.query(User).delete()
    """),
    ("", """
        from helpers import table
        rows = [each.restore() for each in table]
    """),
    (_CHECK, "class Once:\n    done = _check()"),
    (_CHECK, '_check()\nop.execute("UPDATE users SET bio = about")'),
    (_CHECK, 'ok = _check()\nop.execute("UPDATE users SET bio = about")'),
]  # fmt: skip


@pytest.mark.parametrize(("above", "statement"), _MORE)
def test_what_is_more_than_plain_is_kept_as_a_comment(
    above: str, statement: str, tmp_path: Path
) -> None:
    downgrade = "\n".join([_ADD, dedent(statement).strip(), _DROP])
    project = project_of(tmp_path, _MOVED, downgrade, above)
    for _ in range(2):  # what nobody has worked off is still there
        body = dedent(project.write().rpartition("def downgrade():\n")[2])
        code, mark, comment = body.partition(f"{PLACEHOLDER} put back by hand what the downgrade")
        quoted = [line.removeprefix("#").removeprefix("     ") for line in comment.split("\n")[1:]]
        assert mark
        assert [line for line in quoted if line] == [x for x in downgrade.split("\n") if x]
        assert "UPDATE" not in code
        assert "DESTRUCTIVE: The values of users.bio" in code
    restored(tmp_path)  # it can be run


def test_a_read_is_not_torn_from_the_write_that_it_is_for(tmp_path: Path) -> None:
    upgrade = (
        'op.drop_column("users", "boss_id")\nop.add_column("users", sa.Column("c", sa.Text()))'
    )
    downgrade = (
        'rows = op.get_bind().execute(sa.text("SELECT id, c FROM users")).fetchall()\n'
        'op.drop_column("users", "c")\nop.execute("UPDATE users SET age = 1")'
    )
    body = written(tmp_path, upgrade, downgrade)
    assert "#     rows = op.get_bind()" in body
    assert "\nop.execute" not in body


def test_what_somebody_makes_and_the_new_downgrade_does_not_is_kept(tmp_path: Path) -> None:
    body = written(
        tmp_path,
        'op.execute("CREATE VIEW v AS SELECT 1")\nop.execute("DROP VIEW old")',
        'op.execute("CREATE VIEW old AS SELECT 2")\nop.execute("DROP VIEW v")',
    )
    assert '#     op.execute("CREATE VIEW old AS SELECT 2")' in body


@pytest.mark.parametrize("source", ["SELECT 1 AS id", "TABLE users"])
def test_a_table_that_is_made_with_its_rows_is_not_the_same_without(
    source: str, tmp_path: Path
) -> None:
    make = 'op.create_table("tags", sa.Column("id", sa.Integer()))\n'
    project = Project(tmp_path, f"{USERS}{make}", 'op.drop_table("tags")')
    with project.file.open("a", encoding="utf-8") as file:
        file.write(f'\n\ndef downgrade():\n    op.execute("CREATE TABLE tags AS {source}")\n')
    assert f'    #     op.execute("CREATE TABLE tags AS {source}")' in project.write()


@pytest.mark.parametrize(
    ("statement", "kept"),
    [
        ('op.drop_index("ix_age", "users", postgresql_concurrently=True)', True),
        ('with op.get_context().autocommit_block():\n    op.drop_index("ix_age", "users")', True),
        ('op.drop_index("ix_age", "users")', False),
        ("op.alter_column('users', 'age', type_=sa.Text(), postgresql_using='left(bio, 3)')", True),
        ("op.alter_column('users', 'age', type_=sa.Text(), postgresql_using='age::text')", False),
    ],
)
def test_how_it_is_done_is_kept_too(statement: str, kept: bool, tmp_path: Path) -> None:
    body = written(tmp_path, 'op.create_index("ix_age", "users", ["age"])', statement)
    assert (PLACEHOLDER in body) == kept


def test_two_new_names_of_one_column_are_two_changes(tmp_path: Path) -> None:
    upgrade = 'op.alter_column("users", "bio", new_column_name="about")'
    back = 'op.alter_column("users", "about", new_column_name="{}")'
    assert PLACEHOLDER not in written(tmp_path / "same", upgrade, back.format("bio"))
    assert PLACEHOLDER in written(tmp_path / "other", upgrade, back.format("bio_backup"))


def test_what_is_written_anyway_is_there_once(tmp_path: Path) -> None:
    upgrade = """
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO users (id, email, age) VALUES (1, 'a', 2)")
    """
    delete = 'op.execute("DELETE FROM users WHERE id = 1")  # the first one'
    body = written(tmp_path, upgrade, f"{delete}\nop.drop_table('tags')")
    assert body.count("DELETE") == 1
    assert body.count("drop_table") == 1


def test_rows_are_not_deleted_twice(tmp_path: Path) -> None:
    upgrade = "op.execute(\"INSERT INTO users (id, email, age) VALUES (7, 'a', 2)\")"
    body = written(tmp_path, upgrade, 'op.execute("DELETE FROM users WHERE id IN (7)")')
    assert body.startswith('op.execute("DELETE FROM users WHERE id = 7")\n# TODO')
    assert restored(tmp_path) == _ROWS


_FILLED = """
op.execute("UPDATE users SET bio = email WHERE bio IS NULL")
op.alter_column("users", "bio", existing_type=sa.Text(), nullable=False)
"""
_KEPT = """
op.add_column("users", sa.Column("about", sa.Text()))
op.execute("UPDATE users SET about = bio")
op.execute("UPDATE users SET bio = 1")
"""
_AT_ONCE = """
op.add_column("users", sa.Column("about", sa.Text()))
op.execute("UPDATE users SET about = bio, bio = 1")
"""


@pytest.mark.parametrize(
    ("upgrade", "update", "lost"),
    [
        (_MOVED, "bio = about", ""),
        (_MOVED, "bio = upper(about)", ""),
        (_MOVED, "bio = about WHERE about IS NOT NULL", ""),
        (_MOVED, "bio = about WHERE id = 1", "users.bio"),
        (_MOVED, "bio = email", "users.bio"),
        (_MOVED, "bio = bio || about", "users.bio"),
        (_MOVED, "bio = 'x'", "users.bio"),
        (_MOVED, "bio = 'x', age = length(about)", "users.bio"),
        (_FILLED, "bio = NULL WHERE bio = email", "users.bio that the upgrade overwrote"),
        (_AT_ONCE, "bio = about", "users.bio"),
        (_KEPT, "bio = about", ""),
        (_KEPT, "bio = about WHERE id = 1", "users.bio that the upgrade overwrote"),
    ],
)
def test_values_are_restored_only_by_what_gives_them_back_to_all_rows(
    upgrade: str, update: str, lost: str, tmp_path: Path
) -> None:
    downgrade = '"""Back."""\nop.execute("UPDATE users SET {}")'
    project = project_of(tmp_path, upgrade, downgrade.format(update))
    text = project.write()
    assert f"SET {update}" in text.rpartition("def downgrade():\n")[2].partition("TODO")[0]
    assert text.count(f"The values of {lost}") == (2 if lost else 0)


def test_a_mark_goes_from_a_batch_block_too(tmp_path: Path) -> None:
    upgrade = """
    with op.batch_alter_table("users") as batch_op:
        batch_op.add_column(sa.Column("about", sa.Text()))
    op.execute("UPDATE users SET about = bio")
    with op.batch_alter_table("users") as batch_op:
        batch_op.drop_index("ix_users_both")
        batch_op.drop_index("ix_users_bio")
        batch_op.drop_column("bio")
    """
    body = written(tmp_path, upgrade, _UPDATE)
    assert "batch_op.add_column" in body
    assert "DESTRUCTIVE" not in body
    assert restored(tmp_path) == _ROWS


def test_a_column_that_somebody_fills_is_not_to_be_filled_any_more(tmp_path: Path) -> None:
    upgrade = (
        'op.add_column("users", sa.Column("mail", sa.Text()))\n'
        'op.execute("UPDATE users SET mail = email")\n'
        'with op.batch_alter_table("users") as batch_op:\n'
        '    batch_op.drop_constraint("uq_users_email", type_="unique")\n'
        '    batch_op.drop_column("email")'
    )
    body = written(tmp_path, upgrade, 'op.execute("UPDATE users SET email = mail")')
    assert "fill it here" not in body
    assert body.index("SET email = mail") < body.index("nullable=False")
    assert restored(tmp_path) == _ROWS


@pytest.mark.parametrize(
    ("delete", "left"), [("DELETE FROM tags", 0), ("DELETE FROM tags WHERE id = 99", 1)]
)
def test_rows_are_undone_only_where_the_table_is_emptied(
    delete: str, left: int, tmp_path: Path
) -> None:
    tags = 'op.create_table("tags", sa.Column("id", sa.Integer()))'
    project = Project(
        tmp_path, f"{USERS}{tags}", 'op.execute("INSERT INTO tags (id) SELECT id FROM users")'
    )
    with project.file.open("a", encoding="utf-8") as file:
        file.write(f'\n\ndef downgrade():\n    op.execute("{delete}")\n')
    text = project.write()
    assert text.count(PLACEHOLDER) == left
    assert f'\n    op.execute("{delete}")' in text


def test_an_empty_downgrade_keeps_what_was_put_aside(tmp_path: Path) -> None:
    aside = (
        f"{PLACEHOLDER} put back by hand what the downgrade before this one did:\n"
        "#     session.commit()"
    )
    body = written(tmp_path, _MOVED, f"{aside}\npass")
    assert body.count(aside) == 1
    assert "op.add_column" in body


def test_one_fix_that_fails_takes_no_other_file_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> None:
        raise IndentationError("unexpected")

    project = Project(tmp_path, USERS, _MOVED)
    monkeypatch.setattr("alembic_roundtrip.scaffold.downgrade.with_authored", fails)
    found = Workspace([tmp_path], {"dialects": ["sqlite"]}).diagnostics(project.file)
    assert found
    assert [fix for each in found for fix in each.fixes if fix.title.startswith("Write")] == []
    assert "the fixes of rule" in caplog.text
