from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from scaffold_cases import USERS, Project, body


def test_dialect_guards_stand_in_the_inverse_too(tmp_path: Path) -> None:
    upgrade = """
    if op.get_bind().dialect.name == "postgresql":
        op.create_index("ix_a", "users", ["age"])
        op.create_index("ix_b", "users", ["age"])
    else:
        op.create_index("ix_c", "users", ["age"])
    """
    assert body(tmp_path, USERS, upgrade, dialects=("postgresql", "sqlite")) == dedent(
        """
        if op.get_context().dialect.name != "postgresql":
            op.drop_index("ix_c", table_name="users")
        if op.get_context().dialect.name == "postgresql":
            op.drop_index("ix_b", table_name="users")
            op.drop_index("ix_a", table_name="users")
        """
    ).strip("\n")


ASKED = {
    "a table": (
        """
        if not sa.inspect(op.get_bind()).has_table("t"):
            op.create_table("t", sa.Column("a", sa.Text()))
            op.create_index("ix", "users", ["age"])
        """,
        """
        if sa.inspect(op.get_bind()).has_table("t"):
            op.drop_index("ix", table_name="users")
            op.drop_table("t")
        """,
    ),
    "a column, by a list that was made before": (
        """
        columns = [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]
        if "nick" not in columns:
            op.add_column("users", sa.Column("nick", sa.Text()))
        if "age" in columns:
            op.drop_column("users", "age")
        """,
        """
        if "age" not in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
            # DESTRUCTIVE: The values of users.age cannot be restored.
            op.add_column(
                "users",
                sa.Column("age", sa.Integer(), server_default="18", nullable=False),
            )
            op.create_check_constraint("ck_users_age", "users", "age > 0")
            op.create_index("ix_users_both", "users", ["bio", sa.text("age DESC")], unique=True)
        if "nick" in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
            op.drop_column("users", "nick")
        """,
    ),
    "each of a list": (
        """
        found = {c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")}
        for name in ("a", "b"):
            if name not in found:
                op.add_column("users", sa.Column(name, sa.Text()))
        """,
        """
        if "b" in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
            op.drop_column("users", "b")
        if "a" in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
            op.drop_column("users", "a")
        """,
    ),
    "an index": (
        """
        indexes = sa.inspect(op.get_bind()).get_indexes("users")
        if "ix_age" not in {index["name"] for index in indexes}:
            op.create_index("ix_age", "users", ["age"])
        """,
        """
        if "ix_age" in [i["name"] for i in sa.inspect(op.get_bind()).get_indexes("users")]:
            op.drop_index("ix_age", table_name="users")
        """,
    ),
    "what rows decide": (
        """
        if op.get_bind().scalar(sa.text("SELECT count(*) FROM users")) > 0:
            return
        op.create_index("ix_age", "users", ["age"])
        """,
        """
        if "ix_age" in [i["name"] for i in sa.inspect(op.get_bind()).get_indexes("users")]:
            op.drop_index("ix_age", table_name="users")
        """,
    ),
    "what nobody knows decides": (
        """
        if context.get_x_argument():
            op.create_index("ix_age", "users", ["age"])
            op.alter_column("users", "age", server_default=None)
        """,
        """
        # TODO(alembic-roundtrip): undo this only where upgrade() did it
        op.alter_column("users", "age", existing_type=sa.Integer(), server_default="18")
        if "ix_age" in [i["name"] for i in sa.inspect(op.get_bind()).get_indexes("users")]:
            op.drop_index("ix_age", table_name="users")
        """,
    ),
    "the statement itself": (
        """
        op.create_table("t", sa.Column("a", sa.Text()), if_not_exists=True)
        op.create_index("ix_age", "users", ["age"], if_not_exists=True)
        op.execute("CREATE TABLE IF NOT EXISTS v (a int)")
        """,
        """
        op.drop_table("v")
        op.drop_index("ix_age", table_name="users")
        op.drop_table("t")
        """,
    ),
}


@pytest.mark.parametrize(("upgrade", "expected"), ASKED.values(), ids=ASKED)
def test_what_is_done_where_it_is_missing_is_undone_where_it_is_found(
    upgrade: str, expected: str, tmp_path: Path
) -> None:
    project = Project(tmp_path, USERS, upgrade, dialects=("postgresql",))
    project.write()
    assert project.body == dedent(expected).strip("\n")


def test_what_an_older_revision_has_done_is_not_undone(tmp_path: Path) -> None:
    upgrade = """
    if "age" not in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
        op.add_column("users", sa.Column("age", sa.Text()))
    op.create_index("ix_users_both", "users", ["age"], if_not_exists=True)
    op.create_index("ix_age", "users", ["age"])
    """
    assert body(tmp_path, USERS, upgrade) == 'op.drop_index("ix_age", table_name="users")'


def test_what_is_made_anew_is_not_asked_for(tmp_path: Path) -> None:
    upgrade = """
    if context.get_x_argument():
        op.drop_table("users")
        op.create_table("users", sa.Column("id", sa.Integer()))
    """
    assert "has_table" not in body(tmp_path, USERS, upgrade)


@pytest.mark.parametrize(
    "upgrade",
    [
        """
        if helper():
            op.rename_table("old", "new")
        else:
            op.create_table("new", sa.Column("id", sa.Integer()))
        """,
        """
        if helper():
            op.alter_column("users", "age", new_column_name="years")
        else:
            op.add_column("users", sa.Column("years", sa.Integer()))
        """,
        """
        if helper():
            op.execute(made())
        else:
            op.add_column("users", sa.Column("years", sa.Integer()))
        """,
    ],
    ids=["a table", "a column", "who knows"],
)
def test_what_another_branch_may_have_named_so_is_not_dropped(tmp_path: Path, upgrade: str) -> None:
    assert "sa.inspect" not in body(tmp_path, USERS, upgrade)
