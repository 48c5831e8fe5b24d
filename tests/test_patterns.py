from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.context import Context
from alembic_roundtrip.deployed import Deployed
from alembic_roundtrip.fixing import with_pattern
from alembic_roundtrip.migration.rendering import Renderer
from alembic_roundtrip.scaffold.patterns import names, patterns
from alembic_roundtrip.workspace import Workspace

USERS = 'op.create_table("users", sa.Column("id", sa.Integer), sa.Column("nick", sa.String(9)))'
NICK = 'op.add_column("users", sa.Column("nick", sa.String(9)))'
FILLED = 'op.execute("UPDATE users SET nick = 2")'
BOTH = 'op.drop_index("ux", "users")\nop.drop_column("users", "nick")'


def context(folder: Path, upgrade: str, downgrade: str, *, below: bool = False) -> Context:
    project = AlembicProject(folder)
    project.add("aaaa", USERS + '\nop.create_index("ux", "users", ["id"], unique=True)')
    file = project.add("bbbb", upgrade, downgrade)
    if below:
        project.add("cccc")
    found = Workspace([folder]).context(file)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("deployed", "below", "offered"),
    [
        (None, False, {"guard", "park"}),
        (Deployed("main"), False, {"guard", "park"}),
        (Deployed("main", known=True, latest=True), False, {"guard", "park"}),
        (Deployed("main", known=True, latest=True), True, {"guard"}),
        (Deployed("main", known=True), False, {"guard"}),
        (Deployed("main", known=True, text="another"), False, {"guard"}),
    ],
)
def test_an_upgrade_that_databases_have_run_is_left_alone(
    tmp_path: Path, deployed: Deployed | None, below: bool, offered: set[str]
) -> None:
    back = f'{NICK}\nop.create_index("ux", "users", ["id"], unique=True)'
    found = replace(context(tmp_path, BOTH, back, below=below), deployed=deployed)
    assert {pattern.name for pattern in patterns(found)} == offered


@pytest.mark.parametrize(
    ("upgrade", "downgrade"),
    [
        ('for name in ("nick", "id"):\n    op.drop_column("users", name)', "pass"),
        ('op.drop_column("users", "nick")', 'raise RuntimeError("no way back")'),
        ('if SOMETHING:\n    op.drop_column("users", "nick")', "pass"),
        ('op.drop_column("users", "nobody")', "pass"),
        ('op.execute("UPDATE users SET nick = NULL")', 'op.execute("UPDATE users SET nick = 1")'),
        ('op.drop_column("users", "nick")', NICK + "\n" + FILLED),
    ],
)
def test_what_is_not_plain_is_left_alone(tmp_path: Path, upgrade: str, downgrade: str) -> None:
    assert patterns(context(tmp_path, upgrade, downgrade)) == ()


def test_only_what_stands_there_is_looked_at(tmp_path: Path) -> None:
    found = context(tmp_path, BOTH, NICK)
    (park,) = patterns(found)
    assert patterns(found, park.range) == (park,)
    assert found.migration.upgrade is not None
    assert patterns(found, found.migration.upgrade.header) == ()
    assert park.name in names()


def test_what_takes_several_lines_is_indented_as_a_call_is(tmp_path: Path) -> None:
    long, other = "a" * 40, "b" * 40
    project = AlembicProject(tmp_path)
    project.add("aaaa", f'op.create_table("users", sa.Column("{long}", sa.String(9)))')
    file = project.add(
        "bbbb",
        f'op.drop_column("users", "{long}")\n'
        f'op.add_column("users", sa.Column("{other}", sa.String(9)))',
        f'op.drop_column("users", "{other}")\n'
        f'op.add_column("users", sa.Column("{long}", sa.String(9)))',
    )
    text = with_pattern(Workspace([tmp_path]), file, "rename")
    assert f'\n    op.alter_column(\n        "users",\n        "{long}",\n' in text


def test_a_long_name_is_shortened_before_the_end_that_says_what_it_is(tmp_path: Path) -> None:
    name = "t" * 61
    project = AlembicProject(tmp_path)
    columns = 'sa.Column("id", sa.Integer)'
    project.add("aaaa", f'op.create_table("{name}", {columns})')
    file = project.add("bbbb", f'op.drop_table("{name}")', f'op.create_table("{name}", {columns})')
    text = with_pattern(Workspace([tmp_path]), file, "park")
    assert f"{'t' * 53}_parked" in text


TEAMS = """op.create_table("teams", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("clubs", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("users", sa.Column("id", sa.Integer), sa.Column("team", sa.Integer))
op.create_foreign_key("key", "users", "teams", ["team"], ["id"])"""
SWAPPED = """op.drop_constraint("key", "users", type_="foreignkey")
op.drop_column("users", "{}")
op.add_column("users", sa.Column("{}", sa.Integer))
"""


@pytest.mark.parametrize(
    ("after", "offered"),
    [
        ('op.create_foreign_key("key", "users", "teams", ["group"], ["id"])', True),
        ('op.create_foreign_key("key", "users", "clubs", ["group"], ["id"])', False),
        ("", False),
    ],
)
def test_a_column_that_refers_to_another_table_is_not_the_old_one_renamed(
    tmp_path: Path, after: str, offered: bool
) -> None:
    project = AlembicProject(tmp_path)
    project.add("aaaa", TEAMS)
    file = project.add(
        "bbbb",
        SWAPPED.format("team", "group") + after,
        SWAPPED.format("group", "team") + TEAMS.splitlines()[-1],
    )
    found = Workspace([tmp_path]).context(file)
    assert found is not None
    assert ("rename" in {pattern.name for pattern in patterns(found)}) == offered


def test_a_long_query_is_written_in_lines_as_long_as_any(tmp_path: Path) -> None:
    names = [f"{letter * 20}" for letter in "abcd"]
    listed = ", ".join(f"'{name}'" for name in names)
    index = f"op.create_index('ux', 'users', [{listed}], unique=True)"
    columns = ", ".join(f"sa.Column('{name}', sa.Integer)" for name in names)
    project = AlembicProject(tmp_path)
    project.add("aaaa", f"op.create_table('users', {columns})\n{index}")
    file = project.add("bbbb", "op.drop_index('ux')", index)
    text = with_pattern(Workspace([tmp_path]), file, "guard")
    query, _, then = text.partition("in_the_way = (")[2].partition("\n    )\n")
    assert max(map(len, query.splitlines())) <= 88
    assert ast.literal_eval(f"({query})").startswith(f"FROM users WHERE ({names[0]}, {names[1]}, ")
    assert "sa.text(f'SELECT count(*) {in_the_way}')" in then


def test_several_tables_are_counted_in_turn(tmp_path: Path) -> None:
    mood = "sa.Column('mood', sa.Enum('sad', name='mood'))"
    project = AlembicProject(tmp_path)
    project.add("aaaa", f"op.create_table('cats', {mood})\nop.create_table('dogs', {mood})")
    file = project.add("bbbb", """op.execute("ALTER TYPE mood ADD VALUE 'glad'")""", "pass")
    workspace = Workspace([tmp_path], {"dialects": ["postgresql"]})
    text = with_pattern(workspace, file, "enum-value")
    assert text.count("raise RuntimeError(") == 1
    assert "for in_the_way in (\n" in text
    assert """    "FROM dogs WHERE CAST(mood AS text) IN ('glad')",\n""" in text


@pytest.mark.parametrize(
    ("downgrade", "first"),
    [
        ('op.drop_column("elsewhere", "nick")\n{index}', True),
        ('op.rename_table("people", "elsewhere")\n{index}', False),
        ('op.add_column("elsewhere", sa.Column("number", sa.Integer))\n{index}', False),
    ],
)
def test_rows_are_counted_before_anything_is_done_as_soon_as_they_can_be(
    tmp_path: Path, downgrade: str, first: bool
) -> None:
    project = AlembicProject(tmp_path)
    project.add("aaaa")  # the table is not made by the history
    index = 'op.create_index("ux", "elsewhere", ["id"], unique=True)'
    file = project.add("bbbb", "pass", downgrade.format(index=index))
    back = with_pattern(Workspace([tmp_path]), file, "guard").partition("def downgrade")[2]
    assert (back.index("in_the_way") < back.index("op.")) == first


@pytest.mark.parametrize(
    ("default", "refuses"),
    [
        ("", True),
        (", server_default='none'", False),
        (", server_default=sa.func.now()", True),  # no SQL of ours says it
    ],
)
def test_rows_written_since_get_the_default_that_the_downgrade_gave_them(
    tmp_path: Path, default: str, refuses: bool
) -> None:
    column = "sa.Column('nick', sa.String(9), nullable=False{})"
    project = AlembicProject(tmp_path)
    project.add("aaaa", f"op.create_table('users', {column.format('')})")
    back = f"op.add_column('users', {column.format(default)})\n"
    back += "op.alter_column('users', 'nick', server_default=None)" if default else ""
    file = project.add("bbbb", "op.drop_column('users', 'nick')", back)
    workspace = Workspace([tmp_path], {"dialects": ["postgresql"]})
    text = with_pattern(workspace, file, "park")
    filled = "UPDATE users SET nick_parked = 'none' WHERE nick_parked IS NULL"
    assert "op.add_column" not in text
    assert (filled in text, "raise" in text) == (not refuses, refuses)


@pytest.mark.parametrize(
    ("column", "holds"),
    [
        ("sa.Column('team', sa.Integer)", False),
        ("sa.Column('team', sa.Integer, sa.ForeignKey('teams.id'))", True),
        ("sa.Column('team', sa.Integer, sa.ForeignKey('teams.id', ondelete='SET NULL'))", False),
    ],
)
def test_what_is_parked_says_that_it_still_refers_to_rows(
    tmp_path: Path, column: str, holds: bool
) -> None:
    made = f"op.create_table('users', sa.Column('id', sa.Integer), {column})"
    project = AlembicProject(tmp_path)
    project.add("aaaa", f"op.create_table('teams', sa.Column('id', sa.Integer))\n{made}")
    found = Workspace([tmp_path]).context(project.add("bbbb", "op.drop_table('users')", made))
    assert found is not None
    (park,) = patterns(found)
    assert ("cannot be deleted" in park.fix.description) == holds


@pytest.mark.parametrize(
    ("narrow", "offered"),
    [("sa.String(3)", True), ("sa.Enum('a', name='letter')", False)],
)
def test_values_that_stop_the_change_need_no_backup(
    tmp_path: Path, narrow: str, offered: bool
) -> None:
    altered = "op.alter_column('users', 'nick', type_={})"
    project = AlembicProject(tmp_path)
    project.add("aaaa", USERS)
    file = project.add("bbbb", altered.format(narrow), altered.format("sa.String(9)"))
    found = Workspace([tmp_path], {"dialects": ["postgresql"]}).context(file)
    assert found is not None
    assert ("backup" in {pattern.name for pattern in patterns(found)}) == offered


@pytest.mark.parametrize(("dropped", "offered"), [("teams", False), ("towns", True)])
def test_a_column_does_not_stay_behind_the_table_that_it_refers_to(
    tmp_path: Path, dropped: str, offered: bool
) -> None:
    project = AlembicProject(tmp_path)
    tables = "\n".join(
        f"op.create_table('{name}', sa.Column('id', sa.Integer, primary_key=True))"
        for name in ("teams", "towns")
    )
    key = "sa.Column('team', sa.Integer, sa.ForeignKey('teams.id', name='fk'))"
    project.add("aaaa", f"{tables}\nop.create_table('users', sa.Column('id', sa.Integer), {key})")
    gone = f"op.drop_column('users', 'team')\nop.drop_table('{dropped}')"
    found = Workspace([tmp_path]).context(project.add("bbbb", gone))
    assert found is not None
    parked = [each.fix.title for each in patterns(found) if each.name == "park"]
    assert any("users.team" in title for title in parked) == offered


def test_each_of_two_losses_can_be_kept_under_an_empty_downgrade(tmp_path: Path) -> None:
    dropped = 'op.drop_column("users", "nick")\nop.drop_column("users", "id")'
    parked = [p for p in patterns(context(tmp_path, dropped, "pass")) if p.name == "park"]
    assert [p.fix.title.split("`")[1] for p in parked] == ["users.nick", "users.id"]


def test_a_long_statement_is_broken_where_a_clause_begins(tmp_path: Path) -> None:
    found = context(tmp_path, "pass", "pass")
    first, second = "UPDATE people ", "SET nick = first_name, nickname_of_long_ago = true"
    written = Renderer(found.migration).executed(first + second.replace("first", "f" * 20))
    assert ast.literal_eval(written.splitlines()[1].strip()) == first
