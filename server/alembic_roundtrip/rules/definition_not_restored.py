"""After the downgrade something is there with the right name, but defined otherwise.

## Why it matters
A foreign key, index, CHECK, comment, enum type, function or view has its name and nothing fails: a
lost ON DELETE, UNIQUE or predicate shows weeks later, as rows that should not be there.

## What to do
Copy the definition from the migration that made it, with its rules, uniqueness and predicate.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import restored_otherwise

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Constraints, indexes, comments, enum types and objects that are not what they were."""
    yield from restored_otherwise(context, "definition")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users',\n"
    "        sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30), nullable=False, server_default='x'),\n"
    "        sa.Column('team', sa.Integer(), sa.ForeignKey('teams.id', ondelete='CASCADE')),\n"
    "        sa.CheckConstraint('team > 0', name='ck_team'))\n"
    "    op.create_index('ix_😋', 'users', ['nick'], unique=True)\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
)

rule.example(
    "An index that was unique",
    """
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index("ix_😋", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_😋` is not unique any more
    """,
    fixed="""
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index("ix_😋", "users", ["nick"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A foreign key without its rule",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer(), sa.ForeignKey("teams.id")))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.team` has ondelete nothing instead of 'CASCADE'
    """,
    history=(_USERS,),
)
rule.example(
    "No foreign key at all",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.team` comes back without its foreign key
    """,
    history=(_USERS,),
)
rule.example(
    "As it was",
    """
    def upgrade():
        op.drop_index("ix_😋", table_name="users")


    def downgrade():
        op.create_index("ix_😋", "users", ["nick"], unique=True)
    """,
    history=(_USERS,),
)
rule.example(
    "A unique index in place of UNIQUE, foreign key made apart",
    """
    def upgrade():
        op.drop_column("users", "team")


    def downgrade():
        op.add_column("users", sa.Column("team", sa.Integer()))
        op.create_foreign_key("fk_team", "users", "teams", ["team"], ["id"], ondelete="CASCADE")
    """,
    history=(_USERS,),
)
rule.example(
    "An index that was not there before",
    """
    def upgrade():
        op.drop_column("users", "nick")


    def downgrade():
        op.add_column("users", sa.Column("nick", sa.String(30)))
        op.create_index("ix_nick", "users", ["nick"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_nick` is an index that was not there before
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('nick', sa.String(30)))\n",
    ),
)
rule.example(
    "A foreign key from another column",
    """
    def upgrade():
        op.drop_constraint("fk_team", "users", type_="foreignkey")


    def downgrade():
        op.create_foreign_key("fk_team", "users", "teams", ["group"], ["id"])
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.fk_team` is on (group) instead of (team)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('users', sa.Column('team', sa.Integer()), sa.Column('group', sa.Integer()),\n"
        "        sa.ForeignKeyConstraint(['team'], ['teams.id'], name='fk_team'))\n",
    ),
)
rule.example(
    "A function",
    """
    def upgrade():
        op.execute("CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2 -- 😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `one` is defined otherwise
        op.create_table("teams", sa.Column("id", sa.Integer()))


    def downgrade():
        op.drop_table("teams")
    """,
    history=(
        "def upgrade():\n"
        "    op.execute(\"CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'\")\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A view that was there before, and is dropped as if it were new",
    """
    def upgrade():
        op.execute("CREATE OR REPLACE VIEW grown AS SELECT id FROM users WHERE age > 20 -- 😋")


    def downgrade():
        op.execute("DROP VIEW IF EXISTS grown -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `grown` is gone
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('age', sa.Integer()))\n"
        "    op.execute('CREATE OR REPLACE VIEW grown AS SELECT id FROM users WHERE age > 18')\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "A view that is dropped, and made again as it was",
    """
    def upgrade():
        op.execute("DROP VIEW grown")
        op.execute("CREATE VIEW grown AS SELECT id FROM users WHERE age > 20 -- 😋")


    def downgrade():
        op.execute("DROP VIEW grown")
        op.execute("CREATE VIEW grown AS SELECT id FROM users WHERE age > 18")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('age', sa.Integer()))\n"
        "    op.execute('CREATE VIEW grown AS SELECT id FROM users WHERE age > 18')\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The same function, laid out otherwise",
    """
    def upgrade():
        op.execute("DROP FUNCTION one")


    def downgrade():
        op.execute(
            "CREATE OR REPLACE FUNCTION one()\\n"
            "RETURNS int LANGUAGE sql AS 'SELECT 1';"
        )
    """,
    history=(
        "def upgrade():\n"
        "    op.execute(\"CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'\")\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "An enum type with other values",
    """
    def upgrade():
        op.execute("ALTER TYPE state RENAME VALUE 'old' TO '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `state` lacks 'old'
        op.create_table("teams", sa.Column("id", sa.Integer()))


    def downgrade():
        op.drop_table("teams")
    """,
    history=("def upgrade():\n    op.execute(\"CREATE TYPE state AS ENUM ('new', 'old')\")\n",),
    dialects=("postgresql",),
)
rule.example(
    "A foreign key that was dropped only if it was there",
    """
    def upgrade():
        op.execute("ALTER TABLE pets DROP CONSTRAINT IF EXISTS pets_owner")
        op.create_foreign_key("pets_owner", "pets", "users", ["owner"], ["id"], ondelete="CASCADE")


    def downgrade():
        op.drop_constraint("pets_owner", "pets")
        op.create_foreign_key("pets_owner", "pets", "users", ["owner"], ["id"], comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `pets.pets_owner` is a constraint that was not there before
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('pets', sa.Column('owner', sa.Integer()))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The same predicate, spelled otherwise",
    """
    def upgrade():
        op.drop_index("ix_nick", table_name="users")


    def downgrade():
        where = sa.text("(nick  IS NOT NULL)")
        op.create_index("ix_nick", "users", ["nick"], unique=True, postgresql_where=where)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('nick', sa.Text()))\n"
        "    op.create_index('ix_nick', 'users', ['nick'], unique=True,\n"
        "        postgresql_where=sa.text('nick IS NOT NULL'))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "Conditions in other parentheses, and a CHECK that is part of its column",
    """
    def upgrade():
        op.drop_table("cats")


    def downgrade():
        op.execute("CREATE TABLE cats (age integer CONSTRAINT ck_age CHECK ((age > 0)))")
        op.execute(
            "CREATE INDEX ix_young ON cats (age) WHERE ((age < 3) AND (age IS NOT NULL))"
        )
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('age', sa.Integer()))\n"
        "    op.create_check_constraint('ck_age', 'cats', 'age > 0')\n"
        "    op.create_index('ix_young', 'cats', ['age'],\n"
        "        postgresql_where=sa.text('age < 3 AND age IS NOT NULL'))\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The same words, grouped otherwise",
    """
    def upgrade():
        op.drop_constraint("ck_age", "cats")


    def downgrade():
        op.create_check_constraint("ck_age", "cats", "(age > 0 AND age < 9) OR name = '😋'")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `cats.ck_age` checks another condition
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('age', sa.Integer()), sa.Column('name', sa.Text()))\n"
        "    op.create_check_constraint('ck_age', 'cats', \"age > 0 AND (age < 9 OR name = '😋')\")\n",
    ),
    dialects=("postgresql",),
)
rule.example(
    "The rule that a foreign key has when none is said",
    """
    def upgrade():
        op.drop_constraint("fk_team", "users", type_="foreignkey")


    def downgrade():
        op.create_foreign_key("fk_team", "users", "teams", ["team"], ["id"], ondelete="NO ACTION")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('users', sa.Column('team', sa.Integer()),\n"
        "        sa.ForeignKeyConstraint(['team'], ['teams.id'], name='fk_team'))\n",
    ),
)
rule.example(
    "Indexes that SQLAlchemy does not see when a batch makes the table anew",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_column("😋")


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.add_column(sa.Column("😋", sa.Text(), sa.ForeignKey("teams.id")))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_first` is lost where a batch makes the table anew
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_last` has lost its order or collation where a batch makes the table anew
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('teams', sa.Column('id', sa.Text(), primary_key=True))\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('name', sa.Text()), sa.Column('😋', sa.Text(), sa.ForeignKey('teams.id')))\n"
        "    op.create_index('ix_first', 'users', [sa.text('lower(name)')])\n"
        "    op.create_index('ix_last', 'users', [sa.text('name COLLATE nocase DESC')])\n",
    ),
    dialects=("sqlite",),
)
rule.example(
    "A reference to a table that another one has taken the place of",
    """
    def upgrade():
        op.rename_table("pets", "animals")


    def downgrade():
        op.drop_table("animals")
        op.create_table(
            "pets",
            sa.Column("owner", sa.Integer(), sa.ForeignKey("users.id", name="fk_owner")),
        )
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('pets',\n"
        "        sa.Column('owner', sa.Integer(), sa.ForeignKey('users.id', name='fk_owner')))\n",
        "def upgrade():\n"
        "    op.execute('PRAGMA legacy_alter_table=ON')\n"
        "    op.rename_table('users', 'old')\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.drop_table('old')\n",
    ),
    dialects=("sqlite",),
)
rule.example(
    "An index that ran downwards",
    """
    def upgrade():
        op.drop_index("ix_last", "users")


    def downgrade():
        op.create_index("ix_last", "users", ["name", "age"], comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `users.ix_last` is on `name`, `age` instead of `name`, `age DESC`
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('name', sa.Text()), sa.Column('age', sa.Integer()))\n"
        "    op.create_index('ix_last', 'users', ['name', sa.text('age DESC')])\n",
    ),
)
rule.example(
    "The same order, and an expression in another spelling",
    """
    def upgrade():
        op.drop_index("ix_up", "users")
        op.drop_index("ix_low", "users")


    def downgrade():
        op.create_index("ix_up", "users", ["age"])
        op.create_index("ix_low", "users", [sa.text("lower((name)::text)")])
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('name', sa.Text()), sa.Column('age', sa.Integer()))\n"
        "    op.create_index('ix_up', 'users', [sa.text('age ASC')])\n"
        "    op.create_index('ix_low', 'users', [sa.text('lower(name)')])\n",
    ),
)
rule.example(
    "A foreign key that comes back under another name",
    """
    def upgrade():
        op.drop_table("pets")


    def downgrade():
        owner = sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_pets_owner")
        op.create_table("pets", sa.Column("owner", sa.Integer()), owner, comment="😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ after the downgrade `pets.fk_owner` is called `fk_pets_owner`
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('pets', sa.Column('owner', sa.Integer()),\n"
        "        sa.ForeignKeyConstraint(['owner'], ['users.id'], name='fk_owner'), comment='😋')\n",
    ),
)
rule.example(
    "A foreign key that had the database's own name",
    """
    def upgrade():
        op.drop_table("pets")


    def downgrade():
        owner = sa.ForeignKeyConstraint(["owner"], ["users.id"], name="fk_pets_owner")
        op.create_table("pets", sa.Column("owner", sa.Integer()), owner)
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    op.create_table('pets', sa.Column('owner', sa.Integer()),\n"
        "        sa.ForeignKeyConstraint(['owner'], ['users.id']))\n",
    ),
)
rule.example(
    "A column's name that is a word of its CHECK, too, and a name without quotes",
    """
    def upgrade():
        op.alter_column("cats", "state", new_column_name="status")
        op.drop_index("ix")


    def downgrade():
        op.alter_column("cats", "status", new_column_name="state")
        op.create_index("ix", "cats", ["age", "state"])
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('cats', sa.Column('age', sa.Integer()), sa.Column('state', sa.Text()),\n"
        "        sa.CheckConstraint(\"state in ('state', 'status')\", name='ck'))\n"
        "    op.create_index('ix', 'cats', [sa.text('AGE'), 'state'])\n",
    ),
    dialects=("postgresql",),
)
