"""The upgrade brings a rule that rows may be against.

## Why it matters
On the empty database of a test it passes. On one with rows it fails on those that were legal until
now (NULL, duplicates, longer values), and the deployment stops half-way.

## What to do
Make the rows fit before, with an UPDATE or DELETE in the same migration, or count those in the way
and refuse with the number and the query.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.tightening import TIGHTENING, tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule

rule = Rule(__name__, severity="warning", upgrade=TIGHTENING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """UNIQUE, NOT NULL, CHECK and shorter types over rows that nothing was done for."""
    for found in tightenings(context, "upgrade"):
        yield Finding(
            found.operation.range,
            f"fails if there are {found.rows}",
            severity=None if context.recent else "information",
        )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Integer()))\n"
    "    op.create_unique_constraint('uq_age', 'users', ['age'])\n"
)

rule.example(
    "NOT NULL for a column that takes NULL",
    """
    def upgrade():
        op.alter_column("users", "nick", comment="😋", nullable=False)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are NULLs in `users.nick`


    def downgrade():
        op.alter_column("users", "nick", comment=None, nullable=True)
    """,
    history=(_USERS,),
)
rule.example(
    "Added empty, and required before anything has filled it",
    """
    def upgrade():
        op.add_column("users", sa.Column("mail", sa.Text()))
        op.alter_column("users", "mail", nullable=False)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are NULLs in `users.mail`


    def downgrade():
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
)
rule.example(
    "A primary key of a column that comes with it, empty",
    """
    def upgrade():
        op.drop_constraint("users_pkey", "users")
        op.add_column("users", sa.Column("key", sa.Text()))
        op.add_column("users", sa.Column("number", sa.Integer(), sa.Identity()))
        op.create_primary_key("😋", "users", ["key", "number"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows in `users`, as `key` is NULL in them


    def downgrade():
        op.drop_constraint("😋", "users")
        op.drop_column("users", "number")
        op.drop_column("users", "key")
        op.create_primary_key("users_pkey", "users", ["id"])
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "SQLModel's text, which had no limit",
    """
    from sqlmodel import AutoString


    def upgrade():
        op.alter_column("users", "nick", type_=sa.String(9), comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are values in `users.nick` that sa.String(9) cannot hold


    def downgrade():
        op.alter_column("users", "nick", type_=AutoString(), comment=None)
    """,
    history=(
        "import sqlmodel\n"
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('nick', sqlmodel.sql.sqltypes.AutoString()))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "UNIQUE over values that may be there twice",
    """
    def upgrade():
        op.create_unique_constraint("uq_nick", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are duplicates in `users.nick`


    def downgrade():
        op.drop_constraint("uq_nick", "users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A CHECK of what is there",
    """
    def upgrade():
        op.create_check_constraint("ck_age", "users", "age > 0")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows against `ck_age` in `users`


    def downgrade():
        op.drop_constraint("ck_age", "users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Filled first",
    """
    def upgrade():
        op.execute("UPDATE users SET nick = '' WHERE nick IS NULL")
        op.alter_column("users", "nick", nullable=False)


    def downgrade():
        op.alter_column("users", "nick", nullable=True)
    """,
    history=(_USERS,),
)
rule.example(
    "Unique already by one of the columns",
    """
    def upgrade():
        op.create_unique_constraint("uq_nick_age", "users", ["nick", "age"])


    def downgrade():
        op.drop_constraint("uq_nick_age", "users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "On columns that come with it",
    """
    def upgrade():
        op.add_column("users", sa.Column("mail", sa.Text()))
        op.create_unique_constraint("uq_mail", "users", ["mail"])
        op.create_check_constraint("ck_mail", "users", "mail <> ''")


    def downgrade():
        op.drop_constraint("ck_mail", "users")
        op.drop_column("users", "mail")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A foreign key over values that may be nobody's",
    """
    def upgrade():
        op.create_foreign_key("fk_boss", "users", "bosses", ["age"], ["id"], comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are values in `users.age` that `bosses` does not have


    def downgrade():
        op.drop_constraint("fk_boss", "users")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The rows that are there are looked at later",
    """
    def upgrade():
        op.create_foreign_key(
            "fk", "users", "teams", ["id"], ["id"], postgresql_not_valid=True
        )


    def downgrade():
        op.drop_constraint("fk", "users", type_="foreignkey")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "The rows that are there are looked at in the end",
    """
    def upgrade():
        op.execute("ALTER TABLE users ADD CONSTRAINT ck CHECK (id > 0) NOT VALID")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows against `ck` in `users`
        op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck")


    def downgrade():
        op.drop_constraint("ck", "users", type_="check")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "MySQL knows nothing of NOT VALID",
    """
    def upgrade():
        op.create_check_constraint("ck", "users", "id > 0", postgresql_not_valid=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows against `ck` in `users`


    def downgrade():
        op.drop_constraint("ck", "users", type_="check")
    """,
    history=(_USERS,),
    dialects=("mysql",),
)
rule.example(
    "The rows were told apart by the same expression",
    """
    def upgrade():
        op.drop_index("ux", table_name="users")
        op.create_index(
            "ux", "users", [sa.text("lower(nick)")], unique=True, postgresql_where=sa.text("age > 1")
        )


    def downgrade():
        op.drop_index("ux", table_name="users")
        op.create_index("ux", "users", [sa.text("lower(nick)")], unique=True)
    """,
    history=(
        _USERS,
        "def upgrade():\n"
        "    op.create_index('ux', 'users', [sa.text('lower(nick)')], unique=True)\n"
        "def downgrade():\n    op.drop_index('ux', table_name='users')\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A materialized view of this migration",
    """
    def upgrade():
        op.execute("CREATE MATERIALIZED VIEW seen AS SELECT id FROM users WITH NO DATA")
        op.create_index("ux_seen", "seen", ["id"], unique=True)


    def downgrade():
        op.execute("DROP MATERIALIZED VIEW seen")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
