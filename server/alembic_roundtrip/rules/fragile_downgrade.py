"""The downgrade brings back a rule that rows written since the upgrade may be against.

## Why it matters
On an empty database it passes. With rows that are legal only now (NULL, duplicates, longer values)
it fails in the middle of the rollback.

## What to do
Before it, count the rows in the way and refuse with the number and the query, or make them fit with
an UPDATE or DELETE.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.tightening import TIGHTENING, Tightening, tightenings
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.prose import documentation, says_loss
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.patterns.guard import guard

rule = Rule(__name__, severity="warning", downgrade=TIGHTENING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """UNIQUE, NOT NULL, CHECK and shorter types that come back over rows nobody looked at."""
    for found in tightenings(context):
        if says_loss(documentation(context.migration)):
            return
        yield Finding(
            found.operation.range,
            f"fails if there are {found.rows} by now",
            partial(_fixes, context, found),
            severity=None if context.recent else "information",
        )


def _fixes(context: Context, found: Tightening) -> tuple[Fix, ...]:
    """Looking first, and refusing."""
    fix = guard(context, found)
    return () if fix is None else (fix,)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)), sa.Column('age', sa.Text(), server_default='1'))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "NOT NULL comes back",
    """
    def upgrade():
        op.alter_column("people", "😋", nullable=True)


    def downgrade():
        op.alter_column("people", "😋", nullable=False)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are NULLs in `people.😋` by now
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.alter_column("people", "😋", nullable=True)


    def downgrade():
        in_the_way = 'FROM people WHERE "😋" IS NULL'
        count = op.get_bind().scalar(sa.text(f"SELECT count(*) {in_the_way}"))
        if count:
            raise RuntimeError(
                f"{count} rows of people are in the way of this downgrade: "
                f"SELECT * {in_the_way}"
            )
        op.alter_column("people", "😋", nullable=False)
    """,
)
rule.example(
    "UNIQUE comes back",
    """
    def upgrade():
        op.drop_index("ux_nick", table_name="users")


    def downgrade():
        op.create_index("ux_nick", "users", ["nick"], unique=True)
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are duplicates in `users.nick` by now
    """,
    fixed="""
    def upgrade():
        op.drop_index("ux_nick", table_name="users")


    def downgrade():
        in_the_way = (
            "FROM users "
            "WHERE nick IN (SELECT nick FROM users GROUP BY nick HAVING count(*) > 1)"
        )
        count = op.get_bind().scalar(sa.text(f"SELECT count(*) {in_the_way}"))
        if count:
            raise RuntimeError(
                f"{count} rows of users are in the way of this downgrade: "
                f"SELECT * {in_the_way}"
            )
        op.create_index("ux_nick", "users", ["nick"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "Filled first",
    """
    def upgrade():
        op.alter_column("people", "nick", nullable=True)


    def downgrade():
        op.execute("UPDATE people SET nick = '' WHERE nick IS NULL")
        op.alter_column("people", "nick", nullable=False)
    """,
    history=(_USERS,),
)
rule.example(
    "Cut first",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.String(60))


    def downgrade():
        op.execute("UPDATE users SET nick = left(nick, 30)")
        op.alter_column("users", "nick", type_=sa.String(30))
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Cut by the expression of the cast",
    """
    def upgrade():
        op.alter_column("users", "nick", type_=sa.String(60))


    def downgrade():
        op.execute("ALTER TABLE users ALTER nick TYPE varchar(30) USING left(nick, 30)")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Only relaxed",
    """
    def upgrade():
        op.alter_column("people", "nick", nullable=False)


    def downgrade():
        op.alter_column("people", "nick", nullable=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A table that comes back empty",
    """
    def upgrade():
        op.drop_table("teams")


    def downgrade():
        op.create_table("teams", sa.Column("id", sa.Integer(), primary_key=True))
        op.create_index("ux_id", "teams", ["id"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A key that has been there under other names",
    """
    def upgrade():
        op.rename_table("teams", "groups")
        op.alter_column("groups", "id", new_column_name="number")


    def downgrade():
        op.rename_table("groups", "teams")
        op.drop_constraint("pk_groups", "teams", type_="primary")
        op.alter_column("teams", "number", new_column_name="id")
        op.create_primary_key("pk_teams", "teams", ["id"])
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "Deleted although others refer to it",
    """
    def upgrade():
        op.execute("INSERT INTO colors VALUES ('😋')")


    def downgrade():
        op.execute("DELETE FROM colors WHERE name = '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows in `pens` that refer to what is deleted by now
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('colors', sa.Column('name', sa.Text(), primary_key=True))\n"
        "    op.create_table('pens', sa.Column('color', sa.Text(), sa.ForeignKey('colors.name')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Those that refer to it go first",
    """
    def upgrade():
        op.execute("INSERT INTO colors VALUES ('red')")


    def downgrade():
        op.execute("DELETE FROM pens WHERE color = 'red'")
        op.execute("DELETE FROM colors WHERE name = 'red'")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('colors', sa.Column('name', sa.Text(), primary_key=True))\n"
        "    op.create_table('pens', sa.Column('color', sa.Text(), sa.ForeignKey('colors.name')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Another column was filled",
    """
    def upgrade():
        op.drop_index("ux_nick", table_name="users")


    def downgrade():
        op.execute("UPDATE users SET age = '1' WHERE age IS NULL")
        op.create_index("ux_nick", "users", ["nick"], unique=True, info="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are duplicates in `users.nick` by now
    """,
    history=(_USERS,),
)
rule.example(
    "A value that the enum type of before does not have",
    """
    def upgrade():
        op.execute("ALTER TYPE mood ADD VALUE '😋'")


    def downgrade():
        op.execute("ALTER TYPE mood RENAME TO mood_old")
        op.execute("CREATE TYPE mood AS ENUM ('sad')")
        op.execute("ALTER TABLE cats ALTER COLUMN mood TYPE mood USING mood::text::mood")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are values '😋' in `cats.mood` by now
        op.execute("DROP TYPE mood_old")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('mood', sa.Enum('sad', name='mood')))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The rows that are there are not looked at",
    """
    def upgrade():
        op.drop_constraint("ck_age", "cats")


    def downgrade():
        op.execute("ALTER TABLE cats ADD CONSTRAINT ck_age CHECK (age > 0) NOT VALID")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('age', sa.Integer()))\n"
        "    op.create_check_constraint('ck_age', 'cats', 'age > 0')\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "NULLs are filled, and no value made smaller",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.BigInteger())


    def downgrade():
        op.execute("UPDATE users SET age = 0 WHERE age IS NULL")
        op.alter_column("users", "age", type_=sa.SmallInteger())
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are values in `users.age` that sa.SmallInteger() cannot hold by now
    """,
    history=(_USERS.replace("sa.Text(), server_default='1'", "sa.SmallInteger()"),),
    dialects=("postgresql",),
)
rule.example(
    "What is too large goes first",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.BigInteger())


    def downgrade():
        op.execute("DELETE FROM users WHERE age > 32767")
        op.alter_column("users", "age", type_=sa.SmallInteger())
    """,
    history=(_USERS.replace("sa.Text(), server_default='1'", "sa.SmallInteger()"),),
    dialects=("postgresql",),
)
rule.example(
    "A cast in parentheses is a cast like others",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.BigInteger())


    def downgrade():
        op.alter_column("users", "age", type_=sa.SmallInteger(), postgresql_using="CAST(age AS smallint)")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are values in `users.age` that sa.SmallInteger() cannot hold by now
    """,
    history=(_USERS.replace("sa.Text(), server_default='1'", "sa.SmallInteger()"),),
    dialects=("postgresql",),
)
rule.example(
    "Made to fit by the expression of the cast",
    """
    def upgrade():
        op.alter_column("users", "age", type_=sa.BigInteger())


    def downgrade():
        op.alter_column("users", "age", type_=sa.SmallInteger(), postgresql_using="least(age, 32767)::smallint")
    """,
    history=(_USERS.replace("sa.Text(), server_default='1'", "sa.SmallInteger()"),),
    dialects=("postgresql",),
)
rule.example(
    "A CHECK that only gets weaker, and one that does not",
    """
    def upgrade():
        op.drop_constraint("ck_age", "people", type_="check")
        op.create_check_constraint("ck_age", "people", "age >= 0 AND age < 200")
        op.drop_constraint("ck_size", "people", type_="check")
        op.create_check_constraint("ck_size", "people", "size < 300")


    def downgrade():
        op.drop_constraint("ck_size", "people", type_="check")
        op.create_check_constraint("ck_size", "people", "size > 0")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ fails if there are rows against `ck_size` in `people` by now
        op.drop_constraint("ck_age", "people", type_="check")
        op.create_check_constraint("ck_age", "people", sa.column("age") >= 0)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('people', sa.Column('age', sa.Integer()),\n"
        "        sa.Column('size', sa.Integer()),\n"
        "        sa.CheckConstraint('age >= 0', name='ck_age'),\n"
        "        sa.CheckConstraint('size > 0', name='ck_size'))\n",
    ),
    dialects=("postgresql",),
)
