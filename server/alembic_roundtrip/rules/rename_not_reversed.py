"""The upgrade renames something, and the downgrade does not name it back.

## Why it matters
The old version of the application asks for the old name and fails, and the next upgrade has nothing
to rename.

## What to do
Rename it back. Dropping and adding it under the old name would lose its values.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.renames import RENAMING, renames
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import renamed_back

rule = Rule(__name__, severity="error", upgrade=RENAMING)


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Renamed objects that still have their new name after the downgrade."""
    for rename in renames(context):
        if rename.stays:
            message = f"nothing in downgrade() renames `{rename.new}` back to `{rename.old_name}`"
            fixes = (renamed_back(rename),) if rename.new.kind in {"table", "column"} else ()
            yield Finding(rename.operation.range, message, fixes)


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('😋', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
)

rule.example(
    "A column keeps its new name",
    """
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() renames `users.nick` back to `😋`
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.drop_column("users", "age")
    """,
    history=(_USERS,),
    fixed="""
    def upgrade():
        op.alter_column("users", "😋", new_column_name="nick")
        op.add_column("users", sa.Column("age", sa.Integer()))


    def downgrade():
        op.alter_column("users", "nick", new_column_name="😋")
        op.drop_column("users", "age")
    """,
)
rule.example(
    "A table in its batch",
    """
    def upgrade():
        op.rename_table("teams", "groups")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() renames `groups` back to `teams`


    def downgrade():
        op.execute("UPDATE groups SET name = ''")
    """,
    history=(_USERS,),
)
rule.example(
    "A table stays in another schema",
    """
    def upgrade():
        op.execute("ALTER TABLE users SET SCHEMA app; ALTER TABLE teams SET SCHEMA app")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() renames `app.teams` back to `teams`


    def downgrade():
        op.execute("ALTER TABLE app.users SET SCHEMA public")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
    fixed="""
    def upgrade():
        op.execute("ALTER TABLE users SET SCHEMA app; ALTER TABLE teams SET SCHEMA app")


    def downgrade():
        op.execute('ALTER TABLE app.teams SET SCHEMA public')
        op.execute("ALTER TABLE app.users SET SCHEMA public")
    """,
)
rule.example(
    "There and back",
    """
    def upgrade():
        op.rename_table("teams", "groups")
        op.alter_column("users", "😋", new_column_name="nick")


    def downgrade():
        op.alter_column("users", "nick", new_column_name="😋")
        op.rename_table("groups", "teams")
    """,
    history=(_USERS,),
)
rule.example(
    "Of tables that no migration has made",
    """
    def upgrade():
        op.alter_column("people", "first", new_column_name="given")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() renames `people.given` back to `first`
        op.alter_column("people", "last", new_column_name="family")
        op.rename_table("pets", "animals")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() renames `animals` back to `pets`
        op.rename_table("toys", "things")


    def downgrade():
        op.execute("ALTER TABLE people RENAME COLUMN family TO last")
        op.rename_table("things", "toys")
    """,
)
rule.example(
    "What the upgrade renames again, or drops, of a table that no migration has made",
    """
    def upgrade():
        op.alter_column("people", "first", new_column_name="given")
        op.alter_column("people", "given", new_column_name="name")
        op.alter_column("people", "last", new_column_name="last_old")
        op.drop_column("people", "last_old")


    def downgrade():
        op.alter_column("people", "name", new_column_name="first")
        op.add_column("people", sa.Column("last", sa.Text()))
    """,
)
