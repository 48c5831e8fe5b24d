"""What MySQL does by itself, undone."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from alembic_roundtrip.scaffold import PLACEHOLDER
from scaffold_cases import USERS, body

WHOLE_COLUMNS = {
    "a new name": (
        """
        op.alter_column(
            "users", "email", new_column_name="mail", existing_type=sa.String(length=80)
        )
        """,
        """
        # FRAGILE: NULLs in users.email would stop this.
        op.alter_column(
            "users",
            "mail",
            existing_type=sa.String(length=80),
            nullable=False,
            new_column_name="email",
        )
        """,
    ),
    "a type that it has already": (
        'op.alter_column("users", "bio", type_=sa.Text(), existing_type=sa.String(30))',
        """
        op.alter_column("users", "bio", existing_type=sa.Text(), existing_nullable=True)
        """,
    ),
    "a default that is not said": (
        'op.alter_column("users", "age", existing_type=sa.Integer(), nullable=False)',
        """
        op.alter_column(
            "users",
            "age",
            existing_type=sa.Integer(),
            existing_nullable=False,
            server_default="18",
        )
        """,
    ),
    "the counter of its rows": (
        """
        op.alter_column(
            "users", "id", existing_type=sa.Integer(), existing_nullable=False, new_column_name="no"
        )
        """,
        """
        op.alter_column(
            "users",
            "no",
            existing_type=sa.Integer(),
            existing_nullable=False,
            autoincrement=True,
            new_column_name="id",
        )
        """,
    ),
    "a default alone": (
        'op.alter_column("users", "age", existing_type=sa.Integer(), server_default="19")',
        'op.alter_column("users", "age", existing_type=sa.Integer(), server_default="18")',
    ),
}


@pytest.mark.parametrize("case", WHOLE_COLUMNS)
def test_mysql_defines_a_column_as_a_whole(case: str, tmp_path: Path) -> None:
    upgrade, downgrade = WHOLE_COLUMNS[case]
    written = body(tmp_path, USERS, upgrade, dialects=("mysql",))
    assert written == dedent(downgrade).strip("\n")


def test_a_key_that_numbers_its_rows_comes_back_in_one_statement(tmp_path: Path) -> None:
    table = 'op.create_table("t", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("a"))'
    written = body(tmp_path, table, 'op.drop_column("t", "id")', dialects=("mysql",))
    assert written.splitlines()[1:] == [
        "op.execute(",
        '    "ALTER TABLE t ADD COLUMN id INTEGER NOT NULL AUTO_INCREMENT PRIMARY KEY",',
        ")",
    ]


@pytest.mark.parametrize(
    "upgrade",
    [
        'op.execute("ALTER TABLE users COLLATE utf8mb4_bin")',
        'op.execute("ALTER TABLE users ADD n int, STATS_PERSISTENT = 1")',
        'op.drop_column("counted", "id")',
    ],
)
def test_what_mysql_keeps_beside_is_left_to_its_author(upgrade: str, tmp_path: Path) -> None:
    key = 'sa.Column("id", sa.Integer(), primary_key=True, comment="counts")'
    table = f'op.create_table("counted", {key}, sa.Column("a", sa.Text()))'
    assert PLACEHOLDER in body(tmp_path, USERS, table, upgrade, dialects=("mysql",))


INDEXES_ON_MYSQL = {
    "its index goes with it": (
        'op.create_foreign_key("fk_a", "t", "t", ["a"], ["id"])',
        """
        op.drop_constraint("fk_a", "t", type_="foreignkey")
        op.drop_index("fk_a", table_name="t")
        """,
    ),
    "so it does where the server named both": (
        'op.create_foreign_key(None, "t", "t", ["a"], ["id"])',
        """
        op.drop_constraint("t_ibfk_2", "t", type_="foreignkey")
        op.drop_index("a", table_name="t")
        """,
    ),
    "its index comes back before the one that took its place goes": (
        'op.create_index("ix", "t", ["b", "a"])\nop.create_index("longer", "t", ["b", "id"])',
        """
        op.drop_index("longer", table_name="t")
        op.create_index("b", "t", ["b"])
        op.drop_index("ix", table_name="t")
        """,
    ),
    "so it does where that is a unique constraint's": (
        """
        with op.batch_alter_table("t") as batch_op:
            batch_op.create_unique_constraint("uq", ["b"])
        """,
        """
        with op.batch_alter_table("t") as batch_op:
            batch_op.create_index("b", ["b"])
            batch_op.drop_constraint("uq", type_="unique")
        """,
    ),
    "a column is only dropped without it": (
        'op.add_column("t", sa.Column("c", sa.Integer(), sa.ForeignKey("t.id")))',
        """
        op.drop_constraint("t_ibfk_2", "t", type_="foreignkey")
        op.drop_column("t", "c")
        """,
    ),
    "the index of a unique column is its constraint": (
        'op.drop_index("d", table_name="t")',
        """
        # FRAGILE: duplicates in t.d would stop this.
        op.create_unique_constraint("d", "t", ["d"])
        """,
    ),
    "a unique constraint has the name that its index would have": (
        'op.create_foreign_key(None, "t", "t", ["d", "a"], ["id", "a"])',
        """
        op.drop_constraint("t_ibfk_2", "t", type_="foreignkey")
        op.drop_index("d_2", table_name="t")
        """,
    ),
    "an index that is of no use to it goes": (
        'op.create_index("ix", "t", ["a", "b"])',
        'op.drop_index("ix", table_name="t")',
    ),
}


@pytest.mark.parametrize("case", INDEXES_ON_MYSQL)
def test_indexes_that_mysql_makes_by_itself(case: str, tmp_path: Path) -> None:
    first = """
    op.create_table(
        "t",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("a", sa.Integer()),
        sa.Column("b", sa.Integer(), sa.ForeignKey("t.id")),
        sa.Column("d", sa.Integer(), unique=True),
    )
    """
    upgrade, downgrade = INDEXES_ON_MYSQL[case]
    assert body(tmp_path, first, upgrade, dialects=("mysql",)) == dedent(downgrade).strip("\n")


def test_a_table_of_mysql_comes_back_without_the_key_that_its_index_took_along(
    tmp_path: Path,
) -> None:
    first = """
    op.create_table("t", sa.Column("id", sa.Integer()), sa.Column("a", sa.Integer(), unique=True))
    """
    changes = ('op.drop_index("a", table_name="t")', 'op.drop_table("t")')
    assert "unique" not in body(tmp_path, first, *changes, dialects=("mysql",))


def test_only_mysql_makes_indexes_for_foreign_keys(tmp_path: Path) -> None:
    first = """
    op.create_table(
        "t", sa.Column("id", sa.Integer()), sa.Column("b", sa.Integer(), sa.ForeignKey("u.id"))
    )
    """
    upgrade = 'op.create_index("ix", "t", ["b", "id"])'
    assert body(tmp_path, first, upgrade, dialects=("mysql", "sqlite")).splitlines() == [
        'if op.get_context().dialect.name in ("mariadb", "mysql"):',
        '    op.create_index("b", "t", ["b"])',
        'op.drop_index("ix", table_name="t")',
    ]


@pytest.mark.parametrize("dialects", [("mysql",), ("postgresql", "mysql"), ("mariadb", "sqlite")])
def test_where_mysql_is_among_them_a_wrong_existing_type_is_not_believed(
    dialects: tuple[str, ...], tmp_path: Path
) -> None:
    upgrade = 'op.alter_column("users", "bio", type_=sa.Text(), existing_type=sa.String(30))'
    text = body(tmp_path, USERS, upgrade, dialects=dialects)
    assert (
        text == 'op.alter_column("users", "bio", existing_type=sa.Text(), existing_nullable=True)'
    )
