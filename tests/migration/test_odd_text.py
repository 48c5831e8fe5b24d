"""Text that is half typed, hostile or odd is read too."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.migration.objects import Name
from alembic_roundtrip.migration.source import read
from alembic_roundtrip.migration.syntax import decode
from alembic_roundtrip.text import Position
from migration.reading import HEADER, changes, upgrade


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
        "name = 'a'\nop.drop_table([name for name in ('b',)][0])",
        "columns = [sa.Column('id')]\nop.create_table('t', *columns)",
        "a = 'x' * 9\n" + "a = a + a\n" * 40 + "op.drop_table(a)",
        "f = lambda t: op.drop_table(t)\nf('a')",
        "op.drop_table('%(name)s' % {'nam': 'x'})",
    ],
)
def test_odd_expressions_are_read_without_guessing(body: str) -> None:
    assert upgrade(body)[-1].opaque or changes(body)


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
