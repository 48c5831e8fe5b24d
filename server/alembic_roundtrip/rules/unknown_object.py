"""The downgrade names a table, column, index or constraint that does not exist then.

## Why it matters
The downgrade fails at that operation, in the middle of a rollback.

## What to do
Use the name that the object has at this point: the one the upgrade gave it.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.targets import absent_targets, nearest
from alembic_roundtrip.context import Context
from alembic_roundtrip.rule import Finding, Rule

rule = Rule(__name__, severity="error")


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Names that are nothing, neither now nor when the downgrade began."""
    for target in absent_targets(context):
        if target.gone_before:
            continue
        near = nearest(target.key, target.schema)
        hint = f"; did you mean `{near}`?" if near else ""
        subject = f"the {target.key.kind} `{target.key}`"
        yield Finding(target.operation.range, f"{subject} does not exist at this point{hint}")


_USERS = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
    "    op.create_table('teams', sa.Column('id', sa.Integer()), sa.Column('name', sa.Text()))\n"
)

rule.example(
    "Misspelled",
    """
    def upgrade():
        op.add_column("users", sa.Column("nickname", sa.Text()))


    def downgrade():
        op.drop_column("users", "nick_name")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the column `users.nick_name` does not exist at this point; did you mean `nickname`?
    """,
    history=(_USERS,),
)
rule.example(
    "The table's old name",
    """
    def upgrade():
        op.rename_table("teams", "groups")


    def downgrade():
        op.drop_column("teams", "name")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the table `teams` does not exist at this point
    """,
    history=(_USERS,),
)
rule.example(
    "A constraint whose name is a convention's",
    """
    def upgrade():
        op.create_table("tags", sa.Column("id", sa.Integer(), sa.ForeignKey("users.id")))


    def downgrade():
        op.drop_constraint("fk_tags_id_users", "tags", type_="foreignkey")
        op.drop_table("tags")
    """,
    history=(_USERS,),
)
rule.example(
    "A table that no migration made",
    """
    def upgrade():
        op.add_column("made_elsewhere", sa.Column("nick", sa.Text()))


    def downgrade():
        op.drop_column("made_elsewhere", "nick")
    """,
    history=(_USERS,),
)
rule.example(
    "Only where it is there",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))


    def downgrade():
        if "😋" in [c["name"] for c in sa.inspect(op.get_bind()).get_columns("users")]:
            op.drop_column("users", "😋")
        op.drop_column("users", "nick")
    """,
    history=(_USERS,),
)
rule.example(
    "Only if it is there",
    """
    def upgrade():
        op.add_column("users", sa.Column("nickname", sa.Text()))


    def downgrade():
        op.drop_index("ix_users_nick", table_name="users", if_exists=True)
        op.drop_column("users", "nickname")
    """,
    history=(_USERS,),
)
