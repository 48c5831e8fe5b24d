from __future__ import annotations

from pathlib import Path

import pytest

from scaffold_cases import ORDERS, USERS, Project

BATCH = 'with op.batch_alter_table("users", schema=None) as batch_op:\n    '
CHECKED = """
op.create_table(
    "t",
    sa.Column("a", sa.Integer()),
    sa.Column("b", sa.Integer(), sa.CheckConstraint("b > 0"), sa.CheckConstraint("b < 9", "ck")),
)
"""
ROUND_TRIPS = {
    "a table with everything": (USERS,),
    "tables that refer to each other": (USERS + ORDERS,),
    "a dropped table with keys, checks and indexes": (USERS, 'op.drop_table("users")'),
    "two dropped tables in the order of their keys": (
        USERS + ORDERS,
        """
        op.drop_index("ix_orders_state", "orders")
        op.drop_table("orders")
        op.drop_table("users")
        """,
    ),
    "a renamed table that others refer to": (USERS + ORDERS, 'op.rename_table("users", "people")'),
    "a dropped table that referred to a renamed one": (
        USERS + ORDERS,
        'op.rename_table("users", "people")',
        'op.drop_table("orders")',
    ),
    "a CHECK without a name, where batch mode makes the table anew": (
        'op.create_table("t", sa.Column("a", sa.Integer()), sa.CheckConstraint("a > 0"))',
        'with op.batch_alter_table("t") as b:\n    b.alter_column("a", nullable=False)',
    ),
    "indexes on expressions, where batch mode makes the table anew": (
        USERS + 'op.create_index("ix_lower", "users", [sa.text("lower(bio)")])',
        f"{BATCH}batch_op.alter_column('boss_id', nullable=False)",
    ),
    "an index on an expression that batch mode drops": (
        """
        op.create_table("t", sa.Column("a", sa.Text()), sa.Column("b", sa.Text()))
        op.create_index("ix_lower", "t", [sa.text("lower(a)")])
        """,
        'with op.batch_alter_table("t") as b:\n    b.drop_column("a")',
    ),
    "a CHECK that came with a type": (
        """
        op.create_table(
            "t",
            sa.Column("b", sa.Boolean(create_constraint=True, name="ck_b")),
            sa.Column("e", sa.Enum("x", "y", create_constraint=True, name="ck_e")),
        )
        """,
        """
        with op.batch_alter_table("t") as b:
            b.drop_constraint("ck_b", type_="check")
            b.drop_constraint("ck_e", type_="check")
        """,
    ),
    "a dropped column with CHECKs of its own": (CHECKED, 'op.drop_column("t", "b")'),
    "a dropped table with such a column": (CHECKED, 'op.drop_table("t")'),
    "a column with a CHECK, added in batch mode": (
        USERS,
        """
        with op.batch_alter_table("users") as b:
            b.add_column(sa.Column("b", sa.Boolean(create_constraint=True, name="ck_b")))
        """,
    ),
    "another primary key": (
        """
        op.create_table(
            "t",
            sa.Column("a", sa.Integer()),
            sa.Column("b", sa.Integer()),
            sa.PrimaryKeyConstraint("a", name="pk_t"),
        )
        """,
        'with op.batch_alter_table("t") as b:\n    b.create_primary_key("pk_b", ["b"])',
        'op.drop_table("t")',
    ),
    "an added column with an index": (
        USERS,
        'op.add_column("users", sa.Column("nick", sa.String(30), index=True))',
    ),
    "a dropped column with its indexes": (
        USERS,
        (
            'op.drop_index("ix_users_both", "users")\nop.drop_index("ix_users_bio", "users")\n'
            'op.drop_column("users", "bio")'
        ),
    ),
    "a renamed column": (
        USERS,
        'op.alter_column("users", "bio", new_column_name="about")',
    ),
    "a dropped index": (USERS, 'op.drop_index(op.f("ix_users_bio"), table_name="users")'),
    "a batch of everything": (
        USERS,
        BATCH + 'batch_op.add_column(sa.Column("nick", sa.String(30), nullable=True))\n    '
        'batch_op.create_index(batch_op.f("ix_users_nick"), ["nick"])\n    '
        'batch_op.alter_column("email", existing_type=sa.String(length=80), '
        "type_=sa.Text(), nullable=True)\n    "
        'batch_op.drop_constraint("uq_users_email", type_="unique")\n    '
        'batch_op.create_unique_constraint("uq_users_nick", ["nick"])\n    '
        'batch_op.drop_constraint("fk_boss", type_="foreignkey")',
    ),
    "a renamed column in a batch": (
        USERS,
        BATCH + 'batch_op.alter_column("email", new_column_name="mail")\n    '
        'batch_op.alter_column("age", server_default=None, nullable=True)',
    ),
    "an index moved to a renamed column in two batches": (
        USERS,
        BATCH + 'batch_op.drop_index("ix_users_bio")\n    '
        'batch_op.alter_column("bio", new_column_name="about")\n'
        + BATCH
        + 'batch_op.create_index("ix_users_about", ["about"])',
    ),
    "a column dropped in a batch with its constraint": (
        USERS,
        BATCH + 'batch_op.drop_constraint("fk_boss", type_="foreignkey")\n    '
        'batch_op.drop_column("boss_id")',
    ),
    "a required column dropped in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("uq_users_email", type_="unique")\n    '
        'batch_op.drop_column("email")',
    ),
    "a required column dropped": (
        (
            'op.create_table("t", sa.Column("a", sa.Integer()), sa.Column("b", sa.Integer(), '
            "nullable=False))"
        ),
        'op.drop_column("t", "b")',
    ),
    "a check in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("ck_users_age", type_="check")\n    '
        'batch_op.create_check_constraint("ck_users_adult", "age > 17")',
    ),
    "a primary key in a batch": (
        USERS,
        BATCH + 'batch_op.drop_constraint("pk_users", type_="primary")\n    '
        'batch_op.create_primary_key("pk_two", ["id", "email"])',
    ),
    "a table copied to a new one": (
        USERS,
        """
        op.create_table("new", sa.Column("id", sa.Integer(), primary_key=True))
        op.execute("INSERT INTO new (id) SELECT id FROM users")
        op.drop_table("users")
        op.rename_table("new", "users")
        """,
    ),
    "a table made and dropped again": (
        USERS,
        """
        op.create_table("park", sa.Column("id", sa.Integer()))
        op.add_column("users", sa.Column("nick", sa.Text()))
        op.drop_table("park")
        """,
    ),
    "a column beside a generated one": (
        USERS.replace(
            'sa.Column("age"',
            'sa.Column("next", sa.Integer(), sa.Computed("age + 1", persisted=True)),\n    '
            'sa.Column("age"',
        ),
        BATCH + 'batch_op.add_column(sa.Column("nick", sa.String(30), nullable=True))',
    ),
    "a column beside those that a view reads": (
        USERS + 'op.execute("CREATE VIEW grown AS SELECT id FROM users")',  # noqa: S608
        BATCH + 'batch_op.add_column(sa.Column("nick", sa.String(30), nullable=True))',
    ),
    "an enum type on its own": (
        USERS,
        """
        state = sa.Enum("a", "b", name="mood")
        state.create(op.get_bind(), checkfirst=True)
        op.add_column("users", sa.Column("mood", state))
        """,
    ),
    "a view": (USERS, 'op.execute("CREATE VIEW grown AS SELECT id FROM users")'),
    "only another dialect's": (
        USERS,
        """
        op.add_column("users", sa.Column("nick", sa.Text()))
        if op.get_bind().dialect.name == "postgresql":
            op.execute("CREATE VIEW grown AS SELECT id FROM users")
        if op.get_bind().dialect.name not in ("postgresql", "mysql"):
            op.create_index("ix_nick", "users", ["nick"])
        """,
    ),
    "a loop": (
        USERS,
        (
            'for name in ("a", "b"):\n    op.create_table(name, sa.Column("id", sa.Integer()))\n'
            '    op.create_index(f"ix_{name}", name, ["id"])'
        ),
    ),
}


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")  # of what is not reflected
@pytest.mark.filterwarnings("ignore::UserWarning")  # Alembic's, of the same
@pytest.mark.parametrize("upgrades", ROUND_TRIPS.values(), ids=ROUND_TRIPS)
def test_upgrade_and_written_downgrade_leave_the_catalogue_as_it_was(
    upgrades: tuple[str, ...], tmp_path: Path
) -> None:
    before, after = Project(tmp_path, *upgrades).round_trip()
    assert after == before


def test_what_was_dropped_in_batch_mode_is_required_again_in_batch_mode(tmp_path: Path) -> None:
    upgrade = 'with op.batch_alter_table("users") as b:\n    b.drop_column("email")'
    created = (
        'op.create_table("users", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("email", sa.String(50), nullable=False))'
    )
    project = Project(tmp_path, created, upgrade, dialects=("postgresql",))
    project.write()
    last = 'with op.batch_alter_table("users") as batch_op:\n    batch_op.alter_column('
    assert last in project.body
    assert "op.alter_column" not in project.body.replace("batch_op.alter_column", "")
    before, after = project.round_trip()
    assert after == before
