"""Words that mean something in SQL mean nothing in a comment, a string or another's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

_HISTORY = (
    """
def upgrade():
    op.create_table("users", sa.Column("id", sa.Integer()), sa.Column("n", sa.Text()))
    op.create_table("orders", sa.Column("state", sa.Enum("new", name="state")))
    op.create_table("jobs", sa.Column("id", sa.Integer(), primary_key=True), schema="api")
    op.execute("CREATE VIEW names AS SELECT n FROM users")
""",
)
_AGAIN = "CREATE TABLE users (id integer)"
_INDEX = "CREATE INDEX CONCURRENTLY ix ON users (n)"
_VALUE = "ALTER TYPE state ADD VALUE 'paid'"
_USED = "UPDATE orders SET state = 'new' -- not yet 'paid'"
_DROPPED = "DROP TABLE gone"
_OTHER = "op.add_column('users', sa.Column('more', sa.Text()))"
_VIEW = "CREATE OR REPLACE VIEW names AS SELECT n FROM users"
_MOVED = "op.drop_column('jobs', 'x')"


def sql(text: str) -> str:
    return f"op.execute({text!r})"


@pytest.mark.parametrize(
    ("rule", "upgrade", "downgrade", "found"),
    [
        ("existing-object", "op.drop_column('users', 'n')", sql(_AGAIN), True),
        ("existing-object", "op.drop_column('users', 'n')", sql(f"-- or replace\n{_AGAIN}"), True),
        ("needs-autocommit", sql(_INDEX), "pass", True),
        ("needs-autocommit", sql(f"{_INDEX} -- no commit, no refresh"), "pass", True),
        (
            "needs-autocommit",
            sql("CREATE INDEX ix ON users (n) /* not concurrently */"),
            "pass",
            False,
        ),
        ("needs-autocommit", sql(f"COMMIT; {_INDEX}"), "pass", False),
        (
            "needs-autocommit",
            f"{sql('CREATE TEMP TABLE t (id int) ON COMMIT DROP')}; {sql(_INDEX)}",
            "pass",
            True,
        ),
        ("needs-autocommit", sql("/* tidy */ VACUUM"), "pass", True),
        (
            "needs-autocommit",
            f"{sql(_VALUE)}; {sql(_USED)}",
            "pass",
            False,
        ),
        ("enum-value-not-removable", sql(f"/* one more */ {_VALUE}"), _OTHER, True),
        ("schema-not-dropped", sql("CREATE SCHEMA audit -- if not exists"), _OTHER, True),
        ("schema-not-dropped", sql("CREATE SCHEMA IF /**/ NOT EXISTS audit"), _OTHER, False),
        (
            "sql-object-not-dropped",
            sql("CREATE VIEW v AS SELECT 1"),
            sql("ALTER TABLE users ADD x text -- cascade"),
            True,
        ),
        (
            "sql-object-not-dropped",
            sql("CREATE VIEW v AS SELECT 1"),
            "op.execute(f'DROP TABLE {name()} CASCADE')",
            False,
        ),
        ("empty-downgrade", sql(f"{_DROPPED} -- if exists"), "pass", True),
        ("empty-downgrade", sql("DROP TABLE IF\n/* any */ EXISTS gone"), "pass", False),
        (
            "definition-not-restored",
            sql(_VIEW),
            sql("CREATE OR REPLACE VIEW names AS SELECT id FROM users"),
            True,
        ),
        (
            "definition-not-restored",
            sql("DROP VIEW names"),
            sql("CREATE VIEW names AS\nSELECT n -- as it was\nFROM users"),
            False,
        ),
        (
            "wrong-schema",
            "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
            _MOVED,
            True,
        ),
        (
            "wrong-schema",
            "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
            f"{_MOVED}  # search_path is as it was",
            True,
        ),
        (
            "wrong-schema",
            "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
            f"{sql('SELECT 1 -- search_path')}; {_MOVED}",
            True,
        ),
        (
            "wrong-schema",
            "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
            f"set_search_path('api'); {_MOVED}",
            False,
        ),
        *(
            (
                "wrong-schema",
                "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
                f"{setting}; {_MOVED}",
                False,
            )
            for setting in (
                sql("SET search_path TO api"),
                sql('SET "search_path" TO api -- so'),
                sql("SELECT set_config('search_path', 'api', false)"),
                sql("CREATE FUNCTION f() RETURNS void AS $$ SET search_path TO api $$"),
                "connect(connect_args={'options': '-csearch_path=api'})",
                "connect(connect_args={'options': '--search_path=api'})",
            )
        ),
        (
            "wrong-schema",
            "op.add_column('jobs', sa.Column('x', sa.Text()), schema='api')",
            f"{_MOVED}  # search_path\n\n\nhalf = typed(",
            True,
        ),
    ],
)
def test_words_count_where_they_mean_what_they_say(
    rule: str, upgrade: str, downgrade: str, found: bool, tmp_path: Path
) -> None:
    source = f"def upgrade():\n    {upgrade}\n\n\ndef downgrade():\n    {downgrade}\n"
    project = write_project(Example("", source, history=_HISTORY), tmp_path)
    settings = {"dialects": ["postgresql"], "select": [rule]}
    diagnostics = Workspace([tmp_path], settings).diagnostics(project.file)
    assert bool(diagnostics) == found, diagnostics


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("SET FOREIGN_KEY_CHECKS = 0", False),
        ("/*!40014 SET FOREIGN_KEY_CHECKS=0 */", False),
        ("SET SESSION foreign_key_checks := false", False),
        (r"SET @note = 'it\'s'; SET FOREIGN_KEY_CHECKS=0; SET @more = 'it\'s'", False),
        ("/* SET FOREIGN_KEY_CHECKS=0 */", True),
    ],
)
def test_mysql_is_told_not_to_look_after_foreign_keys(
    setting: str, found: bool, tmp_path: Path
) -> None:
    source = (
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('pets', sa.Column('team', sa.ForeignKey('teams.id')))\n\n\n"
        f"def downgrade():\n    op.execute({setting!r})\n"
        "    op.drop_table('teams')\n    op.drop_table('pets')\n"
    )
    project = write_project(Example("", source, history=()), tmp_path)
    settings = {"dialects": ["mysql"], "select": ["misordered-downgrade"]}
    assert bool(Workspace([tmp_path], settings).diagnostics(project.file)) == found
