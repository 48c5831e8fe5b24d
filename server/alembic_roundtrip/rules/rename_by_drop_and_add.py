"""A rename is undone by dropping the new name and creating the old one: the values are lost.

## Why it matters
Schema and names are right after the rollback, but the column or table is empty.

## What to do
Rename back in the downgrade, as the upgrade renamed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.renames import RENAMING, Rename, renames
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding, Fix, Related
from alembic_roundtrip.migration.rewrite import SurroundStatement
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import removed, stands_alone
from alembic_roundtrip.text import within

rule = Rule(__name__, severity="error", upgrade=RENAMING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Renamed objects that the downgrade drops and makes anew."""
    for rename in renames(context):
        if rename.dropped_by is not None:
            related = Related(context.migration.path, rename.operation.range, "renamed here")
            yield Finding(
                rename.dropped_by.range,
                f"`{rename.new}` holds what `{rename.old_name}` held: rename it back",
                partial(_fixes, context, rename),
                related=(related,),
            )


def _fixes(context: Context, rename: Rename) -> tuple[Fix, ...]:
    """The rename back in the place of the drop; what makes the old name anew goes."""
    from alembic_roundtrip.scaffold import scaffold

    downgrade = rename.downgrade
    pair = [each for each in (rename.dropped_by, rename.made_by) if each is not None]
    if not all(stands_alone(context.migration, each) for each in pair):
        return ()
    written = scaffold(context, rename.operation.range)
    if not written.complete or not written.statements:
        return ()
    place = next(each for each in downgrade.statements if within(pair[0].statement, each))
    insert = SurroundStatement(place, written.statements, imports=written.imports)
    title = f"Rename `{rename.new}` back instead"
    return (Fix(title, (insert, *removed(downgrade, pair)), "unsafe"),)


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
    fixed="""
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.alter_column(
            "users",
            "nick",
            existing_type=sa.Text(),
            existing_nullable=True,
            new_column_name="😋",
        )
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
rule.example(
    "A real replacement",
    """
    def upgrade():
        op.drop_column("users", "😋")
        op.add_column("users", sa.Column("nick", sa.Integer()))


    def downgrade():
        op.drop_column("users", "nick")
        op.add_column("users", sa.Column("😋", sa.Text()))
    """,
    history=(_USERS,),
)
rule.example(
    "Of a table that the upgrade makes",
    """
    def upgrade():
        op.create_table("notes", sa.Column("a", sa.Text()))
        op.alter_column("notes", "a", new_column_name="b")


    def downgrade():
        op.drop_column("notes", "b")
        op.add_column("notes", sa.Column("a", sa.Text()))
        op.drop_table("notes")
    """,
)
