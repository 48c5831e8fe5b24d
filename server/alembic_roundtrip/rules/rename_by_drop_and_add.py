"""A rename is undone by dropping the new name and creating the old one: the values are lost.

## Why it matters
Schema and names are right after the rollback, but the column or table is empty.

## What to do
Rename back in the downgrade, as the upgrade renamed.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.renames import renames
from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Related, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Renamed objects that the downgrade drops and makes anew."""
    for rename in renames(context):
        if rename.dropped_by is not None:
            related = Related(context.migration.path, rename.operation.range, "renamed here")
            yield Finding(
                rename.dropped_by.range,
                f"`{rename.new}` holds what `{rename.old_name}` held: rename it back",
                related=(related,),
            )


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
)

rule.example(
    "A column",
    """
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.drop_column("users", "nick")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ `users.nick` holds what `😋` held: rename it back
    """,
    history=(_USERS,),
)
rule.example(
    "Values are copied first",
    """
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.add_column("users", sa.Column("😋", sa.Text()))
        op.execute('UPDATE users SET "😋" = nick')
        op.drop_column("users", "nick")
    """,
    history=(_USERS,),
)
rule.example(
    "Renamed back",
    """
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.alter_column("users", "nick", new_column_name="😋")
    """,
    history=(_USERS,),
)
