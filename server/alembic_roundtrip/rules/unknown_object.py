"""The downgrade names a table, column, index or constraint that does not exist then.

## Why it matters
The downgrade fails at that operation, in the middle of a rollback.

## What to do
Use the name that the object has at this point: the one the upgrade gave it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from alembic_roundtrip.comparison.targets import NEEDING, Target, absent_targets, nearest
from alembic_roundtrip.context import Context
from alembic_roundtrip.databases import named
from alembic_roundtrip.diagnostic import Finding, Fix
from alembic_roundtrip.migration.objects import option
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.scaffold.edits import has_own_call, renamed
from alembic_roundtrip.schema import Key

rule = Rule(__name__, severity="error", downgrade=NEEDING)


_KINDS = {"enum": "enum type"}
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "table": ("table_name", "source_table", "old_table_name"),
    "column": ("column_name",),
    "index": ("index_name",),
    "constraint": ("constraint_name",),
}


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Names that are nothing, neither now nor when the downgrade began."""
    for target in absent_targets(context):
        if target.gone_before:
            continue
        near = nearest(target.key, target.schema)
        owner = context.owner(target.key.table) if target.key.kind == "table" else None
        hint = f"; did you mean `{near}`?" if near else ""
        hint = f": `{named(owner)}` has it" if owner is not None else hint
        subject = f"the {_KINDS.get(target.key.kind, target.key.kind)} `{target.key}`"
        message = f"{subject} does not exist at this point{hint}"
        yield Finding(target.operation.range, message, partial(_fixes, context, target, near))


def _fixes(context: Context, target: Target, near: str | None) -> tuple[Fix, ...]:
    """The name that was probably meant, where the call itself says it."""
    migration, operation, kind = context.migration, target.operation, target.key.kind
    given = [
        name for name in _ARGUMENTS.get(kind, ()) if option(operation.arguments, name) is not None
    ]
    if near is None or not given or not has_own_call(migration, operation):
        return ()
    meant = _meant(target.key, near)
    if operation.name.startswith("drop_") and target.trip.before.has(meant):
        return ()  # the upgrade has not made it
    column = option(operation.arguments, "column_name")
    there = column is None or target.schema.has(Key("column", meant.table, column.string or ""))
    if kind == "table" and not there:
        return ()
    return (Fix(f"Use `{near}`", (renamed(migration, operation, given[0], near),), "unsafe"),)


def _meant(key: Key, near: str) -> Key:
    return (
        Key("table", key.table._replace(name=near))
        if key.kind == "table"
        else key._replace(name=near)
    )


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
    fixed="""
    def upgrade():
        op.add_column("users", sa.Column("nickname", sa.Text()))


    def downgrade():
        op.drop_column("users", "nickname")
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
    "Misspelled in a batch block",
    """
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index(batch_op.f("ix_users_😋"), ["name"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index(batch_op.f("ix_user_😋"))
            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `users.ix_user_😋` does not exist at this point; did you mean `ix_users_😋`?
    """,
    fixed="""
    def upgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.create_index(batch_op.f("ix_users_😋"), ["name"])


    def downgrade():
        with op.batch_alter_table("users") as batch_op:
            batch_op.drop_index(batch_op.f("ix_users_😋"))
    """,
    history=(_USERS,),
)
rule.example(
    "A row for a column that the table does not have",
    """
    def upgrade():
        op.execute("DELETE FROM teams WHERE name = ''")
        op.execute("DELETE FROM users WHERE name = ''")


    def downgrade():
        op.execute("INSERT INTO teams (id, name, made) VALUES (1, '😋', now())")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the column `teams.made` does not exist at this point
        op.execute("INSERT INTO users (id, name) VALUES (1, '')")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
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
rule.example(
    "An index of a table whose constraints have no names of their own",
    """
    def upgrade():
        op.create_table(
            "pets",
            sa.Column("owner", sa.Integer(), sa.ForeignKey("users.id")),
            sa.Column("name", sa.Text(), unique=True),
        )
        op.create_index("ix_pets_owner", "pets", ["owner"])


    def downgrade():
        op.drop_index("ix_pets_user", table_name="pets")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ the index `pets.ix_pets_user` does not exist at this point; did you mean `ix_pets_owner`?
        op.drop_table("pets")
    """,
    history=(_USERS,),
    dialects=("postgresql",),
)
rule.example(
    "A name that is computed",
    """
    def upgrade():
        op.add_column("users", sa.Column("nick", sa.Text()))
        op.create_index("ix_nick", "users", ["nick"])


    def downgrade():
        for index in sa.inspect(op.get_bind()).get_indexes("users"):
            op.drop_index(index["name"], table_name="users")
        op.drop_column("users", "nick")
    """,
    history=(_USERS,),
)
rule.example(
    "A table of another database",
    """
    def upgrade(engine_name):
        globals()["upgrade_%s" % engine_name]()


    def downgrade(engine_name):
        globals()["downgrade_%s" % engine_name]()


    def upgrade_one():
        op.create_table("😋s", sa.Column("id", sa.Integer()))


    def downgrade_one():
        op.drop_table("😋s")


    def upgrade_two():
        op.create_table("teams", sa.Column("id", sa.Integer()))


    def downgrade_two():
        op.drop_table("😋s")
        ^^^^^^^^^^^^^^^^^^^ the table `😋s` does not exist at this point: `one` has it
        op.drop_table("teams")
    """,
)
