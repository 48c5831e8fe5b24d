"""A view, function, type or other object that the upgrade drops does not come back.

## Why it matters
The old version of the application misses it, and the next upgrade fails because there is nothing
to drop.

## What to do
Create it again in the downgrade, as it was at the parent revision, after the tables that it uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic_roundtrip.comparison.symmetry import TAKING, Missing, missing
from alembic_roundtrip.context import Context
from alembic_roundtrip.diagnostic import Finding
from alembic_roundtrip.migration import changes as c
from alembic_roundtrip.rule import Rule
from alembic_roundtrip.rules._fixes import not_restored

rule = Rule(__name__, severity="error", upgrade=TAKING["object"])

_KINDS = ("view", "function", "procedure", "sequence", "domain", "type", "enum", "trigger")
_ONCE = frozenset({"view", "sequence", "domain", "type", "enum"})
"""Kinds of which there is one of a name: not for other arguments, nor on another table."""


@rule.check
def check(context: Context) -> Iterator[Finding]:
    """Objects without an operation of their own that nothing makes again."""
    for kind in _KINDS:
        for gone in missing(context, kind):
            if _is_sure(gone):
                what = "enum type" if kind == "enum" else kind
                message = f"nothing in downgrade() restores the {what} `{gone.key.table}`"
                yield not_restored(context, gone, message)


def _is_sure(gone: Missing) -> bool:
    """Whether it certainly was there, and is missed."""
    if gone.key.kind == "enum" and gone.trip.dialect != "postgresql":
        return False  # nothing but texts elsewhere
    if gone.operation.says("IF", "EXISTS"):
        return False  # it may have gone before, with a table or another object
    changes = [change for _, change, _ in gone.trip.down.steps]
    if c.Unknown(frozenset()) in changes:
        return False  # an object whose name is computed may be this one
    if gone.key.kind in _ONCE:
        return True
    key = (gone.key.kind, gone.key.table)
    return bool(gone.trip.before.definitions.get(key)) and not any(
        isinstance(change, c.CreateObject | c.ReplaceObject) and (change.kind, change.name) == key
        for change in changes
    )


_BEFORE = (
    "def upgrade():\n"
    "    op.create_table('users', sa.Column('id', sa.Integer(), primary_key=True),\n"
    "        sa.Column('nick', sa.String(30)))\n"
    '    op.execute("CREATE VIEW ids AS SELECT id FROM users")\n'
    "    op.execute(\"CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'\")\n"
    "    op.execute(\"CREATE TYPE mood AS ENUM ('a', 'b')\")\n"
)

rule.example(
    "A view",
    """
    def upgrade():
        op.execute("DROP VIEW ids -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the view `ids`
        op.add_column("users", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("users", "name")
    """,
    fixed="""
    def upgrade():
        op.execute("DROP VIEW ids -- 😋")
        op.add_column("users", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("users", "name")
        op.execute("CREATE VIEW ids AS SELECT id FROM users")
    """,
    history=(_BEFORE,),
)
rule.example(
    "A function, and an enum type",
    """
    def upgrade():
        op.execute("DROP FUNCTION one() -- 😋")
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the function `one`
        sa.Enum(name="mood").drop(op.get_bind())
        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ nothing in downgrade() restores the enum type `mood`
        op.add_column("users", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("users", "name")
    """,
    history=(_BEFORE,),
    dialects=("postgresql",),
)
rule.example(
    "Replaced, or made with a table",
    """
    def upgrade():
        op.execute("DROP VIEW ids")
        op.execute("DROP FUNCTION one()")
        op.execute("DROP TYPE mood")


    def downgrade():
        op.create_table("cats", sa.Column("mood", sa.Enum("a", "b", name="mood")))
        op.drop_table("cats")
        op.execute("CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        op.execute("CREATE OR REPLACE VIEW ids AS SELECT id FROM users")
    """,
    history=(_BEFORE,),
    dialects=("postgresql",),
)
rule.example(
    "A function for other arguments takes its place",
    """
    def upgrade():
        op.execute("CREATE FUNCTION one(i int) RETURNS int LANGUAGE sql AS 'SELECT i'")
        op.execute("DROP FUNCTION one()")


    def downgrade():
        op.execute("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        op.execute("DROP FUNCTION one(int)")
    """,
    history=(_BEFORE,),
    dialects=("postgresql",),
)
rule.example(
    "Perhaps gone with something else, and what no revision made",
    """
    def upgrade():
        op.execute("DROP VIEW IF EXISTS ids")
        op.execute("DROP VIEW others")
        op.add_column("users", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("users", "name")
    """,
    history=(_BEFORE,),
    dialects=("postgresql",),
)
rule.example(
    "A type is no object where enums are texts",
    """
    def upgrade():
        sa.Enum(name="mood").drop(op.get_bind())
        op.add_column("users", sa.Column("name", sa.Text()))


    def downgrade():
        op.drop_column("users", "name")
    """,
    history=(
        "def upgrade():\n"
        "    op.create_table('users', sa.Column('mood', sa.Enum('a', 'b', name='mood')))\n",
    ),
    dialects=("sqlite",),
)
