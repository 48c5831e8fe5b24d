"""The downgrade drops what the upgrade did not create.

## Why it matters
A rollback of this revision destroys an object, and its data, that was there long before it.

## What to do
Drop what the upgrade created; mostly the name is wrong, or the operation belongs to another migration.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import unrelated_drops
from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Objects that were there before the upgrade, are after it, and not after the downgrade."""
    for key, operation in unrelated_drops(context):
        name = key.name if key.kind == "index" else key
        yield Finding(operation.range, f"upgrade() did not create the {key.kind} `{name}`")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
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
