"""Names and numbers that PostgreSQL gives by itself, in written downgrades."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from scaffold_cases import USERS, body


@pytest.mark.parametrize(
    ("rename", "kept"),
    [
        ('op.rename_table("t", "u")', "t_id_seq"),
        ('op.alter_column("t", "id", new_column_name="n")\nop.rename_table("t", "u")', "t_id_seq"),
        (
            'op.rename_table("t", "u")\nop.rename_table("u", "t")\nop.rename_table("t", "u")',
            "t_id_seq",
        ),
    ],
)
def test_a_sequence_has_the_name_that_renames_left_it(
    rename: str, kept: str, tmp_path: Path
) -> None:
    first = 'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True))'
    written = body(tmp_path, first, rename, 'op.drop_table("u")')
    assert f'_seq RENAME TO {kept}")' in written


def test_a_sequence_with_its_usual_name_is_not_spoken_of(tmp_path: Path) -> None:
    first = """
    op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True))
    op.rename_table("t", "u")
    op.rename_table("u", "t")
    """
    assert "SEQUENCE" not in body(tmp_path, first, 'op.drop_table("t")')


def test_a_constraint_without_a_name_goes_by_the_one_that_postgresql_gave(tmp_path: Path) -> None:
    long = "items"
    first = (
        f'op.create_table("{long}", sa.Column("one_column", sa.Text()), sa.Column("b", sa.Text()))'
    )
    second = f'op.create_unique_constraint(None, "{long}", ["one_column", "b"])\n'
    second += f'op.create_check_constraint(None, "{long}", "b > 1")'
    assert body(tmp_path, first, second).splitlines() == [
        f'op.drop_constraint("{long}_b_check", "{long}", type_="check")',
        f'op.drop_constraint("{long}_one_column_b_key", "{long}", type_="unique")',
    ]


def test_a_constraint_keeps_the_name_that_postgresql_gave_it_before_a_rename(
    tmp_path: Path,
) -> None:
    first = """
    op.create_table(
        "t",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("a", sa.Text(), unique=True),
    )
    op.rename_table("t", "u")
    """
    upgrade = 'op.drop_column("u", "a")'
    added = '"u", sa.Column("a", sa.Text()))\nop.create_unique_constraint("t_a_key", "u", ["a"])'
    assert f"op.add_column({added}" in body(tmp_path / "column", first, upgrade)
    assert body(tmp_path, first, 'op.drop_table("u")') == dedent(
        """
        # DESTRUCTIVE: The rows of u cannot be restored.
        op.create_table(
            "u",
            sa.Column("id", sa.Text()),
            sa.Column("a", sa.Text()),
            sa.PrimaryKeyConstraint("id", name="t_pkey"),
            sa.UniqueConstraint("a", name="t_a_key"),
        )
        """
    ).strip("\n")


def test_numbers_come_back_as_the_default_that_postgresql_has_for_them(tmp_path: Path) -> None:
    first = 'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True))'
    second = 'op.alter_column("t", "id", server_default=None)'
    assert body(tmp_path, first, second) == dedent(
        """
        op.alter_column(
            "t",
            "id",
            existing_type=sa.Integer(),
            server_default=sa.text("nextval('t_id_seq'::regclass)"),
        )
        op.execute(
            "SELECT setval(pg_get_serial_sequence('t', 'id'), max(id)) FROM t HAVING max(id) > 0",
        )
        """
    ).strip("\n")
    written = body(tmp_path / "b", first, second, 'op.drop_table("t")')
    assert "autoincrement=False" in written
    assert 'op.execute("CREATE SEQUENCE t_id_seq AS integer OWNED BY t.id")' in written
    third = 'op.execute("DROP SEQUENCE t_id_seq")'
    assert "SEQUENCE" not in body(tmp_path / "c", first, second, third, 'op.drop_table("t")')


def test_a_constraint_that_was_renamed_has_its_new_name(tmp_path: Path) -> None:
    first = """
    op.create_table("t", sa.Column("id", sa.Text(), primary_key=True))
    op.rename_table("t", "u")
    op.execute("ALTER TABLE u RENAME CONSTRAINT t_pkey TO u_pkey")
    """
    written = body(tmp_path, first, 'op.drop_table("u")')
    assert "t_pkey" not in written


def test_a_key_that_has_got_a_foreign_key_counts_as_it_did(tmp_path: Path) -> None:
    refers = 'sa.ForeignKey("a.id", name="fk")'
    made = """
    op.create_table("a", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_table("b", sa.Column("id", sa.Integer(), {}primary_key=True))
    """
    added = 'op.create_foreign_key("fk", "b", "a", ["id"], ["id"])'
    dropped = 'op.drop_constraint("fk", "b", type_="foreignkey")'
    texts = [
        body(tmp_path / str(number), *upgrades, 'op.drop_table("b")', dialects=("postgresql",))
        for number, upgrades in enumerate(
            [
                (made.format(""), added),
                (made.format(f"{refers}, "),),
                (made.format(f"{refers}, "), dropped),
                (made.format(""), added, dropped),
            ]
        )
    ]
    assert ["autoincrement=True" in text for text in texts] == [True, False, False, True]
    assert ["autoincrement=False" in text for text in texts] == [False, False, True, False]


@pytest.mark.parametrize(
    ("upgrade", "expected"),
    [
        (
            (
                'op.create_index("ix", "users", ["age"], unique=True)\n'
                'op.execute("ALTER TABLE users ADD CONSTRAINT uq UNIQUE USING INDEX ix")'
            ),
            ['op.drop_constraint("uq", "users", type_="unique")'],
        ),
        (
            'op.execute("ALTER TABLE users ADD UNIQUE USING INDEX ix_users_bio")',
            [
                'op.drop_constraint("ix_users_bio", "users", type_="unique")',
                'op.create_index(op.f("ix_users_bio"), "users", ["bio"], unique=False)',
            ],
        ),
    ],
)
def test_an_index_that_became_a_constraint_is_one_again(
    upgrade: str, expected: list[str], tmp_path: Path
) -> None:
    written = body(tmp_path, USERS, upgrade, dialects=("postgresql",))
    assert written.splitlines() == expected
