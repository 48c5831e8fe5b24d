from __future__ import annotations

from pathlib import Path

import pytest

from alembic_roundtrip.rule import Example
from alembic_roundtrip.workspace import Workspace
from example_histories import write_project

BODY = """
    def upgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.execute("UPDATE users SET id = 1")
"""
USERS = "def upgrade():\n    op.create_table('users', sa.Column('id', sa.Integer()))\n"
NAME = "column-not-dropped"
IGNORE = f"# roundtrip: ignore[{NAME}] a reason"
IN_OTHERS = f"# Roundtrip: Ignore[{NAME}] a reason"


def messages(source: str, folder: Path) -> list[str]:
    project = write_project(Example("", source, history=(USERS,)), folder)
    rules = [NAME, "unused-ignore", "unexplained-ignore"]
    found = Workspace([folder], {"select": rules}).diagnostics(project.file)
    return [d.message.partition("column ")[2] or d.message for d in found]


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (BODY, ["`users.😋`", "`users.age`"]),
        (BODY.replace("sa.Text()))", f"sa.Text()))  {IGNORE}"), ["`users.age`"]),
        (BODY.replace("sa.Text()))", f"sa.Text()))  {IN_OTHERS}"), ["`users.age`"]),
        (BODY.replace("sa.Text()))", f"sa.Text()))  # noqa: E501  {IGNORE}"), ["`users.age`"]),
        (BODY.replace('        op.add_column("users", sa.Column("age"',
                      f'        {IGNORE}\n        op.add_column("users", sa.Column("age"'),
         ["`users.😋`"]),
        (BODY.replace("def upgrade():", f"def upgrade():  {IGNORE}"), []),
        (BODY.replace("    def upgrade():", f"    {IGNORE}\n    def upgrade():"), []),
        (f'    revision = "under_test"\n    down_revision = "revision0"\n    {IGNORE}\n{BODY}', []),
    ],
    ids=["nothing", "behind", "in other letters", "behind another", "above", "on the def",
         "above the def", "again"],
)  # fmt: skip
def test_a_comment_ignores_the_statement_or_function_it_stands_at(
    source: str, left: list[str], tmp_path: Path
) -> None:
    header = "import sqlalchemy as sa\nfrom alembic import op\n"
    from textwrap import dedent

    text = dedent(source.lstrip("\n"))
    if "revision =" in text:
        text = header + text
    assert messages(text, tmp_path) == left


@pytest.mark.parametrize("decorated", ["{} why\n@once\n", "@once  {} why\n", "@once\n{} why\n"])
def test_a_comment_at_a_decorator_is_for_its_function(decorated: str, tmp_path: Path) -> None:
    ignore = decorated.format("# roundtrip: ignore[empty-downgrade]")
    source = f"def upgrade():\n    op.drop_table('users')\n\n\n{ignore}def downgrade():\n    pass\n"
    project = write_project(Example("", source, history=(USERS,)), tmp_path)
    rules = ["empty-downgrade", "unused-ignore"]
    assert Workspace([tmp_path], {"select": rules}).diagnostics(project.file) == ()


def test_a_comment_above_everything_ignores_in_the_whole_file(tmp_path: Path) -> None:
    from textwrap import dedent

    header = (
        f'{IGNORE}\n"""Docstring."""\nimport sqlalchemy as sa\nfrom alembic import op\n'
        'revision = "under_test"\ndown_revision = "revision0"\n'
    )
    assert messages(header + dedent(BODY), tmp_path) == []


def test_a_rule_that_was_not_applied_is_not_called_unused(tmp_path: Path) -> None:
    source = "def upgrade():  # roundtrip: ignore[empty-downgrade] why\n    pass\n"
    assert messages(source, tmp_path) == []


def test_half_typed_code_is_no_obstacle(tmp_path: Path) -> None:
    source = f"def upgrade():  {IGNORE}\n    op.add_column('users', sa.Column('x'))\n    x = (\n"
    assert isinstance(messages(source, tmp_path), list)
