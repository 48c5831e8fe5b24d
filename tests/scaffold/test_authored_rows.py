"""A downgrade that is written anew keeps what somebody has written of rows into the present one."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import USERS, Project

_MOVED = """
op.add_column("users", sa.Column("about", sa.Text()))
op.execute("UPDATE users SET about = bio")
op.drop_index("ix_users_both", table_name="users")
op.drop_index("ix_users_bio", table_name="users")
op.drop_column("users", "bio")
"""
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


def written(folder: Path, upgrade: str, downgrade: str) -> str:
    """The body of the downgrade that is written over another one."""
    project = Project(folder, USERS, upgrade)
    with project.file.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef downgrade():\n{indent(dedent(downgrade).strip(chr(10)), '    ')}\n")
    text = project.write()
    return dedent(text.partition("def downgrade():\n")[2])


def test_an_update_stands_between_the_columns_that_it_names(tmp_path: Path) -> None:
    body = written(tmp_path, _MOVED, _BACK)
    bio, comment, update, about = map(
        body.index, ('"bio", sa.Text()', "# As it was.", "SET bio = about", '"users", "about"')
    )
    assert bio < comment < update < about
    assert "    UPDATE users\n" in body
    assert "TODO" not in body
    assert "DESTRUCTIVE" not in body
    assert body.count("op.create_index") == 2


def test_changes_of_other_tables_hold_it_nowhere(tmp_path: Path) -> None:
    upgrade = f'op.create_table("tags", sa.Column("id", sa.Integer()))\n{_MOVED}'
    body = written(tmp_path, upgrade, f'op.drop_table("tags")\n{_BACK.strip()}')
    assert body.index("SET bio = about") < body.index('"users", "about"') < body.index("drop_table")


def test_they_stay_in_their_order(tmp_path: Path) -> None:
    statements = ["SET bio = about", "DELETE FROM users WHERE age = 1", "SET age = 2"]
    update, delete, other = statements
    texts = [f"UPDATE users {update}", delete, f"UPDATE users {other}"]
    body = written(tmp_path, _MOVED, "\n".join(f'op.execute("{text}")' for text in texts))
    places = list(map(body.index, statements))
    assert body.index('"bio", sa.Text()') < places[0]
    assert places == sorted(places)


def test_what_binds_its_names_comes_with_it_and_nothing_else(tmp_path: Path) -> None:
    body = written(
        tmp_path,
        _MOVED,
        """
        op.add_column("users", sa.Column("bio", sa.Text()))
        unused = 1
        connection = op.get_bind()
        users = sa.table("users", sa.column("bio"), sa.column("about"))
        connection.execute(users.update().values(bio=users.c.about))
        """,
    )
    assert body.index("connection = op.get_bind()\nusers = sa.table(") < body.index(".values(bio")
    assert "unused" not in body
    assert body.index('"bio", sa.Text()') < body.index(".values(bio") < body.rindex('"about")')


@pytest.mark.parametrize(
    "downgrade",
    [
        'op.execute(open("down.sql").read())',
        """
        if True:
            op.add_column("users", sa.Column("bio", sa.Text()))
            op.execute("UPDATE users SET bio = about")
        """,
        """
        count = op.execute("ALTER TABLE users ADD bio text")
        op.execute(f"UPDATE users SET bio = {count}")
        """,
    ],
)
def test_what_has_no_place_is_named(downgrade: str, tmp_path: Path) -> None:
    body = written(tmp_path, _MOVED, downgrade)
    assert body.rstrip().endswith("by hand")
    assert f"{PLACEHOLDER} put back `" in body


def test_what_is_written_anyway_is_there_once(tmp_path: Path) -> None:
    upgrade = """
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True))
    op.execute("INSERT INTO users (id, email, age) VALUES (1, 'a', 2)")
    """
    delete = 'op.execute("DELETE FROM users WHERE id = 1")  # the first one'
    body = written(tmp_path, upgrade, f"{delete}\nop.drop_table('tags')")
    assert body.count("DELETE") == 1
    assert body.count("drop_table") == 1


def test_values_that_somebody_gives_back_are_not_said_to_be_lost(tmp_path: Path) -> None:
    body = written(
        tmp_path,
        """
        op.execute("UPDATE users SET bio = email WHERE bio IS NULL")
        op.alter_column("users", "bio", existing_type=sa.Text(), nullable=False)
        """,
        '''
        """NULL again."""
        op.alter_column("users", "bio", existing_type=sa.Text(), nullable=True)
        op.execute("UPDATE users SET bio = NULL WHERE bio = email")
        ''',
    )
    assert body.index("nullable=True") < body.index("SET bio = NULL")
    assert "DESTRUCTIVE" not in body
