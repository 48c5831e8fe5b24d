"""What a text says of lost data, and which data that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.losses import predicted_losses
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.sql import copies_of
from alembic_roundtrip.prose import documents, says_loss, told_losses, unsaid_losses
from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project


@pytest.mark.parametrize(
    "text",
    [
        "WARNING: Downgrade will result in data loss.",
        "The rows are deleted for good.",
        "Permanently deletes old records.",
        "Rolling back: the values do not come back.",
        "There is no way back.",
        "Downgrading does not bring back the data.",
        "The old data is not preserved.",
    ],
)
def test_a_loss_is_said(text: str) -> None:
    assert says_loss(text)


@pytest.mark.parametrize(
    "text",
    [
        "Soft delete: users are no longer permanently deleted.",
        "Permanently remove the unused index.",
        "This flag should never come back.",
        "Restore the sort order of rows.",
        "Rows that are not kept in sync.",
        "Users whose password is lost.",
        "Enforcement is off for all batches, to prevent data loss.",
    ],
)
def test_what_is_about_something_else_says_no_loss(text: str) -> None:
    assert not says_loss(text)


_NOTES = (
    "def upgrade():\n"
    "    op.create_table('notes', sa.Column('a', sa.Text()), sa.Column('x', sa.Text()))\n"
)
_LOOKED_UP = """
def upgrade():
    op.add_column("notes", sa.Column("kind", sa.Integer()))
    op.execute({up!r})
    op.drop_column("notes", "a")


def downgrade():
    op.add_column("notes", sa.Column("a", sa.Text()))
    op.execute({down!r})
    op.drop_column("notes", "kind")
"""
_MOVED = """
def upgrade():
    op.add_column("notes", sa.Column("b", sa.Text()))
    op.execute({sql!r})
    op.drop_column("notes", "a")


def downgrade():
    op.add_column("notes", sa.Column("a", sa.Text()))
    op.execute("UPDATE notes SET a = b")
    op.drop_column("notes", "b")
"""


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("UPDATE notes SET b = lower(a) WHERE x = 1", []),
        ("UPDATE notes SET b = lower(x) WHERE a IS NOT NULL", ["notes.a"]),
        ("UPDATE notes SET b = lower(x)\nWHERE a IS NOT NULL", ["notes.a"]),
        ("UPDATE notes SET b = x || 'ßßßßßß' WHERE a = 1", ["notes.a"]),
        ("UPDATE notes SET b = lower(' WHERE ' || a)", []),
        ("UPDATE notes SET b = lower(x || 'a')", ["notes.a"]),
        ("INSERT INTO log (c) SELECT a FROM notes", []),
        ("INSERT INTO log (c) SELECT 'of ' || x, a AS old FROM notes -- where", []),
        ("INSERT INTO log (c) SELECT a FROM notes WHERE x = 1", ["notes.a"]),
        ("INSERT INTO log (c) SELECT lower(a) FROM notes", ["notes.a"]),
        ("CREATE TABLE log AS (SELECT * FROM notes)", []),
        ("CREATE TABLE log AS SELECT * FROM notes JOIN more ON more.a = notes.a", ["notes.a"]),
        ("CREATE UNLOGGED TABLE log AS SELECT n.* FROM notes n ORDER BY x WITH DATA", []),
        ("CREATE TEMP TABLE log AS SELECT * FROM notes", ["notes.a"]),
        ("CREATE TABLE log AS SELECT * FROM notes WITH NO DATA", ["notes.a"]),
        ("CREATE TABLE IF NOT EXISTS log AS SELECT * FROM notes", ["notes.a"]),
        ("INSERT INTO log SELECT * FROM notes TABLESAMPLE SYSTEM (1)", ["notes.a"]),
        ("INSERT INTO log SELECT * FROM notes FOR UPDATE SKIP LOCKED", ["notes.a"]),
        ("INSERT INTO log SELECT * FROM notes ON CONFLICT DO NOTHING", ["notes.a"]),
        ("INSERT INTO log (c) SELECT DISTINCT a FROM notes", ["notes.a"]),
        ("UPDATE notes SET b = a WHERE a IS NOT NULL", []),
        ("UPDATE notes SET b = a WHERE NOT (a IS NULL)", []),
    ],
)
def test_a_value_is_kept_where_another_is_made_of_it(
    sql: str, lost: list[str], tmp_path: Path
) -> None:
    project = write_project(Example("", _MOVED.format(sql=sql), history=(_NOTES,)), tmp_path)
    context = Workspace([tmp_path], {"dialects": ["postgresql"]}).context(project.file)
    assert context is not None
    assert [loss.subject for loss in predicted_losses(context)] == lost


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE notes SET (a) = (SELECT b)",
        "UPDATE notes SET (a) = ROW(b)",
        "UPDATE notes SET a[1] = b",
    ],
)
def test_a_value_comes_back_however_it_is_set(sql: str, tmp_path: Path) -> None:
    source = _MOVED.format(sql="UPDATE notes SET b = lower(a)").replace(
        "UPDATE notes SET a = b", sql
    )
    project = write_project(Example("", source, history=(_NOTES,)), tmp_path)
    context = Workspace([tmp_path], {"dialects": ["postgresql"]}).context(project.file)
    assert context is not None
    assert predicted_losses(context) == ()


@pytest.mark.parametrize(
    ("dialect", "sql", "copies"),
    [
        ("mysql", "INSERT INTO log SELECT * FROM notes", ((Name("notes"), None),)),
        ("mysql", "INSERT IGNORE INTO log SELECT * FROM notes", ()),
        ("sqlite", "INSERT OR IGNORE INTO log SELECT * FROM notes", ()),
        ("sqlite", "CREATE TEMPORARY TABLE log AS SELECT * FROM notes", ()),
        ("snowflake", "CREATE TABLE log AS SELECT * EXCLUDE (a) FROM notes", ()),
        (
            "postgresql",
            "UPDATE notes SET b = a, c = x WHERE x IS NOT NULL",
            ((Name("notes"), "x"),),
        ),
    ],
)
def test_a_copy_that_leaves_something_out_is_none(
    dialect: str, sql: str, copies: tuple[tuple[Name, str | None], ...]
) -> None:
    assert copies_of(sql, (dialect,)) == copies


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgresql", "UPDATE notes SET {} = kinds.{} FROM kinds WHERE notes.{} = kinds.{}"),
        ("mysql", "UPDATE notes JOIN kinds ON notes.{2} = kinds.{3} SET notes.{0} = kinds.{1}"),
        ("sqlite", "UPDATE notes SET {} = (SELECT {} FROM kinds k WHERE notes.{} = k.{})"),
    ],
)
def test_a_value_is_kept_by_what_it_is_looked_up_for(
    dialect: str, sql: str, tmp_path: Path
) -> None:
    up, down = sql.format("kind", "id", "a", "name"), sql.format("a", "name", "kind", "id")
    source = _LOOKED_UP.format(up=up, down=down)
    project = write_project(Example("", source, history=(_NOTES,)), tmp_path)
    context = Workspace([tmp_path], {"dialects": [dialect]}).context(project.file)
    assert context is not None
    assert predicted_losses(context) == ()


@pytest.mark.parametrize("dialect", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize(
    ("up", "down"),
    [
        ("UPDATE notes SET B = A", "UPDATE notes SET a = b"),
        ("UPDATE notes SET b = lower(A)", "UPDATE notes SET A = upper(B)"),
    ],
)
def test_a_value_is_kept_in_whatever_letters_its_column_is_named(
    up: str, down: str, dialect: str, tmp_path: Path
) -> None:
    source = _MOVED.format(sql=up).replace("UPDATE notes SET a = b", down)
    project = write_project(Example("", source, history=(_NOTES,)), tmp_path)
    context = Workspace([tmp_path], {"dialects": [dialect]}).context(project.file)
    assert context is not None
    assert predicted_losses(context) == ()


_ANEW = """
def upgrade():
    {away}
    op.create_table("notes", sa.Column("a", sa.Text()))
    op.execute({sql!r})
    {gone}


def downgrade():
    op.drop_table("notes")
    {back}
"""
_RENAMED, _DROPPED = 'op.rename_table("notes", "old")', 'op.drop_table("notes")'
_COPIED, _NEW = "INSERT INTO notes (a) SELECT a FROM old", "INSERT INTO notes VALUES ('x')"


@pytest.mark.parametrize(
    ("away", "sql", "gone", "lost"),
    [
        (_RENAMED, _COPIED, "pass", []),
        (_RENAMED, _COPIED, 'op.drop_table("old")', [("upgrade", "notes"), ("downgrade", "notes")]),
        (_RENAMED, _NEW, 'op.drop_table("old")', [("upgrade", "notes")]),
        (_DROPPED, _NEW, "pass", [("upgrade", "notes")]),
    ],
)
def test_a_table_made_in_the_place_of_another_has_older_rows_only_where_that_one_is_gone(
    away: str, sql: str, gone: str, lost: list[tuple[str, str]], tmp_path: Path
) -> None:
    back = 'op.create_table("notes", sa.Column("a", sa.Text()))'
    source = _ANEW.format(away=away, sql=sql, gone=gone, back=back)
    project = write_project(Example("", source, history=(_NOTES,)), tmp_path)
    context = Workspace([tmp_path], {"dialects": ["postgresql"]}).context(project.file)
    assert context is not None
    found = [(loss.direction, loss.subject) for loss in predicted_losses(context)]
    assert found == lost


BIO, NICK, TEAMS = "users.bio", "users.nick_name", "app.teams"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Drop the bio.", ()),
        ("WARNING: data loss.", (BIO, NICK, TEAMS)),
        ("Drop the bio.\n\nWARNING: rolling back loses data.", (BIO, NICK, TEAMS)),
        ("WARNING: all data is lost, `users.bio` as well.", (BIO, NICK, TEAMS)),
        ("WARNING: The values of `users.bio` cannot be restored.", (BIO,)),
        ("The bios cannot be restored. A rollback is possible.", (BIO,)),
        ("The data in `users.bio` and the nick names are lost.", (BIO, NICK)),
        ("Data of users is lost.", (BIO, NICK)),
        ("The rows of `teams` are lost.\nThose of `users.bio` cannot be restored.", (BIO, TEAMS)),
        ("The rows of app.teams cannot be restored.", (TEAMS,)),
        ("The biography is lost data.", (BIO, NICK, TEAMS)),
        ("Irreversible: see people.bio", (BIO, NICK, TEAMS)),
        ("The values of `users.bio` are lost. So are those of app.teams.", (BIO, TEAMS)),
        ("Destructive: drops the bio. It also drops the nick names.", (BIO, NICK)),
        ("Drops app.teams.\n\nThe values of users.bio are lost.", (BIO,)),
        ("users.bio is lost on downgrade", (BIO,)),
        ("The text of users.bio is lost.", (BIO,)),
        ("Destroys users.bio for good.", (BIO,)),
        ("The bios are gone after this.", (BIO,)),
        ("# bio is deleted permanently", (BIO,)),
        ("# We don't keep the nick names.", (NICK,)),
        ("Fix for the lost bio.", ()),
        ("The bio is no longer lost when a user leaves.", ()),
        ("The bio is not deleted permanently.", ()),
        ("Drop users.bio, which nobody reads.", ()),
        ("Invitations are lost.", ()),
    ],
)
def test_a_warning_that_names_some_losses_is_not_meant_for_others(
    text: str, told: tuple[str, ...]
) -> None:
    assert told_losses(text, [BIO, NICK, TEAMS]) == {*told}


@pytest.mark.parametrize(
    ("text", "lost", "told"),
    [
        ("WARNING: this loses data.", ("users.data", BIO), ("users.data", BIO)),
        ("Data loss.", ("users.data", BIO), ("users.data", BIO)),
        ("The value of the old columns is lost.", ("s.value", "s.key"), ("s.value", "s.key")),
        ("Old values are lost.", ("users.old_value", BIO), ("users.old_value", BIO)),
        ("Irreversible migration.", ("migration", BIO), ("migration", BIO)),
        ("The rows are deleted for good.", ("users.deleted", BIO), ("users.deleted", BIO)),
        ("The values of users.data are lost.", ("users.data", BIO), ("users.data",)),
        ("The values of `data` are lost.", ("users.data", BIO), ("users.data",)),
        ("The old_value is lost: no data is left.", ("s.old_value", BIO), ("s.old_value",)),
        ("The bio and the data in key are lost.", ("s.key", BIO), ("s.key", BIO)),
        ("Data loss. The values of users.bio are lost.", ("users.data", BIO), (BIO,)),
    ],
)
def test_ordinary_words_name_a_column_only_where_they_are_written_as_its_name(
    text: str, lost: tuple[str, ...], told: tuple[str, ...]
) -> None:
    assert told_losses(text, lost) == {*told}


@pytest.mark.parametrize(
    ("text", "older", "unsaid", "documented"),
    [
        ("The values of users.bio are lost.", (BIO, NICK), (NICK,), False),
        ("The values of users.bio are lost.", (BIO,), (), True),
        ("The values of users.bio are lost.", (), (), True),
        ("Data loss.", (BIO, NICK), (), True),
        ("Drop the bio.", (BIO,), (BIO, TEAMS), False),
        ("Drop the bio.", (), (TEAMS,), False),
    ],
)
def test_older_data_is_named_and_of_newer_any_words_will_do(
    text: str, older: tuple[str, ...], unsaid: tuple[str, ...], documented: bool
) -> None:
    assert unsaid_losses(text, older, [TEAMS]) == {*unsaid}
    assert documents(text, older) is documented
