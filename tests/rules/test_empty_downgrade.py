from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

ROWS = "op.execute('UPDATE users SET email = lower(email)')"
COLUMN = "op.add_column('users', sa.Column('x', sa.Text()))"
PLAIN = "Lower-case all addresses."
SAID = "Lower-case all addresses. One-way: how they were spelt is lost."


@pytest.mark.parametrize(
    ("operation", "docstring", "body", "severity", "safety"),
    [
        (COLUMN, PLAIN, "pass", "error", "safe"),
        (COLUMN, SAID, "pass", "error", "safe"),
        (COLUMN, PLAIN, "'There is no way back.'", "information", "unsafe"),
        (ROWS, PLAIN, "pass", "warning", "safe"),
        (ROWS, SAID, "pass", "information", "unsafe"),
        (COLUMN, PLAIN, "pass  # on purpose", "information", "unsafe"),
        (COLUMN, PLAIN, "pass\n    # There is no way back.", "information", "unsafe"),
        (COLUMN, PLAIN, "pass\n\n\n# There is no way back.", "error", "safe"),
    ],
)
def test_what_is_said_of_it_makes_it_milder(
    operation: str, docstring: str, body: str, severity: str, safety: str, tmp_path: Path
) -> None:
    text = f"def upgrade():\n    '{docstring}'\n    {operation}\n\n\ndef downgrade():\n    {body}\n"
    project = write_project(Example("", text), tmp_path)
    (found,) = Workspace([tmp_path], {"select": ["empty-downgrade"]}).diagnostics(project.file)
    assert (found.severity, {fix.safety for fix in found.fixes}) == (severity, {safety})


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        ("op.execute('DROP INDEX IF EXISTS gone')", False),
        ("op.drop_index('ix', table_name='users', if_exists=True)", True),
        ("op.drop_index('gone', table_name='users', if_exists=True)", False),
        ("op.drop_index('gone', table_name='users')", True),
        ("op.execute('ALTER TABLE users DROP COLUMN IF EXISTS gone')", False),
        ("op.execute('ALTER TABLE users DROP COLUMN IF EXISTS email')", True),
        ("op.execute('ALTER TABLE users DROP CONSTRAINT IF EXISTS gone')", False),
        ("op.execute('ALTER TABLE users DROP CONSTRAINT IF EXISTS users_pkey')", True),
        ("op.execute('DROP VIEW IF EXISTS gone; DROP TYPE IF EXISTS gone')", False),
        ("op.execute('DROP VIEW IF EXISTS gone; DROP TYPE IF EXISTS mood')", True),
        ("op.execute('DO $$ BEGIN DROP TABLE IF EXISTS gone; END $$')", False),
        ("op.execute('DO $$ BEGIN DROP TABLE IF EXISTS users; END $$')", True),
        ("op.execute('DO $$ BEGIN DROP TABLE IF EXISTS a; CREATE TABLE b (); END $$')", True),
        ("op.execute('DO $$ BEGIN DROP TABLE IF EXISTS gone; PERFORM move(); END $$')", True),
        ("op.execute('DO $$ BEGIN DROP TABLE IF EXISTS gone; SELECT f() INTO x; END $$')", True),
        ("if sa.inspect(op.get_bind()).has_table('gone'): op.drop_table('gone')", False),
        ("if not sa.inspect(op.get_bind()).has_table('a'): op.create_table('a')", True),
    ],
)
def test_what_no_revision_made_need_not_be_there(
    operation: str, found: bool, tmp_path: Path
) -> None:
    text = f"def upgrade():\n    {operation}\n\n\ndef downgrade():\n    pass\n"
    made = (
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('email', sa.Text()), sa.Column('mood', sa.Enum('a', name='mood')),\n"
        "        sa.Index('ix', 'email'))\n"
    )
    project = write_project(Example("", text, history=(made,)), tmp_path)
    settings = {"dialects": ["postgresql"], "select": ["empty-downgrade"]}
    assert bool(Workspace([tmp_path], settings).diagnostics(project.file)) == found
