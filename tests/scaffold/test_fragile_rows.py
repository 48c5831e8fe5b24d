from __future__ import annotations

from pathlib import Path

import pytest

from scaffold_cases import USERS, body

FRAGILE = {
    "NULLs in users.email": 'op.alter_column("users", "email", nullable=True)',
    "duplicates in users.email": 'op.drop_constraint("uq_users_email", "users", type_="unique")',
    "duplicates for ix_users_both in users": 'op.drop_index("ix_users_both", "users")',
    "rows of users against ck_users_age": 'op.drop_constraint("ck_users_age", "users")',
    "values in users.boss_id that users lacks": 'op.drop_constraint("fk_boss", "users")',
    "values in users.email that sa.String(length=80) cannot hold": (
        'op.alter_column("users", "email", type_=sa.String(90))'
    ),
    "values in users.active that sa.Boolean() cannot hold": (
        'op.alter_column("users", "active", type_=sa.Numeric(8, 2))'
    ),
    "values in users.price that sa.Numeric(8, 2) cannot hold": (
        'op.alter_column("users", "price", type_=sa.Integer())'
    ),
}


@pytest.mark.parametrize(("rows", "upgrade"), FRAGILE.items(), ids=FRAGILE)
def test_rows_that_would_stop_it_are_named(rows: str, upgrade: str, tmp_path: Path) -> None:
    active = 'op.add_column("users", sa.Column("active", sa.Boolean()))'
    price = 'op.add_column("users", sa.Column("price", sa.Numeric(8, 2)))'
    written = body(tmp_path, USERS, active, price, upgrade, dialects=("postgresql",))
    assert written.startswith(f"# FRAGILE: {rows} would stop this.\n")


def test_on_sqlite_a_narrower_type_only_stops_where_rows_are_told_apart_by_it(
    tmp_path: Path,
) -> None:
    wider = 'op.alter_column("users", "{}", type_=sa.Text())'
    key, other = (
        body(tmp_path / name, USERS, wider.format(name), dialects=("sqlite",))
        for name in ("id", "age")
    )
    assert "# FRAGILE: values in users.id that sa.Integer() cannot hold would stop this." in key
    assert "FRAGILE" not in other


def test_on_mysql_what_is_called_the_type_becomes_the_type(tmp_path: Path) -> None:
    upgrade = 'op.alter_column("users", "email", existing_type=sa.String(90), nullable=False)'
    written = body(tmp_path, USERS, upgrade, dialects=("mysql",))
    rows = "values in users.email that sa.String(length=80) cannot hold"
    assert written.startswith(f"# FRAGILE: {rows} would stop this.\n")


def test_rows_that_refer_to_what_is_deleted_are_named(tmp_path: Path) -> None:
    before = """
    op.create_table("kinds", sa.Column("name", sa.String(20), primary_key=True))
    op.create_table("pets", sa.Column("kind", sa.String(20), sa.ForeignKey("kinds.name")))
    """
    kinds = 'sa.table("kinds", sa.column("name"))'
    text = body(tmp_path, before, f'op.bulk_insert({kinds}, [{{"name": "cat"}}])')
    assert text == (
        "# FRAGILE: rows of pets that refer to these would stop this.\n"
        "op.execute(\"DELETE FROM kinds WHERE name = 'cat'\")"
    )


def test_rows_that_the_new_schema_refuses_too_stop_nothing(tmp_path: Path) -> None:
    upgrade = """
    op.drop_constraint("fk_boss", "users")
    op.create_foreign_key("fk_boss", "users", "users", ["boss_id"], ["id"], ondelete="CASCADE")
    op.drop_index("ix_users_both", "users")
    op.create_index("ix_users_bio_only", "users", ["bio"], unique=True)
    op.alter_column("users", "email", type_=sa.String(70))
    """
    assert "FRAGILE" not in body(tmp_path, USERS, upgrade, dialects=("postgresql",))


def test_rows_that_a_column_without_its_values_stops_at_are_named(tmp_path: Path) -> None:
    before = """
    op.create_table(
        "t",
        sa.Column("a", sa.Text(), server_default="x", unique=True),
        sa.Column("b", sa.Text()),
        sa.CheckConstraint("b IS NOT NULL OR a IS NOT NULL", name="ck_one"),
        sa.CheckConstraint("b > 'x'", name="ck_b"),
    )
    """
    drops = 'op.drop_column("t", "{}")'
    a, b = (body(tmp_path / name, before, drops.format(name)) for name in "ab")
    assert "# FRAGILE: more than one row in t would stop this.\nop.add_column(" in a
    assert "# FRAGILE: rows of t against ck_one would stop this.\nop.create_check_con" in a
    assert "# FRAGILE: rows of t against ck_one would stop this." in b


def test_they_are_named_above_the_constraint_that_comes_back_after_its_column(
    tmp_path: Path,
) -> None:
    before = """
    op.create_table(
        "t",
        sa.Column("a", sa.Text(), server_default="x"),
        sa.UniqueConstraint("a", name="uq_a"),
        sa.Column("b", sa.Text()),
        sa.CheckConstraint("a IS NOT NULL AND a > b", name="ck_a"),
    )
    """
    written = body(tmp_path, before, 'op.drop_column("t", "a")', dialects=("postgresql",))
    assert written.splitlines()[1:] == [
        'op.add_column("t", sa.Column("a", sa.Text(), server_default="x"))',
        "# FRAGILE: more than one row in t would stop this.",
        'op.create_unique_constraint("uq_a", "t", ["a"])',
        "# FRAGILE: rows of t against ck_a would stop this.",
        'op.create_check_constraint("ck_a", "t", "a IS NOT NULL AND a > b")',
    ]


def test_a_unique_index_of_a_column_with_one_value_everywhere_takes_one_row(tmp_path: Path) -> None:
    before = """
    op.create_table("t", sa.Column("a", sa.Text(), server_default="x"), sa.Column("b", sa.Text()))
    op.create_index("ix_a", "t", ["a"], unique=True)
    op.create_index("ix_b", "t", ["b"], unique=True)
    op.create_index("ix_both", "t", ["a", "b"], unique=True)
    """
    fragile = "# FRAGILE: more than one row in t would stop this."
    a, b = (body(tmp_path / name, before, f'op.drop_column("t", "{name}")') for name in "ab")
    assert f'{fragile}\nop.create_index("ix_a"' in a
    assert a.count("FRAGILE") == 1
    assert "FRAGILE" not in b
