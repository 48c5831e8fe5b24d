"""The downgrade drops what the upgrade did not create.

## Why it matters
A rollback of this revision destroys an object, and its data, that was there long before it.

## What to do
Drop what the upgrade created; mostly the name is wrong, or the operation belongs to another migration.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.symmetry import NAMED_DROPS, leftovers, unrelated_drops
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.model import Operation
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import has_own_call, removed, renamed, stands_alone
from alembic_roundtrip.schema import Key

rule = Rule(__name__, severity="error", downgrade=NAMED_DROPS)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Objects that were there before the upgrade, are after it, and not after the downgrade."""
    for key, operation in unrelated_drops(context):
        name = key.name if key.kind == "index" else key
        message = f"upgrade() did not create the {key.kind} `{name}`"
        yield Finding(operation.range, message, partial(_fixes, context, key, operation))


def _fixes(context: Context, key: Key, operation: Operation) -> tuple[Fix, ...]:
    """The name of the only such thing that stays behind; or the drop taken away."""
    migration, downgrade = context.migration, context.written_downgrade
    if downgrade is None or not has_own_call(migration, operation):
        return ()
    stays = [left.key for left in leftovers(context, key.kind)]
    fixes = []
    argument = f"{key.kind}_name"
    said = option(operation.arguments, argument) is not None
    if said and len(stays) == 1 and (key.kind == "table" or stays[0].table == key.table):
        name = stays[0].name or stays[0].table.name
        rewrite = renamed(migration, operation, argument, name)
        fixes.append(Fix(f"Drop `{name}`, which upgrade() created", (rewrite,), "unsafe"))
    if stands_alone(migration, operation):
        fixes.append(Fix("Remove the drop", tuple(removed(downgrade, [operation])), "unsafe"))
    return tuple(fixes)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
)

_KEYED = (
    "def upgrade():\n"
    "    op.create_table('seats', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('row', sa.Integer()), sa.UniqueConstraint('row', name='uq_row'))\n"
)

rule.example(
    "A constraint that was there, which making the table anew keeps once",
    """
    def upgrade():
        with op.batch_alter_table("seats") as batch_op:
            batch_op.create_unique_constraint("uq_row", ["row"])


    def downgrade():
        with op.batch_alter_table("seats") as batch_op:
            batch_op.drop_constraint("uq_row", type_="unique")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() did not create the constraint `seats.uq_row`
    """,
    history=(_KEYED,),
    dialects=("sqlite",),
)
rule.example(
    "The wrong column",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() did not create the column `users.😋`
    """,
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick")
    """,
    history=(_USERS,),
)
rule.example(
    "One drop too many",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index("ix_users_😋", ["😋"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index("ix_users_😋")
        with op.batch_alter_table("teams") as batch_op:
            batch_op.drop_column("name")
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() did not create the column `teams.name`
    """,
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index("ix_users_😋", ["😋"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index("ix_users_😋")
    """,
    history=(_USERS,),
)
rule.example(
    "Another table, dropped by SQL",
    """
    def upgrade():
        op.create_table("notes", sa.Column("id", sa.Integer()))


    def downgrade():
        op.execute("DROP TABLE teams -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ upgrade() did not create the table `teams`
    """,
    fixed="""
    def upgrade():
        op.create_table("notes", sa.Column("id", sa.Integer()))


    def downgrade():
        pass
    """,
    history=(_USERS,),
)
rule.example(
    "Made by SQL that is not read",
    """
    def upgrade():
        op.execute(open("teams.sql").read())


    def downgrade():
        op.drop_table("teams")
    """,
    history=(_USERS,),
)
rule.example(
    "Created where it was missing",
    """
    def upgrade():
        op.execute("CREATE TABLE IF NOT EXISTS teams (id int)")


    def downgrade():
        op.drop_table("teams")
    """,
    history=(_USERS,),
)
rule.example(
    "Replaced by another",
    """
    def upgrade():
        op.drop_column("users", "😋")
        op.add_column("users", sa.Column("😋", sa.Integer()))


    def downgrade():
        op.drop_column("users", "😋")
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "Made by SQL that is read",
    """
    def upgrade():
        op.execute("CREATE TABLE notes (id int); CREATE INDEX ix_notes ON notes (id)")


    def downgrade():
        op.drop_index("ix_notes", table_name="notes")
        op.drop_table("notes")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A table that the upgrade makes only where there is none",
    """
    def upgrade():
        if not sa.inspect(op.get_bind()).has_table("users"):
            op.create_table("users", sa.Column("id", sa.Integer()))


    def downgrade():
        op.drop_table("users")
        ^^^^^^^^^^^^^^^^^^^^^^ upgrade() did not create the table `users`
    """,
    history=(_USERS,),
)
