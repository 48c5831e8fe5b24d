"""Whether a history begins with what it does not make, as far as reading tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_project import AlembicProject
from alembic_roundtrip.rehearsal.beginnings import Missing, advice, begins_with

MAY_MAKE_USERS = [
    'op.create_table("users", sa.Column("id", sa.Integer))',
    'op.create_table("USERS", sa.Column("id", sa.Integer))',
    'op.create_table("users", sa.Column("id", sa.Integer), schema="app")',
    'if app():\n    op.create_table("users", sa.Column("id", sa.Integer))',
    'op.rename_table("people", "users")',
    'op.execute("CREATE TABLE IF NOT EXISTS users (id INTEGER)")',
    'op.execute("CREATE VIEW users AS SELECT 1")',
    'op.execute("CREATE OR REPLACE VIEW users AS SELECT 1")',
    "op.execute(app.sql())",
    "op.create_table(*app.columns())",
    "app.make(op.get_bind())",
    "Base.metadata.create_all(op.get_bind())",
    "op.make_everything()",
    'op.create_table("users", sa.Column("id", ',
]
LEAVES_USERS_OUT = [
    "pass",
    'op.create_table("teams", sa.Column("id", sa.Integer))',
    "op.add_column(*app.column())",
    'op.add_column("teams", app.column())',
    "at = datetime.now(timezone.utc)._replace(tzinfo=None)",
    "datetime.now(timezone.utc)._replace(tzinfo=None)",
]


@pytest.fixture
def history(tmp_path: Path) -> AlembicProject:
    project = AlembicProject(tmp_path)
    project.add("first", 'op.add_column("users", sa.Column("name", sa.String(60)))')
    return project


@pytest.mark.parametrize("upgrade", MAY_MAKE_USERS)
def test_what_a_migration_may_make_is_no_beginning(history: AlembicProject, upgrade: str):
    history.add("second", upgrade, 'op.drop_table("users")')
    assert not begins_with(history.environment, Missing("users"), ["users"])


@pytest.mark.parametrize("upgrade", LEAVES_USERS_OUT)
def test_what_no_migration_makes_and_models_have_is_one(history: AlembicProject, upgrade: str):
    history.add("second", upgrade, 'op.create_table("users", sa.Column("id", sa.Integer))')
    assert begins_with(history.environment, Missing("users"), ["Users", "teams"])


@pytest.mark.parametrize(
    ("upgrade", "begins"),
    [
        ("pass", False),
        ('op.drop_table("users")', True),
        ('op.rename_table("users", "people")', True),
        ('op.execute("ALTER TABLE users RENAME TO people")', True),
        ('op.rename_table("people", "teams")', False),
    ],
)
def test_what_no_model_has_is_one_only_where_it_goes(history: AlembicProject, upgrade, begins):
    history.add("second", upgrade)
    assert begins_with(history.environment, Missing("users"), ["people", "teams"]) is begins


def test_a_history_that_cannot_be_read_as_a_whole_has_no_beginning(history: AlembicProject):
    history.add("second", after="nowhere")
    assert not begins_with(history.environment, Missing("users"), ["users"])


CALLS = """
assert_never(1)
Locale.parse("en")
op.add_column("users", sa.Column("name", sa.String(60)))
app.make()
"""


@pytest.mark.parametrize(
    ("calls", "applied", "begins"),
    [
        (CALLS, {"before"}, False),
        (CALLS.replace("app.make()", ""), {"before"}, True),
        (CALLS.replace("app.make()", ""), set(), False),
    ],
    ids=["others follow", "they came before", "those of another migration follow"],
)
def test_calls_that_were_made_already_made_no_table(
    tmp_path: Path, calls: str, applied: set[str], begins: bool
):
    project = AlembicProject(tmp_path)
    project.add("before", "app.make()")
    lines = project.add("first", calls).read_text().splitlines()
    stops = next(number for number, line in enumerate(lines, 1) if "add_column" in line)
    missing = Missing("users", "first", stops, frozenset(applied))
    assert begins_with(project.environment, missing, ["users"]) is begins


@pytest.mark.parametrize(
    ("others", "begins"),
    [
        ([], False),
        (['op.add_column("teams", sa.Column("email", sa.Text()))'], False),
        (['op.add_column("users", sa.Column("email", sa.Text()))'], True),
        (["op.execute(\"UPDATE users SET name = ''\")"], True),
    ],
)
def test_what_cannot_be_read_makes_no_table_that_several_used_before(
    history: AlembicProject, others: list[str], begins: bool
):
    for number, upgrade in enumerate(others):
        history.add(f"other{number}", upgrade)
    history.add("opaque", "app.make(op.get_bind())")
    missing = Missing("users", "first", 9)
    assert begins_with(history.environment, missing, ["users"]) is begins


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("pass", "; this history does not start from an empty database: the setting `baseline`"),
        ("app.make()", "; where this history does not start from an empty database, the setting"),
        (MAY_MAKE_USERS[0], "; `users` is made later, by second"),
    ],
)
def test_what_helps_where_a_table_is_missing(history: AlembicProject, second: str, said: str):
    history.add("second", second)
    assert advice(history.environment, Missing("users", "first", 9), sure=True).startswith(said)


def test_a_table_that_was_there_needs_no_advice(history: AlembicProject):
    history.add("second", MAY_MAKE_USERS[0])
    history.add("third", 'op.drop_table("users")')
    missing = Missing("users", "third", applied=frozenset({"first", "second"}))
    assert advice(history.environment, missing, sure=False) == ""
